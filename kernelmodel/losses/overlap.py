"""Losses of overlapping regions, for segmentation."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.kinds import Axes, NotNegative
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.losses.crossentropy import same_shape
from kernelmodel.losses.loss import REGISTRY, LossFunctionWrapper


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """1 - 2 sum(y_true y_pred) / (sum(y_true) + sum(y_pred)) (Milletari et al., *V-Net*, 2016).

    Args:
        y_true: Probabilities of belonging to the region, of any shape.
        y_pred: Predicted probabilities of the same shape.
        axis: Axes to sum over; None for all, which gives one loss for the whole batch.

    Returns:
        Losses of the shape without `axis`.

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.dice([[0.0, 1.0]], [[0.5, 1.0]], axis=-1).round(3)
        array([0.2], dtype=float32)
    """
    y_true, y_pred = same_shape("dice", y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    total = ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis)
    return 1 - 2 * both / (total + DEFAULTS.epsilon)


def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Any:
    """1 - t / (t + alpha m + beta f): t, m, f are sums of what is in both, missed and found only.

    Salehi et al., *Tversky loss function for image segmentation*, 2017.

    Args:
        y_true: Probabilities of belonging to the region, of any shape.
        y_pred: Predicted probabilities of the same shape.
        alpha: Weight of what `y_true` has and `y_pred` misses.
        beta: Weight of what only `y_pred` has.
        axis: Axes to sum over; None for all, which gives one loss for the whole batch.

    Returns:
        Losses of the shape without `axis`.

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.tversky([[0.0, 1.0]], [[0.5, 1.0]], beta=1.0, axis=-1).round(3)
        array([0.333], dtype=float32)
    """
    y_true, y_pred = same_shape("tversky", y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    missed = ops.sum(y_true * (1 - y_pred), axis=axis)
    found = ops.sum((1 - y_true) * y_pred, axis=axis)
    return 1 - both / (both + alpha * missed + beta * found + DEFAULTS.epsilon)


@REGISTRY.register()
class Dice(LossFunctionWrapper):
    """What two regions don't share; see `dice`.

    Args:
        reduction: As in `Loss`.
        name: Name.
        axis: Axes to sum over; None for all. `(1, 2, 3)` gives a loss for each image.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.losses.Dice()([[0.0, 1.0]], [[0.5, 1.0]])), 3)
        0.2
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Axes | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


@REGISTRY.register()
class Tversky(LossFunctionWrapper):
    """What two regions don't share, misses and false finds weighted apart; see `tversky`.

    Args:
        alpha: Weight of what `y_true` has and `y_pred` misses.
        beta: Weight of what only `y_pred` has.
        reduction: As in `Loss`.
        name: Name.
        axis: Axes to sum over; None for all. `(1, 2, 3)` gives a loss for each image.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.losses.Tversky(beta=1.0)([[0.0, 1.0]], [[0.5, 1.0]])), 3)
        0.333
    """

    def __init__(
        self,
        alpha: NotNegative = 0.5,
        beta: NotNegative = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Axes | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
