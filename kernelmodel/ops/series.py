"""Ops along an axis that stands for a sequence: running products, differences, integrals."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.indexing import getitem
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, dtype_of, extents
from kernelmodel.ops.dispatch import _array_like, op
from kernelmodel.ops.families import both_floating, floating
from kernelmodel.ops.reduction import Axis, _axes, accumulated

__all__ = ["average", "cumprod", "diff", "ptp", "trapezoid"]


@op
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running product along an axis (of the flattened array if None).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.cumprod([1.0, 2.0, 3.0])
        array([1., 2., 6.], dtype=float32)
    """
    return accumulated(anp.cumprod, x if dtype is None else _cast(x, dtype), axis=axis)


def _between(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return getitem(x, (*[slice(None)] * (axis % len(extents(x))), slice(start, stop)))


@op
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours along an axis, taken `n` times.

    Args:
        a: Array of any shape, or what becomes one.
        n: How many times.
        axis: Axis; negative ones count from the last.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.diff([1.0, 4.0, 9.0])
        array([3., 5.], dtype=float32)
    """
    if n < 0:
        checks.refuse("diff", "n", n, "zero or a positive integer")
    for _ in range(n):
        later, earlier = _between(a, axis, 1, None), _between(a, axis, None, -1)
        a = np.not_equal(later, earlier) if dtype_of(a) == "bool" else later - earlier
    return a


@op
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Integral along an axis by the trapezoidal rule.

    Args:
        y: Values of the function.
        x: Where they lie: an array along the axis, or in the shape of y; None for even steps.
        dx: The step where x is None.
        axis: The axis to integrate along.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.trapezoid([1.0, 2.0, 3.0], dx=2.0)
        np.float32(8.0)
    """
    y = floating(y)
    step: Any = dx
    if x is not None:
        y, x = both_floating(y, x)
        step = diff(x, axis=axis if len(extents(x)) > 1 else -1)
        if len(extents(x)) == 1:
            step = anp.reshape(step, [-1 if i == axis % len(extents(y)) else 1
                                      for i in range(len(extents(y)))])  # fmt: skip
    elif not hasattr(dx, "dtype"):
        step = np.asarray(dx, dtype_of(y))
    means = (_between(y, axis, 1, None) + _between(y, axis, None, -1)) * 0.5
    return anp.sum(means * step, axis=axis)


@op
def ptp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest less smallest value over the axes (peak to peak).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.ptp([[1, 5], [3, 4]], axis=1)
        array([4, 1])
    """
    highest = anp.max(x, axis=_axes(axis), keepdims=keepdims)
    return highest - anp.min(x, axis=_axes(axis), keepdims=keepdims)


@op
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Weighted mean over the axes (all if None).

    Args:
        x: Numbers of any shape.
        axis: Axes to reduce.
        weights: In the shape of x, or along a single axis; None for equal weights.

    Raises:
        ValueError: The weights don't fit.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.average([1.0, 4.0], weights=[2.0, 1.0])
        np.float32(2.0)
    """
    if weights is None:
        return anp.mean(floating(x), axis=_axes(axis))
    x, weights = both_floating(x, _array_like(weights))
    rank = len(extents(x))
    if extents(weights) != extents(x):
        if not isinstance(axis, int) or extents(weights) != extents(x)[axis : axis + 1 or None]:
            allowed = f"of the shape {extents(x)} of x, or of x along a single axis"
            checks.refuse("average", "weights", f"shape {extents(weights)}", allowed)
        weights = anp.reshape(weights, [-1 if i == axis % rank else 1 for i in range(rank)])
    total = anp.sum(anp.broadcast_to(weights, extents(x)), axis=_axes(axis))
    return anp.sum(x * weights, axis=_axes(axis)) / total
