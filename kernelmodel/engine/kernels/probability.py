"""Cross-entropies of probabilities: of several classes with integer or one-hot targets, and of two.

Probabilities are divided by their sum, then kept `EPSILON` away from 0 and 1. Where that limit
binds the gradient is zero, as for any clipping. A NaN stays a NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels.crossentropy import check_labels
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.primitive import fused

EPSILON = 1e-7


def inside(share: np.ndarray) -> np.ndarray:
    """Where the clipping of probabilities has a gradient."""
    kind = share.dtype.type
    return (share >= kind(EPSILON)) & (share <= kind(1 - EPSILON))


def clipped(share: np.ndarray) -> np.ndarray:
    """Probabilities kept away from 0 and 1."""
    return np.clip(share, share.dtype.type(EPSILON), share.dtype.type(1 - EPSILON))


@forward_kernel
def sparse_forward(
    probabilities: np.ndarray, labels: np.ndarray, *, axis: int = -1
) -> tuple[np.ndarray, Any]:
    """-log of the probability at each label.

    Args:
        probabilities: (..., classes).
        labels: Integers in [0, classes), the shape of probabilities without `axis`.
        axis: The axis of the classes.

    Returns:
        One loss for each label, and residuals.

    Raises:
        ValueError: Shapes don't match or a label is out of range.
    """
    check_labels(labels, probabilities, axis)
    at = np.expand_dims(labels.astype(np.intp), axis)
    total = probabilities.sum(axis, keepdims=True)
    share = np.take_along_axis(probabilities, at, axis) / total
    return -np.log(clipped(share)).squeeze(axis), (at, share, total)


@backward_kernel
def sparse_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: Any,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    axis: int = -1,
) -> tuple[np.ndarray, None]:
    """1 / total everywhere, less 1 / probability at the label; zero where the clipping binds."""
    at, share, total = residuals
    spread = np.expand_dims(g, axis) * inside(share) / total
    gradient = np.empty(arrays[0].shape, arrays[0].dtype)
    gradient[...] = spread
    np.put_along_axis(gradient, at, spread - spread / share, axis)
    return gradient, None


def sparse_xla(probabilities: Any, labels: Any, *, axis: int = -1) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    share = probabilities / probabilities.sum(axis, keepdims=True)
    at = jnp.expand_dims(labels.astype("int32"), axis)
    taken = jnp.take_along_axis(share, at, axis).squeeze(axis)
    return -jnp.log(jnp.clip(taken, EPSILON, 1 - EPSILON))


@forward_kernel
def categorical_forward(
    probabilities: np.ndarray, targets: np.ndarray, *, axis: int = -1
) -> tuple[np.ndarray, Any]:
    """-sum(targets * log(probabilities)).

    Args:
        probabilities: (..., classes).
        targets: One-hot labels or any weights, the shape of probabilities.
        axis: The axis of the classes.

    Returns:
        Losses of the shape without `axis`, and residuals.
    """
    total = probabilities.sum(axis, keepdims=True)
    share = probabilities / total
    surprise = np.log(clipped(share))
    np.negative(surprise, out=surprise)
    return (surprise * targets).sum(axis), (share, total, surprise)


@backward_kernel
def categorical_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: Any,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    axis: int = -1,
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Gradients for probabilities and targets."""
    share, total, surprise = residuals
    g = np.expand_dims(g, axis)
    gradient = None
    if needed[0]:
        weights = arrays[1] * inside(share)
        gradient = weights.sum(axis, keepdims=True) - weights / np.where(weights != 0, share, 1)
        gradient *= g / total
    return gradient, surprise * g if needed[1] else None


def categorical_xla(probabilities: Any, targets: Any, *, axis: int = -1) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    share = probabilities / probabilities.sum(axis, keepdims=True)
    return -(targets * jnp.log(jnp.clip(share, EPSILON, 1 - EPSILON))).sum(axis)


@forward_kernel
def binary_forward(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, Any]:
    """-targets * log(probabilities) - (1 - targets) * log(1 - probabilities), elementwise.

    Args:
        probabilities: Any shape.
        targets: Probabilities of the same shape.

    Returns:
        A loss for each probability, and residuals.
    """
    share = clipped(probabilities)
    loss = targets * np.log(share)
    loss += (1 - targets) * np.log(1 - share)
    return -loss, share


@backward_kernel
def binary_backward(
    g: np.ndarray, out: np.ndarray, share: Any, arrays: tuple[Any, ...], needed: Any
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Gradients for probabilities and targets."""
    probabilities, targets = arrays
    gradient = None
    if needed[0]:
        gradient = (share - targets) / (share * (1 - share)) * inside(probabilities) * g
    return gradient, g * (np.log(1 - share) - np.log(share)) if needed[1] else None


def binary_xla(probabilities: Any, targets: Any) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    share = jnp.clip(probabilities, EPSILON, 1 - EPSILON)
    return -targets * jnp.log(share) - (1 - targets) * jnp.log(1 - share)


sparse_cross_entropy = fused("sparse_cross_entropy", sparse_forward, sparse_backward, sparse_xla)
cross_entropy = fused("cross_entropy", categorical_forward, categorical_backward, categorical_xla)
binary_cross_entropy = fused("binary_cross_entropy", binary_forward, binary_backward, binary_xla)
