"""F-scores: precision and recall in one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.kinds import Positive
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.metrics.confusion import pair, spread_weights
from kernelmodel.metrics.metric import REGISTRY, Metric

AVERAGES = (None, "micro", "macro", "weighted")


@REGISTRY.register()
class FBetaScore(Metric):
    """(1 + beta²) precision recall / (beta² precision + recall) (van Rijsbergen, 1979).

    Args:
        average: None for a score for each class, "micro" to count all classes together, "macro"
            for the mean over classes, "weighted" for that weighted with their frequency.
        beta: How many times as important recall is as precision, above 0.
        threshold: Score above which a class is predicted, in (0, 1]; None for the class of the
            largest score.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: An argument out of its range.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.FBetaScore(beta=2.0, threshold=0.5)
        >>> metric([[1, 0], [1, 1]], [[0.2, 0.6], [0.6, 0.8]]).round(3)
        array([0.556, 0.833], dtype=float32)
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: Positive = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        owner = type(self).__name__
        if average not in AVERAGES:
            raise ValueError(f"{owner}: average must be one of {AVERAGES}, got {average!r}.")
        if threshold is not None and (isinstance(threshold, str) or not 0 < threshold <= 1):
            raise ValueError(f"{owner}: threshold must be None or in (0, 1], got {threshold!r}.")
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False

    def _build(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)

        def make(name: str) -> Any:
            return self.add_variable(shape, "zeros", self.dtype, name=name)

        self.true_positives, self.false_positives = make("true_positives"), make("false_positives")
        self.false_negatives = make("false_negatives")
        self.intermediate_weights = make("intermediate_weights")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: Labels 0 and 1 (batch, classes).
            y_pred: Scores (batch, classes).
            sample_weight: Weights (batch,), or None.

        Raises:
            ValueError: Other shapes.
        """
        labels, scores = pair(self, y_true, y_pred)
        if len(scores.shape) != 2:
            raise ValueError(
                f"{self.name}: targets and predictions must have the shape (batch, classes), got "
                f"{tuple(scores.shape)}."
            )
        if not self._built:
            self._build(scores.shape[-1])
        weights = spread_weights(scores, sample_weight, y_pred, self.dtype)
        weights = np.where(np.isnan(scores), scores, weights)
        if self.threshold is None:
            chosen = (scores >= scores.max(-1, keepdims=True)) & (np.abs(scores) > 1e-9)
        else:
            chosen = scores > self.threshold
        found = chosen.astype(self.dtype)
        axis = None if self.average == "micro" else 0
        for variable, counted in (
            (self.true_positives, found * labels),
            (self.false_positives, found * (1 - labels)),
            (self.false_negatives, (1 - found) * labels),
            (self.intermediate_weights, labels),
        ):
            variable.assign(variable.value + (counted * weights).sum(axis))

    def result(self) -> Any:
        """The score so far, (classes,) without an average; 0 before the first batch."""
        if not self._built:
            return as_tensor(np.zeros((), self.dtype))
        true = self.true_positives.value
        tiny = DEFAULTS.epsilon
        precision = true / (true + self.false_positives.value + tiny)
        recall = true / (true + self.false_negatives.value + tiny)
        square = self.beta**2
        scores = precision * recall / (square * precision + recall + tiny) * (1 + square)
        if self.average == "weighted":
            weights = self.intermediate_weights.value
            return as_tensor((scores * (weights / (weights.sum() + tiny))).sum())
        return as_tensor(scores if self.average is None else scores.mean())


@REGISTRY.register()
class F1Score(FBetaScore):
    """2 precision recall / (precision + recall), the harmonic mean.

    Args:
        average: As in `FBetaScore`.
        threshold: As in `FBetaScore`.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: An argument out of its range.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.F1Score(threshold=0.5)
        >>> metric([[1, 0], [1, 1]], [[0.2, 0.6], [0.6, 0.8]]).round(3)
        array([0.667, 0.667], dtype=float32)
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)
