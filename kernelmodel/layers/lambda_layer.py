"""A function as a layer."""

from __future__ import annotations

import inspect
from typing import Any

from kernelmodel import activations
from kernelmodel.core.kinds import Shapes
from kernelmodel.core.layer import Layer
from kernelmodel.core.operation import Operation
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tree import flatten, is_shape, map_shapes, map_structure
from kernelmodel.layers.arguments import omit_none
from kernelmodel.layers.registry import REGISTRY


@REGISTRY.register()
class Lambda(Layer):
    """A function of an array as a layer.

    A model with a Python lambda can't be saved: a file carries no code. Use a named function
    decorated with `kernelmodel.utils.register_keras_serializable`, or a subclass of `Layer`. A file
    with a Lambda is loaded only with `safe_mode=False`.

    Args:
        function: Called with the input, and with `training` and `mask` if it has such arguments.
        output_shape: Shape of an output without the batch, or a function of the input's shape;
            None to find out by a trial.
        mask: The mask of the output, or a function of (inputs, mask); None for none.
        arguments: Further keyword arguments of the function.

    Raises:
        TypeError: `function` can't be called; in `get_config`, it is a lambda.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.Lambda(lambda x: x ** 2)([1.0, 3.0])
        array([1., 9.], dtype=float32)
    """

    calls_functions_of_configs = True

    def __init__(
        self,
        function: Any,
        output_shape: Shapes | None = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(function, str):
            function = activations.get(function)  # as configs name our own functions
        if not callable(function):
            raise TypeError(
                f"Layer {self.name!r} (Lambda): function must be callable, got {function!r}."
            )
        self.function = function
        self._given_shape = tuple(output_shape) if isinstance(output_shape, list) else output_shape
        self.mask = mask
        self.supports_masking = mask is not None
        self.arguments = arguments or {}
        accepted = inspect.signature(function).parameters
        self._passes_training = "training" in accepted
        self._passes_mask = "mask" in accepted

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        """Call the function."""
        options = dict(self.arguments)
        if self._passes_mask:
            options["mask"] = mask
        if self._passes_training:
            options["training"] = training
        return self.function(inputs, **options)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        if callable(self._given_shape):
            return self._given_shape(input_shape)
        if self._given_shape is not None:
            first = input_shape if is_shape(input_shape) else flatten(input_shape)
            return map_shapes(lambda shape: (first[0], *shape), self._given_shape)
        tensors = map_shapes(lambda s: KerasTensor(s, self.compute_dtype), input_shape)
        return map_structure(lambda t: t.shape, self.compute_output_spec(tensors))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors like those that a call on these arguments gives."""
        if self._given_shape is not None:
            return super().compute_output_spec(*args, **kwargs)
        return Operation.compute_output_spec(self, *args, **kwargs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the output."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def _init_argument(self, name: str) -> Any:
        return self._given_shape if name == "output_shape" else super()._init_argument(name)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return omit_none(super().get_config(), "output_shape", "mask")
