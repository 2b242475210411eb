"""Diagonals of matrices, and matrices turned and mirrored."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import rules
from kernelmodel.engine.indexing import getitem
from kernelmodel.ops import checks
from kernelmodel.ops.convert import dtype_of, extents
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.reduction import accumulated
from kernelmodel.ops.shaping import flip, swapaxes

__all__ = ["diag", "diagflat", "diagonal", "fliplr", "flipud", "rot90", "trace"]


@op
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Diagonals of the matrices along two axes.

    Args:
        x: Array of rank two or more.
        offset: Which diagonal: above (positive) or below (negative) the main one.
        axis1: Axis of the rows.
        axis2: Axis of the columns.

    Returns:
        Array of the other axes of x, then of the diagonal.

    Raises:
        ValueError: x has fewer axes, or both axes are the same.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.diagonal([[1, 2], [3, 4]])
        array([1, 4])
    """
    rank = len(extents(x))
    if rank < 2:
        checks.refuse("diagonal", "x", f"shape {extents(x)}", "of rank two or more")
    if axis1 % rank == axis2 % rank:
        checks.refuse("diagonal", "axis2", axis2, f"another axis than axis1={axis1}")
    moved = anp.moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = extents(moved)[-2:]
    first, start = max(-offset, 0), max(offset, 0)
    steps = np.arange(max(min(rows - first, columns - start), 0))
    return getitem(moved, (Ellipsis, steps + first, steps + start))


@op
def diag(x: Any, k: int = 0) -> Any:
    """The k-th diagonal of a matrix, or a matrix that has a vector on its k-th diagonal.

    Args:
        x: A vector, or a matrix.
        k: Diagonal: 0 is the main one, positive ones lie above it.

    Raises:
        ValueError: x is neither a vector nor a matrix.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.diag([1.0, 2.0])
        array([[1., 0.],
               [0., 2.]], dtype=float32)
    """
    if checks.rank("diag", "x", x, (1, 2)) == 2:
        return diagonal(x, offset=k)
    lengthened = anp.pad(x, (0, abs(k)), "constant", constant_values=0)
    size = extents(lengthened)[0]
    values = anp.expand_dims(lengthened, 1 if k >= 0 else 0)
    return rules.where(np.eye(size, k=k, dtype=bool), values, np.zeros((), dtype_of(x)))


@op
def diagflat(x: Any, k: int = 0) -> Any:
    """A matrix that has all values of x on its k-th diagonal.

    Args:
        x: Array of any shape, or what becomes one.
        k: Diagonal: 0 is the main one, positive ones lie above it.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.diagflat([1, 2])
        array([[1, 0],
               [0, 2]])
    """
    return diag(anp.reshape(x, (-1,)), k)


@op
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sum of a diagonal of the matrices along two axes; see `diagonal`.

    Args:
        x: Array with two axes or more.
        offset: Diagonal: 0 is the main one, positive ones lie above it.
        axis1: Rows.
        axis2: Columns.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.trace([[1.0, 2.0], [3.0, 4.0]])
        np.float32(5.0)
    """
    return accumulated(anp.sum, diagonal(x, offset, axis1, axis2), axis=-1)


@op
def fliplr(x: Any) -> Any:
    """Columns (the second axis) in reversed order.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.fliplr([[1, 2], [3, 4]])
        array([[2, 1],
               [4, 3]])
    """
    return flip(x, axis=1)


@op
def flipud(x: Any) -> Any:
    """Rows (the first axis) in reversed order.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.flipud([[1, 2], [3, 4]])
        array([[3, 4],
               [1, 2]])
    """
    return flip(x, axis=0)


@op
def rot90(array: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """A quarter turn, `k` times, in the plane of two axes.

    Args:
        array: Array of rank two or more.
        k: Number of turns from the first axis towards the second; negative ones turn back.
        axes: The two axes.

    Raises:
        ValueError: Not two different axes.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.rot90([[1, 2], [3, 4]])
        array([[2, 4],
               [1, 3]])
    """
    rank = len(extents(array))
    if len(axes) != 2 or axes[0] % rank == axes[1] % rank:
        checks.refuse("rot90", "axes", axes, "two different axes")
    first, second = axes
    turns = k % 4
    if turns == 2:
        return flip(flip(array, axis=first), axis=second)
    if turns == 1:
        return swapaxes(flip(array, axis=second), first, second)
    return array if turns == 0 else flip(swapaxes(array, first, second), axis=second)
