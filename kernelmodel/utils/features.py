"""Features of tables, and crosses of them: what a FeatureSpace is made of."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.layer import Layer
from kernelmodel.core.lookup import Registry
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object

# The module that Keras' files name for these.
REGISTRY = Registry("feature", "keras.src.layers.preprocessing.feature_space")


@REGISTRY.register()
class Feature:
    """A column of a table, and how it is prepared.

    Args:
        dtype: Dtype of the column: "float32", "int32", "string", ...
        preprocessor: A layer that gets the column as (batch, 1).
        output_mode: "float" or "int" for what the layer gives, "one_hot" for rows of its integers.

    Raises:
        ValueError: Another output mode.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        if output_mode not in ("int", "one_hot", "float"):
            raise ValueError(
                f"Feature: output_mode must be 'int', 'one_hot' or 'float', got {output_mode!r}."
            )
        self.dtype, self.output_mode = dtype, output_mode
        self.preprocessor = deserialize_keras_object(preprocessor)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return {
            "dtype": self.dtype,
            "preprocessor": serialize_keras_object(self.preprocessor),
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Feature:
        """Make a feature of the config of another."""
        return cls(**config)


@REGISTRY.register()
class Cross:
    """Features taken together, as one category.

    Args:
        feature_names: Names of the features.
        crossing_dim: Count of buckets that combinations are hashed into.
        output_mode: "one_hot" for rows, "int" for numbers of buckets.

    Raises:
        ValueError: Another output mode.
    """

    def __init__(self, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> None:
        if output_mode not in ("int", "one_hot"):
            raise ValueError(f"Cross: output_mode must be 'int' or 'one_hot', got {output_mode!r}.")
        self.feature_names = tuple(feature_names)
        self.crossing_dim, self.output_mode = crossing_dim, output_mode

    @property
    def name(self) -> str:
        """The names of the features, joined."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return {
            "feature_names": self.feature_names,
            "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Cross:
        """Make a cross of the config of another."""
        return cls(**config)


@REGISTRY.register()
class TFDIdentity(Layer):
    """A column as it is; the name is that of Keras' files."""

    def call(self, x: Any) -> Any:
        """The input."""
        return x


@REGISTRY.register()
class TFDConcat(Layer):
    """Features side by side; the name is that of Keras' files.

    Args:
        axis: The axis along which they are joined.
    """

    def __init__(self, axis: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, xs: Any) -> Any:
        """Join them."""
        return ops.concatenate(list(xs), axis=self.axis)
