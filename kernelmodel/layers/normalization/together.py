"""Batch normalization with the statistics of a batch that lies on several workers."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.engine.exchange import loss_of_all, mean_over_workers


def normalize_together(
    inputs: Any, gamma: Any, beta: Any, mask: Any, axes: tuple[int, ...], epsilon: float
) -> tuple[Any, Any, Any]:
    """What `batch_norm_train` does, for the batch of all workers.

    Args:
        inputs: This worker's part of the batch, (samples, ...).
        gamma: Factor of each channel, or None.
        beta: Shift of each channel, or None.
        mask: Booleans, False for positions that don't count; or None.
        axes: All axes but that of the channels.
        epsilon: Added to the variance.

    Returns:
        The outputs, and mean and variance of each channel.
    """
    weights = None
    if mask is not None:
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)

    def mean_of(values: Any) -> Any:
        if weights is None:
            return mean_over_workers(ops.mean(values, axis=axes, keepdims=True))
        count = ops.sum(weights)
        own = ops.sum(values * weights, axis=axes, keepdims=True)
        return mean_over_workers(loss_of_all(own / ops.maximum(count, 1.0), count))

    mean = mean_of(inputs)
    centred = inputs - mean
    variance = mean_of(centred * centred)
    outputs = centred / ops.sqrt(variance + epsilon)
    if gamma is not None:
        outputs = outputs * ops.reshape(gamma, mean.shape)
    if beta is not None:
        outputs = outputs + ops.reshape(beta, mean.shape)
    return outputs, ops.reshape(mean, (-1,)), ops.reshape(variance, (-1,))
