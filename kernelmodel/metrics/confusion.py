"""The confusion matrix of two classes at any number of thresholds: what its metrics share.

Predictions are sorted into the buckets between the thresholds, once; the counts at all thresholds
are running sums over the buckets. So 200 thresholds cost no more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.core.allowance import check_room
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.engine.primitive import fused
from kernelmodel.losses.loss import mask_of
from kernelmodel.losses.reduction import merge_mask, same_axes
from kernelmodel.losses.shapes import mismatch, same_rank
from kernelmodel.metrics.metric import Metric
from kernelmodel.metrics.reduction import detached

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
# Below every threshold and score: what isn't among the top k is predicted with it.
NEVER = -1e10


def _sums_forward(weights: np.ndarray, buckets: np.ndarray, size: int) -> tuple[Any, None]:
    return np.bincount(buckets, weights, size).astype(weights.dtype), None


def _sums_backward(*_: Any, **__: Any) -> Any:
    raise NotImplementedError("Metrics have no gradient.")


def _sums_xla(weights: Any, buckets: Any, size: int) -> Any:
    import jax.numpy as jnp

    return jnp.zeros(size, weights.dtype).at[buckets].add(weights)


# `bucket_sums(weights, buckets, size=n)`: the sum of the weights in each of n buckets.
bucket_sums = fused("bucket_sums", _sums_forward, _sums_backward, _sums_xla)


def share(part: Any, rest: Any) -> Any:
    """part / (part + rest), and 0 where both are 0."""
    return over(part, part + rest)


def over(numerator: Any, denominator: Any) -> Any:
    """The quotient, and 0 where the denominator is 0."""
    empty = denominator == 0
    return np.where(empty, 0 * numerator, numerator / np.where(empty, 1, denominator))


def pair(metric: Metric, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions without history, of the metric's dtype and of one shape.

    Raises:
        ValueError: Their shapes differ.
    """
    first, second = detached(y_true, metric.dtype), detached(y_pred, metric.dtype)
    first, second = same_rank(first, second)
    if tuple(first.shape) != tuple(second.shape):
        raise ValueError(mismatch(metric.name, first, second, tuple(second.shape)))
    return first, second


def spread_weights(values: Any, sample_weight: Any, y_pred: Any, dtype: str) -> Any:
    """A weight for each value, the mask of the predictions included.

    Args:
        values: Array (batch, ...).
        sample_weight: Weights of its leading axes, or None for ones.
        y_pred: The predictions as they came, whose mask counts.
        dtype: Dtype of the weights.
    """
    if sample_weight is not None:
        sample_weight = detached(sample_weight, dtype)
    weights = merge_mask(sample_weight, mask_of(y_pred), dtype, "sum")
    if weights is None:
        return np.ones_like(values, dtype=dtype)
    _, weights = same_axes(values, getval(weights))
    shape = tuple(weights.shape[: len(values.shape)])  # (batch, 1) for values (batch,)
    return np.broadcast_to(np.reshape(weights, shape), values.shape)


def top_k_only(scores: Any, k: int) -> Any:
    """Scores with `NEVER` in place of all but the k largest of a sample, the first of equals."""
    ranks = np.argsort(np.argsort(-scores, axis=-1, kind="stable"), axis=-1, kind="stable")
    return np.where(ranks < k, scores, NEVER)


def evenly_spaced(thresholds: Sequence[float]) -> bool:
    """Whether thresholds cut [0, 1] into equal parts, its ends included."""
    count = len(thresholds)
    if count < 3:
        return False
    even = np.arange(count, dtype="float32") / (count - 1)
    return np.allclose(thresholds, even, atol=DEFAULTS.epsilon)


def even_thresholds(count: int) -> list[float]:
    """So many thresholds from 0 to 1; 0.5 for a single one."""
    if count == 1:
        return [0.5]
    check_room(32 * count, f"A list of {count:,} thresholds")
    return [0.0, *((i + 1) / (count - 1) for i in range(count - 2)), 1.0]


def thresholds_below(scores: Any, thresholds: Any, even: bool) -> Any:
    """How many of the (ascending) thresholds each score exceeds."""
    if not even:
        return np.searchsorted(thresholds, scores, side="left")
    below = np.ceil(np.clip(scores, 0, 1) * (len(thresholds) - 1))
    return np.maximum(below, 1) if thresholds[0] < 0 else below


