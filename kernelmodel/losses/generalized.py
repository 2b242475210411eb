"""A cross-entropy that forgives wrong labels."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.losses.crossentropy import class_numbers
from kernelmodel.losses.loss import REGISTRY, LossFunctionWrapper


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """(1 - p^q) / q for the predicted probability p of the right class.

    It goes from the cross-entropy (q near 0) to the absolute error (q near 1), which is less
    disturbed by wrong labels (Zhang & Sabuncu, *Generalized cross entropy loss for training deep
    neural networks with noisy labels*, 2018).

    Args:
        y_true: Class numbers (...), or (..., 1).
        y_pred: Predicted probabilities (..., classes).
        q: Between 0 and 1.

    Returns:
        Losses (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5)
        array([1.], dtype=float32)
    """
    y_pred = ops.convert_to_tensor(y_pred)
    labels = class_numbers("categorical_generalized_cross_entropy", y_true, y_pred, -1)
    chosen = ops.cast(ops.one_hot(labels, y_pred.shape[-1]), ops.dtype_of(y_pred))
    return (1 - ops.power(ops.sum(y_pred * chosen, axis=-1), q)) / q


@REGISTRY.register()
class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """Loss for noisy labels; see `categorical_generalized_cross_entropy`.

    Args:
        q: Between 0 (cross-entropy) and 1 (absolute error), both excluded.
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Raises:
        ValueError: q isn't between 0 and 1.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.losses.CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]))
        1.0
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(f"{type(self).__name__}: q must lie between 0 and 1, got {q!r}.")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
