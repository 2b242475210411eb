"""Reductions of rows and columns, and a row added to or multiplied into every row.

Sums are matrix-vector products, several times as fast as `sum` unless there are few numbers.
"""

from __future__ import annotations

import numpy as np

SHORT = 64  # columns up to which NumPy's reduction of a row is mostly overhead
FEW = 1024  # numbers up to which any reduction is mostly the overhead of its calls


def column_sums(matrix: np.ndarray) -> np.ndarray:
    """Sum an (n, m) array over its rows, giving (m,)."""
    if matrix.size <= FEW:
        return np.add.reduce(matrix, 0)
    return np.ones(len(matrix), matrix.dtype) @ matrix


def row_sums(matrix: np.ndarray) -> np.ndarray:
    """Sum an (n, m) array over its columns, giving (n,)."""
    return matrix @ np.ones(matrix.shape[1], matrix.dtype)


def last_axis_sums(x: np.ndarray) -> np.ndarray:
    """Sum (..., m) over its last axis, giving (..., 1)."""
    if x.size <= FEW:
        return np.add.reduce(x, -1, keepdims=True)
    return row_sums(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], 1)


def last_axis_max(x: np.ndarray) -> np.ndarray:
    """The maxima of (..., m) over its last axis, (..., 1); short rows are laid out as columns."""
    if not 1 < x.shape[-1] <= SHORT or x.size <= FEW:
        return np.maximum.reduce(x, -1, keepdims=True)
    columns = x.reshape(-1, x.shape[-1]).T.copy()
    return np.maximum.reduce(columns, axis=0).reshape(*x.shape[:-1], 1)


def apply_row(
    operation: np.ufunc, matrix: np.ndarray, row: np.ndarray, out: np.ndarray | None = None
) -> np.ndarray:
    """`operation(matrix, row)` for a contiguous (n, m) matrix and a row of (m,).

    NumPy's inner loop is one row, so many narrow rows are first joined into longer ones.

    Args:
        operation: Such as `np.add`.
        matrix: (n, m), C-contiguous.
        row: (m,).
        out: C-contiguous result, may be `matrix`; a new array if None.

    Returns:
        `out`.
    """
    n, m = matrix.shape
    if n < 1024 or m > SHORT:
        return operation(matrix, row, out=out)
    if out is None:
        out = np.empty_like(matrix, np.result_type(matrix, row))
    joined = 256 // max(m, 8)
    whole = n - n % joined
    wide = (whole // joined, joined * m)
    operation(matrix[:whole].reshape(wide), np.tile(row, joined), out=out[:whole].reshape(wide))
    if whole < n:
        operation(matrix[whole:], row, out=out[whole:])
    return out
