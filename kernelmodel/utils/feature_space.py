"""Tables as arrays: each column prepared in its own way, all side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kernelmodel import layers, ops
from kernelmodel.core.inputs import Input
from kernelmodel.core.layer import Layer
from kernelmodel.core.lookup import Registry, suggestion
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.layers.preprocessing.adapting import Adapting, as_objects
from kernelmodel.saving import save_model
from kernelmodel.utils.feature_kinds import FeatureKinds
from kernelmodel.utils.features import Cross, Feature, TFDConcat

REGISTRY = Registry("utility", "keras.utils")


@REGISTRY.register()
class FeatureSpace(FeatureKinds, Layer):
    """The columns of a table, prepared one by one and joined to an array.

    Args:
        features: `{name: kind}`; a kind is "float", "float_normalized", "float_rescaled",
            "float_discretized", "integer_categorical", "string_categorical", "integer_hashed",
            "string_hashed", or what the methods of these names give.
        output_mode: "concat" for one array (batch, values), "dict" for an array for each feature.
        crosses: Tuples of names of features to take together, or what `cross` gives.
        crossing_dim: Buckets of a cross.
        hashing_dim: Buckets of hashed features.
        num_discretization_bins: Intervals of discretized features.
        name: Name; made up if None.

    Call:
        inputs: A dict of arrays (batch,) or (batch, 1), or of single values.

    Raises:
        ValueError: An argument is none of these; later, a call before `adapt`.

    Examples:
        >>> import kernelmodel as km
        >>> space = km.utils.FeatureSpace({"age": "float_normalized", "kind": "string_categorical"})
        >>> space.adapt({"age": [1.0, 3.0, 5.0], "kind": ["cat", "dog", "cat"]})
        >>> space({"age": [3.0], "kind": ["dog"]})
        array([[0., 0., 0., 1.]], dtype=float32)
    """

    reads_text = True

    def __init__(
        self,
        features: dict[str, Any],
        output_mode: str = "concat",
        crosses: Any = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, autocast=False)
        if not isinstance(features, dict) or not features:
            raise ValueError(
                f"FeatureSpace: features must be a dict like {{'age': 'float'}}, got {features!r}."
            )
        if output_mode not in ("concat", "dict"):
            raise ValueError(
                f"FeatureSpace: output_mode must be 'concat' or 'dict', got {output_mode!r}."
            )
        self.output_mode = output_mode
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {key: self._feature(key, kind) for key, kind in features.items()}
        self.crosses = [self._cross(cross) for cross in crosses or ()]
        self.preprocessors = {key: f.preprocessor for key, f in self.features.items()}
        self.crossers = {
            cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name)
            for cross in self.crosses
        }
        self.one_hot_encoders: dict[str, Any] = {}
        self.concat: Any = None
        self._inputs: Any = None
        self._encoded: Any = None
        self._adapted = not self._learners()

    # ---- features ----

    def _feature(self, name: str, kind: Any) -> Feature:
        kind = deserialize_keras_object(kind)
        if isinstance(kind, Feature):
            return kind
        kinds: dict[str, Any] = {
            "float": self.float,
            "float_normalized": self.float_normalized,
            "float_rescaled": self.float_rescaled,
            "integer_categorical": self.integer_categorical,
            "string_categorical": self.string_categorical,
            "float_discretized": lambda name: self.float_discretized(
                self.num_discretization_bins, name=name
            ),
            "integer_hashed": lambda name: self.integer_hashed(self.hashing_dim, name=name),
            "string_hashed": lambda name: self.string_hashed(self.hashing_dim, name=name),
        }
        if kind not in kinds:
            raise ValueError(
                f"FeatureSpace: feature {name!r} has the unknown kind {kind!r}. "
                f"{suggestion(str(kind), kinds)}"
            )
        return kinds[kind](name=name)

    def _cross(self, cross: Any) -> Cross:
        cross = deserialize_keras_object(cross)
        cross = cross if isinstance(cross, Cross) else Cross(cross, self.crossing_dim)
        unknown = [key for key in cross.feature_names if key not in self.features]
        if unknown:
            raise ValueError(
                f"FeatureSpace: the cross {cross.feature_names} has the unknown feature "
                f"{unknown[0]!r}. {suggestion(unknown[0], self.features)}"
            )
        return cross

    # ---- adapt ----

    def _learners(self) -> dict[str, Adapting]:
        return {
            name: layer
            for name, layer in self.preprocessors.items()
            if isinstance(layer, Adapting) and layer.adapts
        }

    def adapt(self, dataset: Any) -> None:
        """Let every feature learn from the data, in one pass.

        Args:
            dataset: A dict of arrays, or anything that gives dicts: a `tf.data.Dataset`, a
                generator, a `PyDataset`.

        Raises:
            ValueError: Something else, or a feature is missing.
        """
        learners = self._learners()
        for layer in learners.values():
            layer.reset_state()
        for batch in self._batches(dataset):
            self._check_names(batch, learners)
            for name, layer in learners.items():
                layer.update_state(_column(batch[name]))
        for layer in learners.values():
            layer.finalize_state()
        self._adapted, self._encoded, self._inputs = True, None, None
        self.one_hot_encoders = {}
        self._make()

    def _batches(self, dataset: Any) -> Iterator[dict[str, Any]]:
        if isinstance(dataset, dict):
            yield dataset
            return
        if isinstance(dataset, (np.ndarray, list, str)) or not hasattr(dataset, "__iter__"):
            raise ValueError(
                f"FeatureSpace {self.name!r}: adapt() expects a dict of arrays or a dataset of "
                f"dicts, got a {type(dataset).__name__}."
            )
        for batch in dataset:
            yield batch[0] if isinstance(batch, tuple) else batch

    def _check_names(self, data: Any, names: Any) -> None:
        if not isinstance(data, dict):
            raise ValueError(
                f"FeatureSpace {self.name!r} expects a dict with {sorted(self.features)}, got a "
                f"{type(data).__name__}."
            )
        missing = [name for name in names if name not in data]
        if missing:
            raise ValueError(
                f"FeatureSpace {self.name!r} got no data for feature {missing[0]!r}; the data has "
                f"{sorted(data)}. {suggestion(missing[0], data)}"
            )

    # ---- encoding ----

    def get_inputs(self) -> dict[str, KerasTensor]:
        """Symbolic inputs by feature, for a model on raw data."""
        self._make()
        return self._inputs

    def get_encoded_features(self) -> Any:
        """What the inputs of `get_inputs` become: for a model on prepared, or on raw data."""
        self._make()
        return self._encoded

    def _make(self) -> None:
        """Make the symbolic inputs and outputs, once everything is learnt."""
        if not self._adapted:
            raise ValueError(
                f"FeatureSpace {self.name!r} has features that learn from data: "
                f"{sorted(self._learners())}. Call adapt(data) first."
            )
        if self._encoded is not None:
            return
        self._inputs = {
            name: Input(shape=(1,), dtype=feature.dtype, name=name)
            for name, feature in self.features.items()
        }
        parts = self._prepared(self._inputs)
        specs: dict[str, Any] = {**self.features, **{cross.name: cross for cross in self.crosses}}
        for name, tensor in parts.items():
            if specs[name].output_mode == "one_hot":
                size = self._categories(name, tensor)
                self.one_hot_encoders[name] = layers.CategoryEncoding(size)
            elif self.output_mode == "concat" and not tensor.dtype.startswith("float"):
                raise ValueError(
                    f"FeatureSpace {self.name!r}: feature {name!r} is of dtype {tensor.dtype}, "
                    "which can't be joined with numbers. Give it output_mode='one_hot', or the "
                    "space output_mode='dict'."
                )
        if self.output_mode == "concat":
            self.concat = TFDConcat(axis=-1)
        self._encoded = self._joined(parts)
        self.built = True

    def _categories(self, name: str, tensor: KerasTensor) -> int:
        layer = self.preprocessors.get(name) or self.crossers[name]
        if not tensor.dtype.startswith("int"):
            raise ValueError(
                f"FeatureSpace {self.name!r}: feature {name!r} has output_mode='one_hot', but its "
                f"layer gives {tensor.dtype}, not integers. Give it output_mode='float'."
            )
        if hasattr(layer, "vocabulary_size"):
            return layer.vocabulary_size()
        size = getattr(layer, "num_bins", None) or getattr(layer, "num_tokens", None)
        if size is None and isinstance(layer, layers.Discretization):
            size = len(layer.bin_boundaries or ()) + 1
        if size is None:
            raise ValueError(
                f"FeatureSpace {self.name!r}: feature {name!r} has output_mode='one_hot', but its "
                f"layer ({type(layer).__name__}) doesn't tell how many categories there are. Give "
                "it output_mode='int'."
            )
        return size

    def _prepared(self, values: dict[str, Any]) -> dict[str, Any]:
        """Features by name, then crosses by name, each prepared."""
        parts = {name: self.preprocessors[name](values[name]) for name in sorted(self.features)}
        crossed = {
            cross.name: self.crossers[cross.name]([parts[key] for key in cross.feature_names])
            for cross in self.crosses
        }
        return {**parts, **{name: crossed[name] for name in sorted(crossed)}}

    def _joined(self, parts: dict[str, Any]) -> Any:
        encoders = self.one_hot_encoders
        encoded = {name: encoders[name](x) if name in encoders else x for name, x in parts.items()}
        return encoded if self.output_mode == "dict" else self.concat(list(encoded.values()))

    def call(self, data: Any) -> Any:
        """Prepare a table."""
        self._make()
        self._check_names(data, self.features)
        values = {name: data[name] for name in self.features}
        single = all(np.ndim(value) == 0 for value in values.values())
        result = self._joined(self._prepared({k: _column(v) for k, v in values.items()}))
        if not single:
            return result
        if self.output_mode == "concat":
            return ops.squeeze(result, 0)
        return {name: ops.squeeze(part, 0) for name, part in result.items()}

    def compute_output_spec(self, data: Any) -> Any:
        """Symbolic tensors like those that a call gives."""
        self._make()
        return self._joined(self._prepared(data))

    # ---- files ----

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, in a form that JSON can hold."""
        return {
            "features": serialize_keras_object(self.features),
            "output_mode": self.output_mode,
            "crosses": serialize_keras_object(self.crosses),
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FeatureSpace:
        """Make a space of the config of another."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layers of features were built with, for files."""
        return {name: layer.get_build_config() or {} for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the layers of features with these shapes: their values come from a file."""
        for name, shapes in config.items():
            self.preprocessors[name].build_from_config(shapes)
        self._adapted = True

    def save(self, filepath: Any) -> None:
        """Save to a ".keras" file, which `km.models.load_model` opens."""
        self._make()
        save_model(self, filepath)


def _column(values: Any) -> Any:
    """Values as a column (batch, 1)."""
    if hasattr(values, "shape") and not hasattr(values, "__array__"):
        array = values
    else:
        array = as_objects(values)
    if array.dtype == np.float64:
        array = array.astype("float32")
    return array if array.ndim > 1 else array.reshape(-1, 1)
