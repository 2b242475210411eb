"""How far predictions rise and fall with the targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.losses.shapes import operands
from kernelmodel.metrics.metric import REGISTRY
from kernelmodel.metrics.reduction import MeanMetricWrapper, detached


def _centered(name: str, y_true: Any, y_pred: Any, axis: int) -> tuple[Any, ...]:
    """Both means, and both arrays without their means."""
    y_true, y_pred = operands(name, detached(y_true), detached(y_pred))
    y_true, y_pred = detached(y_true), detached(y_pred)
    means = y_true.mean(axis, keepdims=True), y_pred.mean(axis, keepdims=True)
    return *means, y_true - means[0], y_pred - means[1]


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Covariance over the product of the standard deviations (Pearson, 1895).

    Args:
        y_true: Targets (..., values).
        y_pred: Predictions (..., values).
        axis: The axis to correlate over.

    Returns:
        Correlations in [-1, 1] of the shape without `axis`; NaN where one is constant.

    Examples:
        >>> import kernelmodel as km
        >>> km.metrics.pearson_correlation([[0.0, 1.0, 2.0]], [[2.0, 4.0, 6.0]]).round(3)
        array([1.], dtype=float32)
    """
    _, _, truth, found = _centered("pearson_correlation", y_true, y_pred, axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        truth = truth / truth.std(axis, keepdims=True)
        found = found / found.std(axis, keepdims=True)
    return as_tensor((truth * found).mean(axis))


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """2 covariance / (sum of the variances + squared difference of the means) (Lin, 1989).

    Unlike Pearson's it is 1 only if predictions equal the targets.

    Args:
        y_true: Targets (..., values).
        y_pred: Predictions (..., values).
        axis: The axis to correlate over.

    Returns:
        Correlations in [-1, 1] of the shape without `axis`.

    Examples:
        >>> import kernelmodel as km
        >>> km.metrics.concordance_correlation([[0.0, 1.0, 2.0]], [[2.0, 3.0, 4.0]]).round(3)
        array([0.25], dtype=float32)
    """
    name = "concordance_correlation"
    true_mean, found_mean, truth, found = _centered(name, y_true, y_pred, axis)
    norm = truth.var(axis, keepdims=True) + found.var(axis, keepdims=True)
    norm = norm + np.square(true_mean - found_mean)
    return as_tensor((2 * truth * found / (norm + DEFAULTS.epsilon)).mean(axis))


@REGISTRY.register()
class PearsonCorrelation(MeanMetricWrapper):
    """The mean of Pearson's correlations of the samples; see `pearson_correlation`.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.
        axis: The axis to correlate over: -1 within each sample, 0 over the batch.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.metrics.PearsonCorrelation()([[0.0, 1.0]], [[2.0, 4.0]])), 3)
        1.0
    """

    _direction = "up"

    def __init__(
        self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


@REGISTRY.register()
class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of the concordance correlations of the samples; see `concordance_correlation`.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.
        axis: The axis to correlate over: -1 within each sample, 0 over the batch.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.metrics.ConcordanceCorrelation()([[0.0, 2.0]], [[1.0, 3.0]])), 3)
        0.667
    """

    _direction = "up"

    def __init__(
        self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
