"""Sequential: a stack of layers, each with one input and one output."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.context import named
from kernelmodel.core.inputs import InputLayer
from kernelmodel.core.layer import Layer
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tree import flatten, is_shape, shapes_of
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.models.model import Model
from kernelmodel.ops.convert import dtype_of


@REGISTRY.register()
class Sequential(Model):
    """A plain stack of layers.

    With an `Input` first (or once it has seen data) it has weights and a graph; without one it
    is built by its first data.

    Args:
        layers: Layers, or None to add them with `add`.
        trainable: Whether its weights are trained.
        name: Name; made up if None.

    Examples:
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((4,)), km.layers.Dense(2), km.layers.Softmax()])
        >>> model.output_shape
        (None, 2)
    """

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(trainable=trainable, name=name)
        self._stack: list[Layer] = []
        self._data_dtype: str | None = None
        if layers is not None and not isinstance(layers, (list, tuple)):
            layers = [layers]
        for layer in layers or []:
            self.add(layer, rebuild=False)
        self._rebuild()

    @property
    def _layers(self) -> list[Any]:
        return [*self._stack]

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    @property
    def _serialized_module(self) -> str | None:
        return "keras" if type(self) is Sequential else None

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top.

        Args:
            layer: A layer, or an `Input`.
            rebuild: Whether the model is built anew at once, if its input is known.

        Raises:
            TypeError: Something else than a layer.
            ValueError: A second layer of one name, or an input that isn't the first.
        """
        if isinstance(layer, KerasTensor) and layer.node is not None:
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            raise TypeError(
                f"Sequential {self.name!r} holds layers, got {layer!r} of type "
                f"{type(layer).__name__}. Put a function into km.layers.Lambda or "
                "km.layers.Activation."
            )
        if any(known.name == layer.name for known in self._stack):
            raise ValueError(
                f"Sequential {self.name!r} has a layer {layer.name!r} already. Give each layer its "
                "own name; a layer can stand in a stack only once."
            )
        if isinstance(layer, InputLayer) and self._stack:
            raise ValueError(
                f"Sequential {self.name!r}: an Input must come first, not after others."
            )
        if not self._stack and not isinstance(layer, InputLayer):
            shape = getattr(layer, "_declared_input_shape", None)
            if shape is None and isinstance(layer, Model) and layer._graph is not None:
                shape = layer.input_shape
            if shape is not None and is_shape(shape):
                self._stack.append(InputLayer(batch_shape=shape, name=f"{layer.name}_input"))
        self._stack.append(layer)
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take off the top layer and return it.

        Args:
            rebuild: Whether the model is built anew at once, if its input is known.
        """
        layer = self._stack.pop()
        layer._inbound_nodes.clear()
        self.built = False
        object.__setattr__(self, "_graph", None)
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        self._forget_functions()
        if len(self._stack) > 1 and isinstance(self._stack[0], InputLayer):
            self._connect(self._stack[0].output)
        else:
            object.__setattr__(self, "_graph", None)
            self.built = False

    def _connect(self, tensor: KerasTensor) -> None:
        outputs: Any = tensor
        with named(self.name):
            for layer in self.layers:
                outputs = layer(outputs)
        self._set_graph(tensor, outputs)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of a shape (with the batch axis).

        Args:
            input_shape: Shape with the batch axis, None for unknown lengths.
        """
        if self._graph is None and input_shape is not None and self.layers:
            shape = tuple(input_shape)
            if not is_shape(shape):
                raise ValueError(
                    f"Sequential {self.name!r} takes one input, got shapes {input_shape}. Use the "
                    "Functional API for several inputs."
                )
            first = self.layers[0]
            layer = InputLayer(
                batch_shape=(None, *shape[1:]),
                dtype=self._data_dtype or first.input_dtype,
                name=f"{first.name}_input",
            )
            self._stack.insert(0, layer)
            self._connect(layer.output)

    def _build_for(self, named: dict[str, Any]) -> None:
        first = next(iter(named.values()), None)
        if len(flatten(first)) == 1:
            (leaf,) = flatten(first)
            if self.layers and self.layers[0].reads_text and hasattr(leaf, "dtype"):
                self._data_dtype = _dtype_of_data(leaf)
            self.build(shapes_of(leaf))
        else:
            self.built = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Run the layers one after another."""
        if self._graph is not None:
            return super().call(inputs, training=training, mask=mask)
        if not self.layers:
            raise ValueError(f"Sequential {self.name!r} has no layers. Add one with add().")
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    def _has_call(self) -> bool:
        return True

    def get_config(self) -> dict[str, Any]:
        """The name and the layers' configs."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": self._dtype_config(),
            "layers": [serialize_keras_object(layer) for layer in self._stack],
        }
        if self._graph is not None:
            config["build_input_shape"] = self._graph.input_tensors[0].shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Make a stack of the config of another."""
        if not isinstance(config, dict):
            config = {"layers": config}
        layers = [deserialize_keras_object(one, custom_objects) for one in config["layers"]]
        model = cls(layers, name=config.get("name"), trainable=config.get("trainable", True))
        if model._graph is None and config.get("build_input_shape"):
            model.build(tuple(config["build_input_shape"]))
        return model


def _dtype_of_data(leaf: Any) -> str:
    """Dtype name of data; objects are texts."""
    return "string" if getattr(leaf.dtype, "kind", "") == "O" else dtype_of(leaf)
