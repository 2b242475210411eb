"""Linear equations, inverses, determinants and norms. All take batches: (..., m, n)."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.bfloat16 import limits
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.kernels import decomposition as kernel
from kernelmodel.engine.rules import where
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, dtype_of, extents
from kernelmodel.ops.decompositions import regular, svd
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import both_floating, floating, in_float32
from kernelmodel.ops.reduction import _axes

__all__ = [
    "cholesky_inverse",
    "det",
    "inv",
    "logdet",
    "lstsq",
    "matrix_rank",
    "norm",
    "pinv",
    "slogdet",
    "solve",
    "solve_triangular",
]


@op
@in_float32
def inv(x: Any) -> Any:
    """Inverse of square matrices (..., n, n).

    Args:
        x: (..., n, n), or what becomes such an array.

    Raises:
        ValueError: x isn't square.
        numpy.linalg.LinAlgError: A matrix is singular (not under XLA, where it gives infinities).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.inv([[2.0, 0.0], [0.0, 4.0]])
        array([[0.5 , 0.  ],
               [0.  , 0.25]], dtype=float32)
    """
    checks.square("inv", "x", x)
    return anp.linalg.inv(floating(regular(x)))


@op
@in_float32
def det(x: Any) -> Any:
    """Determinant of square matrices (..., n, n).

    Args:
        x: (..., n, n), or what becomes such an array.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.det([[2.0, 1.0], [0.0, 4.0]])
        np.float32(8.0)
    """
    checks.square("det", "x", x)
    return anp.linalg.det(floating(x))


@op
@in_float32
def slogdet(x: Any) -> Any:
    """Sign of the determinant, and logarithm of its size, without overflow.

    Args:
        x: Square matrices (..., n, n).

    Returns:
        Two arrays (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.slogdet([[2.0, 0.0], [0.0, -3.0]])[0]
        np.float32(-1.0)
    """
    checks.square("slogdet", "x", x)
    return kernel.slogdet(floating(x))


@op
@in_float32
def logdet(x: Any) -> Any:
    """Logarithm of the size of the determinant of square matrices (..., n, n).

    Args:
        x: (..., n, n), or what becomes such an array.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.logdet([[1.0, 0.0], [0.0, 1.0]])
        np.float32(0.0)
    """
    return slogdet(x)[1]


def _with_column(name: str, a: Any, b: Any) -> tuple[Any, bool]:
    """b as matrices, and whether it was vectors."""
    checks.square(name, "a", a)
    vectors = len(extents(b)) == len(extents(a)) - 1
    if extents(b)[-1 if vectors else -2 :][:1] != extents(a)[-1:]:
        allowed = f"of shape (..., {extents(a)[-1]}) or (..., {extents(a)[-1]}, columns)"
        checks.refuse(name, "b", f"shape {extents(b)}", allowed)
    return (anp.expand_dims(b, -1) if vectors else b), vectors


@op
@in_float32
def solve(a: Any, b: Any) -> Any:
    """The x with `a @ x = b`.

    Args:
        a: Square matrices (..., n, n).
        b: Right sides: vectors (..., n), or matrices (..., n, k).

    Returns:
        Array in the shape of b.

    Raises:
        ValueError: a isn't square, or b doesn't fit it.
        numpy.linalg.LinAlgError: A matrix is singular (not under XLA, where it gives infinities).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 8.0])
        array([1., 2.], dtype=float32)
    """
    a, b = both_floating(a, b)
    b, vectors = _with_column("solve", a, b)
    found = anp.linalg.solve(regular(a), b)
    return anp.squeeze(found, -1) if vectors else found


@op
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """The x with `a @ x = b`, where a is triangular.

    Args:
        a: Matrices (..., n, n), of which only one triangle counts.
        b: Right sides: vectors (..., n), or matrices (..., n, k).
        lower: Whether the lower triangle counts, not the upper.

    Returns:
        Array in the shape of b.

    Raises:
        ValueError: a isn't square, or b doesn't fit it.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.solve_triangular([[1.0, 0.0], [1.0, 2.0]], [1.0, 5.0], lower=True)
        array([1., 2.], dtype=float32)
    """
    a, b = both_floating(a, b)
    checks.square("solve_triangular", "a", a)
    triangle = np.tri(extents(a)[-1], dtype=bool)
    counts = triangle if lower else triangle.T
    return solve(where(counts, a, np.zeros((), dtype_of(a))), b)


@op
def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """The inverse of the matrix whose Cholesky factor is given.

    Args:
        x: Triangular matrices (..., n, n); see `cholesky`.
        upper: Whether they are upper triangles.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.cholesky_inverse([[2.0, 0.0], [0.0, 1.0]])
        array([[0.25, 0.  ],
               [0.  , 1.  ]], dtype=float32)
    """
    checks.square("cholesky_inverse", "x", x)
    x = floating(x)
    unit = np.broadcast_to(np.eye(extents(x)[-1], dtype=dtype_of(x)), extents(x))
    half = solve_triangular(x, unit, lower=not upper)
    turned = anp.swapaxes(half, -1, -2)
    return anp.matmul(half, turned) if upper else anp.matmul(turned, half)


@op
@in_float32
def pinv(x: Any, rcond: float | None = None) -> Any:
    """Pseudo-inverse (Moore and Penrose) of matrices (..., m, n).

    Args:
        x: Matrices of any shape and rank.
        rcond: Singular values below this share of the largest count as zero; None for ten times
            the rounding error of the dtype times the longer side.

    Returns:
        Matrices (..., n, m).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.pinv([[2.0], [0.0]])
        array([[0.5, 0. ]], dtype=float32)
    """
    checks.matrix("pinv", "x", x)
    x = floating(x)
    if rcond is None:
        rcond = 10 * max(extents(x)[-2:]) * float(limits(dtype_of(x)).eps)
    return kernel.pinv(x, rcond=rcond)


@op
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """The x that makes `a @ x - b` shortest, and is itself the shortest of those.

    Args:
        a: Matrix (m, n).
        b: Vector (m,), or matrix (m, k).
        rcond: Singular values below this share of the largest count as zero; None for the rounding
            error of the dtype times the longer side.

    Returns:
        Array (n,) or (n, k).

    Raises:
        ValueError: The shapes don't fit.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.lstsq([[1.0], [1.0]], [1.0, 3.0]).round(4)
        array([2.], dtype=float32)
    """
    a, b = both_floating(a, b)
    checks.rank("lstsq", "a", a, (2,))
    checks.rank("lstsq", "b", b, (1, 2))
    if extents(a)[0] != extents(b)[0]:
        checks.refuse(
            "lstsq", "b", f"shape {extents(b)}", f"of length {extents(a)[0]}, the rows of a"
        )
    if rcond is None:
        rcond = max(extents(a)) * float(limits(dtype_of(a)).eps)
    return anp.matmul(pinv(a, rcond), b)


@op
def matrix_rank(x: Any, tol: float | None = None) -> Any:
    """Number of singular values above a tolerance (int32).

    Args:
        x: Matrices (..., m, n).
        tol: Tolerance; None for the rounding error relative to the largest singular value.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.matrix_rank([[1.0, 2.0], [2.0, 4.0]])
        np.int32(1)
    """
    checks.matrix("matrix_rank", "x", x)
    s = getval(svd(getval(floating(x)), compute_uv=False))
    if tol is None:
        scale = max(extents(x)[-2:]) * float(limits(dtype_of(s)).eps)
        limit = np.max(s, axis=-1, keepdims=True, initial=0) * scale
    else:
        limit = np.expand_dims(np.asarray(tol, dtype_of(s)), -1)
    return _cast(np.sum(np.greater(s, limit), axis=-1), "int32")


def _vector_norm(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    sizes = anp.abs(x)
    if ord in (None, 2, "fro"):
        return anp.sqrt(anp.sum(x * x, axis=axis, keepdims=keepdims))
    if ord == np.inf:
        return anp.max(sizes, axis=axis, keepdims=keepdims)
    if ord == -np.inf:
        return anp.min(sizes, axis=axis, keepdims=keepdims)
    if ord == 0:
        found = np.sum(np.not_equal(getval(x), 0), axis=axis, keepdims=keepdims)
        return _cast(found, dtype_of(x))
    if ord == 1:
        return anp.sum(sizes, axis=axis, keepdims=keepdims)
    return anp.sum(sizes**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


def _matrix_norm(x: Any, ord: Any, axis: tuple[int, int], keepdims: bool) -> Any:
    if ord in (None, "fro"):
        return _vector_norm(x, None, axis, keepdims)
    rows, columns = (a % len(extents(x)) for a in axis)
    if ord in (1, -1, np.inf, -np.inf):
        summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = anp.sum(anp.abs(x), axis=summed, keepdims=True)
        found = (anp.max if ord > 0 else anp.min)(sums, axis=other, keepdims=True)
    elif ord in (2, -2, "nuc"):
        values = svd(anp.moveaxis(x, (rows, columns), (-2, -1)), compute_uv=False)
        reduced = {2: anp.max, -2: anp.min, "nuc": anp.sum}[ord](values, axis=-1)
        found = anp.expand_dims(anp.expand_dims(reduced, min(rows, columns)), max(rows, columns))
    else:
        allowed = 'None, "fro", "nuc", 1, -1, 2, -2, inf or -inf for matrices'
        checks.refuse("norm", "ord", repr(ord), allowed)
    return found if keepdims else anp.squeeze(found, (rows, columns))


@op
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Length of vectors, or size of matrices.

    Args:
        x: Numbers of any shape.
        ord: For vectors the exponent of the p-norm (None for 2; `numpy.inf` for the largest, 0 to
            count), for matrices None or "fro" (as one vector), "nuc" (sum of singular values), 2
            (largest one), 1 (largest sum of a column), `numpy.inf` (of a row), or their negatives
            for the smallest.
        axis: The axis of the vectors or the two of the matrices; None for x as a whole: all as one
            vector if `ord` is None.
        keepdims: Whether reduced axes stay with length one.

    Raises:
        ValueError: An unknown `ord`, or one that needs a vector or a matrix.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.norm([3.0, 4.0])
        np.float32(5.0)
    """
    x = floating(x)
    rank = len(extents(x))
    if axis is None and ord is None:
        return _vector_norm(x, None, None, keepdims)
    axis = tuple(range(rank)) if axis is None else _axes(axis)
    axes: Any = (axis,) if isinstance(axis, int) else axis
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    if len(axes) != 1:
        checks.refuse("norm", "axis", axis, "one axis or two")
    if isinstance(ord, str):
        checks.refuse("norm", "ord", repr(ord), "a number or None for vectors")
    return _vector_norm(x, ord, axes[0], keepdims)
