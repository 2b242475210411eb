"""The area under a curve of the confusion matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.kinds import AtLeastTwo, Numbers, Whole
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.metrics.confusion import (
    ConfusionMetric,
    even_thresholds,
    evenly_spaced,
    over,
    pair,
    share,
    spread_weights,
)
from kernelmodel.metrics.metric import REGISTRY
from kernelmodel.metrics.reduction import detached

CURVES = ("ROC", "PR", "PRGAIN")
METHODS = ("interpolation", "minoring", "majoring")


@REGISTRY.register()
class AUC(ConfusionMetric):
    """The area under the ROC, precision-recall or precision-recall-gain curve.

    The curve is known at the thresholds only; scores near each other fall between two of them.
    Interpolation of precisions: Davis & Goadrich, 2006; gains: Flach & Kull, 2015.

    Args:
        num_thresholds: How many thresholds from 0 to 1, at least 2; with `thresholds` unused.
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: "interpolation" (trapezoids; for "PR" as in the paper), "minoring" or
            "majoring" (rectangles below or above the curve).
        name: Name in logs.
        dtype: Dtype of the result; None for float32.
        thresholds: Thresholds of one's own in [0, 1], to which one below 0 and one above 1 are
            added.
        multi_label: Average the areas of the labels, the last axis of (batch, labels), instead of
            throwing all scores together.
        num_labels: Number of labels, for variables that exist before the first batch.
        label_weights: Weights of the labels: in the average, or without `multi_label` of their
            scores.
        from_logits: Whether predictions are logits.

    Raises:
        ValueError: An argument out of its range, or `num_labels` without `multi_label`.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
        0.75
    """

    _direction = "up"
    _written_if_set = ("thresholds",)

    def __init__(
        self,
        num_thresholds: AtLeastTwo = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Numbers | None = None,
        multi_label: bool = False,
        num_labels: Whole | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        if thresholds is None:
            inner = even_thresholds(num_thresholds)[1:-1]
        else:
            inner = sorted(float(t) for t in thresholds)
            wrong = [t for t in inner if not 0 <= t <= 1]
            self._check("thresholds", not wrong, "in [0, 1]", wrong)
        curve_name, method = str(curve).upper(), str(summation_method).lower()
        self._check("curve", curve_name in CURVES, f"one of {CURVES}", curve)
        self._check("summation_method", method in METHODS, f"one of {METHODS}", summation_method)
        self._check(
            "num_labels", multi_label or not num_labels, "None without multi_label=True", num_labels
        )
        super().__init__([-DEFAULTS.epsilon, *inner, 1 + DEFAULTS.epsilon], None, None, name, dtype)
        self._even = thresholds is None or evenly_spaced([0.0, *inner, 1.0])
        self._own_thresholds = None if thresholds is None else inner
        self.num_thresholds = len(self.thresholds)
        self.curve, self.summation_method = curve_name, method
        self.multi_label = multi_label
        self.num_labels = num_labels
        weights = None if label_weights is None else np.asarray(label_weights, self.dtype)
        self.label_weights = weights
        self.from_logits = from_logits
        self._built = False
        if num_labels or not multi_label:
            self._build(*([num_labels] if num_labels else []))

    def _init_argument(self, name: str) -> Any:
        if name == "thresholds":
            return self._own_thresholds
        if name == "label_weights":
            return None if self.label_weights is None else self.label_weights.tolist()
        return super()._init_argument(name)

    def _build(self, *labels: int) -> None:
        self._make_counts(*labels)
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: Labels 0 and 1 (batch, ...); (batch, labels) with `multi_label`.
            y_pred: Scores of the same shape; their mask counts.
            sample_weight: Weights of the leading axes, e.g. (batch,), or None.

        Raises:
            ValueError: The shapes don't fit.
        """
        labels, scores = pair(self, y_true, y_pred)
        if self.from_logits:
            scores = detached(ops.sigmoid(scores))
        if self.multi_label:
            self._check(
                "y_pred", len(scores.shape) == 2, "of shape (batch, labels) with multi_label=True",
                tuple(scores.shape),
            )  # fmt: skip
            if not self._built:
                self._build(scores.shape[-1])
        weights = spread_weights(scores, sample_weight, y_pred, self.dtype)
        if self.label_weights is not None:
            self._check(
                "label_weights", self.label_weights.shape == tuple(scores.shape[-1:]),
                f"of shape {tuple(scores.shape[-1:])}", self.label_weights.tolist(),
            )  # fmt: skip
            weights = weights if self.multi_label else weights * self.label_weights
        self._add(labels, scores, weights, by_label=self.multi_label)

    def result(self) -> Any:
        """The area so far; 0 before the first batch."""
        if not self._built:
            return as_tensor(np.zeros((), self.dtype))
        if self.curve == "PR" and self.summation_method == "interpolation":
            parts = self._interpolated_precision()
        else:
            x, y = self._points()
            low, high = y[1:], y[:-1]
            if self.summation_method == "interpolation":
                heights = (low + high) / 2
            else:
                heights = (np.minimum if self.summation_method == "minoring" else np.maximum)(
                    low, high
                )
            parts = (x[:-1] - x[1:]) * heights
        areas = parts.sum(0)
        if not self.multi_label:
            return as_tensor(areas)
        if self.label_weights is None:
            return as_tensor(areas.mean())
        return as_tensor(over((areas * self.label_weights).sum(), self.label_weights.sum()))

    def _points(self) -> tuple[Any, Any]:
        """The curve's x and y at each threshold."""
        if self.curve == "ROC":
            return share(self._count("false_positives"), self._count("true_negatives")), (
                self._recall()
            )
        if self.curve == "PR":
            return self._recall(), self._precision()
        true, missed = self._count("true_positives"), self._count("false_negatives")
        wrong, rest = self._count("false_positives"), self._count("true_negatives")
        odds = over(true + missed, rest + wrong)
        recall_gain = np.where(true == 0, 0 * true, 1 - odds * over(missed, true))
        precision_gain = np.where(true == 0, 0 * true + 1, 1 - odds * over(wrong, true))
        return np.maximum(recall_gain, 0), precision_gain

    def _interpolated_precision(self) -> Any:
        """Areas between thresholds, true and false positives growing evenly between them."""
        true = self._count("true_positives")
        predicted = true + self._count("false_positives")
        more_true = true[:-1] - true[1:]
        slope = over(more_true, np.maximum(predicted[:-1] - predicted[1:], 0))
        offset = true[1:] - slope * predicted[1:]
        both = (predicted[:-1] > 0) & (predicted[1:] > 0)
        growth = np.where(both, over(predicted[:-1], predicted[1:]), 0 * true[1:] + 1)
        class_1 = true[1:] + self._count("false_negatives")[1:]
        return over(slope * (more_true + offset * np.log(growth)), class_1)
