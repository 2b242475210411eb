"""Layers that merge inputs along axes: concatenation and dot products."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.layer import Layer
from kernelmodel.layers.arguments import is_integer, refuse
from kernelmodel.layers.merging import check_list
from kernelmodel.layers.registry import REGISTRY

TINY = 1e-12  # least squared norm that a normalized dot product divides by


@REGISTRY.register()
class Concatenate(Layer):
    """Inputs joined along an axis.

    Args:
        axis: The axis; the inputs have equal lengths in all others.

    Raises:
        ValueError: Lengths in another axis differ.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Concatenate()([np.ones((2, 3)), np.ones((2, 4))]).shape
        (2, 7)
    """

    supports_masking = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis if is_integer(axis) else refuse(self, "axis", axis, "an integer")

    def build(self, input_shape: Any) -> None:
        """Check that the shapes fit each other."""
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        """Join the inputs."""
        check_list(self, inputs)
        return ops.concatenate(list(inputs), self.axis)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for inputs of these shapes."""
        check_list(self, input_shape)
        ranks = {len(s) for s in input_shape}
        if len(ranks) == 1 and -len(input_shape[0]) <= self.axis < len(input_shape[0]):
            rank = ranks.pop()
            axis = self.axis % rank
            shape: list[int | None] = []
            for i, lengths in enumerate(zip(*input_shape)):
                known = {n for n in lengths if n is not None}
                if i == axis:
                    shape.append(None if None in lengths else sum(lengths))
                elif len(known) <= 1:
                    shape.append(known.pop() if known else None)
            if len(shape) == rank:
                return tuple(shape)
        raise ValueError(
            f"Layer {self.name!r} (Concatenate) can't join inputs of shapes "
            f"{[tuple(s) for s in input_shape]} along axis {self.axis}: all other axes must be "
            "equally long."
        )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The masks, joined too; an input without a mask counts as unmasked."""
        if not isinstance(previous_mask, (list, tuple)):
            return previous_mask
        if all(mask is None for mask in previous_mask):
            return None
        wide = []
        for x, mask in zip(inputs, previous_mask):
            if mask is None:
                wide.append(np.ones(x.shape, bool))
            elif len(mask.shape) < len(x.shape):
                wide.append(ops.broadcast_to(ops.expand_dims(mask, -1), x.shape))
            else:
                wide.append(mask)
        return ops.any(ops.concatenate(wide, self.axis), axis=-1)


@REGISTRY.register()
class Dot(Layer):
    """Dot product of two inputs along an axis of each, sample by sample.

    Args:
        axes: The axis of both inputs, or (axis of the first, axis of the second).
        normalize: Divide by the norms first: the output is the cosine of the angle.

    Returns:
        The other axes of the first input, then those of the second without the batch.

    Raises:
        ValueError: `axes` isn't one or two integers, or names the batch; the lengths differ.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Dot(axes=(1, 2))([np.ones((2, 3, 5)), np.ones((2, 10, 3))]).shape
        (2, 5, 10)
    """

    casts_integers = True

    supports_masking = True

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        both = isinstance(axes, (list, tuple)) and len(axes) == 2 and all(map(is_integer, axes))
        if not is_integer(axes) and not both:
            refuse(self, "axes", axes, "an integer, or a pair of integers")
        self.axes = axes
        self.normalize = normalize

    def _axes_of(self, shapes: Any) -> tuple[int, int]:
        check_list(self, shapes, exactly=2)
        first, second = (self.axes, self.axes) if is_integer(self.axes) else self.axes
        a, b = first % len(shapes[0]), second % len(shapes[1])
        if a == 0 or b == 0:
            refuse(self, "axes", self.axes, "axes after the batch axis")
        n, m = shapes[0][a], shapes[1][b]
        if n != m and None not in (n, m):
            raise ValueError(
                f"Layer {self.name!r} (Dot): axis {a} of the first input and axis {b} of the "
                f"second must be equally long, got inputs of shapes "
                f"{[tuple(s) for s in shapes]}."
            )
        return a, b

    def build(self, input_shape: Any) -> None:
        """Check that the shapes fit each other."""
        self._axes_of(input_shape)

    def call(self, inputs: Any) -> Any:
        """Compute the product."""
        a, b = self._axes_of([x.shape for x in inputs])
        x, y = inputs
        if self.normalize:
            x, y = (
                v / ops.sqrt(ops.maximum(ops.sum(ops.square(v), axis, keepdims=True), TINY))
                for v, axis in ((x, a), (y, b))
            )
        x, y = ops.moveaxis(x, a, -1), ops.moveaxis(y, b, 1)
        length = x.shape[-1]
        rows = ops.reshape(x, (x.shape[0], int(np.prod(x.shape[1:-1])), length))
        columns = ops.reshape(y, (y.shape[0], length, int(np.prod(y.shape[2:]))))
        shape = (x.shape[0], *x.shape[1:-1], *y.shape[2:])
        return ops.reshape(ops.matmul(rows, columns), shape if len(shape) > 1 else (*shape, 1))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for inputs of these shapes."""
        a, b = self._axes_of(input_shape)
        first = [n for i, n in enumerate(input_shape[0]) if i != a]
        second = [n for i, n in enumerate(input_shape[1]) if i not in (0, b)]
        shape = (*first, *second)
        return shape if len(shape) > 1 else (*shape, 1)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """No mask: the masked axis may be gone."""
        return None


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """A list of tensors joined along an axis, by a `Concatenate` layer.

    Args:
        inputs: A list of tensors.
        axis: The axis along which their lengths may differ.
        kwargs: Arguments of the layer.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.concatenate([km.Input((2,)), km.Input((3,))]).shape
        (None, 5)
    """
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """Dot product of a list of two tensors, by a `Dot` layer.

    Args:
        inputs: A list of two tensors.
        axes: The axis of both over which products are summed, or a pair of axes.
        kwargs: Arguments of the layer.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.dot([km.ops.ones((1, 4)), km.ops.full((1, 4), 2.0)])
        array([[8.]], dtype=float32)
    """
    return Dot(axes, **kwargs)(inputs)
