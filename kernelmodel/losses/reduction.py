"""From a loss for each sample (or time step) to one number: masks, weights, reduction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.engine.exchange import loss_of_all
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.plan import unfolds
from kernelmodel.engine.primitive import fused
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.losses.shapes import same_rank

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Reduction:
    """Names of reductions, as tf.keras has them; a loss takes the strings as well.

    Attributes:
        AUTO: The mean over all losses.
        NONE: The losses as they are.
        SUM: Their sum.
        SUM_OVER_BATCH_SIZE: Their mean.

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.MeanSquaredError(reduction=km.losses.Reduction.SUM).reduction
        'sum'
    """

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


@forward_kernel
@unfolds
def _mean_forward(values: np.ndarray) -> tuple[Any, None]:
    return np.add.reduce(values, None) / values.dtype.type(values.size), None


@backward_kernel
@unfolds
def _mean_backward(g: Any, out: Any, residuals: None, arrays: Any, needed: Any) -> tuple[Any]:
    (values,) = arrays
    ones = np.ones(values.shape, values.dtype)
    return (np.multiply(ones, g / max(values.size, 1), dtype=values.dtype),)


def _mean_xla(values: Any) -> Any:
    return values.mean()


# Every training step ends in this one: a third of the time of `ops.mean`.
_mean = fused("mean_of_all", _mean_forward, _mean_backward, _mean_xla)


def mean_of_all(values: Any) -> Any:
    """The mean of all values, a scalar."""
    symbolic = hasattr(type(values), "__record_op__")
    return ops.mean(values) if symbolic else as_tensor(_mean(values))


def check_reduction(owner: str, reduction: str | None) -> str | None:
    """The reduction, if there is such a one.

    Raises:
        ValueError: Unknown reduction.
    """
    if reduction == Reduction.AUTO:
        return Reduction.SUM_OVER_BATCH_SIZE
    if reduction not in REDUCTIONS:
        raise ValueError(f"{owner}: reduction must be one of {REDUCTIONS}, got {reduction!r}.")
    return reduction


def same_axes(values: Any, weights: Any) -> tuple[Any, Any]:
    """Values and weights of one rank: weights for each sample get the missing axes.

    Raises:
        ValueError: The weights fit no leading axes of the values.
    """
    if tuple(values.shape) in ((), tuple(weights.shape)):
        return values, weights  # one loss for all samples meets each of the weights
    shapes = tuple(values.shape), tuple(weights.shape)
    values, weights = same_rank(values, weights)
    missing = len(values.shape) - len(weights.shape)
    if missing > 0 and len(weights.shape):
        weights = ops.reshape(weights, (*weights.shape, *[1] * missing))
    pairs = zip(values.shape, weights.shape)
    if missing < 0 or not all(w in (1, v) or v == 1 for v, w in pairs if v and w):
        raise ValueError(
            f"sample_weight of shape {shapes[1]} doesn't fit losses of shape {shapes[0]}. Give one "
            f"weight a sample, shape {shapes[0][:1]}, or one for each loss, shape {shapes[0]}."
        )
    return values, weights


def divide_no_nan(total: Any, count: Any) -> Any:
    """total / count, and 0 where the count is 0; a NaN total stays NaN."""
    empty = ops.equal(count, 0)
    return ops.divide(total, ops.where(empty, ops.ones_like(count), count))


def merge_mask(sample_weight: Any, mask: Any, dtype: str, reduction: str | None) -> Any:
    """Weights that are zero where the mask is False; None if there is neither.

    For a mean the others grow, so that it is the mean over what isn't masked.
    """
    if mask is None:
        return sample_weight
    weights = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        valid = ops.sum(weights)
        total = ops.full_like(valid, math.prod(mask.shape))
        weights = ops.multiply(weights, divide_no_nan(total, valid))
    if sample_weight is None:
        return weights
    weights, sample_weight = same_axes(weights, ops.cast(sample_weight, dtype))
    return ops.multiply(weights, sample_weight)


def reduce(values: Any, sample_weight: Any, mask: Any, reduction: str | None, dtype: str) -> Any:
    """Weigh the values and reduce them.

    Args:
        values: Losses, one a sample or time step: (batch, ...).
        sample_weight: Weights that broadcast to the values, (batch,), (batch, 1), ..., or None.
        mask: Booleans of the values' shape, False for what doesn't count, or None.
        reduction: One of `REDUCTIONS`.
        dtype: Dtype of the result.
    """
    values = values if ops.dtype_of(values) == dtype else ops.cast(values, dtype)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype)
    weights = merge_mask(sample_weight, mask, dtype, reduction)
    if weights is not None:
        values, weights = same_axes(values, weights)
        values = ops.multiply(values, weights)
    if reduction in (None, "none"):
        return loss_of_all(values, None)
    if tuple(values.shape) in ((), (0,)):
        return values
    if reduction == "sum":
        return loss_of_all(ops.sum(values), None)
    if reduction == "mean_with_sample_weight" and weights is not None:
        count = ops.sum(weights)
        return loss_of_all(divide_no_nan(ops.sum(values), count), count)
    mean = mean_of_all(values)
    return mean if mask is None else loss_of_all(mean, ops.sum(ops.cast(mask, dtype)))
