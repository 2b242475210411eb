"""Ops that cut, join and rearrange arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.boxes import getval, isbox
from kernelmodel.engine.indexing import getitem as _index
from kernelmodel.engine.stand_in import StandIn
from kernelmodel.ops.convert import _cast, standardize_dtype
from kernelmodel.ops.dispatch import op, op_of_other

__all__ = [
    "broadcast_to",
    "concatenate",
    "expand_dims",
    "flip",
    "getitem",
    "moveaxis",
    "one_hot",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "take",
    "tile",
    "transpose",
    "unstack",
]


@op
def reshape(x: Any, newshape: Any) -> Any:
    """The same values in another shape; one length may be -1.

    Args:
        x: Array of any shape, or what becomes one.
        newshape: Shape with the same number of entries; one length may be -1.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.reshape([1, 2, 3, 4], (2, 2))
        array([[1, 2],
               [3, 4]])
    """
    return anp.reshape(x, newshape)


@op
def ravel(x: Any) -> Any:
    """All values in one dimension.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.ravel([[1, 2], [3, 4]])
        array([1, 2, 3, 4])
    """
    return anp.reshape(x, (-1,))


@op
def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Axes permuted, reversed if none are given.

    Args:
        x: Array of any shape, or what becomes one.
        axes: The axes in their new order; None for the reverse.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.transpose([[1, 2], [3, 4]])
        array([[1, 3],
               [2, 4]])
    """
    return anp.transpose(x, axes)


@op
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    Args:
        x: Array of any shape, or what becomes one.
        axis1: One axis.
        axis2: The other.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.swapaxes(km.ops.ones((2, 3, 4)), 0, 2).shape
        (4, 3, 2)
    """
    return anp.swapaxes(x, axis1, axis2)


@op
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other places.

    Args:
        x: Array of any shape, or what becomes one.
        source: Axis, or several.
        destination: Where each of them goes.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.moveaxis(km.ops.ones((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    return anp.moveaxis(x, source, destination)


@op
def expand_dims(x: Any, axis: int) -> Any:
    """A new axis of length one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.expand_dims([1, 2], 0)
        array([[1, 2]])
    """
    return anp.expand_dims(x, axis)


@op
def squeeze(x: Any, axis: Any = None) -> Any:
    """Axes of length one removed.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.squeeze([[1, 2]])
        array([1, 2])
    """
    return anp.squeeze(x, axis)


@op
def broadcast_to(x: Any, shape: Any) -> Any:
    """x repeated along new and length-one axes up to a shape.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.broadcast_to([1, 2], (2, 2))
        array([[1, 2],
               [1, 2]])
    """
    return anp.broadcast_to(x, shape)


@op_of_other
def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Arrays joined along an axis.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.concatenate([[1, 2], [3]])
        array([1, 2, 3])
    """
    return anp.concatenate(list(xs), axis)


@op_of_other
def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of one shape joined along a new axis.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.stack([[1, 2], [3, 4]], axis=1)
        array([[1, 3],
               [2, 4]])
    """
    return anp.concatenate([anp.expand_dims(part, axis) for part in x], axis)


@op
def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """The slices along an axis, as a list.

    Args:
        x: Array of any shape, or what becomes one.
        num: Length of the axis, where it is unknown; or None.
        axis: Axis; negative ones count from the last.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.unstack([[1, 2], [3, 4]])
        [array([1, 2]), array([3, 4])]
    """
    length = np.shape(getval(x))[axis] if num is None else num
    index: list[Any] = [slice(None)] * np.ndim(getval(x))
    parts = []
    for i in range(length):
        index[axis] = i
        parts.append(_index(x, tuple(index)))
    return parts


@op
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """x cut into equal parts (an int), or at the given indices, as a list.

    Args:
        x: Array of any shape, or what becomes one.
        indices_or_sections: How many equal parts, or where to cut.
        axis: Axis; negative ones count from the last.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.split([1, 2, 3, 4], 2)
        [array([1, 2]), array([3, 4])]
    """
    return list(anp.split(x, indices_or_sections, axis))


@op
def tile(x: Any, repeats: Any) -> Any:
    """x repeated as a whole along each axis.

    Args:
        x: Array of any shape, or what becomes one.
        repeats: How often, along the last axis or along each.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.tile([1, 2], 2)
        array([1, 2, 1, 2])
    """
    return anp.tile(x, repeats)


@op
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each entry repeated along an axis.

    Args:
        x: Array of any shape, or what becomes one.
        repeats: How often, for all or for each entry.
        axis: Axis; None for the flattened array.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.repeat([1, 2], 2)
        array([1, 1, 2, 2])
    """
    return anp.repeat(x, repeats, axis)


