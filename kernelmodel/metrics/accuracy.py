"""Accuracies: the share of right predictions."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.kinds import Count, Share
from kernelmodel.metrics.matches import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from kernelmodel.metrics.metric import REGISTRY
from kernelmodel.metrics.reduction import MeanMetricWrapper


@REGISTRY.register()
class Accuracy(MeanMetricWrapper):
    """The share of predictions that equal the target.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]))
        0.75
    """

    _direction = "up"

    def __init__(
        self,
        name: str | None = "accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(accuracy, name, dtype)


@REGISTRY.register()
class BinaryAccuracy(MeanMetricWrapper):
    """The share of probabilities on the right side of the threshold.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.
        threshold: Probability above which a prediction means 1.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.BinaryAccuracy()([[0], [1]], [[0.4], [0.3]]))
        0.5
    """

    _direction = "up"

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: Any = None,
        threshold: Share = 0.5,
    ) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


@REGISTRY.register()
class CategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose largest score is at the one-hot label.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.1, 0.9]]))
        0.5
    """

    _direction = "up"

    def __init__(
        self,
        name: str | None = "categorical_accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_accuracy, name, dtype)


@REGISTRY.register()
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose largest score is at the label's number.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.1, 0.9]]))
        0.5
    """

    _direction = "up"

    def __init__(
        self,
        name: str | None = "sparse_categorical_accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


@REGISTRY.register()
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose one-hot label is among the k largest scores.

    Args:
        k: How many scores count.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.TopKCategoricalAccuracy(k=2)([[0, 0, 1]], [[0.5, 0.2, 0.3]]))
        1.0
    """

    _direction = "up"

    def __init__(
        self,
        k: Count = 5,
        name: str | None = "top_k_categorical_accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


@REGISTRY.register()
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose label is among the k largest scores.

    Args:
        k: How many scores count.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.
        from_sorted_ids: Whether predictions are class numbers sorted by score.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.SparseTopKCategoricalAccuracy(k=2)([2], [[0.5, 0.2, 0.3]]))
        1.0
    """

    _written_if_set = ("from_sorted_ids",)
    _direction = "up"

    def __init__(
        self,
        k: Count = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )
