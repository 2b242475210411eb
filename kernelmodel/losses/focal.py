"""Cross-entropies that pay less attention to what is predicted well already."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.kinds import NotNegative, Share, Values
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.losses.crossentropy import same_shape, smooth
from kernelmodel.losses.loss import REGISTRY, LossFunctionWrapper


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Mean over the axis of (1 - p)^gamma times the binary cross-entropy, p being the predicted
    probability of the right class (Lin et al., *Focal loss for dense object detection*, 2017).

    Args:
        y_true: Labels 0 and 1, or probabilities (..., values).
        y_pred: Predicted probabilities or logits (..., values).
        apply_class_balancing: Weigh class 1 with alpha and class 0 with 1 - alpha.
        alpha: Weight of class 1, in [0, 1].
        gamma: Power of the attention; 0 gives the cross-entropy.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: Share by which labels are drawn to 0.5.
        axis: The axis to average over.

    Returns:
        Losses of the shape without `axis`.

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.binary_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(3)
        array([0.173], dtype=float32)
    """
    y_true, y_pred = same_shape("binary_focal_crossentropy", y_true, y_pred)
    y_true = smooth(y_true, label_smoothing, 2)
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    losses = ops.binary_crossentropy(y_true, y_pred)
    right = y_true * y_pred + (1 - y_true) * (1 - y_pred)
    losses = ops.power(1 - right, gamma) * losses
    if apply_class_balancing:
        losses = (y_true * alpha + (1 - y_true) * (1 - alpha)) * losses
    return ops.mean(losses, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """-sum(alpha (1 - y_pred)^gamma y_true log(y_pred)) over the classes (Lin et al., 2017).

    Args:
        y_true: One-hot labels or probabilities (..., classes).
        y_pred: Predicted probabilities or logits (..., classes).
        alpha: Weight of all classes, or a list with one for each.
        gamma: Power of the attention; 0 gives alpha times the cross-entropy.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: Share by which labels are drawn to 1 / classes.
        axis: The axis of the classes.

    Returns:
        Losses of the shape without `axis`.

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(3)
        array([0.043], dtype=float32)
    """
    y_true, y_pred = same_shape("categorical_focal_crossentropy", y_true, y_pred)
    y_true = smooth(y_true, label_smoothing, y_true.shape[-1])
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    y_pred = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    y_pred = ops.clip(y_pred, DEFAULTS.epsilon, 1 - DEFAULTS.epsilon)
    weights = ops.power(1 - y_pred, gamma) * ops.convert_to_tensor(alpha, ops.dtype_of(y_pred))
    return ops.negative(ops.sum(weights * y_true * ops.log(y_pred), axis=axis))


@REGISTRY.register()
class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of two classes for unbalanced data; see `binary_focal_crossentropy`.

    Args:
        apply_class_balancing: Weigh class 1 with alpha and class 0 with 1 - alpha.
        alpha: Weight of class 1, in [0, 1].
        gamma: Power of the attention, at least 0.
        from_logits: Whether predictions are logits.
        label_smoothing: Share by which labels are drawn to 0.5.
        axis: The axis to average over.
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Raises:
        ValueError: A negative gamma, or a label_smoothing outside of [0, 1].

    Examples:
        >>> import kernelmodel as km
        >>> loss = km.losses.BinaryFocalCrossentropy(gamma=2.0)
        >>> round(float(loss([[0.0], [1.0]], [[0.5], [0.5]])), 3)
        0.173
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: NotNegative = 0.25,
        gamma: NotNegative = 2.0,
        from_logits: bool = False,
        label_smoothing: Share = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy, reduction, name, dtype,
            apply_class_balancing=apply_class_balancing, alpha=alpha, gamma=gamma,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


@REGISTRY.register()
class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of several unbalanced classes; see `categorical_focal_crossentropy`.

    Args:
        alpha: Weight of all classes, or a list with one for each.
        gamma: Power of the attention, at least 0.
        from_logits: Whether predictions are logits.
        label_smoothing: Share by which labels are drawn to 1 / classes.
        axis: The axis of the classes.
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Raises:
        ValueError: A negative gamma, or a label_smoothing outside of [0, 1].

    Examples:
        >>> import kernelmodel as km
        >>> loss = km.losses.CategoricalFocalCrossentropy(alpha=[0.2, 0.8])
        >>> round(float(loss([[0.0, 1.0]], [[0.5, 0.5]])), 3)
        0.139
    """

    def __init__(
        self,
        alpha: Values = 0.25,
        gamma: NotNegative = 2.0,
        from_logits: bool = False,
        label_smoothing: Share = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy, reduction, name, dtype,
            alpha=alpha, gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing,
            axis=axis,
        )  # fmt: skip
