"""Class weights as sample weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten


def weights_of_classes(y: Any, class_weight: dict[int, float], sample_weight: Any) -> np.ndarray:
    """Sample weights of class weights, times given sample weights.

    Args:
        y: Labels (samples,) or (samples, ..., 1), or one-hot rows (samples, ..., classes).
        class_weight: `{class index: weight}`; a class that isn't listed counts once.
        sample_weight: Weights (samples, ...), or None.

    Returns:
        Weights (samples, ...): the shape of y without its last axis, if it has several.

    Raises:
        TypeError: `class_weight` is no dict.
        ValueError: No targets, several of them, or targets that are neither labels nor one-hot.
    """
    if not isinstance(class_weight, dict):
        raise TypeError(
            "`class_weight` must be a dict {class index: weight}, got "
            f"{type(class_weight).__name__}. For a list write dict(enumerate(weights))."
        )
    for label, weight in class_weight.items():
        if not hasattr(label, "__index__") or not isinstance(weight, (int, float, np.number)):
            raise ValueError(
                "`class_weight` must map class indices to numbers, got the entry "
                f"{label!r}: {weight!r}."
            )
    if y is None or len(flatten(y)) != 1:
        raise ValueError(
            "`class_weight` needs one array of targets `y`. For models with several outputs pass "
            "`sample_weight` for each output instead."
        )
    (targets,) = flatten(y)
    labels = _labels(targets)
    classes, positions = np.unique(labels, return_inverse=True)
    values = np.array([float(class_weight.get(int(c), 1.0)) for c in classes], "float32")
    weights = values[positions.reshape(labels.shape)]
    if sample_weight is None:
        return weights
    (given,) = flatten(sample_weight)
    rank = max(given.ndim, weights.ndim)
    return _with_rank(weights, rank) * _with_rank(given, rank)


def _labels(targets: np.ndarray) -> np.ndarray:
    """Class indices of labels or one-hot rows."""
    if targets.ndim < 2 or targets.shape[-1] == 1:
        found = targets if targets.ndim < 2 else targets[..., 0]
        return np.rint(found).astype("int64")
    sums = targets.sum(-1)
    if not (np.isclose(sums, 1, atol=1e-2) | (sums == 0)).all():
        raise ValueError(
            "`class_weight` needs labels (samples,) or (samples, ..., 1), or one-hot targets "
            f"(samples, ..., classes) whose last axis sums to 1; `y` of shape {targets.shape} is "
            "neither. Pass `sample_weight` instead."
        )
    return targets.argmax(-1)


def _with_rank(weights: np.ndarray, rank: int) -> np.ndarray:
    return weights.reshape(*weights.shape, *(1,) * (rank - weights.ndim))