@op
def flip(x: Any, axis: Any = None) -> Any:
    """Order reversed along the axes (all if None).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.flip([1, 2, 3])
        array([3, 2, 1])
    """
    rank = np.ndim(getval(x))
    axes = range(rank) if axis is None else ([axis] if isinstance(axis, int) else axis)
    chosen = {a % rank for a in axes}
    return _index(x, tuple(slice(None, None, -1 if i in chosen else 1) for i in range(rank)))


@op
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Entries shifted along an axis, those that fall off come in again at the other end.

    Args:
        x: Array of any shape, or what becomes one.
        shift: By how many places, for all or for each axis.
        axis: Axis, or several; None for the flattened array.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.roll([1, 2, 3], 1)
        array([3, 1, 2])
    """
    return anp.roll(x, shift, axis)


@op
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """x with a border.

    Args:
        x: Array.
        pad_width: How many entries before and after: (before, after) for each axis, one such pair
            for all, or one number for both ends of all.
        mode: "constant", "edge" (the last entry again), "reflect" (mirrored at the last entry),
            "symmetric" (mirrored behind it) or "wrap".
        constant_values: What to fill with; None for zero.

    Raises:
        ValueError: Constant values in another mode.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.pad([1, 2, 3], (1, 2), mode="reflect")
        array([2, 1, 2, 3, 2, 1])
    """
    if mode == "constant":
        return anp.pad(x, pad_width, mode, constant_values=constant_values or 0)
    if constant_values is not None:
        raise ValueError(
            f"pad: constant_values must be None with mode={mode!r}, got {constant_values!r}."
        )
    lengths = np.shape(getval(x))
    for axis, width in enumerate(np.broadcast_to(np.asarray(pad_width), (len(lengths), 2))):
        if any(width):
            order = np.pad(np.arange(lengths[axis]), width, mode)  # type: ignore[call-overload]
            x = _index(x, (*[slice(None)] * axis, order))
    return x


@op
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Entries of x at the indices along an axis (of the flattened array if None).

    Args:
        x: Array of any shape, or what becomes one.
        indices: Integers of any shape; negative ones count from the last.
        axis: Axis; None for the flattened array.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.take([10, 20, 30], [2, 0])
        array([30, 10])
    """
    picked = getval(indices)
    picked = picked if isinstance(picked, StandIn) else np.asarray(picked)
    if axis is None:
        return _index(anp.reshape(x, (-1,)), picked)
    return _index(x, (*([slice(None)] * (axis % np.ndim(getval(x)))), picked))


@op
def getitem(x: Any, index: Any) -> Any:
    """`x[index]`, with NumPy's rules.

    Args:
        x: Array of any shape, or what becomes one.
        index: Integers, slices, None, `...`, or a tuple of them, as in NumPy.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.getitem([1, 2, 3], slice(1, None))
        array([2, 3])
    """
    return _index(x, index) if isbox(x) else x[index]


@op
def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """Integers as rows with a one at their index; zeros for an index out of range.

    Args:
        x: Integers of any shape.
        num_classes: Length of a row.
        axis: Where the new axis goes.
        dtype: Dtype name; None for float32.
        sparse: Must be False: there are no sparse arrays here.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.one_hot([2, 0], 3)
        array([[0., 0., 1.],
               [1., 0., 0.]], dtype=float32)
    """
    if sparse:
        raise ValueError("one_hot: sparse must be False: there are no sparse arrays here.")
    labels = getval(x)
    labels = labels if hasattr(labels, "dtype") else np.asarray(labels)
    hits = np.expand_dims(labels, -1) == np.arange(num_classes)
    encoded = _cast(hits, standardize_dtype(dtype))
    return encoded if axis in (-1, len(labels.shape)) else np.moveaxis(encoded, -1, axis)
