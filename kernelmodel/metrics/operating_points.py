"""The best of one rate where another is high enough: points on curves of the confusion matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.kinds import Count, Share, Whole
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.metrics.confusion import ConfusionMetric, even_thresholds
from kernelmodel.metrics.metric import REGISTRY


class _AtBound(ConfusionMetric):
    """Base: a subclass names its bound, and says which rates are bounded and wanted."""

    _direction = "up"

    def __init__(
        self,
        bound: str,
        value: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: Any,
    ) -> None:
        super().__init__(even_thresholds(num_thresholds), class_id, None, name, dtype)
        self._even = num_thresholds > 1
        self.value = value
        setattr(self, bound, value)
        self.num_thresholds = num_thresholds
        self._make_counts()

    def _rates(self) -> tuple[Any, Any]:
        """The rate that has the bound, and the one that is wanted, at each threshold."""
        raise NotImplementedError

    def result(self) -> Any:
        """The largest wanted rate so far; 0 if no threshold reaches the bound."""
        bounded, wanted = self._rates()
        return as_tensor(np.where(bounded >= self.value, wanted, 0 * wanted).max())


@REGISTRY.register()
class SensitivityAtSpecificity(_AtBound):
    """The largest share of class 1 that is found while enough of class 0 is told apart.

    Args:
        specificity: Least share of class 0 that is predicted as such, in [0, 1].
        num_thresholds: How many thresholds from 0 to 1 are tried.
        class_id: The only class that counts, an index of the last axis; None for all.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: An argument out of its range.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.SensitivityAtSpecificity(0.5)
        >>> float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    def __init__(
        self,
        specificity: Share,
        num_thresholds: Count = 200,
        class_id: Whole | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__("specificity", specificity, num_thresholds, class_id, name, dtype)

    def _rates(self) -> tuple[Any, Any]:
        return self._specificity(), self._recall()


@REGISTRY.register()
class SpecificityAtSensitivity(_AtBound):
    """The largest share of class 0 that is told apart while enough of class 1 is found.

    Args:
        sensitivity: Least share of class 1 that is predicted as such, in [0, 1].
        num_thresholds: As in `SensitivityAtSpecificity`.
        class_id: As in `SensitivityAtSpecificity`.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: An argument out of its range.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.SpecificityAtSensitivity(0.5)
        >>> round(float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 3)
        0.667
    """

    def __init__(
        self,
        sensitivity: Share,
        num_thresholds: Count = 200,
        class_id: Whole | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__("sensitivity", sensitivity, num_thresholds, class_id, name, dtype)

    def _rates(self) -> tuple[Any, Any]:
        return self._recall(), self._specificity()


@REGISTRY.register()
class PrecisionAtRecall(_AtBound):
    """The largest precision while enough of class 1 is found.

    Args:
        recall: Least share of class 1 that is predicted as such, in [0, 1].
        num_thresholds: As in `SensitivityAtSpecificity`.
        class_id: As in `SensitivityAtSpecificity`.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: An argument out of its range.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.PrecisionAtRecall(0.5)
        >>> float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    def __init__(
        self,
        recall: Share,
        num_thresholds: Count = 200,
        class_id: Whole | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__("recall", recall, num_thresholds, class_id, name, dtype)

    def _rates(self) -> tuple[Any, Any]:
        return self._recall(), self._precision()


@REGISTRY.register()
class RecallAtPrecision(_AtBound):
    """The largest share of class 1 that is found while the precision is high enough.

    Args:
        precision: Least share of right ones among those predicted as class 1, in [0, 1].
        num_thresholds: As in `SensitivityAtSpecificity`.
        class_id: As in `SensitivityAtSpecificity`.
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Raises:
        ValueError: An argument out of its range.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.RecallAtPrecision(0.8)
        >>> float(metric([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
        0.5
    """

    def __init__(
        self,
        precision: Share,
        num_thresholds: Count = 200,
        class_id: Whole | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__("precision", precision, num_thresholds, class_id, name, dtype)

    def _rates(self) -> tuple[Any, Any]:
        return self._precision(), self._recall()
