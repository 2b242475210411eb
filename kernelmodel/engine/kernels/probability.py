"""Cross-entropies of probabilities: of several classes with integer or one-hot targets, and of two.

Probabilities are divided by their sum, then kept `DEFAULTS.epsilon` away from 0 and 1. Where that
limit binds the gradient is zero, as for any clipping. A NaN stays a NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.engine.kernels.crossentropy import checked
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.plan import as_one, unfolds
from kernelmodel.engine.primitive import fused


def clipped(share: np.ndarray) -> np.ndarray:
    """Probabilities kept away from 0 and 1; there is a gradient where they are what they were."""
    kind = share.dtype.type
    return np.minimum(np.maximum(share, kind(DEFAULTS.epsilon)), kind(1 - DEFAULTS.epsilon))


def with_last(array: np.ndarray, axis: int) -> np.ndarray:
    """The array with an axis moved to the end."""
    return array if axis in (-1, array.ndim - 1) else np.moveaxis(array, axis, -1)


@forward_kernel
@unfolds
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
    whole = as_one(checked, labels, probabilities.shape, axis % probabilities.ndim)
    rows = with_last(probabilities, axis).reshape(-1, probabilities.shape[axis])
    at = np.arange(len(rows)), whole.reshape(-1)
    total = np.add.reduce(rows, 1)
    share = rows[at] / total
    kept = clipped(share)
    return -np.log(kept).reshape(labels.shape), (at, total, kept, share == kept)


@backward_kernel
@unfolds
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
    at, total, kept, counts = residuals
    shape = with_last(arrays[0], axis).shape
    spread = g.reshape(-1) * counts / total
    gradient = spread[:, None] * np.ones((len(spread), shape[-1]), arrays[0].dtype)
    gradient[at] -= spread / kept
    gradient = gradient.reshape(shape)
    return gradient if axis in (-1, len(shape) - 1) else np.moveaxis(gradient, -1, axis), None


def sparse_xla(probabilities: Any, labels: Any, *, axis: int = -1) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    share = probabilities / probabilities.sum(axis, keepdims=True)
    at = jnp.expand_dims(labels.astype("int32"), axis)
    taken = jnp.take_along_axis(share, at, axis).squeeze(axis)
    return -jnp.log(jnp.clip(taken, DEFAULTS.epsilon, 1 - DEFAULTS.epsilon))


@forward_kernel
@unfolds
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
    kept = clipped(share)
    surprise = -np.log(kept)
    return (surprise * targets).sum(axis), (kept, share == kept, total, surprise)


@backward_kernel
@unfolds
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
    kept, counts, total, surprise = residuals
    g = np.expand_dims(g, axis)
    gradient = None
    if needed[0]:
        weights = arrays[1] * counts
        gradient = (weights.sum(axis, keepdims=True) - weights / kept) * (g / total)
    return gradient, surprise * g if needed[1] else None


def categorical_xla(probabilities: Any, targets: Any, *, axis: int = -1) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    share = probabilities / probabilities.sum(axis, keepdims=True)
    return -(targets * jnp.log(jnp.clip(share, DEFAULTS.epsilon, 1 - DEFAULTS.epsilon))).sum(axis)


@forward_kernel
@unfolds
def binary_forward(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, Any]:
    """-targets * log(probabilities) - (1 - targets) * log(1 - probabilities), elementwise.

    Args:
        probabilities: Any shape.
        targets: Probabilities of the same shape.

    Returns:
        A loss for each probability, and residuals.
    """
    kept = clipped(probabilities)
    loss = targets * np.log(kept)
    loss += (1 - targets) * np.log(1 - kept)
    return -loss, kept


@backward_kernel
@unfolds
def binary_backward(
    g: np.ndarray, out: np.ndarray, kept: Any, arrays: tuple[Any, ...], needed: Any
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Gradients for probabilities and targets."""
    probabilities, targets = arrays
    gradient = None
    if needed[0]:
        gradient = (kept - targets) / (kept * (1 - kept)) * (kept == probabilities) * g
    return gradient, g * (np.log(1 - kept) - np.log(kept)) if needed[1] else None


def binary_xla(probabilities: Any, targets: Any) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    share = jnp.clip(probabilities, DEFAULTS.epsilon, 1 - DEFAULTS.epsilon)
    return -targets * jnp.log(share) - (1 - targets) * jnp.log(1 - share)


sparse_cross_entropy = fused("sparse_cross_entropy", sparse_forward, sparse_backward, sparse_xla)
cross_entropy = fused("cross_entropy", categorical_forward, categorical_backward, categorical_xla)
binary_cross_entropy = fused("binary_cross_entropy", binary_forward, binary_backward, binary_xla)
