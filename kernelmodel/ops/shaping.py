"""Ops that make, cut, join and rearrange arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.boxes import getval, isbox
from kernelmodel.engine.indexing import getitem as _index
from kernelmodel.engine.stand_in import StandIn
from kernelmodel.engine.xla_array import XlaArray
from kernelmodel.ops.convert import _cast, dtype_of, standardize_dtype
from kernelmodel.ops.dispatch import op, op_of_other

__all__ = [
    "arange",
    "broadcast_to",
    "concatenate",
    "expand_dims",
    "eye",
    "flip",
    "full",
    "full_like",
    "getitem",
    "linspace",
    "moveaxis",
    "one_hot",
    "ones",
    "ones_like",
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
    "zeros",
    "zeros_like",
]


@op_of_other
def zeros(shape: Any, dtype: Any = None) -> Any:
    """An array of zeros (float32 if no dtype is given)."""
    return np.zeros(shape, standardize_dtype(dtype))


@op_of_other
def ones(shape: Any, dtype: Any = None) -> Any:
    """An array of ones (float32 if no dtype is given)."""
    return np.ones(shape, standardize_dtype(dtype))


@op_of_other
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """An array of one value (float32 if no dtype is given)."""
    return np.full(shape, fill_value, standardize_dtype(dtype))


@op
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape and dtype of x."""
    return full_like(x, 0, dtype)


@op
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape and dtype of x."""
    return full_like(x, 1, dtype)


@op
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value in the shape and dtype of x."""
    kind = dtype_of(x) if dtype is None else standardize_dtype(dtype)
    x = getval(x)
    if isinstance(x, XlaArray):  # its shape may be open
        return np.full_like(x, fill_value, kind)
    return np.full(np.shape(x), fill_value, kind)


@op_of_other
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on the k-th diagonal, zeros elsewhere, in shape (N, M)."""
    return np.eye(N, M, k, standardize_dtype(dtype))


@op_of_other
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """Evenly spaced values; int32 for integers, float32 for floats."""
    values = np.arange(start, step=step) if stop is None else np.arange(start, stop, step)
    return values.astype(
        {"i": "int32", "f": "float32"}[values.dtype.kind] if dtype is None else dtype
    )


@op_of_other
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` evenly spaced values from start to stop.

    Args:
        start: First value, a number or an array of them.
        stop: Last value.
        num: How many.
        endpoint: Whether `stop` is among them.
        retstep: Whether to return the step too.
        dtype: Dtype name; None for float32.
        axis: The new axis, where start and stop are arrays.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.linspace(0, 1, num=3)
        array([0. , 0.5, 1. ], dtype=float32)
    """
    first, last = getval(start), getval(stop)
    values, step = np.linspace(first, last, num, endpoint, retstep=True, axis=axis)
    values = _cast(values, standardize_dtype(dtype))
    return (values, step) if retstep else values


@op
def reshape(x: Any, newshape: Any) -> Any:
    """The same values in another shape; one length may be -1."""
    return anp.reshape(x, newshape)


@op
def ravel(x: Any) -> Any:
    """All values in one dimension."""
    return anp.reshape(x, (-1,))


@op
def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Axes permuted, reversed if none are given."""
    return anp.transpose(x, axes)


@op
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    return anp.swapaxes(x, axis1, axis2)


@op
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other places."""
    return anp.moveaxis(x, source, destination)


@op
def expand_dims(x: Any, axis: int) -> Any:
    """A new axis of length one."""
    return anp.expand_dims(x, axis)


@op
def squeeze(x: Any, axis: Any = None) -> Any:
    """Axes of length one removed."""
    return anp.squeeze(x, axis)


@op
def broadcast_to(x: Any, shape: Any) -> Any:
    """x repeated along new and length-one axes up to a shape."""
    return anp.broadcast_to(x, shape)


@op_of_other
def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Arrays joined along an axis."""
    return anp.concatenate(list(xs), axis)


@op_of_other
def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of one shape joined along a new axis."""
    return anp.concatenate([anp.expand_dims(part, axis) for part in x], axis)


@op
def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """The slices along an axis, as a list."""
    length = np.shape(getval(x))[axis] if num is None else num
    index: list[Any] = [slice(None)] * np.ndim(getval(x))
    parts = []
    for i in range(length):
        index[axis] = i
        parts.append(_index(x, tuple(index)))
    return parts


@op
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """x cut into equal parts (an int), or at the given indices, as a list."""
    return list(anp.split(x, indices_or_sections, axis))


@op
def tile(x: Any, repeats: Any) -> Any:
    """x repeated as a whole along each axis."""
    return anp.tile(x, repeats)


@op
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each entry repeated along an axis."""
    return anp.repeat(x, repeats, axis)


@op
def flip(x: Any, axis: Any = None) -> Any:
    """Order reversed along the axes (all if None)."""
    rank = np.ndim(getval(x))
    axes = range(rank) if axis is None else ([axis] if isinstance(axis, int) else axis)
    chosen = {a % rank for a in axes}
    return _index(x, tuple(slice(None, None, -1 if i in chosen else 1) for i in range(rank)))


@op
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Entries shifted along an axis, those that fall off come in again at the other end."""
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
    """Entries of x at the indices along an axis (of the flattened array if None)."""
    picked = getval(indices)
    picked = picked if isinstance(picked, StandIn) else np.asarray(picked)
    if axis is None:
        return _index(anp.reshape(x, (-1,)), picked)
    return _index(x, (*([slice(None)] * (axis % np.ndim(getval(x)))), picked))


@op
def getitem(x: Any, index: Any) -> Any:
    """`x[index]`, with NumPy's rules."""
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
