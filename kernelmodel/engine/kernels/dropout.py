"""The dropout kernel: zero what a mask drops and scale up the rest."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.plan import unfolds
from kernelmodel.engine.primitive import fused


def masked(x: np.ndarray, keep: np.ndarray, rate: float) -> np.ndarray:
    """x * keep / (1 - rate), in the dtype of x; zeros if everything is dropped."""
    scale = 1 / (1 - rate) if rate < 1 else 0.0
    keep = keep.view(np.uint8) if keep.dtype == bool else keep
    y = np.multiply(x, keep, dtype=x.dtype)
    return np.multiply(y, scale, out=y)


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
