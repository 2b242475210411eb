"""Ops that reduce, accumulate, sort or search along axes."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.xla_array import counted
from kernelmodel.ops.convert import _cast, dtype_of
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import floating

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "count_nonzero",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "sort",
    "std",
    "sum",
    "take_along_axis",
    "top_k",
    "var",
]

Axis = int | tuple[int, ...] | list[int] | None


def _axes(axis: Axis) -> int | tuple[int, ...] | None:
    return tuple(axis) if isinstance(axis, list) else axis


def accumulated(function: Any, x: Any, **settings: Any) -> Any:
    """A sum or product in the dtype of x, or of int32 or uint32 where that is smaller."""
    dtype = np.dtype(dtype_of(x))
    if dtype.kind not in "iub":
        return function(x, **settings)
    wide = "uint32" if dtype.kind == "u" else "int32"
    x = getval(x)
    return _cast(function(x, **settings), dtype if dtype.itemsize >= 4 else wide)


@op
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum over the axes (all if None); the dtype is that of x, at least 32 bits for integers.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.sum([[1, 2], [3, 4]], axis=0)
        array([4, 6])
    """
    return accumulated(anp.sum, x, axis=_axes(axis), keepdims=keepdims)


@op
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Arithmetic mean over the axes (all if None).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.mean([[1, 2], [3, 4]], axis=0)
        array([2., 3.], dtype=float32)
    """
    return anp.mean(floating(x), axis=_axes(axis), keepdims=keepdims)


@op
def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean squared distance from the mean over the axes.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.var([1, 3])
        np.float32(1.0)
    """
    return anp.var(floating(x), axis=_axes(axis), keepdims=keepdims)


@op
def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Square root of the variance over the axes.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.std([1, 3])
        np.float32(1.0)
    """
    return anp.std(floating(x), axis=_axes(axis), keepdims=keepdims)


@op
def prod(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Product over the axes.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.prod([[1, 2], [3, 4]], axis=0)
        array([3, 8])
    """
    x = x if dtype is None else _cast(x, dtype)
    return accumulated(anp.prod, x, axis=_axes(axis), keepdims=keepdims)


@op
def max(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Largest value over the axes; `initial` is the least that is returned.

    Args:
        x: Array of any shape, or what becomes one.
        axis: Axis, several in a tuple, or None for all.
        keepdims: Whether the reduced axes stay, with length one.
        initial: A value that takes part, or None.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.amax([[1, 2], [3, 4]], axis=0)
        array([3, 4])
    """
    largest = anp.max(x, axis=_axes(axis), keepdims=keepdims)
    return largest if initial is None else anp.maximum(largest, initial)


@op
def min(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Smallest value over the axes; `initial` is the most that is returned.

    Args:
        x: Array of any shape, or what becomes one.
        axis: Axis, several in a tuple, or None for all.
        keepdims: Whether the reduced axes stay, with length one.
        initial: A value that takes part, or None.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.amin([[1, 2], [3, 4]], axis=0)
        array([1, 2])
    """
    smallest = anp.min(x, axis=_axes(axis), keepdims=keepdims)
    return smallest if initial is None else anp.minimum(smallest, initial)


amax, amin = max, min


@op
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether all values are true.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.all([True, False])
        np.False_
    """
    return np.all(getval(x), axis=_axes(axis), keepdims=keepdims)


@op
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether a value is true.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.any([True, False])
        np.True_
    """
    return np.any(getval(x), axis=_axes(axis), keepdims=keepdims)


@op
def count_nonzero(x: Any, axis: Axis = None) -> Any:
    """How many values are not zero (int32).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.count_nonzero([0, 1, 2])
        np.int32(2)
    """
    return _cast(np.count_nonzero(getval(x), axis=_axes(axis)), "int32")


@op
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index of the largest value (int32); the first of several.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.argmax([[1, 2], [4, 3]], axis=1)
        array([1, 0], dtype=int32)
    """
    return _cast(np.argmax(getval(x), axis=axis, keepdims=keepdims), "int32")


@op
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index of the smallest value (int32); the first of several.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.argmin([[1, 2], [4, 3]], axis=1)
        array([0, 1], dtype=int32)
    """
    return _cast(np.argmin(getval(x), axis=axis, keepdims=keepdims), "int32")


@op
def argsort(x: Any, axis: int = -1) -> Any:
    """Indices that sort x upwards, equal values in their old order (int32).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.argsort([3, 1, 2])
        array([1, 2, 0], dtype=int32)
    """
    return _cast(np.argsort(getval(x), axis=axis, kind="stable"), "int32")


@op
def sort(x: Any, axis: int = -1) -> Any:
    """x sorted upwards along an axis.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.sort([3, 1, 2])
        array([1, 2, 3])
    """
    order = np.argsort(getval(x), axis=axis, kind="stable")
    return take_along_axis(x, order, axis)


@op
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """The k largest values of the last axis, largest first, and their indices (int32).

    Args:
        x: Array of any shape, or what becomes one.
        k: How many.
        sorted: Whether the largest comes first.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.top_k([1, 3, 2], 2)
        (array([3, 2]), array([1, 2], dtype=int32))
    """
    order = np.argsort(-getval(x), axis=-1, kind="stable")[..., :k]
    return take_along_axis(x, order, -1), _cast(order, "int32")


@op
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Values picked along an axis by an index array of the same rank.

    Args:
        x: Array of any shape, or what becomes one.
        indices: Integers with as many axes as x.
        axis: Axis; None for the flattened array.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.take_along_axis([[1, 2], [3, 4]], [[1], [0]], axis=1)
        array([[2],
               [3]])
    """
    from_indices = getval(indices)
    if axis is None:
        return anp.reshape(x, (-1,))[from_indices]
    lengths, own = np.shape(from_indices), np.shape(getval(x))
    axis %= len(lengths)

    def every(i: int) -> Any:
        """All places of an axis; those of x where one index is for all."""
        shape = tuple(-1 if j == i else 1 for j in range(len(lengths)))
        return np.reshape(counted(own[i] if lengths[i] == 1 else lengths[i]), shape)

    grid = (from_indices if i == axis else every(i) for i in range(len(lengths)))
    return _getitem(x, tuple(grid))


def _getitem(x: Any, index: Any) -> Any:
    return x[index]


@op
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sum along an axis (of the flattened array if None).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.cumsum([1, 2, 3])
        array([1, 3, 6])
    """
    return accumulated(anp.cumsum, x if dtype is None else _cast(x, dtype), axis=axis)


@op
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Logarithm of the sum of exponentials, computed without overflow.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.logsumexp([0, 1]).round(3)
        np.float32(1.313)
    """
    axes = _axes(axis)
    x = floating(x)
    top = np.max(getval(x), axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    total = anp.log(anp.sum(anp.exp(x - top), axis=axes, keepdims=True)) + top
    return total if keepdims else anp.squeeze(total, axis=axes)
