"""Matrices as products of simpler ones. All take batches of matrices: (..., m, n)."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.kernels import decomposition as kernel
from kernelmodel.engine.kernels import eig as eigen
from kernelmodel.engine.scope import shapes_only
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, dtype_of, extents
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import floating, in_float32

__all__ = ["cholesky", "eig", "eigh", "lu_factor", "qr", "svd"]


def regular(x: Any) -> Any:
    """x; or unit matrices in its place, where code runs on zeros to find out shapes."""
    if not shapes_only():
        return x
    return np.broadcast_to(np.eye(extents(x)[-1], dtype=dtype_of(x)), extents(x))


def symmetric(x: Any) -> Any:
    """The symmetric part, on which alone a decomposition of symmetric matrices depends."""
    return (x + anp.swapaxes(x, -1, -2)) * 0.5


@op
@in_float32
def cholesky(x: Any, upper: bool = False) -> Any:
    """The triangular matrix L with x = L L^T.

    Args:
        x: Symmetric positive definite matrices (..., n, n).
        upper: Whether to return L^T.

    Raises:
        ValueError: x isn't square, or isn't positive definite.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.cholesky([[4.0, 2.0], [2.0, 5.0]])
        array([[2., 0.],
               [1., 2.]], dtype=float32)
    """
    checks.square("cholesky", "x", x)
    values = symmetric(floating(regular(x)))
    try:
        lower = anp.linalg.cholesky(values)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            "cholesky: x must hold positive definite matrices: symmetric, with eigenvalues above "
            "zero. Adding a small multiple of the unit matrix helps against rounding."
        ) from error
    return anp.swapaxes(lower, -1, -2) if upper else lower


@op
@in_float32
def qr(x: Any, mode: str = "reduced") -> Any:
    """An orthogonal matrix q and an upper triangular r with x = q r.

    Args:
        x: Matrices (..., m, n).
        mode: "reduced" for q of (m, min(m, n)), "complete" for (m, m).

    Returns:
        q and r.

    Raises:
        ValueError: Another mode, or x has fewer than two axes.

    Examples:
        >>> import kernelmodel as km
        >>> q, r = km.ops.qr([[3.0, 1.0], [4.0, 2.0]])
        >>> (q @ r).round(4)
        array([[3., 1.],
               [4., 2.]], dtype=float32)
    """
    checks.choice("qr", "mode", mode, ("reduced", "complete"))
    checks.matrix("qr", "x", x)
    return kernel.qr(floating(x), mode=mode)


@op
@in_float32
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular values s, and orthogonal u and v with x = u diag(s) v^T.

    Args:
        x: Matrices (..., m, n).
        full_matrices: Whether u and v are square; else they have min(m, n) columns.
        compute_uv: Whether u and v are wanted.

    Returns:
        u, s (descending) and v^T; only s without `compute_uv`.

    Raises:
        ValueError: x has fewer than two axes.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.svd([[0.0, 2.0], [1.0, 0.0]], compute_uv=False)
        array([2., 1.], dtype=float32)
    """
    checks.matrix("svd", "x", x)
    if not compute_uv:
        return kernel.svd(floating(x), full_matrices=False)[1]
    return kernel.svd(floating(x), full_matrices=full_matrices)


@op
@in_float32
def eigh(x: Any) -> Any:
    """Eigenvalues and eigenvectors of symmetric matrices.

    Args:
        x: Symmetric matrices (..., n, n); only the symmetric part counts.

    Returns:
        Values (..., n), ascending, and vectors as columns (..., n, n).

    Raises:
        ValueError: x isn't square.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.eigh([[2.0, 0.0], [0.0, 1.0]])[0]
        array([1., 2.], dtype=float32)
    """
    checks.square("eigh", "x", x)
    return kernel.eigh(symmetric(floating(x)))


@op
@in_float32
def eig(x: Any) -> Any:
    """Eigenvalues and eigenvectors of square matrices, as complex numbers.

    The vectors have length one, and their largest entries are real. Their gradient holds where all
    eigenvalues are different.

    Args:
        x: Matrices (..., n, n).

    Returns:
        Values (..., n), in no order, and vectors as columns (..., n, n).

    Raises:
        ValueError: x isn't square.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.eig([[0.0, 1.0], [-1.0, 0.0]])[0]
        array([0.+1.j, 0.-1.j], dtype=complex64)
    """
    checks.square("eig", "x", x)
    return eigen.eig(floating(x))


@op
@in_float32
def lu_factor(x: Any) -> Any:
    """Triangular factors with exchanged rows: P x = L U.

    Args:
        x: Matrices (..., m, n).

    Returns:
        L (without its diagonal of ones) and U in one matrix (..., m, n), and int32 pivots
        (..., min(m, n)): row i was exchanged with row pivots[i].

    Raises:
        ValueError: x has fewer than two axes.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.lu_factor([[0.0, 2.0], [1.0, 0.0]])[1]
        array([1, 1], dtype=int32)
    """
    checks.matrix("lu_factor", "x", x)
    factors, pivots = kernel.lu_factor(floating(x))
    return factors, _cast(getval(pivots), "int32")
