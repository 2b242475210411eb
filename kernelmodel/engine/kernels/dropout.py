"""The dropout kernel: zero what a mask drops and scale up the rest."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine import pool
from kernelmodel.engine.kernels import loops
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.plan import as_one, unfolds
from kernelmodel.engine.primitive import fused
from kernelmodel.engine.translators import SMALL


def plain_thin(x: np.ndarray, keep: np.ndarray, y: np.ndarray, scale: np.floating) -> None:
    """y = x * keep * scale: arrays of one axis; keep holds 0 and 1."""
    np.multiply(x, keep, out=y)
    np.multiply(y, scale, out=y)


thin = Twin(plain_thin, loops.thin, minimum=1 << 10, planned=SMALL)


def masked(x: np.ndarray, keep: np.ndarray, rate: float) -> np.ndarray:
    """x * keep / (1 - rate), in the dtype of x; zeros if everything is dropped."""
    scale = x.dtype.type(1 / (1 - rate) if rate < 1 else 0.0)
    keep = keep.view(np.uint8) if keep.dtype == bool else keep
    if x.size >= thin.planned and keep.shape == x.shape:
        return as_one(masked_whole, x, keep, scale)
    y = np.multiply(x, keep, dtype=x.dtype)
    return np.multiply(y, scale, out=y)


def masked_whole(x: np.ndarray, keep: np.ndarray, scale: np.floating) -> np.ndarray:
    """x * keep * scale for large arrays of one shape."""
    x, keep = np.ascontiguousarray(x), np.ascontiguousarray(keep, np.uint8)
    y = pool.empty_like(x)
    thin(x.reshape(-1), keep.reshape(-1), y.reshape(-1), scale)
    return y


@forward_kernel
@unfolds
def forward(x: np.ndarray, keep: np.ndarray, *, rate: float) -> tuple[np.ndarray, None]:
    """Apply a dropout mask.

    Args:
        x: Any shape, floating point.
        keep: bool or uint8 (0 or 1), broadcast to x; where it is 0, x is dropped.
        rate: Fraction dropped; what stays is divided by 1 - rate.

    Returns:
        An array like x, and no residuals.
    """
    return masked(x, keep, rate), None


@backward_kernel
@unfolds
def backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    rate: float,
) -> tuple[np.ndarray, None]:
    """The gradient for x: the same mask and scale."""
    return masked(g, arrays[1], rate), None


def xla(x: Any, keep: Any, *, rate: float) -> Any:
    """The same in `jax.numpy`."""
    return x * keep.astype(x.dtype) * (1 / (1 - rate) if rate < 1 else 0.0)


dropout = fused("dropout", forward, backward, xla)
