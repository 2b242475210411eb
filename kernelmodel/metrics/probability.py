"""Metrics between probabilities, and of margins."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.kinds import Share
from kernelmodel.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from kernelmodel.losses.hinge import categorical_hinge, hinge, squared_hinge
from kernelmodel.losses.reduction import merge_mask
from kernelmodel.metrics.metric import REGISTRY
from kernelmodel.metrics.reduction import MeanMetricWrapper, detached


@REGISTRY.register()
class BinaryCrossentropy(MeanMetricWrapper):
    """Mean cross-entropy of two classes.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.
        from_logits: Whether predictions are logits.
        label_smoothing: Share by which labels are drawn to 0.5.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.metrics.BinaryCrossentropy()([[0.0], [1.0]], [[0.5], [0.5]])), 3)
        0.693
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: Share = 0,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )


@REGISTRY.register()
class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross-entropy of several classes with one-hot labels.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.
        from_logits: Whether predictions are logits.
        label_smoothing: Share by which labels are drawn to 1 / classes.
        axis: The axis of the classes.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.metrics.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
        0.693
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: Share = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@REGISTRY.register()
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross-entropy of several classes with integer labels.

    Samples of `ignore_class` have loss zero; with sample weights they also don't count, as in
    Keras.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.
        from_logits: Whether predictions are logits.
        ignore_class: Class number whose losses are zero.
        axis: The axis of the classes.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.metrics.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 3)
        0.693
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Add a batch.

        Args:
            y_true: Class numbers (...), or (..., 1).
            y_pred: Predictions (..., classes).
            sample_weight: Weights that broadcast to the losses, or None.
        """
        ignored = self._fn_kwargs["ignore_class"]
        if ignored is not None and sample_weight is not None:
            labels = detached(y_true)
            if len(labels.shape) == len(y_pred.shape):
                labels = labels[..., 0]
            weights = detached(sample_weight, self.dtype)
            sample_weight = merge_mask(weights, labels != ignored, self.dtype, "sum")
        super().update_state(y_true, y_pred, sample_weight)


@REGISTRY.register()
class KLDivergence(MeanMetricWrapper):
    """Mean divergence of the predicted distribution from the true one.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.metrics.KLDivergence()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
        0.693
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, name, dtype)


@REGISTRY.register()
class Poisson(MeanMetricWrapper):
    """Mean negative log-likelihood of counts, up to a constant.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.metrics.Poisson()([[2.0]], [[1.0]])), 3)
        1.0
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(poisson, name, dtype)


@REGISTRY.register()
class Hinge(MeanMetricWrapper):
    """Mean margin of two classes.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.Hinge()([[-1.0, 1.0]], [[0.5, 0.5]]))
        1.0
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(hinge, name, dtype)


@REGISTRY.register()
class SquaredHinge(MeanMetricWrapper):
    """Mean squared margin of two classes.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.SquaredHinge()([[-1.0, 1.0]], [[0.5, 0.5]]))
        1.25
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, name, dtype)


@REGISTRY.register()
class CategoricalHinge(MeanMetricWrapper):
    """Mean margin of several classes.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.25]]))
        1.25
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, name, dtype)
