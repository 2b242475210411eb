"""Classes: as indices, one-hot rows or probabilities; the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

NORMALIZE = (None, "true", "pred", "all")


def is_one_hot(values: np.ndarray) -> bool:
    """Whether each row along the last axis is 0 but for a single 1."""
    if values.ndim < 2 or values.shape[-1] < 2 or values.dtype.kind not in "fiub":
        return False
    return bool(((values == 0) | (values == 1)).all() and (values.sum(-1) == 1).all())


def class_indices(values: Any, positions: tuple[int, ...] | None = None) -> np.ndarray:
    """Classes as indices.

    Args:
        values: Indices (...); one-hot rows, probabilities or logits (..., classes); or, for two
            classes, probabilities of the second (...) or (..., 1).
        positions: The shape that the result must have, where it is known.

    Returns:
        Integers, without the axis of classes.

    Examples:
        >>> class_indices([[0.1, 0.9], [0.8, 0.2]])
        array([1, 0])
        >>> class_indices([0.2, 0.7])
        array([0, 1])
    """
    found = np.asarray(values)
    if found.ndim > 1 and found.shape[-1] == 1 and found.shape != positions:
        found = found[..., 0]
    scores = found.ndim > 1 and found.shape[-1] > 1 and (
        is_one_hot(found) or (found.dtype.kind == "f" and not _whole(found))
    )  # fmt: skip
    if positions is not None:
        scores = found.shape[:-1] == positions and found.shape != positions
    if scores:
        return found.argmax(-1)
    if found.dtype.kind == "b":
        return found.astype(int)
    if found.dtype.kind == "f" and not _whole(found):
        if found.min() < 0 or found.max() > 1:
            raise ValueError(
                f"Classes must be indices, one-hot rows or probabilities; got values from "
                f"{found.min():g} to {found.max():g} in shape {found.shape}. For logits of two "
                "classes, pass (logits > 0)."
            )
        return (found > 0.5).astype(int)
    return found.astype(int)


def _whole(values: np.ndarray) -> bool:
    return bool((values == np.round(values)).all())


def confusion_matrix(
    y_true: Any,
    y_pred: Any,
    labels: Sequence[Any] | None = None,
    normalize: str | None = None,
    sample_weight: Any = None,
) -> np.ndarray:
    """How often samples of each class are taken for each class.

    Args:
        y_true: True classes: indices (...) or (..., 1), one-hot (..., classes), or values that
            occur in `labels`, such as names.
        y_pred: Predictions: as `y_true`, or probabilities or logits (..., classes), or, for two
            classes, probabilities of the second (...) or (..., 1).
        labels: The classes in the order of rows and columns, for values other than indices or to
            choose some of them. None for 0, 1, ... up to the largest.
        normalize: "true" divides each row by its sum, "pred" each column, "all" everything; None
            counts.
        sample_weight: What each sample counts, in the shape of the indices; None for 1.

    Returns:
        Array (classes, classes): row of the true, column of the predicted class. Integers if
        nothing is normalized or weighted, else floats; a row or column without samples is 0.

    Raises:
        ValueError: Arrays of different lengths, or classes that aren't among the labels.

    Examples:
        >>> import kernelmodel as km
        >>> km.explain.confusion_matrix([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
        array([[1, 0],
               [1, 1]])
    """
    if normalize not in NORMALIZE:
        raise ValueError(f"`normalize` must be one of {NORMALIZE}, got {normalize!r}.")
    true, predicted, classes = _matched(np.asarray(y_true), np.asarray(y_pred), labels)
    weight = None if sample_weight is None else np.asarray(sample_weight, float).ravel()
    if weight is not None and weight.shape != true.shape:
        raise ValueError(
            f"`sample_weight` has {weight.size} values, but there are {true.size} samples."
        )
    if labels is not None:  # what isn't among the labels is left out
        kept = (true >= 0) & (predicted >= 0)
        true, predicted = true[kept], predicted[kept]
        weight = None if weight is None else weight[kept]
    counts = np.bincount(true * classes + predicted, weight, classes * classes)
    matrix = counts.reshape(classes, classes)
    if normalize is None:
        return matrix
    axis = {"true": 1, "pred": 0, "all": None}[normalize]
    sums = matrix.sum(axis, keepdims=True)
    return np.divide(matrix, sums, out=np.zeros(matrix.shape), where=sums != 0)


def _matched(
    y_true: np.ndarray, y_pred: np.ndarray, labels: Sequence[Any] | None
) -> tuple[np.ndarray, np.ndarray, int]:
    """Both as flat places in the order of the classes (-1 for none), and how many there are."""
    columns = y_pred.shape[-1] if y_pred.ndim > y_true.ndim and y_pred.shape[-1] > 1 else 0
    if y_true.shape == (*y_pred.shape[:-1], 1) and y_pred.shape[-1] > 1:
        y_true, columns = y_true[..., 0], y_pred.shape[-1]
    if is_one_hot(y_true) and y_pred.shape == y_true.shape:
        columns = y_true.shape[-1]
        y_true = y_true.argmax(-1)
    elif is_one_hot(y_true) and y_pred.shape in (y_true.shape[:-1], (*y_true.shape[:-1], 1)):
        columns = y_true.shape[-1]
        y_true = y_true.argmax(-1)
        y_pred = y_pred.reshape(y_true.shape)
    if columns and y_pred.shape == (*y_true.shape, columns):
        predicted, from_columns = y_pred.argmax(-1), True
    else:
        names = y_pred.dtype.kind not in "fiub"
        predicted, from_columns = (y_pred if names else class_indices(y_pred)), False
    true = y_true if y_true.dtype.kind not in "fiub" else class_indices(y_true)
    if true.shape != predicted.shape:
        raise ValueError(
            f"`y_true` has classes for shape {true.shape}, but `y_pred` for {predicted.shape}."
        )
    true, predicted = true.ravel(), predicted.ravel()
    if labels is not None:
        order = list(labels)
        if columns and columns != len(order):
            raise ValueError(f"There are {columns} classes, but {len(order)} `labels`.")
        places = {label: place for place, label in enumerate(order)}
        named = any(isinstance(label, str) for label in order) and true.dtype.kind in "iu"
        true = true if named else _places(true, places)
        predicted = predicted if from_columns or named else _places(predicted, places)
        classes = len(order)
    else:
        if true.dtype.kind not in "iu" or predicted.dtype.kind not in "iu":
            raise ValueError("Classes that aren't indices need `labels`: their list, in order.")
        largest = max(true.max(initial=-1), predicted.max(initial=-1)) + 1
        classes = columns or int(largest)
    for name, found in (("y_true", true), ("y_pred", predicted)):
        low, high = found.min(initial=0), found.max(initial=0)
        if high >= classes or (labels is None and low < 0):
            raise ValueError(
                f"`{name}` holds class {int(low if low < 0 else high)}, but the classes are 0 to "
                f"{classes - 1}."
            )
    return true, predicted, classes


def _places(values: np.ndarray, places: dict[Any, int]) -> np.ndarray:
    return np.array([places.get(value, -1) for value in values.tolist()], int)
