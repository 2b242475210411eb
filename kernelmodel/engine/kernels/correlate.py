"""Cross-correlation of two sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.primitive import fused


@forward_kernel
def forward(x: np.ndarray, y: np.ndarray, *, mode: str) -> tuple[np.ndarray, None]:
    """`out[k] = sum(x[n + k] * y[n])` for all shifts k ("full"), or the middle of them.

    Args:
        x: (n,).
        y: (m,).
        mode: "full", "same" (the length of the longer one) or "valid" (complete overlap).

    Returns:
        The sums, and no residuals.
    """
    return np.correlate(x, y, mode), None  # type: ignore[call-overload]


@backward_kernel
def backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    mode: str,
) -> tuple[np.ndarray, np.ndarray]:
    """The gradient set among zeros to all shifts, convolved and correlated with the other one."""
    x, y = arrays
    total = len(x) + len(y) - 1
    less = min(len(x), len(y))
    start = {"full": 0, "valid": less - 1, "same": less - less // 2 - 1}[mode]
    if len(x) < len(y):  # NumPy exchanges the two and turns the result over
        start = total - start - len(g)
    full = np.zeros(total, g.dtype)
    full[start : start + len(g)] = g
    dx = np.convolve(full, y, "valid")
    dy = np.correlate(x, full, "full")[len(x) - 1 : len(x) - 1 + len(y)]
    return dx.astype(x.dtype), dy.astype(y.dtype)


def xla(x: Any, y: Any, *, mode: str) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    return jnp.correlate(x, y, mode)


correlate = fused("correlate", forward, backward, xla)
