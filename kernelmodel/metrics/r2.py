"""R², the share of the targets' variance that predictions explain."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelmodel.core.kinds import Whole
from kernelmodel.core.warning import warn_user
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.metrics.confusion import pair, spread_weights
from kernelmodel.metrics.metric import REGISTRY, Metric

AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


@REGISTRY.register()
class R2Score(Metric):
    """1 - sum of squared errors / sum of squared differences from the targets' mean.

    1 is perfect, 0 no better than the mean of the targets. Targets that are all equal have no
    score: NaN if they are met exactly, else 0, as in Keras.

    Args:
        class_aggregation: "uniform_average" for the mean over outputs, "variance_weighted_average"
            for that weighted with the variances of the targets, None for one score an output.
        num_regressors: Number of independent variables, for the adjusted score (Theil, 1961); 0
            for the plain one.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: An argument out of its range.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.R2Score()
        >>> round(float(metric([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 3)
        0.571
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: Whole = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if class_aggregation not in AGGREGATIONS:
            raise ValueError(
                f"R2Score: class_aggregation must be one of {AGGREGATIONS}, got "
                f"{class_aggregation!r}."
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", self.dtype, name="num_samples")
        self._built = False

    def _build(self, outputs: int) -> None:
        def make(name: str) -> Any:
            return self.add_variable((outputs,), "zeros", self.dtype, name=name)

        self.squared_sum, self.sum = make("squared_sum"), make("sum")
        self.total_mse, self.count = make("residual"), make("count")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: Targets (batch, outputs).
            y_pred: Predictions (batch, outputs).
            sample_weight: Weights (batch,) or (batch, outputs), or None.

        Raises:
            ValueError: Other shapes.
        """
        truth, found = pair(self, y_true, y_pred)
        if len(found.shape) != 2:
            raise ValueError(
                f"{self.name}: targets and predictions must have the shape (batch, outputs), got "
                f"{tuple(found.shape)}."
            )
        if not self._built:
            self._build(found.shape[-1])
        weights = spread_weights(truth, sample_weight, y_pred, self.dtype)
        for variable, added in (
            (self.sum, truth * weights),
            (self.squared_sum, truth * truth * weights),
            (self.total_mse, np.square(truth - found) * weights),
            (self.count, weights),
        ):
            variable.assign(variable.value + added.sum(0))
        self.num_samples.assign(self.num_samples.value + math.prod(truth.shape))

    def result(self) -> Any:
        """The score so far, (outputs,) without aggregation; 0 before the first batch."""
        if not self._built:
            return as_tensor(np.zeros((), self.dtype))
        count = self.count.value
        mean = self.sum.value / np.where(count == 0, 1, count)
        spread = self.squared_sum.value - self.sum.value * mean
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = 1 - self.total_mse.value / spread
            scores = np.where(np.isinf(scores) | (count == 0), 0 * spread, scores)
            if self.class_aggregation == "variance_weighted_average":
                total = spread.sum()
                scores = np.where(count.sum() == 0, 0 * total, (spread * scores).sum() / total)
            elif self.class_aggregation == "uniform_average":
                scores = scores.mean()
        return as_tensor(self._adjusted(scores) if self.num_regressors else scores)

    def _adjusted(self, scores: Any) -> Any:
        samples: Any = self.num_samples.value
        free = samples - self.num_regressors - 1
        if isinstance(samples, np.ndarray) and samples > 0 >= free:
            warn_user(
                f"{self.name}: {self.num_regressors} regressors need more than "
                f"{self.num_regressors + 1} samples, got {int(samples)}. The plain score is given.",
            )
        adjusted = 1 - (1 - scores) * (samples - 1) / np.where(free > 0, free, 1)
        return np.where(free > 0, adjusted, scores).astype(self.dtype)
