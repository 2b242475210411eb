"""Arrays as matrices: the axes of a statistic joined into the rows or into the columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kernelmodel.engine.kernels.rows import apply_row

Axes = int | Sequence[int]


def split_axes(ndim: int, axes: Axes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The given axes and the other ones, both as sorted non-negative numbers."""
    given = {a % ndim for a in ((axes,) if isinstance(axes, int) else axes)}
    return tuple(sorted(given)), tuple(a for a in range(ndim) if a not in given)


class Flat:
    """An array as a matrix: some axes joined into the rows, the others into the columns."""

    def __init__(self, shape: tuple[int, ...], rows: tuple[int, ...], columns: tuple[int, ...]):
        self.order = (*rows, *columns)
        self.permuted = tuple(shape[a] for a in self.order)
        self.matrix = (
            math.prod(shape[a] for a in rows),
            math.prod(shape[a] for a in columns),
        )

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The C-contiguous matrix; a view if the axes lie right already."""
        return np.ascontiguousarray(x.transpose(self.order)).reshape(self.matrix)

    def undo(self, matrix: np.ndarray) -> np.ndarray:
        """The array that has this matrix."""
        return matrix.reshape(self.permuted).transpose(np.argsort(self.order))


def flat_or_none(value: np.ndarray | None) -> np.ndarray | None:
    """A parameter as one row."""
    return None if value is None else value.reshape(-1)


def scaled(matrix: np.ndarray, gamma: np.ndarray | None, beta: np.ndarray | None) -> np.ndarray:
    """`matrix * gamma + beta` in a new array (`matrix` itself if both are None)."""
    if gamma is not None:
        matrix = apply_row(np.multiply, matrix, gamma)
        return matrix if beta is None else apply_row(np.add, matrix, beta, matrix)
    return matrix if beta is None else apply_row(np.add, matrix, beta)
