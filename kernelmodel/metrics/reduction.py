"""Metrics that are sums or means over all samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.autoconfig import decode, encode
from kernelmodel.core.kinds import Function
from kernelmodel.engine.bfloat16 import cast_array
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.tensor import Tensor, as_tensor
from kernelmodel.losses.loss import REGISTRY as LOSSES
from kernelmodel.losses.loss import mask_of
from kernelmodel.losses.reduction import merge_mask
from kernelmodel.losses.shapes import same_rank
from kernelmodel.metrics.metric import REGISTRY, Metric


def detached(x: Any, dtype: Any = None) -> Any:
    """An array without its history, a plain one if it can be, cast to the dtype if one is given."""
    x = getval(x)
    if type(x) is Tensor:
        x = x.view(np.ndarray)
    elif not hasattr(x, "dtype"):
        x = ops.convert_to_tensor(x)
        x = x.view(np.ndarray) if type(x) is Tensor else x
    return x if dtype is None or x.dtype == dtype else cast_array(x, dtype)


def per_sample(values: Any, weights: Any, reduce: Callable[..., Any]) -> tuple[Any, Any]:
    """Weighted values and weights, reduced to one for each sample.

    Args:
        values: (batch, ...).
        weights: Of lower or equal rank, broadcasting to the values' leading axes.
        reduce: `np.sum` or `np.mean`, for the axes after the first.
    """
    values, weights = same_rank(values, weights)
    rank = len(weights.shape)
    if len(values.shape) > rank:
        values = reduce(values, axis=tuple(range(rank, len(values.shape))))
    weights = np.broadcast_to(weights, values.shape)
    values = values * weights
    if rank > 1:
        rest = tuple(range(1, rank))
        values, weights = reduce(values, axis=rest), reduce(weights, axis=rest)
    return values, weights


@REGISTRY.register()
class Sum(Metric):
    """The (weighted) sum of all values.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.Sum()
        >>> metric.update_state([1.0, 3.0], sample_weight=[1.0, 0.5])
        >>> float(metric.result())
        2.5
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values.

        Args:
            values: Numbers (batch, ...).
            sample_weight: Weights that broadcast to them, or None.
        """
        values = detached(values, self.dtype)
        if sample_weight is not None:
            values, _ = per_sample(values, detached(sample_weight, self.dtype), np.sum)
        self.total.assign(self.total.value + values.sum())

    def result(self) -> Any:
        """The sum so far."""
        return as_tensor(self.total.value)


@REGISTRY.register()
class Mean(Metric):
    """The (weighted) mean of all values.

    Args:
        name: Name in logs.
        dtype: Dtype of the result; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.Mean()
        >>> metric.update_state([1.0, 3.0])
        >>> metric.update_state([8.0])
        >>> float(metric.result())
        4.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", self.dtype, name="total")
        self.count = self.add_variable((), "zeros", self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values.

        Args:
            values: Numbers (batch, ...); the mean over the axes after the first counts once.
            sample_weight: Weights that broadcast to them, or None.
        """
        values = detached(values, self.dtype)
        if sample_weight is not None:
            values, weights = per_sample(values, detached(sample_weight, self.dtype), np.mean)
            self._add(values.sum(), weights.sum())
            return
        shape = values.shape
        share = math.prod(shape[1:]) if len(shape) > 1 else 1
        total = values.sum()
        self._add(total / share if share > 1 else total, shape[0] if shape else 1)

    def _add(self, total: Any, count: Any) -> None:
        self.total.assign(self.total.value + total)
        self.count.assign(self.count.value + count)

    def result(self) -> Any:
        """The mean so far; 0 before the first value."""
        count = self.count.value
        return as_tensor(self.total.value / (count + (count == 0)))


@REGISTRY.register()
class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)`, one value for each sample.
        name: Name in logs; made up of the class name if None.
        dtype: Dtype of the result; None for float32.
        **kwargs: Further arguments of the function.

    Examples:
        >>> import kernelmodel as km
        >>> metric = km.metrics.MeanMetricWrapper(km.losses.huber, name="huber", delta=0.5)
        >>> float(metric([[0.0]], [[2.0]]))
        0.875
    """

    def __init__(
        self,
        fn: Function,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs
        vars(self).update(kwargs)
        if self._direction is None and LOSSES.classes.get(getattr(fn, "__name__", "")) is fn:
            self._direction = "down"

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Add a batch.

        Args:
            y_true: Targets (batch, ...).
            y_pred: Predictions (batch, ...); their mask counts.
            sample_weight: Weights that broadcast to the function's values, or None.
        """
        mask = mask_of(y_pred)
        targets, predictions = same_rank(detached(y_true), detached(y_pred))
        values = self.fn(targets, predictions, **self._fn_kwargs)
        if mask is not None:
            if sample_weight is not None:
                sample_weight = detached(sample_weight, self.dtype)
            sample_weight = merge_mask(sample_weight, mask, self.dtype, "sum")
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        config = super().get_config()
        if type(self) is MeanMetricWrapper:
            config |= {name: encode(value) for name, value in self._fn_kwargs.items()}
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MeanMetricWrapper:
        """Make a metric of the config of another."""
        return cls(**{name: decode(value) for name, value in config.items()})
