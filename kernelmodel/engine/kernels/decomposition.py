"""Matrix decompositions of real matrices, batched, with their gradients.

Sources of the gradients: Giles 2008, "Collected matrix derivative results"; Townsend 2016,
"Differentiating the singular value decomposition"; Roberts and Roberts 2020 (arXiv:2009.10071) for
QR; Murray 2016 (arXiv:1602.07527) for triangular factors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.primitive import fused

Arrays = tuple[np.ndarray, ...]


def t(x: np.ndarray) -> np.ndarray:
    """Matrices transposed."""
    return np.swapaxes(x, -1, -2)


def given(g: Any, out: Arrays) -> list[np.ndarray]:
    """The gradients of several outputs, zeros for those that nobody used."""
    return [np.zeros_like(o) if part is None else part for part, o in zip(g, out)]


def differences(values: np.ndarray) -> np.ndarray:
    """1 / (v_j - v_i), and zero on the diagonal and where two are equal."""
    gap = values[..., None, :] - values[..., :, None]
    return np.where(gap == 0, 0, 1 / np.where(gap == 0, 1, gap))


def unit(x: np.ndarray, size: int) -> np.ndarray:
    """A unit matrix for each matrix of a batch, to be written to."""
    return np.tile(np.eye(size, dtype=x.dtype), (*x.shape[:-2], 1, 1))


def times_inverse(x: np.ndarray, a: np.ndarray) -> np.ndarray:
    """x a^-T."""
    return t(np.linalg.solve(a, t(x)))


@forward_kernel
def eigh_forward(x: np.ndarray) -> tuple[Arrays, None]:
    """Eigenvalues, ascending, and eigenvectors of symmetric matrices.

    Args:
        x: (..., n, n).

    Returns:
        Values (..., n) and vectors as columns (..., n, n), and no residuals.
    """
    return tuple(np.linalg.eigh(x)), None


@backward_kernel
def eigh_backward(g: Any, out: Arrays, residuals: None, arrays: Any, needed: Any) -> Arrays:
    """V (diag(gw) + F * (V^T gV)) V^T."""
    values, vectors = out
    g_values, g_vectors = given(g, out)
    inner = differences(values) * (t(vectors) @ g_vectors)
    inner += g_values[..., None] * np.eye(values.shape[-1], dtype=values.dtype)
    return (vectors @ inner @ t(vectors),)


def eigh_xla(x: Any) -> Any:
    """The same in `jax.numpy`."""
    import jax

    return tuple(jax.numpy.linalg.eigh(x, symmetrize_input=False))


@forward_kernel
def svd_forward(x: np.ndarray, *, full_matrices: bool = False) -> tuple[Arrays, None]:
    """Singular value decomposition.

    Args:
        x: (..., m, n).
        full_matrices: Whether u and v are square.

    Returns:
        u, s and v transposed, and no residuals.
    """
    return tuple(np.linalg.svd(x, full_matrices)), None


@backward_kernel
def svd_backward(
    g: Any,
    out: Arrays,
    residuals: None,
    arrays: Any,
    needed: Any,
    *,
    full_matrices: bool = False,
) -> Arrays:
    """Gradients of the singular values, and of the vectors of the reduced decomposition."""
    u, s, vt = out
    g_u, g_s, g_vt = given(g, out)
    count = s.shape[-1]
    if u.shape[-1] != vt.shape[-2]:
        if any(part is not None and np.any(part) for part in (g[0], g[2])):
            raise NotImplementedError(
                "svd: the vectors of full_matrices=True have no gradient where the matrix isn't "
                "square, for they aren't unique. Use full_matrices=False."
            )
        u, vt, g_u, g_vt = (
            u[..., :count],
            vt[..., :count, :],
            g_u[..., :count],
            g_vt[..., :count, :],
        )
    v, g_v = t(vt), t(g_vt)
    f = differences(s * s)
    s_row, s_column = s[..., None, :], s[..., :, None]
    left, right = t(u) @ g_u, t(v) @ g_v
    inner = (f * (left - t(left))) * s_row + s_column * (f * (right - t(right)))
    inner += g_s[..., None] * np.eye(count, dtype=s.dtype)
    dx = u @ inner @ vt
    dx += (g_u - u @ left) / s_row @ vt
    dx += u @ (t(g_v - v @ right) / s_column)
    return (dx,)


def svd_xla(x: Any, *, full_matrices: bool = False) -> Any:
    """The same in `jax.numpy`."""
    import jax

    return tuple(jax.numpy.linalg.svd(x, full_matrices))


@forward_kernel
def qr_forward(x: np.ndarray, *, mode: str = "reduced") -> tuple[Arrays, None]:
    """An orthogonal times an upper triangular matrix.

    Args:
        x: (..., m, n).
        mode: "reduced" or "complete" (a square orthogonal matrix).

    Returns:
        q and r, and no residuals.
    """
    return tuple(np.linalg.qr(x, mode)), None  # type: ignore[call-overload]


def beside(q: np.ndarray, g: np.ndarray, size: int) -> np.ndarray:
    """The gradient of q's first columns, that of the others carried over to them.

    The others may be any basis of what is left. Householder reflections, of which LAPACK and JAX
    make q, choose one that depends smoothly on the first (arXiv:2409.13374, equations 32 and 33).
    """
    first, others, g_others = q[..., :size], q[..., size:], g[..., size:]
    top = first[..., :size, :]
    z = t(np.linalg.solve(t(top - np.eye(size, dtype=q.dtype)), t(first[..., size:, :])))
    below = -t(g_others) @ (first + others @ z)
    return g[..., :size] + g_others @ z + np.concatenate([-t(z) @ below, below], -2)


@backward_kernel
def qr_backward(
    g: Any, out: Arrays, residuals: None, arrays: Any, needed: Any, *, mode: str = "reduced"
) -> Arrays:
    """The square part by a triangular solve; columns beyond it are Q times R's."""
    q, r = out
    g_q, g_r = given(g, out)
    (x,) = arrays
    rows, columns = x.shape[-2:]
    size = min(rows, columns)
    if q.shape[-1] > size:
        q, g_q, r, g_r = q[..., :size], beside(q, g_q, size), r[..., :size, :], g_r[..., :size, :]
    beyond, g_beyond = x[..., size:], g_r[..., size:]
    r, g_r = r[..., :size], g_r[..., :size]
    g_q = g_q + beyond @ t(g_beyond)
    m = r @ t(g_r) - t(g_q) @ q
    lower = np.tril(m, -1)
    symmetric = lower + t(lower) + m * np.eye(size, dtype=m.dtype)
    dx = times_inverse(g_q + q @ symmetric, r)
    return (np.concatenate([dx, q @ g_beyond], -1),)


