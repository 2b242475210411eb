"""Metrics of the distance between numbers."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.kinds import Axes
from kernelmodel.losses.regression import cosine_similarity as negative_cosine
from kernelmodel.losses.regression import (
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from kernelmodel.losses.shapes import operands
from kernelmodel.metrics.metric import REGISTRY
from kernelmodel.metrics.reduction import Mean, MeanMetricWrapper, detached


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between targets and predictions: 1 for one direction.

    Args:
        y_true: Targets (..., values).
        y_pred: Predictions (..., values).
        axis: The axis of the vectors.

    Examples:
        >>> import kernelmodel as km
        >>> km.metrics.cosine_similarity([[3.0, 4.0]], [[6.0, 8.0]]).round(3)
        array([1.], dtype=float32)
    """
    return ops.negative(negative_cosine(y_true, y_pred, axis))


@REGISTRY.register()
class MeanSquaredError(MeanMetricWrapper):
    """Mean of the squared differences.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.MeanSquaredError()([[0.0], [1.0]], [[2.0], [1.0]]))
        2.0
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, name, dtype)


@REGISTRY.register()
class RootMeanSquaredError(Mean):
    """Square root of the mean of the squared differences.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.RootMeanSquaredError()([[0.0], [0.0]], [[3.0], [3.0]]))
        3.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Add a batch.

        Args:
            y_true: Targets (batch, ...).
            y_pred: Predictions (batch, ...).
            sample_weight: Weights that broadcast to the differences, or None.
        """
        y_true, y_pred = operands(
            self.name, detached(y_true, self.dtype), detached(y_pred, self.dtype)
        )
        super().update_state(ops.square(ops.subtract(y_pred, y_true)), sample_weight)

    def result(self) -> Any:
        """The root of the mean so far."""
        return ops.sqrt(super().result())


@REGISTRY.register()
class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of the absolute differences.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.MeanAbsoluteError()([[0.0], [1.0]], [[2.0], [1.0]]))
        1.0
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, name, dtype)


@REGISTRY.register()
class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean of the relative differences in percent.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.MeanAbsolutePercentageError()([[2.0]], [[3.0]]))
        50.0
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, name, dtype)


@REGISTRY.register()
class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of the squared differences of logarithms.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.metrics.MeanSquaredLogarithmicError()([[0.0]], [[1.0]])), 3)
        0.48
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, name, dtype)


@REGISTRY.register()
class CosineSimilarity(MeanMetricWrapper):
    """Mean cosine of the angle between targets and predictions.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.
        axis: The axis of the vectors, or several.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.metrics.CosineSimilarity()([[3.0, 4.0]], [[6.0, 8.0]])), 3)
        1.0
    """

    _written_if_set = ("axis",)
    _direction = "up"

    def __init__(
        self,
        name: str | None = "cosine_similarity",
        dtype: Any = None,
        axis: Axes = -1,
    ) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)


@REGISTRY.register()
class LogCoshError(MeanMetricWrapper):
    """Mean logarithm of the hyperbolic cosine of the differences.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.metrics.LogCoshError()([[0.0]], [[1.0]])), 3)
        0.434
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "logcosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(log_cosh, name, dtype)
