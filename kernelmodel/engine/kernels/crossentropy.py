"""Cross-entropies of logits: softmax with integer or probability targets, and sigmoid."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.epilogue import logistic
from kernelmodel.engine.kernels.softmax import greatest, summed
from kernelmodel.engine.plan import as_one, unfolds
from kernelmodel.engine.plan_fusion import Line
from kernelmodel.engine.plan_programs import Group, translates
from kernelmodel.engine.primitive import fused
from kernelmodel.engine.program_memory import NoCommand, Value


def exponentials(logits: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """exp(logits - max), its sum and log(sum(exp(logits))), the last two with the axis kept."""
    top = greatest(logits, axis)
    powers = logits - top
    np.exp(powers, out=powers)
    total = summed(powers, axis)
    return powers, total, np.log(total) + top


def checked(labels: np.ndarray, of: tuple[int, ...], axis: int) -> np.ndarray:
    """Labels as integers.

    Args:
        labels: Numbers of classes.
        of: The shape of the logits.
        axis: That of the classes.

    Raises:
        ValueError: They don't have the logits' shape without axis, or not their range.
    """
    shape = of[:axis] + of[axis + 1 :]
    if labels.shape != shape:
        raise ValueError(
            f"sparse cross-entropy: logits of shape {of} need integer labels of shape "
            f"{shape}, got {labels.shape}. Squeeze the labels, or use the "
            "cross-entropy for one-hot labels."
        )
    whole = labels.astype(np.intp)
    # Negative numbers, and what was NaN, are very large without a sign.
    if whole.size and np.maximum.reduce(whole.view(np.uintp), None) >= of[axis]:
        least, most = labels.min(), labels.max()
        raise ValueError(
            f"sparse cross-entropy: labels must lie in [0, {of[axis]}), the number of "
            f"classes; got labels from {least} to {most}. Give the last layer "
            "one unit for each class, and number the classes from 0."
        )
    return whole


@translates(checked)
def check_in_program(group: Group, line: Line) -> Value:
    """Labels as a program reads them."""
    labels, of, axis = line.args
    value = group.value(labels)
    if value.shape != of[:axis] + of[axis + 1 :]:
        raise NoCommand("labels of another shape")
    return group.labels(value, of[axis])


def places(labels: np.ndarray, axis: int) -> tuple[np.ndarray, ...]:
    """The index of each label's element: a few times as fast as `np.take_along_axis`."""
    shape, rank = labels.shape, labels.ndim
    at = [np.arange(n).reshape(n, *[1] * (rank - 1 - i)) for i, n in enumerate(shape)]
    return (*at[:axis], labels, *at[axis:])


@forward_kernel
@unfolds
def sparse_forward(
    logits: np.ndarray, labels: np.ndarray, *, axis: int = -1
) -> tuple[np.ndarray, Any]:
    """-log softmax(logits) at each label.

    Args:
        logits: (..., classes).
        labels: Integers in [0, classes), the shape of logits without `axis`.
        axis: The axis of the classes.

    Returns:
        One loss for each label, and residuals.

    Raises:
        ValueError: Shapes don't match or a label is out of range.
    """
    axis %= logits.ndim
    at = places(as_one(checked, labels, logits.shape, axis), axis)
    powers, total, log_total = exponentials(logits, axis)
    return log_total.squeeze(axis) - logits[at], (powers, total, at)


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
    """The gradient for the logits: softmax minus one-hot."""
    powers, total, at = residuals
    dlogits = powers * (g.reshape(total.shape) / total)
    dlogits[at] -= g
    return dlogits, None


def sparse_xla(logits: Any, labels: Any, *, axis: int = -1) -> Any:
    """The same in `jax.numpy`."""
    import jax
    import jax.numpy as jnp

    at = jnp.expand_dims(labels.astype("int32"), axis)
    return -jnp.take_along_axis(jax.nn.log_softmax(logits, axis), at, axis).squeeze(axis)


@forward_kernel
@unfolds
def softmax_forward(
    logits: np.ndarray, targets: np.ndarray, *, axis: int = -1
) -> tuple[np.ndarray, Any]:
    """-sum(targets * log softmax(logits)).

    Args:
        logits: (..., classes).
        targets: One-hot labels or any weights, the shape of logits.
        axis: The axis of the classes.

    Returns:
        The shape of logits without `axis`, and residuals.
    """
    powers, total, log_total = exponentials(logits, axis)
    surprise = log_total - logits
    loss = (surprise * targets).sum(axis)
    return loss, (powers, total, surprise)


@backward_kernel
@unfolds
def softmax_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: Any,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    axis: int = -1,
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Gradients for logits and targets."""
    powers, total, surprise = residuals
    targets = arrays[1]
    g = np.expand_dims(g, axis)
    dlogits = None
    if needed[0]:
        dlogits = powers * (targets.sum(axis, keepdims=True) / total)
        dlogits -= targets
        dlogits *= g
    return dlogits, surprise * g if needed[1] else None


def softmax_xla(logits: Any, targets: Any, *, axis: int = -1) -> Any:
    """The same in `jax.numpy`."""
    import jax

    return -(targets * jax.nn.log_softmax(logits, axis)).sum(axis)


@forward_kernel
@unfolds
def sigmoid_forward(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, None]:
    """-targets * log sigmoid(logits) - (1 - targets) * log(1 - sigmoid(logits)), elementwise.

    Args:
        logits: Any shape.
        targets: Probabilities of the logits' shape.

    Returns:
        A loss for each logit, and no residuals.
    """
    loss = np.abs(logits, out=np.empty_like(logits))
    np.negative(loss, out=loss)
    np.exp(loss, out=loss)
    np.log1p(loss, out=loss)
    loss += np.maximum(logits, 0)
    loss -= logits * targets
    return loss, None


@backward_kernel
@unfolds
def sigmoid_backward(
    g: np.ndarray, out: np.ndarray, residuals: None, arrays: tuple[Any, ...], needed: Any
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Gradients for logits and targets."""
    logits, targets = arrays
    dlogits = None
    if needed[0]:
        dlogits = logistic(logits, np.empty_like(logits))
        dlogits -= targets
        dlogits *= g
    return dlogits, -(logits * g) if needed[1] else None


def sigmoid_xla(logits: Any, targets: Any) -> Any:
    """The same in `jax.numpy`."""
    import jax

    return jax.nn.softplus(logits) - logits * targets


sparse_softmax_cross_entropy = fused(
    "sparse_softmax_cross_entropy", sparse_forward, sparse_backward, sparse_xla
)
softmax_cross_entropy = fused(
    "softmax_cross_entropy", softmax_forward, softmax_backward, softmax_xla
)
sigmoid_binary_cross_entropy = fused(
    "sigmoid_binary_cross_entropy", sigmoid_forward, sigmoid_backward, sigmoid_xla
)
