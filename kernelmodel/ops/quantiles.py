"""Medians, quantiles and percentiles: sorted rows, read between two of their places."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import rules
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.indexing import getitem
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, dtype_of, extents
from kernelmodel.ops.dispatch import _array_like, op
from kernelmodel.ops.families import floating
from kernelmodel.ops.reduction import Axis, take_along_axis

__all__ = [
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _as_axes(axis: Axis, rank: int) -> set[int]:
    axes = range(rank) if axis is None else [axis] if isinstance(axis, int) else axis
    return {a % rank for a in axes}


def _as_rows(x: Any, axis: Axis) -> tuple[Any, list[int]]:
    """x as (rows, values to reduce), and its shape with ones in place of the reduced axes."""
    lengths = extents(x)
    reduced = _as_axes(axis, len(lengths))
    kept = [a for a in range(len(lengths)) if a not in reduced]
    moved = anp.transpose(x, [*kept, *sorted(reduced)])
    count = int(np.prod([lengths[a] for a in kept]))
    return anp.reshape(moved, (count, -1)), [
        1 if a in reduced else n for a, n in enumerate(lengths)
    ]


def _quantile(
    name: str, x: Any, q: Any, axis: Axis, method: str, keepdims: bool, skip_nan: bool
) -> Any:
    checks.choice(name, "method", method, METHODS)
    x, q = floating(x), getval(_array_like(q))
    rows, with_ones = _as_rows(x, axis)
    order = np.argsort(getval(rows), axis=1, kind="stable")  # NaN go last
    ordered = take_along_axis(rows, order, 1)
    missing = np.isnan(getval(rows))
    count, length = extents(rows)
    used = np.sum(~missing, axis=1) if skip_nan else np.full(count, length)
    many = np.reshape(_cast(q, "float64"), (-1, 1))
    place = np.clip(many * _cast(used - 1, "float64"), 0, None)
    low = _cast(np.floor(place), "int32")
    high = _cast(np.ceil(place), "int32")
    if method == "nearest":
        low = high = _cast(np.round(place), "int32")
    line = np.arange(count)[None]

    def read(places: Any) -> Any:
        return getitem(ordered, (line, places))

    if method == "linear":
        below, share = read(low), _cast(place - low, dtype_of(x))
        found = below + (read(high) - below) * share
    elif method == "midpoint":
        found = (read(low) + read(high)) * 0.5
    else:
        found = read(high if method == "higher" else low)
    if not skip_nan:
        found = rules.where(np.any(missing, axis=1), np.asarray(np.nan, dtype_of(x)), found)
    if not keepdims:
        reduced = _as_axes(axis, len(with_ones))
        with_ones = [n for a, n in enumerate(with_ones) if a not in reduced]
    return anp.reshape(found, (*extents(q), *with_ones))


@op
def quantile(
    x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Values below which a share `q` of the entries lies.

    Args:
        x: Numbers of any shape.
        q: Shares from 0 to 1, a number or an array.
        axis: Axes to reduce; None for all.
        method: Between two entries: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: Whether reduced axes stay with length one.

    Returns:
        Array of the shape of `q`, then of x without the reduced axes.

    Raises:
        ValueError: Another method.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.quantile([1.0, 2.0, 3.0, 4.0], [0.5, 1.0])
        array([2.5, 4. ], dtype=float32)
    """
    return _quantile("quantile", x, q, axis, method, keepdims, skip_nan=False)


@op
def nanquantile(
    x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Quantiles without NaN; NaN where nothing is left. See `quantile`.

    Args:
        x: Array of any shape, or what becomes one.
        q: Shares from 0 to 1.
        axis: Axis, several in a tuple, or None for all.
        method: What to take between two values: "linear", "lower", "higher", "midpoint" or
            "nearest".
        keepdims: Whether the reduced axes stay, with length one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nanquantile([1, float("nan"), 3], 0.5)
        np.float32(2.0)
    """
    return _quantile("nanquantile", x, q, axis, method, keepdims, skip_nan=True)


def _percent(q: Any) -> Any:
    return np.true_divide(getval(q), 100)


@op
def percentile(
    x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Quantiles with `q` in percent, from 0 to 100. See `quantile`.

    Args:
        x: Array of any shape, or what becomes one.
        q: Percentages from 0 to 100.
        axis: Axis, several in a tuple, or None for all.
        method: What to take between two values: "linear", "lower", "higher", "midpoint" or
            "nearest".
        keepdims: Whether the reduced axes stay, with length one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.percentile([1.0, 2.0, 3.0], 50)
        np.float32(2.0)
    """
    return _quantile("percentile", x, _percent(q), axis, method, keepdims, skip_nan=False)


@op
def nanpercentile(
    x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Percentiles without NaN. See `percentile`.

    Args:
        x: Array of any shape, or what becomes one.
        q: Percentages from 0 to 100.
        axis: Axis, several in a tuple, or None for all.
        method: What to take between two values: "linear", "lower", "higher", "midpoint" or
            "nearest".
        keepdims: Whether the reduced axes stay, with length one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nanpercentile([1, float("nan"), 3], 50)
        np.float32(2.0)
    """
    return _quantile("nanpercentile", x, _percent(q), axis, method, keepdims, skip_nan=True)


@op
def median(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle value over the axes (all if None), or the mean of the two in the middle.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.median([5.0, 1.0, 3.0])
        np.float32(3.0)
    """
    return _quantile("median", x, 0.5, axis, "linear", keepdims, skip_nan=False)


@op
def nanmedian(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle value over the axes without NaN; NaN if nothing is left.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nanmedian([1, float("nan"), 3])
        np.float32(2.0)
    """
    return _quantile("nanmedian", x, 0.5, axis, "linear", keepdims, skip_nan=True)
