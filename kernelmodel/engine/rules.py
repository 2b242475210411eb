"""Gradients of NumPy functions that autograd lacks, or has wrong where shapes differ.

Plain NumPy code in a layer reaches autograd's functions by way of `Traced`. Rules are replaced
here, and functions without one are written with those that have one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp
from autograd.numpy.numpy_vjps import unbroadcast_f

from kernelmodel.engine.boxes import Traced, getval, traced_twins
from kernelmodel.engine.indexing import getitem

Axis = int | None


def _zero_like(g: Any) -> Any:
    return np.zeros((), g.dtype)


# autograd wraps its own `where` in one that turns results into lists.
where = getattr(anp, "_original_where", anp.where)

defvjp(
    where,
    None,
    lambda ans, c, x, y: unbroadcast_f(x, lambda g: anp.where(c, g, _zero_like(g))),
    lambda ans, c, x, y: unbroadcast_f(y, lambda g: anp.where(c, _zero_like(g), g)),
)
defvjp(anp.broadcast_to, lambda ans, x, shape: unbroadcast_f(x, lambda g: g))


def _at(x: Any, axis: int, index: Any) -> Any:
    """`x[..., index, ...]` at an axis."""
    return getitem(x, (*[slice(None)] * (axis % x.ndim), index))


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """`numpy.stack`."""
    return anp.concatenate([anp.expand_dims(array, axis) for array in arrays], axis)


def take(a: Any, indices: Any, axis: Axis = None) -> Any:
    """`numpy.take`."""
    indices = getval(indices)
    indices = indices if hasattr(indices, "dtype") else np.asarray(indices)
    return getitem(anp.reshape(a, (-1,)), indices) if axis is None else _at(a, axis, indices)


def flip(m: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """`numpy.flip`."""
    for one in range(m.ndim) if axis is None else ((axis,) if isinstance(axis, int) else axis):
        m = _at(m, one, slice(None, None, -1))
    return m


def sort(a: Any, axis: Axis = -1) -> Any:
    """`numpy.sort`."""
    if axis is None:
        a, axis = anp.reshape(a, (-1,)), 0
    grid: list[Any] = list(np.ix_(*map(np.arange, a.shape)))
    grid[axis] = np.argsort(getval(a), axis=axis)
    return getitem(a, tuple(grid))


def average(a: Any, axis: Any = None, weights: Any = None) -> Any:
    """`numpy.average`."""
    if weights is None:
        return anp.mean(a, axis=axis)
    return anp.sum(a * weights, axis=axis) / anp.sum(weights + 0 * a, axis=axis)


def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`numpy.ptp`."""
    return anp.max(a, axis=axis, keepdims=keepdims) - anp.min(a, axis=axis, keepdims=keepdims)


def copy(a: Any) -> Any:
    """`numpy.copy`: a traced array never changes, so itself."""
    return a


def transpose(self: Any, *axes: Any) -> Any:
    """The method `transpose`, with its axes one by one or in a tuple."""
    return anp.transpose(self, axes[0] if len(axes) == 1 else axes or None)


for function in (where, stack, take, flip, sort, average, ptp, copy):
    traced_twins()[getattr(np, function.__name__)] = function
for name, method in {
    "copy": copy, "dot": anp.dot, "take": take, "transpose": transpose,
    "__floordiv__": anp.floor_divide, "__rfloordiv__": lambda a, b: anp.floor_divide(b, a),
}.items():  # fmt: skip
    setattr(Traced, name, method)
