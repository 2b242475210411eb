"""Batch normalization, with the statistics of the batch or with given ones.

Source: Ioffe and Szegedy 2015 (arXiv:1502.03167).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.flat import Axes, Flat, flat_or_none, scaled, split_axes
from kernelmodel.engine.kernels.rows import apply_row, column_sums
from kernelmodel.engine.primitive import fused


@forward_kernel
def batch_forward(
    x: np.ndarray,
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    mask: np.ndarray | None = None,
    *,
    axes: Axes,
    epsilon: float,
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], Any]:
    """Normalize with the statistics of this batch.

    Args:
        x: Any shape.
        gamma: Scale, with the extents of the axes that are not in `axes`; or None.
        beta: Shift like gamma, or None.
        mask: What counts in the statistics, x's leading axes, boolean; None for everything.
        axes: Axes of the statistics.
        epsilon: Added to the variance.

    Returns:
        (y, mean, variance): y like x, the statistics with the extents of the other axes;
        and residuals. The variance is the mean squared deviation (no n - 1).
    """
    over, kept = split_axes(x.ndim, axes)
    flat = Flat(x.shape, over, kept)
    matrix = flat(x)
    weights = None
    total: Any = max(len(matrix), 1)
    if mask is None:
        mean = column_sums(matrix) / total
        centred = apply_row(np.subtract, matrix, mean)
        variance = column_sums(centred * centred) / total
    else:
        spread = mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim)) != 0
        weights = flat(np.broadcast_to(spread, x.shape)).astype(x.dtype)
        total = column_sums(weights) + x.dtype.type(DEFAULTS.epsilon)
        mean = column_sums(weights * matrix) / total
        centred = matrix - mean
        variance = column_sums(weights * centred * centred) / total
    inverse = 1 / np.sqrt(variance + epsilon)
    scale = inverse if gamma is None else inverse * gamma.reshape(-1)
    y = flat.undo(scaled(centred, scale, flat_or_none(beta)))
    shape = tuple(x.shape[a] for a in kept)
    statistics = mean.reshape(shape), variance.reshape(shape)
    return (y, *statistics), (flat, centred, inverse, scale, weights, total)


@backward_kernel
def batch_backward(
    g: Any,
    out: Any,
    residuals: Any,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    axes: Axes,
    epsilon: float,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for x, gamma and beta; also for gradients that arrive at mean and variance."""
    flat, centred, inverse, scale, weights, total = residuals
    gamma, beta = arrays[1:3]
    g_y, g_mean, g_variance = g
    from_mean = np.zeros_like(inverse) if g_mean is None else g_mean.reshape(-1)
    from_variance = np.zeros_like(inverse) if g_variance is None else g_variance.reshape(-1)
    g_y = np.zeros_like(centred) if g_y is None else flat(g_y)
    g_sum, g_dot = column_sums(g_y), column_sums(g_y * centred)
    dgamma = (g_dot * inverse).reshape(gamma.shape) if needed[1] and gamma is not None else None
    dbeta = g_sum.reshape(beta.shape) if needed[2] and beta is not None else None
    dx = None
    if needed[0]:
        # y = centred * scale, variance = sum(w centred**2) / total, centred = x - mean.
        slope = (2 * from_variance - scale * inverse * inverse * g_dot) / total
        shift = from_mean - scale * g_sum
        dmatrix = apply_row(np.multiply, g_y, scale)
        if weights is None:
            dmatrix += apply_row(np.multiply, centred, slope)
            apply_row(np.add, dmatrix, shift / total, dmatrix)
        else:
            shift = shift - slope * column_sums(weights * centred)
            dmatrix += weights * (centred * slope + shift / total)
        dx = flat.undo(dmatrix)
    return (dx, dgamma, dbeta, None)[: len(arrays)]


def batch_xla(
    x: Any, gamma: Any, beta: Any, mask: Any = None, *, axes: Axes, epsilon: float
) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    over, kept = split_axes(x.ndim, axes)
    wide = tuple(1 if a in over else n for a, n in enumerate(x.shape))
    if mask is None:
        mean = x.mean(over, keepdims=True)
        variance = jnp.square(x - mean).mean(over, keepdims=True)
    else:
        spread = mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim)) != 0
        weights = jnp.broadcast_to(spread, x.shape).astype(x.dtype)
        total = weights.sum(over, keepdims=True) + DEFAULTS.epsilon
        mean = (weights * x).sum(over, keepdims=True) / total
        variance = (weights * jnp.square(x - mean)).sum(over, keepdims=True) / total
    y = (x - mean) / jnp.sqrt(variance + epsilon)
    if gamma is not None:
        y = y * gamma.reshape(wide)
    if beta is not None:
        y = y + beta.reshape(wide)
    shape = tuple(x.shape[a] for a in kept)
    return y, mean.reshape(shape), variance.reshape(shape)


@forward_kernel
def apply_forward(
    x: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    *,
    axes: Axes,
    epsilon: float,
) -> tuple[np.ndarray, Any]:
    """Normalize with given statistics, as a batch normalization does after training.

    Args:
        x: Any shape.
        mean: The extents of the axes that are not in `axes`; so have the next three.
        variance: Without `epsilon`.
        gamma: Scale or None.
        beta: Shift or None.
        axes: Axes that share a statistic.
        epsilon: Added to the variance.

    Returns:
        An array like x, and residuals.
    """
    flat = Flat(x.shape, *split_axes(x.ndim, axes))
    inverse = 1 / np.sqrt(variance.reshape(-1) + epsilon)
    scale = inverse if gamma is None else inverse * gamma.reshape(-1)
    shift = -mean.reshape(-1) * scale
    if beta is not None:
        shift = shift + beta.reshape(-1)
    return flat.undo(scaled(flat(x), scale, shift)), (flat, inverse, scale)


@backward_kernel
def apply_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: Any,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    axes: Axes,
    epsilon: float,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for all five arrays."""
    flat, inverse, scale = residuals
    x, mean, variance, gamma, beta = arrays
    matrix = flat(g)
    dx = flat.undo(apply_row(np.multiply, matrix, scale)) if needed[0] else None
    if not any(needed[1:]):
        return dx, None, None, None, None
    g_sum = column_sums(matrix)
    g_dot = column_sums(matrix * flat(x)) - mean.reshape(-1) * g_sum
    return (
        dx,
        (-g_sum * scale).reshape(mean.shape),
        (-0.5 * g_dot * scale * inverse * inverse).reshape(variance.shape),
        None if gamma is None else (g_dot * inverse).reshape(gamma.shape),
        None if beta is None else g_sum.reshape(beta.shape),
    )


def apply_xla(
    x: Any, mean: Any, variance: Any, gamma: Any, beta: Any, *, axes: Axes, epsilon: float
) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    over, _ = split_axes(x.ndim, axes)
    wide = tuple(1 if a in over else n for a, n in enumerate(x.shape))
    scale = 1 / jnp.sqrt(variance + epsilon)
    scale = scale if gamma is None else scale * gamma
    shift = -mean * scale if beta is None else beta - mean * scale
    return x * scale.reshape(wide) + shift.reshape(wide)


batch_norm_train = fused("batch_norm_train", batch_forward, batch_backward, batch_xla)
batch_norm_apply = fused("batch_norm_apply", apply_forward, apply_backward, apply_xla)
