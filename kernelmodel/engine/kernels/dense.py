"""The dense kernel: one matrix product, bias and activation in place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.epilogue import finish, unfinish, xla_activate
from kernelmodel.engine.kernels.product import product
from kernelmodel.engine.kernels.rows import column_sums
from kernelmodel.engine.plan import unfolds
from kernelmodel.engine.primitive import fused


def as_rows(x: np.ndarray) -> np.ndarray:
    """(..., m) as a matrix (rows, m)."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


@forward_kernel
@unfolds
def forward(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None, *, activation: str | None = None
) -> tuple[np.ndarray, None]:
    """`activation(x @ kernel + bias)`.

    Args:
        x: (..., in).
        kernel: (in, out).
        bias: (out,) or None.
        activation: None, "linear", "relu", "tanh" or "sigmoid".

    Returns:
        (..., out), and no residuals.
    """
    y = product(as_rows(x), kernel)
    finish(y, bias, activation)
    return y.reshape(*x.shape[:-1], kernel.shape[1]), None


@backward_kernel
@unfolds
def backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    activation: str | None = None,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for x, kernel and bias."""
    x, kernel, bias = arrays
    g_rows = unfinish(as_rows(g), as_rows(out), activation)
    dx = product(g_rows, kernel.T).reshape(x.shape) if needed[0] else None
    dkernel = product(as_rows(x).T, g_rows) if needed[1] else None
    dbias = column_sums(g_rows) if needed[2] and bias is not None else None
    return dx, dkernel, dbias


def xla(x: Any, kernel: Any, bias: Any, *, activation: str | None = None) -> Any:
    """The same in `jax.numpy`."""
    y = x @ kernel
    return xla_activate(y if bias is None else y + bias, activation)


dense = fused("dense", forward, backward, xla)
