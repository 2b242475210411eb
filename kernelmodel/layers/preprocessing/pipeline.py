"""Layers applied one after the other, as one layer."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.call_spec import call_spec
from kernelmodel.core.layer import Layer
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.layers.arguments import refuse
from kernelmodel.layers.registry import REGISTRY


@REGISTRY.register()
class Pipeline(Layer):
    """Layers applied one after the other, as preparation of data outside of a model or in it.

    Args:
        layers: The layers, in order.
        name: Name; made up if None.

    Raises:
        ValueError: Something else than a list of layers.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> prepare = km.layers.Pipeline([km.layers.Rescaling(1 / 255), km.layers.CenterCrop(4, 4)])
        >>> prepare(np.ones((2, 8, 8, 3), "uint8")).shape
        (2, 4, 4, 3)
    """

    def __init__(self, layers: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, autocast=False, **kwargs)
        valid = isinstance(layers, (list, tuple)) and all(isinstance(p, Layer) for p in layers)
        if not valid or not layers:
            refuse(self, "layers", layers, "a list of layers")
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return self._pipeline_layers

    @property
    def reads_text(self) -> bool:  # type: ignore[override]
        """Whether the first layer does."""
        return self._pipeline_layers[0].reads_text

    def call(self, inputs: Any, training: Any = True) -> Any:
        """Apply the layers."""
        for layer in self._pipeline_layers:
            more = {"training": training} if call_spec(type(layer)).training else {}
            inputs = layer(inputs, **more)
        return inputs

    def compute_output_spec(self, inputs: Any, training: Any = True) -> Any:
        """Symbolic tensors like those that a call gives."""
        for layer in self._pipeline_layers:
            inputs = layer.compute_output_spec(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, in a form that JSON can hold."""
        return {"layers": serialize_keras_object(self._pipeline_layers), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a pipeline of the config of another."""
        layers = [deserialize_keras_object(part) for part in config["layers"]]
        return cls(**{**config, "layers": layers})
