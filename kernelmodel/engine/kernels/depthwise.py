"""Depthwise convolution, one channel a filter: multiplied and added tap by tap."""

from __future__ import annotations

import math

import numpy as np

from kernelmodel.engine import pool
from kernelmodel.engine.kernels.rows import column_sums
from kernelmodel.engine.kernels.windows import Windows


def by_tap(kernel: np.ndarray, channels: int) -> np.ndarray:
    """(*size, 1, channels * multiplier) as (taps, channels, multiplier)."""
    return kernel.reshape(math.prod(kernel.shape[:-1]), channels, -1)


def multiply(padded: np.ndarray, kernel: np.ndarray, w: Windows, out: np.ndarray) -> None:
    """Write the convolution into `out`, (batch, *out, channels * multiplier)."""
    weights = by_tap(kernel, padded.shape[-1])
    split = out.reshape(*out.shape[:-1], *weights.shape[1:])
    term = pool.empty(split.shape, split.dtype)
    for i, (weight, tap) in enumerate(zip(weights, w.taps())):
        np.multiply(padded[tap][..., None], weight, out=term if i else split)
        if i:
            split += term


def add_kernel_gradient(padded: np.ndarray, g: np.ndarray, w: Windows, dkernel: np.ndarray) -> None:
    """Add to `dkernel` what a block of outputs with gradient `g` contributes."""
    gradients = by_tap(dkernel, padded.shape[-1])
    split = g.reshape(*g.shape[:-1], *gradients.shape[1:])
    term = pool.empty(split.shape, split.dtype)
    for gradient, tap in zip(gradients, w.taps()):
        np.multiply(padded[tap][..., None], split, out=term)
        gradient += column_sums(term.reshape(-1, gradient.size)).reshape(gradient.shape)


def add_input_gradient(g: np.ndarray, kernel: np.ndarray, w: Windows, padded: np.ndarray) -> None:
    """Add to `padded`, (batch, *padded, channels), the input's gradient."""
    weights = by_tap(kernel, padded.shape[-1])
    split = g.reshape(*g.shape[:-1], *weights.shape[1:])
    single = weights.shape[-1] == 1
    for weight, tap in zip(weights, w.taps()):
        seen = padded[tap]
        seen += split[..., 0] * weight[:, 0] if single else (split * weight).sum(-1)
