"""Products of arrays, and triangles of matrices."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.ops.convert import dtype_of, extents
from kernelmodel.ops.dispatch import op, op_of_other
from kernelmodel.ops.families import same_floats

__all__ = [
    "dot",
    "einsum",
    "inner",
    "matmul",
    "outer",
    "tensordot",
    "tril",
    "triu",
    "vdot",
]


def _lower(x: Any, k: int) -> Any:
    """Ones on and below the k-th diagonal, in the last two lengths and the dtype of x."""
    rows, columns = extents(x)[-2:]
    return np.tri(rows, columns, k).astype(dtype_of(x))


@op
def tril(x: Any, k: int = 0) -> Any:
    """The lower triangle of the last two axes, zeros above the k-th diagonal.

    Args:
        x: Matrices (..., rows, columns).
        k: Diagonal: 0 is the main one, positive ones lie above it.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.tril([[1, 2], [3, 4]])
        array([[1, 0],
               [3, 4]])
    """
    return x * _lower(x, k)


@op
def triu(x: Any, k: int = 0) -> Any:
    """The upper triangle of the last two axes, zeros below the k-th diagonal.

    Args:
        x: Matrices (..., rows, columns).
        k: Diagonal: 0 is the main one, positive ones lie above it.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.triu([[1, 2], [3, 4]])
        array([[1, 2],
               [0, 4]])
    """
    return x * (1 - _lower(x, k - 1))


@op
def matmul(x1: Any, x2: Any) -> Any:
    """Matrix product over the last two axes, batched over the others.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.matmul([[1, 2], [3, 4]], [1, 10])
        array([21, 43])
    """
    return anp.matmul(*same_floats(x1, x2))


@op
def dot(x1: Any, x2: Any) -> Any:
    """Dot product: the last axis of x1 with the second to last of x2.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.dot([1, 2], [3, 4])
        np.int64(11)
    """
    return anp.dot(*same_floats(x1, x2))


@op
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Product summed over the given axes of both.

    Args:
        x1: First array.
        x2: Second array.
        axes: How many of the last axes of `x1` meet the first of `x2`, or a pair of lists
            of axes.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.tensordot([[1, 2], [3, 4]], [1, 10], axes=1)
        array([21, 43])
    """
    return anp.tensordot(*same_floats(x1, x2), axes)


@op_of_other
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Sum of products in Einstein's notation.

    Args:
        subscripts: Names of axes: "ij,jk->ik" for a product of matrices.
        *operands: As many arrays.
        **kwargs: Accepted for other backends' sake (`optimize`), without effect.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.einsum("ij,j->i", [[1, 2], [3, 4]], [1, 10])
        array([21, 43])
    """
    return anp.einsum(subscripts, *operands)


@op
def outer(x1: Any, x2: Any) -> Any:
    """Outer product of two flattened arrays.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.outer([1, 2], [3, 4])
        array([[3, 4],
               [6, 8]])
    """
    return anp.outer(*same_floats(x1, x2))


@op
def inner(x1: Any, x2: Any) -> Any:
    """Products of the vectors along the last axes of both.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.inner([1, 2], [3, 4])
        np.int64(11)
    """
    x1, x2 = same_floats(x1, x2)
    if not extents(x1) or not extents(x2):
        return x1 * x2
    return anp.tensordot(x1, x2, ([-1], [-1]))


@op
def vdot(x1: Any, x2: Any) -> Any:
    """Dot product of two flattened arrays, the first one conjugated.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.vdot([1, 2], [3, 4])
        np.int64(11)
    """
    x1, x2 = same_floats(x1, x2)
    if np.dtype(dtype_of(x1)).kind == "c":
        x1 = anp.conj(x1)
    return anp.dot(anp.reshape(x1, (-1,)), anp.reshape(x2, (-1,)))
