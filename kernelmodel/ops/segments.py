"""Reductions of the rows that belong together, by the numbers of their segments."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.kernels.scatter import scatter
from kernelmodel.engine.xla_array import XlaArray
from kernelmodel.ops import checks
from kernelmodel.ops.convert import dtype_of, extents
from kernelmodel.ops.dispatch import _array_like, op

__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]


def lowest(dtype: np.dtype) -> Any:
    """The value that no maximum takes."""
    return -np.inf if kind_of(dtype) == "f" else np.iinfo(dtype).min


def highest(dtype: np.dtype) -> Any:
    """The value that no minimum takes."""
    return np.inf if kind_of(dtype) == "f" else np.iinfo(dtype).max


def _reduce(name: str, data: Any, ids: Any, count: int | None, how: str, start: Any) -> Any:
    ids = getval(_array_like(ids))
    checks.whole(name, "segment_ids", ids)
    if extents(ids) != extents(data)[:1]:
        allowed = f"of shape {extents(data)[:1]}, a number for each row of data"
        checks.refuse(name, "segment_ids", f"shape {extents(ids)}", allowed)
    if count is None:
        if isinstance(ids, XlaArray):
            checks.refuse(name, "num_segments", None, "given under XLA")
        count = int(np.max(ids, initial=-1)) + 1
    dtype = np.dtype(dtype_of(data))
    rows = np.full((count, *extents(data)[1:]), start(dtype), dtype)
    return scatter(rows, data, ids, how=how)


@op
def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """Sums of the rows of each segment.

    Args:
        data: Array of shape (rows, ...).
        segment_ids: Integers (rows,): the segment of each row; rows of a segment below zero or
            beyond the last are left out.
        num_segments: How many segments; None for the largest number plus one, but needed under XLA.
        sorted: Whether the numbers ascend.

    Returns:
        Array of shape (num_segments, ...); zero for a segment without rows.

    Raises:
        ValueError: `segment_ids` isn't one integer for each row.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.segment_sum([1.0, 2.0, 3.0], [0, 1, 0])
        array([4., 2.], dtype=float32)
    """
    return _reduce("segment_sum", data, segment_ids, num_segments, "add", lambda dtype: 0)


@op
def segment_prod(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """Products of the rows of each segment; one for a segment without rows. See `segment_sum`.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.segment_prod([1, 5, 2], [0, 0, 1])
        array([5, 2])
    """
    return _reduce("segment_prod", data, segment_ids, num_segments, "mul", lambda dtype: 1)


@op
def segment_max(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """Largest values of the rows of each segment. See `segment_sum`.

    A segment without rows has minus infinity, or the lowest integer.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.segment_max([1, 5, 2], [0, 0, 1])
        array([5, 2])
    """
    return _reduce("segment_max", data, segment_ids, num_segments, "max", lowest)


@op
def segment_min(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """Smallest values of the rows of each segment. See `segment_sum`.

    A segment without rows has infinity, or the highest integer.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.segment_min([1, 5, 2], [0, 0, 1])
        array([1, 2])
    """
    return _reduce("segment_min", data, segment_ids, num_segments, "min", highest)
