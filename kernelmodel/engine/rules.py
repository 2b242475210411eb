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
from autograd.numpy import numpy_wrapper
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


def _spread(g: Any, x: Any, axis: Any) -> Any:
    """The gradient of a sum over axes: each entry's is that of its sum; nothing is copied."""
    shape = np.shape(getval(x))
    over = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    summed = {a % len(shape) for a in over} if shape else set()
    kept = tuple(1 if i in summed else n for i, n in enumerate(shape))
    return anp.broadcast_to(anp.reshape(g, kept), shape)


def sum_vjp(ans: Any, x: Any, axis: Any = None, **_: Any) -> Any:
    """The gradient, for all entries of a sum."""
    return lambda g: _spread(g, x, axis)


def mean_vjp(ans: Any, x: Any, axis: Any = None, **_: Any) -> Any:
    """The gradient divided by the number of entries: a plain number, which promotes no dtype."""
    count = np.size(getval(x)) / max(1, np.size(getval(ans))) or 1
    return lambda g: _spread(g / count, x, axis)


def _ones_before(x: Any, axis: int) -> Any:
    """Products of the entries before each entry along an axis."""
    first = np.ones_like(_at(getval(x), axis, slice(0, 1)))
    return anp.concatenate([first, anp.cumprod(_at(x, axis, slice(None, -1)), axis)], axis)


def cumprod_vjp(ans: Any, x: Any, axis: Axis = None, **_: Any) -> Any:
    """Backward recurrence without division, so that zeros do no harm."""

    def vjp(g: Any) -> Any:
        flat = x if axis is not None else anp.reshape(x, (-1,))
        along = 0 if axis is None else axis
        rows, slopes = anp.moveaxis(flat, along, 0), anp.moveaxis(g, along, 0)
        total = [slopes[-1]]
        for i in range(len(rows) - 2, -1, -1):
            total.append(slopes[i] + rows[i + 1] * total[-1])
        sums = stack(total[::-1], 0)
        gradient = anp.moveaxis(sums * _ones_before(rows, 0), 0, along)
        return anp.reshape(gradient, np.shape(getval(x)))

    return vjp


def prod_vjp(ans: Any, x: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
    """Each entry's gradient is the product of all others, also beside zeros."""

    def vjp(g: Any) -> Any:
        shape = np.shape(getval(x))
        rank = len(shape)
        reduced = range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = sorted(a % rank for a in reduced)
        kept = [a for a in range(rank) if a not in axes]
        order = [*kept, *axes]
        moved = anp.transpose(x, order)
        rows = anp.reshape(moved, (*(shape[a] for a in kept), -1))
        others = _ones_before(rows, -1) * flip(_ones_before(flip(rows, -1), -1), -1)
        others = anp.transpose(anp.reshape(others, np.shape(getval(moved))), np.argsort(order))
        return anp.reshape(g, [1 if a in axes else n for a, n in enumerate(shape)]) * others

    return vjp


def bessel_i1(x: Any) -> Any:
    """The derivative of `numpy.i0`, as its integral over cosines by the trapezoidal rule.

    The integrand is periodic, so the error falls exponentially with the number of points.
    """
    size = float(np.max(np.abs(getval(x)), initial=0))
    angles = (np.arange(points := 32 + int(8 * size**0.5)) + 0.5) * np.pi / points
    cosines = np.cos(angles).astype(x.dtype)
    return anp.mean(anp.exp(anp.expand_dims(x, -1) * cosines) * cosines, axis=-1)


defvjp(anp.sum, sum_vjp)
defvjp(numpy_wrapper._primitive_mean, mean_vjp)
defvjp(anp.cumprod, cumprod_vjp)
defvjp(anp.prod, prod_vjp)
defvjp(anp.cbrt, lambda ans, x: lambda g: g / (3 * ans * ans))
defvjp(anp.i0, lambda ans, x: lambda g: g * bessel_i1(x))
defvjp(
    anp.fmod,
    lambda ans, x, y: unbroadcast_f(x, lambda g: g),
    lambda ans, x, y: unbroadcast_f(y, lambda g: -g * anp.trunc(x / y)),
)
defvjp(
    anp.ldexp,
    lambda ans, x, power: unbroadcast_f(x, lambda g: anp.ldexp(g, power)),
    None,
)


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
