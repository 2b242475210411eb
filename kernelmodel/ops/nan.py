"""Reductions and running sums that leave NaN out."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import rules
from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.boxes import getval
from kernelmodel.ops import reduction, series
from kernelmodel.ops.convert import _cast, dtype_of
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import floating
from kernelmodel.ops.reduction import Axis

__all__ = [
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def _filled(x: Any, value: float) -> Any:
    """x with a value in place of NaN; integers have none."""
    if kind_of(dtype_of(x)) not in "fc":
        return x
    return rules.where(np.isnan(getval(x)), np.asarray(value, dtype_of(x)), x)


def _count(x: Any, axis: Axis, keepdims: bool) -> Any:
    """How many entries aren't NaN, in the dtype of x."""
    return reduction.sum(_cast(~np.isnan(getval(x)), dtype_of(x)), axis=axis, keepdims=keepdims)


@op
def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum over the axes (all if None), without NaN.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nansum([1.0, float("nan"), 2.0])
        np.float32(3.0)
    """
    return reduction.sum(_filled(x, 0), axis=axis, keepdims=keepdims)


@op
def nanprod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Product over the axes (all if None), without NaN.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nanprod([2, float("nan"), 3])
        np.float32(6.0)
    """
    return reduction.prod(_filled(x, 1), axis=axis, keepdims=keepdims)


@op
def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Arithmetic mean over the axes (all if None), without NaN; NaN if nothing is left.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nanmean([1, float("nan"), 3])
        np.float32(2.0)
    """
    x = floating(x)
    return nansum(x, axis=axis, keepdims=keepdims) / _count(x, axis, keepdims)


@op
def nanvar(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean squared distance from the mean over the axes, without NaN.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nanvar([1, float("nan"), 3])
        np.float32(1.0)
    """
    x = floating(x)
    return nanmean(anp.square(x - nanmean(x, axis=axis, keepdims=True)), axis, keepdims)


@op
def nanstd(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Square root of the variance over the axes, without NaN.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nanstd([1, float("nan"), 3])
        np.float32(1.0)
    """
    return anp.sqrt(nanvar(x, axis=axis, keepdims=keepdims))


def _extreme(find: Any, x: Any, worst: float, axis: Axis, keepdims: bool) -> Any:
    if kind_of(dtype_of(x)) != "f":
        return find(x, axis=axis, keepdims=keepdims)
    found = find(_filled(x, worst), axis=axis, keepdims=keepdims)
    none = reduction.all(np.isnan(getval(x)), axis=axis, keepdims=keepdims)
    return rules.where(none, np.asarray(np.nan, dtype_of(x)), found)


@op
def nanmax(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest value over the axes that isn't NaN; NaN if there is none.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nanmax([1, float("nan"), 3])
        np.float32(3.0)
    """
    return _extreme(reduction.max, x, -np.inf, axis, keepdims)


@op
def nanmin(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Smallest value over the axes that isn't NaN; NaN if there is none.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nanmin([1, float("nan"), 3])
        np.float32(1.0)
    """
    return _extreme(reduction.min, x, np.inf, axis, keepdims)


def _place(find: Any, x: Any, worst: float, axis: int | None, keepdims: bool) -> Any:
    found = find(_filled(x, worst), axis=axis, keepdims=keepdims)
    none = np.all(np.isnan(getval(x)), axis=axis, keepdims=keepdims)
    return _cast(np.where(none, -1, found), "int32")


@op
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index of the largest value that isn't NaN (int32); -1 if there is none.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nanargmax([1, float("nan"), 3])
        np.int32(2)
    """
    return _place(reduction.argmax, getval(x), -np.inf, axis, keepdims)


@op
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index of the smallest value that isn't NaN (int32); -1 if there is none.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nanargmin([1, float("nan"), 3])
        np.int32(0)
    """
    return _place(reduction.argmin, getval(x), np.inf, axis, keepdims)


@op
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sum along an axis (of the flattened array if None), with NaN as zero.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nancumsum([2, float("nan"), 3])
        array([2., 2., 5.], dtype=float32)
    """
    return reduction.cumsum(_filled(x, 0), axis=axis, dtype=dtype)


@op
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running product along an axis (of the flattened array if None), with NaN as one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nancumprod([2, float("nan"), 3])
        array([2., 2., 6.], dtype=float32)
    """
    return series.cumprod(_filled(x, 1), axis=axis, dtype=dtype)
