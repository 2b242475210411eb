"""The kinds of features that a FeatureSpace knows."""

from __future__ import annotations

from typing import Any

from kernelmodel import layers
from kernelmodel.core.naming import unique_name
from kernelmodel.utils.features import Cross, Feature, TFDIdentity


class FeatureKinds:
    """Methods that make features; a part of `FeatureSpace`."""

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A feature with a layer of your own; see `Feature`."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def cross(cls, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Features taken together; see `Cross`."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """A number as it is."""
        name = _named("float", name)
        return Feature("float32", TFDIdentity(name=name), "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """A number shifted and scaled to mean 0 and variance 1."""
        layer = layers.Normalization(axis=-1, name=_named("float_normalized", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_rescaled(
        cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None
    ) -> Feature:
        """A number times `scale` plus `offset`."""
        layer = layers.Rescaling(scale, offset, name=_named("float_rescaled", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_discretized(
        cls,
        num_bins: int,
        bin_boundaries: Any = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """A number as the interval that it lies in; see `Discretization`."""
        layer = layers.Discretization(
            bin_boundaries=bin_boundaries,
            num_bins=num_bins if bin_boundaries is None else None,
            name=_named("float_discretized", name),
        )
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """An integer as a category; see `IntegerLookup`."""
        layer = layers.IntegerLookup(
            max_tokens, num_oov_indices, name=_named("integer_categorical", name)
        )
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """A string as a category; see `StringLookup`."""
        layer = layers.StringLookup(
            max_tokens, num_oov_indices, name=_named("string_categorical", name)
        )
        return Feature("string", layer, output_mode)

    @classmethod
    def string_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """A string as a bucket; see `Hashing`."""
        layer = layers.Hashing(num_bins, name=_named("string_hashed", name))
        return Feature("string", layer, output_mode)

    @classmethod
    def integer_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """An integer as a bucket; see `Hashing`."""
        layer = layers.Hashing(num_bins, name=_named("integer_hashed", name))
        return Feature("int32", layer, output_mode)


def _named(kind: str, name: str | None) -> str:
    return f"{unique_name(kind) if name is None else name}_preprocessor"
