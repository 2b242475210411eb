"""softmax and its logarithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.rows import last_axis_max, last_axis_sums
from kernelmodel.engine.plan import unfolds
from kernelmodel.engine.primitive import fused

Axis = int | tuple[int, ...]


def summed(x: np.ndarray, axis: Axis) -> Any:
    """The sum with its axes kept."""
    if axis in (-1, x.ndim - 1) and x.size:
        return last_axis_sums(x)
    return x.sum(axis, keepdims=True)


def greatest(x: np.ndarray, axis: Axis) -> Any:
    """The maximum with its axes kept."""
    if axis in (-1, x.ndim - 1) and x.size:
        return last_axis_max(x)
    return x.max(axis, keepdims=True)


@forward_kernel
@unfolds
def softmax_forward(x: np.ndarray, *, axis: Axis = -1) -> tuple[np.ndarray, None]:
    """exp(x) / sum(exp(x)).

    Args:
        x: Any shape, floating point.
        axis: The axis, or axes, that sum to one.

    Returns:
        An array like x, and no residuals.
    """
    y = x - greatest(x, axis)
    np.exp(y, out=y)
    y /= summed(y, axis)
    return y, None


@backward_kernel
@unfolds
def softmax_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    axis: Axis = -1,
) -> tuple[np.ndarray]:
    """out * (g - sum(g * out))."""
    dx = g * out
    dx -= out * summed(dx, axis)
    return (dx,)


def softmax_xla(x: Any, *, axis: Axis = -1) -> Any:
    """softmax in `jax.numpy`."""
    import jax

    return jax.nn.softmax(x, axis)


@forward_kernel
@unfolds
def log_softmax_forward(x: np.ndarray, *, axis: Axis = -1) -> tuple[np.ndarray, None]:
    """x - log(sum(exp(x))).

    Args:
        x: Any shape, floating point.
        axis: The axis, or axes, that the sum runs over.

    Returns:
        An array like x, and no residuals.
    """
    y = x - greatest(x, axis)
    y -= np.log(summed(np.exp(y), axis))
    return y, None


@backward_kernel
@unfolds
def log_softmax_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    axis: Axis = -1,
) -> tuple[np.ndarray]:
    """g - exp(out) * sum(g)."""
    dx = np.exp(out)
    dx *= summed(g, axis)
    return (np.subtract(g, dx, out=dx),)


def log_softmax_xla(x: Any, *, axis: Axis = -1) -> Any:
    """log_softmax in `jax.numpy`."""
    import jax

    return jax.nn.log_softmax(x, axis)


softmax = fused("softmax", softmax_forward, softmax_backward, softmax_xla)
log_softmax = fused("log_softmax", log_softmax_forward, log_softmax_backward, log_softmax_xla)