class ConfusionMetric(Metric):
    """Base of metrics made of counts of the confusion matrix.

    A subclass names its counts in `_kept`, and computes its result from these attributes: arrays
    (thresholds,), or (thresholds, labels) with a column for each label.

    Args:
        thresholds: Numbers in ascending or any other order.
        class_id: The only class that counts, the last axis being classes; None for all.
        top_k: How many of the largest scores count as predictions; None for all above a threshold.
        name: Name in logs.
        dtype: Dtype of the counts and the result; None for float32.
    """

    _kept: tuple[str, ...] = COUNTS

    def __init__(
        self,
        thresholds: Sequence[float],
        class_id: int | None = None,
        top_k: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.thresholds = list(thresholds)
        self.class_id = class_id
        self.top_k = top_k
        limits = np.array(self.thresholds, self.dtype)
        self._order = np.argsort(limits, kind="stable")
        self._sorted = limits[self._order]
        self._even = evenly_spaced(self.thresholds)

    def _make_counts(self, *labels: int) -> None:
        for name in self._kept:
            variable = self.add_variable(
                (len(self.thresholds), *labels), "zeros", self.dtype, name=name
            )
            setattr(self, name, variable)

    def _check(self, name: str, holds: bool, allowed: str, value: Any) -> None:
        if not holds:
            raise ValueError(f"{type(self).__name__}: {name} must be {allowed}, got {value!r}.")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: Labels 0 and 1 (batch, ...).
            y_pred: Scores of the same shape; their mask counts.
            sample_weight: Weights of the leading axes, e.g. (batch,), or None.

        Raises:
            ValueError: The shapes don't fit.
        """
        labels, scores = pair(self, y_true, y_pred)
        weights = spread_weights(scores, sample_weight, y_pred, self.dtype)
        if self.top_k is not None:
            scores = top_k_only(scores, self.top_k)
        if self.class_id is not None:
            if len(scores.shape) < 2:
                raise ValueError(
                    f"{self.name}: class_id needs predictions (batch, classes), got shape "
                    f"{tuple(scores.shape)}."
                )
            labels, scores, weights = (x[..., self.class_id] for x in (labels, scores, weights))
        self._add(labels, scores, weights)

    def _add(self, labels: Any, scores: Any, weights: Any, by_label: bool = False) -> None:
        """Add weighted labels and scores to the counts; `by_label` for each column of its own."""
        size = len(self.thresholds) + 1
        # A score that isn't a number makes all counts such, from the highest bucket down.
        weights = np.where(np.isnan(scores), scores, weights)
        buckets = thresholds_below(scores, self._sorted, self._even)
        buckets = np.where(np.isnan(scores), size - 1, buckets).astype("int32")
        columns = scores.shape[-1] if by_label else 1
        if by_label:
            buckets = buckets * columns + np.arange(columns, dtype="int32")
        true = weights * (labels != 0)
        shape = (size, columns) if by_label else (size,)
        found = {}
        for sign, part in (("positives", true), ("negatives", weights - true)):
            sums = bucket_sums(part.reshape(-1), buckets.reshape(-1), size=size * columns)
            above = np.cumsum(sums.reshape(shape)[::-1], axis=0)[::-1]
            found[sign] = above[1:], above[:1] - above[1:]
        values = (found["positives"][0], found["negatives"][0], found["negatives"][1],
                  found["positives"][1])  # fmt: skip
        back = np.argsort(self._order)
        for name, value in zip(COUNTS, values):
            if name in self._kept:
                variable = getattr(self, name)
                variable.assign(variable.value + value[back])

    def _count(self, name: str) -> Any:
        return getattr(self, name).value

    def _precision(self) -> Any:
        return share(self._count("true_positives"), self._count("false_positives"))

    def _recall(self) -> Any:
        return share(self._count("true_positives"), self._count("false_negatives"))

    def _specificity(self) -> Any:
        return share(self._count("true_negatives"), self._count("false_positives"))


def checked_thresholds(owner: str, thresholds: Any, default: float) -> list[float]:
    """Thresholds as a list.

    Args:
        owner: The metric's class, for the error.
        thresholds: A number, a list of numbers in [0, 1], or None for the default.
        default: The only threshold then.

    Raises:
        ValueError: A threshold outside of [0, 1].
    """
    if thresholds is None:
        return [default]
    given = list(thresholds) if hasattr(thresholds, "__iter__") else [thresholds]
    wrong = [t for t in given if t is None or isinstance(t, str) or not 0 <= t <= 1]
    if wrong or not given:
        raise ValueError(f"{owner}: thresholds must lie in [0, 1], got {wrong or given}.")
    return given
