"""Layers around another layer."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.call_spec import call_spec
from kernelmodel.core.layer import Layer
from kernelmodel.core.tree import flatten, map_shapes, map_structure
from kernelmodel.layers.registry import REGISTRY


def check_layer(owner: str, argument: str, value: Any) -> None:
    """Raise a TypeError unless the value is a layer."""
    if not isinstance(value, Layer):
        raise TypeError(
            f"{owner}: {argument} must be a layer, such as layers.Dense(8), got {value!r} of type "
            f"{type(value).__name__}."
        )


@REGISTRY.register()
class Wrapper(Layer):
    """Base of layers around another layer, which is `self.layer`.

    Args:
        layer: The layer.

    Raises:
        TypeError: It is none.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.Wrapper(km.layers.Dense(2, name="inner")).layer.name
        'inner'
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        check_layer(type(self).__name__, "layer", layer)
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any) -> None:
        """Build the layer."""
        if not self.layer.built:
            self.layer.build(input_shape)


@REGISTRY.register()
class TimeDistributed(Wrapper):
    """A layer applied to each step by itself, with the same weights.

    The steps of all samples are handed to the layer as one large batch.

    Args:
        layer: The layer; its input lacks the axis of steps.

    Returns:
        (batch, steps, ...) for an input of shape (batch, steps, ...).

    Raises:
        TypeError: `layer` is no layer.
        ValueError: In a call, the input has fewer than three dimensions, or a mask that doesn't
            fit.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.TimeDistributed(km.layers.Conv2D(4, 3))
        >>> layer(np.ones((2, 5, 8, 8, 1))).shape
        (2, 5, 6, 6, 4)
    """

    supports_masking = True

    def _inner_shape(self, shape: Any) -> tuple[Any, ...]:
        if len(shape) < 3:
            raise ValueError(
                f"Layer {self.name!r} (TimeDistributed) expects an input of at least 3 dimensions, "
                f"(batch, steps, ...), got shape {tuple(shape)}."
            )
        return (shape[0], *shape[2:])

    def build(self, input_shape: Any) -> None:
        """Build the layer."""
        super().build(self._inner_shape(input_shape))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Apply the layer to each step."""
        self._inner_shape(inputs.shape)
        steps = tuple(inputs.shape[:2])
        count = steps[0] * steps[1]
        spec = call_spec(type(self.layer))
        options: dict[str, Any] = {"training": training} if spec.training else {}
        if mask is not None:
            if tuple(mask.shape[:2]) != steps:
                raise ValueError(
                    f"Layer {self.name!r} (TimeDistributed) expects a mask of shape {steps}, like "
                    f"the first axes of its input, got {tuple(mask.shape)}."
                )
            if spec.masks:
                options["mask"] = ops.reshape(mask, (count, *mask.shape[2:]))
        outputs = self.layer(ops.reshape(inputs, (count, *inputs.shape[2:])), **options)
        return map_structure(lambda y: ops.reshape(y, (*steps, *y.shape[1:])), outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        inner = self.layer.compute_output_shape(self._inner_shape(input_shape))
        return map_shapes(lambda s: (input_shape[0], input_shape[1], *s[1:]), inner)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the input: its steps are those of the output."""
        return flatten(previous_mask)[0] if previous_mask is not None else None
