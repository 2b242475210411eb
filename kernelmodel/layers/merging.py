"""Layers that merge a list of inputs element by element."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from kernelmodel import ops
from kernelmodel.core.layer import Layer
from kernelmodel.layers.registry import REGISTRY


def broadcast_shape(layer: Layer, shapes: Any) -> tuple[int | None, ...]:
    """The shape that shapes broadcast to; shorter ones get axes of length 1 after the batch.

    Raises:
        ValueError: They don't broadcast.
    """
    rank = max(map(len, shapes))
    padded = [(*s[:1], *(1,) * (rank - len(s)), *s[1:]) for s in shapes]
    result: list[int | None] = []
    for axis, lengths in enumerate(zip(*padded)):
        known = {n for n in lengths if n is not None} - ({1} if axis else set())
        if len(known) > 1:
            what = "batch sizes" if axis == 0 else f"lengths in axis {axis}"
            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}) can't merge inputs of shapes "
                f"{[tuple(s) for s in shapes]}: their {what} differ. They must be equal"
                f"{' or 1' if axis else ''}."
            )
        if axis == 0:
            result.append(known.pop() if known else None)
        else:
            result.append(None if None in lengths else (known.pop() if known else 1))
    return tuple(result)


def check_list(layer: Layer, value: Any, least: int = 1, exactly: int | None = None) -> None:
    """Check that the inputs are a list of the right length."""
    count = f"exactly {exactly}" if exactly is not None else f"at least {least}"
    is_list = isinstance(value, (list, tuple)) and all(
        isinstance(part, (list, tuple)) or hasattr(part, "shape") for part in value
    )
    if not is_list or (len(value) != exactly if exactly is not None else len(value) < least):
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) expects a list of {count} inputs, got "
            f"{f'{len(value)} inputs' if is_list else 'one input'}. Call it as "
            "layer([x, y])."
        )


def wide_mask(mask: Any, x: Any) -> Any:
    """A mask of (batch, steps) for the values of an input."""
    missing = len(x.shape) - len(mask.shape)
    return ops.broadcast_to(ops.reshape(mask, (*mask.shape, *(1,) * missing)), x.shape)


class Merge(Layer):
    """Base of layers that merge inputs element by element.

    Inputs of lower rank get axes of length 1 after the batch axis, then all are broadcast. The
    output has a mask if every input has one: their union.
    """

    supports_masking = True
    exactly: int | None = None

    def build(self, input_shape: Any) -> None:
        """Check that the shapes fit each other."""
        check_list(self, input_shape, exactly=self.exactly)
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Merge the inputs."""
        check_list(self, inputs, exactly=self.exactly)
        rank = max(len(x.shape) for x in inputs)
        inputs = [
            x
            if len(x.shape) == rank
            else ops.reshape(x, (x.shape[0], *(1,) * (rank - len(x.shape)), *x.shape[1:]))
            for x in inputs
        ]
        masks = mask if isinstance(mask, (list, tuple)) else [mask] * len(inputs)
        return self._merge(inputs, masks)

    def _merge(self, inputs: list[Any], masks: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a _merge() method.")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for inputs of these shapes."""
        return broadcast_shape(self, input_shape)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The union of the masks, if every input has one."""
        if not isinstance(previous_mask, (list, tuple)):
            return previous_mask
        if any(mask is None for mask in previous_mask):
            return None
        return reduce(ops.logical_or, previous_mask)


@REGISTRY.register()
class Add(Merge):
    """Sum of the inputs.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Add()([np.array([[1.0]]), np.array([[2.0]])])
        array([[3.]], dtype=float32)
    """

    def _merge(self, inputs: list[Any], masks: Any) -> Any:
        return reduce(ops.add, inputs)


@REGISTRY.register()
class Subtract(Merge):
    """First input less the second.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Subtract()([np.array([[1.0]]), np.array([[2.0]])])
        array([[-1.]], dtype=float32)
    """

    exactly = 2

    def _merge(self, inputs: list[Any], masks: Any) -> Any:
        return ops.subtract(inputs[0], inputs[1])


@REGISTRY.register()
class Average(Merge):
    """Mean of the inputs.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Average()([np.array([[1.0]]), np.array([[2.0]])])
        array([[1.5]], dtype=float32)
    """

    def _merge(self, inputs: list[Any], masks: Any) -> Any:
        return ops.divide(reduce(ops.add, inputs), len(inputs))


@REGISTRY.register()
class Multiply(Merge):
    """Product of the inputs; a masked value counts as 1.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Multiply()([np.array([[3.0]]), np.array([[2.0]])])
        array([[6.]], dtype=float32)
    """

    def _merge(self, inputs: list[Any], masks: Any) -> Any:
        factors = [
            x if m is None else ops.where(wide_mask(m, x), x, ops.ones_like(x))
            for x, m in zip(inputs, masks)
        ]
        product = reduce(ops.multiply, factors)
        if any(mask is None for mask in masks):
            return product
        seen = reduce(ops.logical_or, [wide_mask(m, x) for x, m in zip(inputs, masks)])
        return ops.where(seen, product, ops.zeros_like(product))


class _Extreme(Merge):
    """Base of maximum and minimum: a masked value yields to an unmasked one."""

    function: Callable[[Any, Any], Any]

    def _merge(self, inputs: list[Any], masks: Any) -> Any:
        output, seen = inputs[0], None if masks[0] is None else wide_mask(masks[0], inputs[0])
        for x, mask in zip(inputs[1:], masks[1:]):
            mask = None if mask is None else wide_mask(mask, x)
            if mask is not None:
                x = ops.where(mask, x, output)
            if seen is not None:
                output = ops.where(seen, output, x)
            seen = None if mask is None or seen is None else ops.logical_or(seen, mask)
            output = type(self).function(output, x)
        return output


@REGISTRY.register()
class Maximum(_Extreme):
    """Largest of the inputs.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Maximum()([np.array([[3.0]]), np.array([[2.0]])])
        array([[3.]], dtype=float32)
    """

    function = staticmethod(ops.maximum)


@REGISTRY.register()
class Minimum(_Extreme):
    """Smallest of the inputs.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Minimum()([np.array([[3.0]]), np.array([[2.0]])])
        array([[2.]], dtype=float32)
    """

    function = staticmethod(ops.minimum)


def add(inputs: Any, **kwargs: Any) -> Any:
    """Sum of a list of tensors, by an `Add` layer.

    Args:
        inputs: A list of tensors whose shapes broadcast.
        kwargs: Arguments of the layer.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.add([km.ops.ones((1, 2)), km.ops.full((1, 2), 3.0)])
        array([[4., 4.]], dtype=float32)
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """First less second of a list of two tensors, by a `Subtract` layer.

    Args:
        inputs: A list of two tensors whose shapes broadcast.
        kwargs: Arguments of the layer.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.subtract([km.ops.ones((1, 2)), km.ops.full((1, 2), 3.0)])
        array([[-2., -2.]], dtype=float32)
    """
    return Subtract(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """Mean of a list of tensors, by an `Average` layer.

    Args:
        inputs: A list of tensors whose shapes broadcast.
        kwargs: Arguments of the layer.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.average([km.ops.ones((1, 2)), km.ops.full((1, 2), 3.0)])
        array([[2., 2.]], dtype=float32)
    """
    return Average(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """Product of a list of tensors, by a `Multiply` layer.

    Args:
        inputs: A list of tensors whose shapes broadcast.
        kwargs: Arguments of the layer.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.multiply([km.ops.ones((1, 2)), km.ops.full((1, 2), 3.0)])
        array([[3., 3.]], dtype=float32)
    """
    return Multiply(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """Largest of a list of tensors, by a `Maximum` layer.

    Args:
        inputs: A list of tensors whose shapes broadcast.
        kwargs: Arguments of the layer.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.maximum([km.ops.ones((1, 2)), km.ops.full((1, 2), 3.0)])
        array([[3., 3.]], dtype=float32)
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """Smallest of a list of tensors, by a `Minimum` layer.

    Args:
        inputs: A list of tensors whose shapes broadcast.
        kwargs: Arguments of the layer.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.minimum([km.ops.ones((1, 2)), km.ops.full((1, 2), 3.0)])
        array([[1., 1.]], dtype=float32)
    """
    return Minimum(**kwargs)(inputs)