def qr_xla(x: Any, *, mode: str = "reduced") -> Any:
    """The same in `jax.numpy`."""
    import jax

    return tuple(jax.numpy.linalg.qr(x, mode))


@forward_kernel
def lu_forward(x: np.ndarray) -> tuple[Arrays, None]:
    """Triangular factors with partial pivoting, column by column over the whole batch.

    Args:
        x: (..., m, n).

    Returns:
        Both factors in one matrix (..., m, n), and the row that each row was exchanged with
        (..., min(m, n)); no residuals.
    """
    *batch, rows, columns = x.shape
    lu = np.array(x).reshape(-1, rows, columns)
    count = min(rows, columns)
    pivots = np.zeros((len(lu), count), np.int32)
    which = np.arange(len(lu))
    for i in range(count):
        chosen = i + np.abs(lu[:, i:, i]).argmax(1)
        pivots[:, i] = chosen
        lu[which, i], lu[which, chosen] = lu[which, chosen], lu[which, i]
        pivot = lu[:, i, i, None]
        lu[:, i + 1 :, i] /= np.where(pivot == 0, 1, pivot)
        lu[:, i + 1 :, i + 1 :] -= lu[:, i + 1 :, i, None] * lu[:, i, None, i + 1 :]
    return (lu.reshape(x.shape), pivots.reshape(*batch, count)), None


