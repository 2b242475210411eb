"""The loss of sequences whose labels have no times."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.losses.loss import REGISTRY, LossFunctionWrapper

BLANK = 0


def ctc(y_true: Any, y_pred: Any) -> Any:
    """-log of the probability that the frames spell the labels, over all alignments.

    Class 0 is the blank, and in the targets the padding; all frames count (Graves et al.,
    *Connectionist temporal classification*, 2006).

    Args:
        y_true: Class numbers from 1 on, padded with 0 at the end (batch, labels).
        y_pred: Logits (batch, frames, classes).

    Returns:
        Losses (batch,).

    Raises:
        ValueError: Other ranks, or another number of samples.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.losses.ctc([[1, 2]], np.zeros((1, 2, 3), "float32")).round(3)
        array([2.197], dtype=float32)
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    given, predicted = tuple(y_true.shape), tuple(y_pred.shape)
    if len(given) != 2 or len(predicted) != 3 or given[0] != predicted[0]:
        raise ValueError(
            "ctc: predictions (y_pred) must be logits of shape (batch, frames, classes) and "
            "targets (y_true) class numbers of shape (batch, labels), got predictions of shape "
            f"{predicted} and targets of shape {given}."
        )
    labels = ops.cast(y_true, "int32")
    count = ops.sum(ops.cast(ops.not_equal(labels, BLANK), "int32"), axis=-1)
    frames = ops.full_like(count, predicted[1])
    return ops.ctc_loss(labels, y_pred, count, frames, mask_index=BLANK)


@REGISTRY.register()
class CTC(LossFunctionWrapper):
    """Loss of label sequences without times, for speech and handwriting; see `ctc`.

    Args:
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> round(float(km.losses.CTC()([[1, 2]], np.zeros((1, 2, 3), "float32"))), 3)
        2.197
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ) -> None:
        super().__init__(ctc, reduction, name, dtype)
