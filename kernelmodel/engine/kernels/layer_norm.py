"""Layer and root-mean-square normalization: each sample by its own statistics.

Sources: Ba, Kiros and Hinton 2016 (arXiv:1607.06450); Zhang and Sennrich 2019
(arXiv:1910.07467).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine import pool
from kernelmodel.engine.kernels import loops
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.flat import Axes, Flat, flat_or_none, scaled, split_axes
from kernelmodel.engine.kernels.rows import apply_row, column_sums, row_sums
from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.primitive import fused


def dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The dot product of each row of `a` with that of `b`."""
    return np.einsum("ij,ij->i", a, b)


def plain_centred(matrix: np.ndarray, mean: np.ndarray, result: np.ndarray) -> None:
    """result = each row of an (n, m) matrix, less its mean."""
    np.subtract(matrix, mean[:, None], out=result)


def plain_units(
    matrix: np.ndarray,
    inverse: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    unit: np.ndarray,
    result: np.ndarray,
) -> None:
    """unit = each row of an (n, m) matrix times its inverse; result = unit * gamma + beta."""
    np.multiply(matrix, inverse[:, None], out=unit)
    apply_row(np.multiply, unit, gamma, result)
    apply_row(np.add, result, beta, result)


def plain_gradient(
    g: np.ndarray,
    unit: np.ndarray,
    share: np.ndarray,
    mean: np.ndarray,
    inverse: np.ndarray,
    result: np.ndarray,
) -> None:
    """result = (g - unit * share - mean) * inverse: (n, m) matrices, and one number a row."""
    np.multiply(unit, share[:, None], out=result)
    np.subtract(g, result, out=result)
    result -= mean[:, None]
    result *= inverse[:, None]


centred = Twin(plain_centred, loops.centred, minimum=1 << 12)
units = Twin(plain_units, loops.units, minimum=1 << 12)
gradient = Twin(plain_gradient, loops.normalized_gradient, minimum=1 << 12)


def normalize(
    x: np.ndarray,
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    axes: Axes,
    epsilon: float,
    centre: bool,
) -> tuple[np.ndarray, Any]:
    """Both forward passes; `centre` says whether the mean is subtracted."""
    over, kept = split_axes(x.ndim, axes)
    flat = Flat(x.shape, kept, over)
    matrix = flat(x)
    width = max(matrix.shape[1], 1)
    if centre:
        whole, matrix = matrix, pool.empty(matrix.shape, matrix.dtype)
        centred(whole, row_sums(whole) / width, matrix)
    inverse = 1 / np.sqrt(dots(matrix, matrix) / width + epsilon)
    if gamma is None or beta is None:
        unit = matrix * inverse[:, None]
        y = scaled(unit, flat_or_none(gamma), flat_or_none(beta))
    else:
        unit, y = pool.empty_like(matrix), pool.empty_like(matrix)
        units(matrix, inverse, gamma.reshape(-1), beta.reshape(-1), unit, y)
    return flat.undo(y), (flat, unit, inverse)


def gradients(
    g: np.ndarray, residuals: Any, gamma: Any, beta: Any, needed: Any, centre: bool
) -> tuple[np.ndarray | None, ...]:
    """Both backward passes."""
    flat, unit, inverse = residuals
    matrix = flat(g)
    width = max(matrix.shape[1], 1)
    dgamma = dbeta = dx = None
    if gamma is not None and needed[1]:
        dgamma = column_sums(matrix * unit).reshape(gamma.shape)
    if beta is not None and needed[2]:
        dbeta = column_sums(matrix).reshape(beta.shape)
    if needed[0]:
        g_unit = matrix if gamma is None else apply_row(np.multiply, matrix, gamma.reshape(-1))
        mean = row_sums(g_unit) / width if centre else np.zeros_like(inverse)
        dmatrix = pool.empty_like(g_unit)
        gradient(g_unit, unit, dots(g_unit, unit) / width, mean, inverse, dmatrix)
        dx = flat.undo(dmatrix)
    return dx, dgamma, dbeta


def xla_normalize(x: Any, gamma: Any, beta: Any, axes: Axes, epsilon: float, centre: bool) -> Any:
    """Both in `jax.numpy`."""
    import jax.numpy as jnp

    over, _ = split_axes(x.ndim, axes)
    wide = tuple(n if a in over else 1 for a, n in enumerate(x.shape))
    if centre:
        x = x - x.mean(over, keepdims=True)
    y = x / jnp.sqrt(jnp.square(x).mean(over, keepdims=True) + epsilon)
    if gamma is not None:
        y = y * gamma.reshape(wide)
    return y if beta is None else y + beta.reshape(wide)


@forward_kernel
def layer_forward(
    x: np.ndarray,
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    *,
    axes: Axes,
    epsilon: float,
) -> tuple[np.ndarray, Any]:
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, statistics over `axes`.

    Args:
        x: Any shape.
        gamma: Scale with the extents of `axes` in ascending order, or None.
        beta: Shift like gamma, or None.
        axes: The axes that are normalized together.
        epsilon: Added to the variance.

    Returns:
        An array like x, and residuals.
    """
    return normalize(x, gamma, beta, axes, epsilon, True)


@backward_kernel
def layer_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: Any,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    axes: Axes,
    epsilon: float,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for x, gamma and beta."""
    return gradients(g, residuals, arrays[1], arrays[2], needed, True)


def layer_xla(x: Any, gamma: Any, beta: Any, *, axes: Axes, epsilon: float) -> Any:
    """The same in `jax.numpy`."""
    return xla_normalize(x, gamma, beta, axes, epsilon, True)


@forward_kernel
def rms_forward(
    x: np.ndarray, gamma: np.ndarray | None, *, axes: Axes, epsilon: float
) -> tuple[np.ndarray, Any]:
    """`x / sqrt(mean(x**2) + epsilon) * gamma`, the mean over `axes`.

    Args:
        x: Any shape.
        gamma: Scale with the extents of `axes` in ascending order, or None.
        axes: The axes that are normalized together.
        epsilon: Added to the mean square.

    Returns:
        An array like x, and residuals.
    """
    return normalize(x, gamma, None, axes, epsilon, False)


@backward_kernel
def rms_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: Any,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    axes: Axes,
    epsilon: float,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for x and gamma."""
    return gradients(g, residuals, arrays[1], None, needed, False)[:2]


def rms_xla(x: Any, gamma: Any, *, axes: Axes, epsilon: float) -> Any:
    """The same in `jax.numpy`."""
    return xla_normalize(x, gamma, None, axes, epsilon, False)


layer_norm = fused("layer_norm", layer_forward, layer_backward, layer_xla)
rms_norm = fused("rms_norm", rms_forward, rms_backward, rms_xla)
