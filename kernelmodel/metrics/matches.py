"""Functions behind the accuracies: 1 where a prediction is right, 0 elsewhere.

They take plain and XLA arrays without history and use NumPy functions, which run on both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.losses.shapes import mismatch, operands
from kernelmodel.ops import convert_to_tensor


def _as_matches(equal: Any) -> Any:
    return as_tensor(equal.astype("float32"))


def _arrays(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    return getval(convert_to_tensor(y_true)), getval(convert_to_tensor(y_pred))


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where y_pred equals y_true, else 0.

    Args:
        y_true: Targets (...).
        y_pred: Predictions of the same shape.

    Examples:
        >>> import kernelmodel as km
        >>> km.metrics.accuracy([[1.0], [2.0]], [[1.0], [3.0]])
        array([[1.],
               [0.]], dtype=float32)
    """
    y_true, y_pred = operands("accuracy", *_arrays(y_true, y_pred))
    return _as_matches(y_true == y_pred)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where y_pred is on the right side of the threshold, else 0.

    Args:
        y_true: Labels 0 and 1 (..., values).
        y_pred: Probabilities (..., values).
        threshold: Probability above which a prediction means 1.

    Examples:
        >>> import kernelmodel as km
        >>> km.metrics.binary_accuracy([[0], [1]], [[0.4], [0.3]])
        array([[1.],
               [0.]], dtype=float32)
    """
    y_true, y_pred = operands("binary_accuracy", *_arrays(y_true, y_pred))
    return _as_matches((y_pred > threshold) == y_true)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the class of the largest score is that of the one-hot label, else 0.

    Args:
        y_true: One-hot labels (..., classes).
        y_pred: Scores (..., classes).

    Returns:
        Matches (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.metrics.categorical_accuracy([[0, 1]], [[0.2, 0.8]])
        array([1.], dtype=float32)
    """
    y_true, y_pred = _arrays(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(mismatch("categorical_accuracy", y_true, y_pred, tuple(y_pred.shape)))
    return _as_matches(np.argmax(y_true, axis=-1) == np.argmax(y_pred, axis=-1))


def _class_numbers(name: str, y_true: Any, y_pred: Any) -> Any:
    expected = tuple(y_pred.shape[:-1])
    if tuple(y_true.shape) == expected:
        return y_true
    if tuple(y_true.shape) == (*expected, 1):
        return y_true[..., 0]
    raise ValueError(mismatch(name, y_true, y_pred, expected))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the class of the largest score is the label, else 0.

    Args:
        y_true: Class numbers (...), or (..., 1).
        y_pred: Scores (..., classes).

    Returns:
        Matches (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.metrics.sparse_categorical_accuracy([1], [[0.2, 0.8]])
        array([1.], dtype=float32)
    """
    y_true, y_pred = _arrays(y_true, y_pred)
    labels = _class_numbers("sparse_categorical_accuracy", y_true, y_pred)
    return _as_matches(np.argmax(y_pred, axis=-1) == labels)


def _among_top(labels: Any, scores: Any, k: int) -> Any:
    """Whether fewer than k scores are above that of the label; never with NaN or infinity."""
    valid = (labels >= 0) & (labels < scores.shape[-1])
    at = np.expand_dims(np.where(valid, labels, np.zeros_like(labels)).astype("int32"), -1)
    own = np.take_along_axis(scores, at, -1)
    above = (scores > own).sum(-1)
    return (above < k) & np.isfinite(own)[..., 0] & valid


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the one-hot label is among the k largest scores, else 0.

    Args:
        y_true: One-hot labels (..., classes).
        y_pred: Scores (..., classes).
        k: How many scores count.

    Returns:
        Matches (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.metrics.top_k_categorical_accuracy([[0, 0, 1]], [[0.5, 0.2, 0.3]], k=2)
        array([1.], dtype=float32)
    """
    y_true, y_pred = _arrays(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        name = "top_k_categorical_accuracy"
        raise ValueError(mismatch(name, y_true, y_pred, tuple(y_pred.shape)))
    return _as_matches(_among_top(np.argmax(y_true, axis=-1), y_pred, k))


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """1 where the label is among the k largest scores, else 0.

    Args:
        y_true: Class numbers (...), or (..., 1).
        y_pred: Scores (..., classes), or class numbers sorted by score.
        k: How many scores count.
        from_sorted_ids: Whether `y_pred` holds sorted class numbers.

    Returns:
        Matches (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.metrics.sparse_top_k_categorical_accuracy([2], [[0.5, 0.2, 0.3]], k=2)
        array([1.], dtype=float32)
    """
    y_true, y_pred = _arrays(y_true, y_pred)
    labels = _class_numbers("sparse_top_k_categorical_accuracy", y_true, y_pred)
    if from_sorted_ids:
        return _as_matches((np.expand_dims(labels, -1) == y_pred[..., :k]).any(-1))
    return _as_matches(_among_top(labels, y_pred, k))
