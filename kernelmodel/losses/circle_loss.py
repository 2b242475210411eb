"""The circle loss: embeddings of one class near each other, of others far away."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.kinds import NotNegative
from kernelmodel.losses.loss import REGISTRY, LossFunctionWrapper
from kernelmodel.losses.shapes import mismatch


def _log_sum(values: Any, mask: Any) -> tuple[Any, Any]:
    """log(sum(exp(values))) over the last axis where the mask is True, and whether it is anywhere.

    Without any such place the logarithm is 0, and its gradient too.
    """
    some = ops.any(mask, axis=-1)
    lowest = ops.full_like(ops.stop_gradient(values), float("-inf"))
    top = ops.max(ops.where(mask, ops.stop_gradient(values), lowest), axis=-1)
    top = ops.where(some, top, ops.zeros_like(top))
    shifted = ops.where(mask, values - ops.expand_dims(top, -1), ops.zeros_like(values))
    total = ops.sum(ops.where(mask, ops.exp(shifted), ops.zeros_like(values)), axis=-1)
    return ops.log(ops.where(some, total, ops.ones_like(total))) + top, some


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """log(1 + sum(exp(gamma a (s - margin))) sum(exp(-gamma b (s - 1 + margin)))) for each sample.

    The first sum runs over samples of other classes, the second over those of the same class; s is
    the cosine of two embeddings, and a = max(s + margin, 0), b = max(1 + margin - s, 0) (Sun et
    al., *Circle loss*, 2020).

    Args:
        y_true: Class numbers (batch,).
        y_pred: Embeddings of length 1 (batch, dim).
        ref_labels: Class numbers of the references; None for those of the batch.
        ref_embeddings: Embeddings to compare with (references, dim); None for those of the batch.
        remove_diagonal: Don't compare a sample with itself.
        gamma: Scale, the larger the steeper.
        margin: Width of the border between classes.

    Returns:
        Losses (batch,); 0 for a sample without one of its class, or of another.

    Examples:
        >>> import kernelmodel as km
        >>> embeddings = [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]
        >>> km.losses.circle([0, 0, 1], embeddings, gamma=1.0).round(3)
        array([0.616, 0.962, 0.   ], dtype=float32)
    """
    y_pred, y_true = ops.convert_to_tensor(y_pred), ops.convert_to_tensor(y_true)
    if len(y_pred.shape) != 2 or tuple(y_true.shape) != tuple(y_pred.shape[:1]):
        raise ValueError(mismatch("circle", y_true, y_pred, tuple(y_pred.shape[:1])))
    labels = ops.cast(y_true, "int32")
    others = labels if ref_labels is None else ops.cast(ref_labels, "int32")
    references = y_pred if ref_embeddings is None else ops.convert_to_tensor(ref_embeddings)
    distances = ops.maximum(1 - ops.matmul(y_pred, ops.transpose(references)), 0)
    same = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(others, 0))
    different = ops.logical_not(same)
    if remove_diagonal:
        same = ops.logical_and(
            same, ops.logical_not(ops.eye(same.shape[0], same.shape[1], dtype="bool"))
        )
    near = ops.maximum(distances + margin, 0) * (distances - margin) * gamma
    far = ops.maximum(1 + margin - distances, 0) * (1 - margin - distances) * gamma
    near, has_same = _log_sum(near, same)
    far, has_different = _log_sum(far, different)
    losses = ops.softplus(near + far)
    return ops.where(ops.logical_and(has_same, has_different), losses, ops.zeros_like(losses))


@REGISTRY.register()
class Circle(LossFunctionWrapper):
    """Distances within and between classes of embeddings; see `circle`.

    Samples whose loss is 0 don't count in the mean.

    Args:
        gamma: Scale, the larger the steeper.
        margin: Width of the border between classes.
        remove_diagonal: Don't compare a sample with itself.
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> embeddings = [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]
        >>> round(float(km.losses.Circle(gamma=1.0)([0, 0, 1], embeddings)), 3)
        0.789
    """

    def __init__(
        self,
        gamma: NotNegative = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            circle, reduction, name, dtype,
            gamma=gamma, margin=margin, remove_diagonal=remove_diagonal,
        )  # fmt: skip

    def mask_losses(self, y_true: Any, y_pred: Any, losses: Any) -> Any:
        """False for losses that are 0."""
        return ops.greater(ops.stop_gradient(losses), 0)
