"""Intersection over union of predicted and true regions, from a confusion matrix of classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.kinds import Count, Integers
from kernelmodel.core.warning import warn_user
from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.losses.shapes import mismatch
from kernelmodel.metrics.confusion import bucket_sums, spread_weights
from kernelmodel.metrics.metric import REGISTRY, Metric
from kernelmodel.metrics.reduction import detached


@REGISTRY.register()
class IoU(Metric):
    """Mean over chosen classes of |true and predicted| / |true or predicted| (Jaccard, 1901).

    Classes that appear nowhere don't count in the mean; class numbers outside of
    [0, num_classes) don't count at all.

    Args:
        num_classes: Number of classes.
        target_class_ids: The classes to average over.
        name: Name in logs.
        dtype: Dtype of the counts; int32 if None, which cuts sample weights to whole numbers.
        ignore_class: Class whose samples (by target) don't count, e.g. 255; None for none.
        sparse_y_true: Whether targets are class numbers, not one-hot.
        sparse_y_pred: Whether predictions are class numbers, not scores.
        axis: Axis of the classes in one-hot targets and scores.

    Raises:
        ValueError: A class outside of [0, num_classes).

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> round(float(metric([0, 0, 1, 1], [0, 1, 0, 1])), 3)
        0.333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: Count,
        target_class_ids: Integers,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype or "int32", name)
        wrong = [i for i in target_class_ids if not 0 <= i < num_classes]
        if wrong or not len(target_class_ids):
            raise ValueError(
                f"{type(self).__name__}: target_class_ids must be classes in [0, {num_classes}), "
                f"got {wrong or list(target_class_ids)}."
            )
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable(
            (num_classes, num_classes), "zeros", self.dtype, name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: Class numbers (batch, ...), or one-hot with a further axis.
            y_pred: Class numbers (batch, ...), or scores with a further axis; their mask counts.
            sample_weight: Weights of the leading axes, e.g. (batch,), or None.

        Raises:
            ValueError: The shapes don't fit.
        """
        truth = self._classes(y_true, self.sparse_y_true)
        found = self._found(y_pred)
        if truth.size != found.size:
            expected = tuple(found.shape) + (() if self.sparse_y_true else (self.num_classes,))
            raise ValueError(mismatch(self.name, detached(y_true), detached(y_pred), expected))
        if len(truth.shape) < len(found.shape):
            truth = truth.reshape(found.shape)
        self._warn_of_weights(sample_weight)
        weights = spread_weights(truth, sample_weight, y_pred, self.dtype)
        truth, found, weights = truth.reshape(-1), found.reshape(-1), weights.reshape(-1)
        counts = (truth >= 0) & (truth < self.num_classes)
        counts = counts & (found >= 0) & (found < self.num_classes)
        if self.ignore_class is not None:
            counts = counts & (truth != self.ignore_class)
        cells = np.where(counts, truth * self.num_classes + found, 0)
        size = self.num_classes**2
        sums = bucket_sums(np.where(counts, weights, 0 * weights), cells, size=size)
        self.total_cm.assign(self.total_cm.value + sums.reshape(self.total_cm.shape))

    def _classes(self, values: Any, sparse: bool) -> Any:
        values = detached(values)
        return detached(values if sparse else np.argmax(values, axis=self.axis), "int32")

    def _found(self, y_pred: Any) -> Any:
        return self._classes(y_pred, self.sparse_y_pred)

    def _warn_of_weights(self, sample_weight: Any) -> None:
        kind = kind_of(getattr(sample_weight, "dtype", "int32"))
        if kind == "f" and np.dtype(self.dtype).kind in "iu":
            warn_user(
                f"{self.name} counts in {self.dtype}, so float sample weights are cut to whole "
                "numbers. Give it dtype='float32'.",
            )

    def result(self) -> Any:
        """The mean so far; 0 before the first batch."""
        kind = self.dtype if kind_of(self.dtype) == "f" else "float32"
        matrix = self.total_cm.value
        both = np.diagonal(matrix)
        union = matrix.sum(0) + matrix.sum(1) - both
        chosen = np.array(self.target_class_ids)
        both, union = both[chosen].astype(kind), union[chosen].astype(kind)
        seen = union > 0
        ratios = np.where(seen, both / (union + DEFAULTS.epsilon), 0 * union)
        return as_tensor((ratios.sum() / (seen.sum() + DEFAULTS.epsilon)).astype(kind))


@REGISTRY.register()
class BinaryIoU(IoU):
    """Mean intersection over union of two classes, told apart by a threshold.

    Args:
        target_class_ids: The classes to average over, among 0 and 1.
        threshold: Score from which on a prediction means 1.
        name: Name in logs.
        dtype: As in `IoU`.

    Raises:
        ValueError: Another class.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.BinaryIoU(target_class_ids=[0, 1], threshold=0.3)
        >>> round(float(metric([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 3)
        0.333
    """

    def __init__(
        self,
        target_class_ids: Integers = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def _found(self, y_pred: Any) -> Any:
        return detached(detached(y_pred) >= self.threshold, "int32")


@REGISTRY.register()
class MeanIoU(IoU):
    """Mean intersection over union of all classes.

    Args:
        num_classes: Number of classes.
        name: Name in logs.
        dtype: As in `IoU`.
        ignore_class: As in `IoU`.
        sparse_y_true: As in `IoU`.
        sparse_y_pred: As in `IoU`.
        axis: As in `IoU`.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])), 3)
        0.333
    """

    def __init__(
        self,
        num_classes: Count,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true,
            sparse_y_pred, axis,
        )  # fmt: skip


@REGISTRY.register()
class OneHotIoU(IoU):
    """Mean intersection over union of chosen classes, with one-hot targets.

    Args:
        num_classes: Number of classes.
        target_class_ids: The classes to average over.
        name: Name in logs.
        dtype: As in `IoU`.
        ignore_class: As in `IoU`.
        sparse_y_pred: Whether predictions are class numbers, not scores.
        axis: As in `IoU`.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.OneHotIoU(num_classes=2, target_class_ids=[0, 1])
        >>> round(float(metric([[1, 0], [0, 1], [0, 1]], [[0.2, 0.8], [0.1, 0.9], [0.3, 0.7]])), 3)
        0.333
    """

    def __init__(
        self,
        num_classes: Count,
        target_class_ids: Integers,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )


@REGISTRY.register()
class OneHotMeanIoU(MeanIoU):
    """Mean intersection over union of all classes, with one-hot targets.

    Args:
        num_classes: Number of classes.
        name: Name in logs.
        dtype: As in `IoU`.
        ignore_class: As in `IoU`.
        sparse_y_pred: Whether predictions are class numbers, not scores.
        axis: As in `IoU`.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.OneHotMeanIoU(num_classes=2)
        >>> round(float(metric([[1, 0], [0, 1], [0, 1]], [[0.2, 0.8], [0.1, 0.9], [0.3, 0.7]])), 3)
        0.333
    """

    def __init__(
        self,
        num_classes: Count,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
