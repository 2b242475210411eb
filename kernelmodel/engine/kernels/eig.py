"""Eigenvalues and eigenvectors of any square matrices, with their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels.decomposition import Arrays, differences, given, t
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.primitive import fused


@forward_kernel
def eig_forward(x: np.ndarray) -> tuple[Arrays, None]:
    """Eigenvalues and eigenvectors.

    Args:
        x: (..., n, n), real or complex.

    Returns:
        Complex values (..., n) and vectors as columns (..., n, n), and no residuals.
    """
    wide = np.result_type(x.dtype, np.complex64)
    return tuple(part.astype(wide, copy=False) for part in np.linalg.eig(x)), None


@backward_kernel
def eig_backward(g: Any, out: Arrays, residuals: None, arrays: Any, needed: Any) -> Arrays:
    """Perturbation of eigenvectors that LAPACK made unique: of length one, the largest entry real.

    Giles 2008, "Collected matrix derivative results", section 3.1, for the part that leaves each
    vector's factor open; the two conditions then settle that.
    """
    values, vectors = out
    g_values, g_vectors = given(g, out)
    along = np.sum(g_vectors * vectors, -2, keepdims=True)
    largest = np.argmax(np.abs(vectors), -2)[..., None, :] == np.arange(values.shape[-1])[:, None]
    pivot = np.sum(largest * vectors.real, -2, keepdims=True)
    fixed = along.real * vectors.conj() + 1j * along.imag / pivot * largest
    inner = differences(values) * (t(vectors) @ (g_vectors - fixed))
    inner = inner + g_values[..., None] * np.eye(values.shape[-1], dtype=values.dtype)
    dx = np.linalg.solve(t(vectors), inner) @ t(vectors)
    return (dx if np.iscomplexobj(arrays[0]) else dx.real,)


def eig_xla(x: Any) -> Any:
    """The same in JAX, which asks to be told that the vectors have a gradient."""
    from jax.lax import linalg

    return tuple(linalg.eig(x, compute_left_eigenvectors=False, enable_eigvec_derivs=True))


eig = fused("eig", eig_forward, eig_backward, eig_xla)
