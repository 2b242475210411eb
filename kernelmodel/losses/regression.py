"""Losses between numbers."""

from __future__ import annotations

import math
from typing import Any

from kernelmodel import ops
from kernelmodel.core.kinds import Axes, NotNegative
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.losses.loss import REGISTRY, LossFunctionWrapper
from kernelmodel.losses.shapes import operands


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of the squared differences.

    Args:
        y_true: Targets (..., values).
        y_pred: Predictions (..., values).

    Returns:
        Losses (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.mean_squared_error([[0.0, 2.0]], [[1.0, 5.0]])
        array([5.], dtype=float32)
    """
    y_true, y_pred = operands("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of the absolute differences.

    Args:
        y_true: Targets (..., values).
        y_pred: Predictions (..., values).

    Returns:
        Losses (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.mean_absolute_error([[0.0, 2.0]], [[1.0, 5.0]])
        array([2.], dtype=float32)
    """
    y_true, y_pred = operands("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.abs(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """100 times the mean over the last axis of |y_true - y_pred| / |y_true|.

    Args:
        y_true: Targets (..., values); `config.epsilon()` is the smallest divisor.
        y_pred: Predictions (..., values).

    Returns:
        Losses (...), in percent.

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.mean_absolute_percentage_error([[2.0]], [[3.0]])
        array([50.], dtype=float32)
    """
    y_true, y_pred = operands("mean_absolute_percentage_error", y_true, y_pred)
    divisor = ops.maximum(ops.abs(y_true), DEFAULTS.epsilon)
    return ops.multiply(ops.mean(ops.abs((y_true - y_pred) / divisor), axis=-1), 100.0)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of (log(1 + y_true) - log(1 + y_pred))².

    Args:
        y_true: Targets (..., values); at least `config.epsilon()`.
        y_pred: Predictions (..., values); likewise.

    Returns:
        Losses (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.mean_squared_logarithmic_error([[0.0]], [[1.0]]).round(3)
        array([0.48], dtype=float32)
    """
    y_true, y_pred = operands("mean_squared_logarithmic_error", y_true, y_pred)
    first = ops.log(ops.maximum(y_pred, DEFAULTS.epsilon) + 1)
    second = ops.log(ops.maximum(y_true, DEFAULTS.epsilon) + 1)
    return ops.mean(ops.square(first - second), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Mean over the last axis of d²/2 for differences |d| <= delta, else delta (|d| - delta/2).

    Huber, *Robust estimation of a location parameter*, 1964.

    Args:
        y_true: Targets (..., values).
        y_pred: Predictions (..., values).
        delta: Where the square goes over into a line.

    Returns:
        Losses (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.huber([[0.0, 0.0]], [[1.0, 3.0]])
        array([1.5], dtype=float32)
    """
    y_true, y_pred = operands("huber", y_true, y_pred)
    distance = ops.abs(ops.subtract(y_pred, y_true))
    # With q = min(|d|, delta) both branches are q (|d| - q / 2).
    square_part = ops.minimum(distance, delta)
    return ops.mean(square_part * (distance - 0.5 * square_part), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of log(cosh(y_pred - y_true)), without overflow.

    Args:
        y_true: Targets (..., values).
        y_pred: Predictions (..., values).

    Returns:
        Losses (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.log_cosh([[0.0]], [[1.0]]).round(3)
        array([0.434], dtype=float32)
    """
    y_true, y_pred = operands("log_cosh", y_true, y_pred)
    difference = ops.subtract(y_pred, y_true)
    return ops.mean(difference + ops.softplus(difference * -2.0) - math.log(2), axis=-1)


def normalize(x: Any, axis: int = -1) -> Any:
    """Vectors along the axis scaled to length one; a vector of zeros stays."""
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(squares, 1e-12))


def cosine_similarity(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """Minus the cosine of the angle between targets and predictions: -1 for one direction.

    Args:
        y_true: Targets (..., values).
        y_pred: Predictions (..., values).
        axis: The axis of the vectors, or several.

    Returns:
        Losses of the shape without `axis`.

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.cosine_similarity([[3.0, 4.0]], [[6.0, 8.0]]).round(3)
        array([-1.], dtype=float32)
    """
    y_true, y_pred = operands("cosine_similarity", y_true, y_pred)
    return ops.negative(ops.sum(normalize(y_true, axis) * normalize(y_pred, axis), axis=axis))


@REGISTRY.register()
class MeanSquaredError(LossFunctionWrapper):
    """Mean of the squared differences; see `mean_squared_error`.

    Args:
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.losses.MeanSquaredError()([[0.0], [1.0]], [[2.0], [1.0]]))
        2.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


@REGISTRY.register()
class MeanAbsoluteError(LossFunctionWrapper):
    """Mean of the absolute differences; see `mean_absolute_error`.

    Args:
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.losses.MeanAbsoluteError()([[0.0], [1.0]], [[2.0], [1.0]]))
        1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


@REGISTRY.register()
class MeanAbsolutePercentageError(LossFunctionWrapper):
    """Mean of the relative differences in percent; see `mean_absolute_percentage_error`.

    Args:
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.losses.MeanAbsolutePercentageError()([[2.0]], [[3.0]]))
        50.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


@REGISTRY.register()
class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """Mean of the squared differences of logarithms; see `mean_squared_logarithmic_error`.

    Args:
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.losses.MeanSquaredLogarithmicError()([[0.0]], [[1.0]])), 3)
        0.48
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


@REGISTRY.register()
class Huber(LossFunctionWrapper):
    """Squared for small differences, linear for large ones; see `huber`.

    Args:
        delta: Where the square goes over into a line.
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.losses.Huber()([[0.0]], [[3.0]]))
        2.5
    """

    _written_if_set = ("delta", "dtype")

    def __init__(
        self,
        delta: NotNegative = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)


@REGISTRY.register()
class LogCosh(LossFunctionWrapper):
    """Logarithm of the hyperbolic cosine of the differences; see `log_cosh`.

    Args:
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.losses.LogCosh()([[0.0]], [[1.0]])), 3)
        0.434
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


@REGISTRY.register()
class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine between targets and predictions; see `cosine_similarity`.

    Args:
        axis: The axis of the vectors, or several.
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.losses.CosineSimilarity()([[1.0, 0.0]], [[2.0, 0.0]]))
        -1.0
    """

    _written_if_set = ("axis", "dtype")

    def __init__(
        self,
        axis: Axes = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)
