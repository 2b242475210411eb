"""Counts of the confusion matrix, precision and recall."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.kinds import Count, Whole
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.metrics.confusion import NEVER, ConfusionMetric, checked_thresholds
from kernelmodel.metrics.metric import REGISTRY


class _AtThresholds(ConfusionMetric):
    """Base of metrics that give a value for each threshold, a scalar for a single one."""

    def __init__(self, thresholds: Any, default: float, **options: Any) -> None:
        self.init_thresholds = thresholds
        super().__init__(checked_thresholds(type(self).__name__, thresholds, default), **options)
        self._make_counts()

    def _init_argument(self, name: str) -> Any:
        return self.init_thresholds if name == "thresholds" else super()._init_argument(name)

    def _of_each(self) -> Any:
        raise NotImplementedError

    def result(self) -> Any:
        """The value so far at each threshold, (thresholds,); a scalar for a single one."""
        values = self._of_each()
        return as_tensor(values[0] if len(self.thresholds) == 1 else values)


class _Count(_AtThresholds):
    """Base of the four counts: a subclass names the one that it keeps."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, 0.5, name=name, dtype=dtype)

    def _make_counts(self, *labels: int) -> None:
        self.accumulator = self.add_variable(
            (len(self.thresholds),), "zeros", self.dtype, name="accumulator"
        )
        setattr(self, self._kept[0], self.accumulator)

    def _of_each(self) -> Any:
        return self.accumulator.value


@REGISTRY.register()
class TruePositives(_Count):
    """How many samples of class 1 are predicted as such (the sum of their weights).

    Args:
        thresholds: Score above which a prediction means 1, in [0, 1], or a list of such; 0.5 if
            None.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: A threshold outside of [0, 1].

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.TruePositives()([0, 1, 1, 1], [0.9, 0.2, 0.8, 0.7]))
        2.0
    """

    _kept = ("true_positives",)


@REGISTRY.register()
class FalsePositives(_Count):
    """How many samples of class 0 are predicted as class 1 (the sum of their weights).

    Args:
        thresholds: As in `TruePositives`.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: A threshold outside of [0, 1].

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.FalsePositives(thresholds=[0.1, 0.5])
        >>> metric([0, 0, 0, 1], [0.9, 0.2, 0.0, 0.7])
        array([2., 1.], dtype=float32)
    """

    _kept = ("false_positives",)


@REGISTRY.register()
class TrueNegatives(_Count):
    """How many samples of class 0 are predicted as such (the sum of their weights).

    Args:
        thresholds: As in `TruePositives`.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: A threshold outside of [0, 1].

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.TrueNegatives()([0, 0, 0, 1], [0.9, 0.2, 0.0, 0.7]))
        2.0
    """

    _kept = ("true_negatives",)


@REGISTRY.register()
class FalseNegatives(_Count):
    """How many samples of class 1 are predicted as class 0 (the sum of their weights).

    Args:
        thresholds: As in `TruePositives`.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: A threshold outside of [0, 1].

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.FalseNegatives()([0, 1, 1, 1], [0.9, 0.2, 0.8, 0.7]))
        1.0
    """

    _kept = ("false_negatives",)


class _Rate(_AtThresholds):
    """Base of precision and recall."""

    _direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: Count | None = None,
        class_id: Whole | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            thresholds, 0.5 if top_k is None else NEVER,
            class_id=class_id, top_k=top_k, name=name, dtype=dtype,
        )  # fmt: skip


@REGISTRY.register()
class Precision(_Rate):
    """The share of what is predicted as class 1 that is of class 1; 0 if nothing is.

    Args:
        thresholds: Score above which a prediction means 1, in [0, 1], or a list of such; if None
            0.5, or with `top_k` any.
        top_k: Only the k largest scores of each sample (its last axis) are predictions.
        class_id: The only class that counts, an index of the last axis; None for all.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: A threshold outside of [0, 1].

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.Precision()([0, 1, 1, 1], [0.9, 0.2, 0.8, 0.7])).__round__(3)
        0.667
        >>> float(km.metrics.Precision(top_k=2)([[0, 1, 1]], [[0.5, 0.1, 0.2]]))
        0.5
    """

    _kept = ("true_positives", "false_positives")

    def _of_each(self) -> Any:
        return self._precision()


@REGISTRY.register()
class Recall(_Rate):
    """The share of class 1 that is predicted as such; 0 if there is none.

    Args:
        thresholds: As in `Precision`.
        top_k: As in `Precision`.
        class_id: As in `Precision`.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: A threshold outside of [0, 1].

    Examples:
        >>> import kernelmodel as km
        >>> float(km.metrics.Recall()([0, 1, 1, 1], [0.9, 0.2, 0.8, 0.7])).__round__(3)
        0.667
    """

    _kept = ("true_positives", "false_negatives")

    def _of_each(self) -> Any:
        return self._recall()