def row_order(pivots: np.ndarray, rows: int) -> np.ndarray:
    """The order of rows that exchanges one by one lead to, (..., rows)."""
    flat = pivots.reshape(-1, pivots.shape[-1])
    order = np.tile(np.arange(rows), (len(flat), 1))
    which = np.arange(len(flat))
    for i, chosen in enumerate(flat.T):
        order[which, i], order[which, chosen] = order[which, chosen], order[which, i]
    return order.reshape(*pivots.shape[:-1], rows)


@backward_kernel
def lu_backward(g: Any, out: Arrays, residuals: None, arrays: Any, needed: Any) -> Arrays:
    """P^T L^-T (tril(L^T g, -1) + triu(g U^T)) U^-T, with both factors made square."""
    lu, pivots = out
    rows, columns = lu.shape[-2:]
    count = min(rows, columns)
    g_lu = given(g, out)[0]
    lower, upper = unit(lu, rows), unit(lu, columns)
    lower[..., :count] += np.tril(lu, -1)[..., :count]
    upper[..., :count, :] += np.triu(lu)[..., :count, :] - np.eye(count, columns, dtype=lu.dtype)
    inner = np.tril(t(lower) @ g_lu, -1) + np.triu(g_lu @ t(upper))
    moved = times_inverse(np.linalg.solve(t(lower), inner), upper)
    back = np.argsort(row_order(pivots, rows), axis=-1)
    return (np.take_along_axis(moved, back[..., None], -2),)


def lu_xla(x: Any) -> Any:
    """The same in JAX."""
    from jax.scipy.linalg import lu_factor

    return tuple(lu_factor(x))


@forward_kernel
def slogdet_forward(x: np.ndarray) -> tuple[Arrays, None]:
    """Sign and logarithm of the size of determinants.

    Args:
        x: (..., n, n).

    Returns:
        Two arrays (...), and no residuals.
    """
    sign, log = np.linalg.slogdet(x)
    return (np.asarray(sign), np.asarray(log)), None


@backward_kernel
def slogdet_backward(g: Any, out: Arrays, residuals: None, arrays: Any, needed: Any) -> Arrays:
    """The inverse, transposed."""
    slope = given(g, out)[1]
    return (slope[..., None, None] * t(np.linalg.inv(arrays[0])),)


def slogdet_xla(x: Any) -> Any:
    """The same in `jax.numpy`."""
    import jax

    return tuple(jax.numpy.linalg.slogdet(x))


@forward_kernel
def pinv_forward(x: np.ndarray, *, rcond: float) -> tuple[np.ndarray, None]:
    """Pseudo-inverse by the singular values.

    Args:
        x: (..., m, n).
        rcond: Singular values up to this share of the largest count as zero.

    Returns:
        (..., n, m), and no residuals.
    """
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    safe = s > rcond * s.max(-1, keepdims=True, initial=0)
    inverse = np.where(safe, 1 / np.where(safe, s, 1), 0)
    return (t(vt) * inverse[..., None, :]) @ t(u), None


@backward_kernel
def pinv_backward(
    g: np.ndarray, out: np.ndarray, residuals: None, arrays: Any, needed: Any, *, rcond: float
) -> Arrays:
    """The formula of Golub and Pereyra (1973), which holds where the rank doesn't change."""
    (x,) = arrays
    rows, columns = x.shape[-2:]
    turned, g_turned = t(out), t(g)
    dx = -turned @ g @ turned
    dx += (np.eye(rows, dtype=x.dtype) - x @ out) @ g_turned @ out @ turned
    dx += turned @ out @ g_turned @ (np.eye(columns, dtype=x.dtype) - out @ x)
    return (dx,)


def pinv_xla(x: Any, *, rcond: float) -> Any:
    """The same in `jax.numpy`."""
    import jax

    return jax.numpy.linalg.pinv(x, rtol=rcond)


eigh = fused("eigh", eigh_forward, eigh_backward, eigh_xla)
svd = fused("svd", svd_forward, svd_backward, svd_xla)
qr = fused("qr", qr_forward, qr_backward, qr_xla)
lu_factor = fused("lu_factor", lu_forward, lu_backward, lu_xla)
slogdet = fused("slogdet", slogdet_forward, slogdet_backward, slogdet_xla)
pinv = fused("pinv", pinv_forward, pinv_backward, pinv_xla)
