"""Losses between probabilities."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.kinds import Share
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.losses.loss import REGISTRY, LossFunctionWrapper
from kernelmodel.losses.shapes import mismatch, operands, same_rank


def same_shape(name: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions as arrays of one dtype and shape.

    Raises:
        ValueError: The shapes differ.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, ops.dtype_of(y_pred))
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(mismatch(name, y_true, y_pred, tuple(y_pred.shape)))
    return y_true, y_pred


def smooth(labels: Any, share: float, classes: int) -> Any:
    """Labels drawn to 1 / classes by a share."""
    return labels * (1 - share) + share / classes if share else labels


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Mean over the axis of -y_true log(y_pred) - (1 - y_true) log(1 - y_pred).

    Args:
        y_true: Labels 0 and 1, or probabilities (..., values).
        y_pred: Predicted probabilities or logits (..., values).
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: Share by which labels are drawn to 0.5.
        axis: The axis to average over.

    Returns:
        Losses of the shape without `axis`.

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(3)
        array([0.693], dtype=float32)
    """
    y_true, y_pred = same_shape("binary_crossentropy", y_true, y_pred)
    y_true = smooth(y_true, label_smoothing, 2)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits), axis=axis)


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """-sum(y_true log(y_pred)) over the classes.

    Args:
        y_true: One-hot labels or probabilities (..., classes).
        y_pred: Predicted probabilities or logits (..., classes).
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: Share by which labels are drawn to 1 / classes.
        axis: The axis of the classes.

    Returns:
        Losses of the shape without `axis`.

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(3)
        array([0.693], dtype=float32)
    """
    y_true, y_pred = same_shape("categorical_crossentropy", y_true, y_pred)
    y_true = smooth(y_true, label_smoothing, y_true.shape[-1])
    return ops.categorical_crossentropy(y_true, y_pred, from_logits, axis)


def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """-log of the predicted probability of the right class.

    Args:
        y_true: Class numbers (...), or (..., 1).
        y_pred: Predicted probabilities or logits (..., classes).
        from_logits: Whether `y_pred` holds logits.
        ignore_class: Class number whose losses are zero, e.g. -1 for "no label".
        axis: The axis of the classes.

    Returns:
        Losses of the shape without `axis`.

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(3)
        array([0.693], dtype=float32)
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = class_numbers("sparse_categorical_crossentropy", y_true, y_pred, axis)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)
    counts = ops.not_equal(y_true, ignore_class)
    losses = ops.sparse_categorical_crossentropy(
        ops.where(counts, y_true, ops.zeros_like(y_true)), y_pred, from_logits, axis
    )
    return ops.where(counts, losses, ops.zeros_like(losses))


def class_numbers(name: str, y_true: Any, y_pred: Any, axis: int) -> Any:
    """Class numbers of the shape of the predictions without the class axis.

    Raises:
        ValueError: Targets of another shape.
    """
    y_true = ops.convert_to_tensor(y_true)
    rank = len(y_pred.shape)
    if len(y_true.shape) == rank and y_true.shape[axis] == 1:
        y_true = ops.squeeze(y_true, axis)
    expected = tuple(length for i, length in enumerate(y_pred.shape) if i != axis % max(rank, 1))
    if tuple(y_true.shape) != expected:
        raise ValueError(mismatch(name, y_true, y_pred, expected))
    return y_true


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Sum over the last axis of y_true log(y_true / y_pred) (Kullback & Leibler, 1951).

    Args:
        y_true: Probabilities (..., classes), limited to [`config.epsilon()`, 1].
        y_pred: Predicted probabilities (..., classes), likewise.

    Returns:
        Losses (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.kl_divergence([[0.0, 1.0]], [[0.5, 0.5]]).round(3)
        array([0.693], dtype=float32)
    """
    y_true, y_pred = operands("kl_divergence", y_true, y_pred)
    y_true, y_pred = ops.clip(y_true, DEFAULTS.epsilon, 1), ops.clip(y_pred, DEFAULTS.epsilon, 1)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of y_pred - y_true log(y_pred), for counts.

    Args:
        y_true: Counts (..., values).
        y_pred: Predicted rates (..., values).

    Returns:
        Losses (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.poisson([[2.0]], [[1.0]]).round(3)
        array([1.], dtype=float32)
    """
    y_true, y_pred = operands("poisson", y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + DEFAULTS.epsilon), axis=-1)


@REGISTRY.register()
class BinaryCrossentropy(LossFunctionWrapper):
    """Cross-entropy of two classes; see `binary_crossentropy`.

    Args:
        from_logits: Whether predictions are logits.
        label_smoothing: Share by which labels are drawn to 0.5.
        axis: The axis to average over.
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.losses.BinaryCrossentropy()([[0.0], [1.0]], [[0.5], [0.5]])), 3)
        0.693
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: Share = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


@REGISTRY.register()
class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of several classes with one-hot labels; see `categorical_crossentropy`.

    Args:
        from_logits: Whether predictions are logits.
        label_smoothing: Share by which labels are drawn to 1 / classes.
        axis: The axis of the classes.
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.losses.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
        0.693
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: Share = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


@REGISTRY.register()
class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of several classes with integer labels.

    Args:
        from_logits: Whether predictions are logits.
        ignore_class: Class number that doesn't count, as if it were masked.
        reduction: As in `Loss`.
        axis: The axis of the classes.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.losses.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 3)
        0.693
    """

    _written_if_set = ("axis", "dtype")

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip

    def mask_losses(self, y_true: Any, y_pred: Any, losses: Any) -> Any:
        """False for labels of the ignored class."""
        ignored = self._fn_kwargs["ignore_class"]
        if ignored is None:
            return None
        y_true, y_pred = same_rank(y_true, y_pred)
        labels = class_numbers(self.name, y_true, y_pred, self._fn_kwargs["axis"])
        return ops.not_equal(labels, ignored)


@REGISTRY.register()
class KLDivergence(LossFunctionWrapper):
    """Divergence of the predicted distribution from the true one; see `kl_divergence`.

    Args:
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.losses.KLDivergence()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
        0.693
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


@REGISTRY.register()
class Poisson(LossFunctionWrapper):
    """Negative log-likelihood of counts, up to a constant; see `poisson`.

    Args:
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.losses.Poisson()([[2.0]], [[1.0]])), 3)
        1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)
