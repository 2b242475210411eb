"""What a dense or convolution kernel does in place to its own output: bias and activation."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine import pool
from kernelmodel.engine.kernels import loops
from kernelmodel.engine.kernels.rows import apply_row
from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.plan import as_one
from kernelmodel.engine.translators import SMALL

FUSED_ACTIVATIONS = (None, "linear", "relu", "tanh", "sigmoid")


def logistic(x: np.ndarray, out: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) into `out`, which may be `x`; no warning for any finite x."""
    with np.errstate(over="ignore"):
        np.negative(x, out=out)
        np.exp(out, out=out)
        out += 1
        return np.reciprocal(out, out=out)


def plain_add_row_relu(y: np.ndarray, row: np.ndarray) -> None:
    """y = relu(y + row), in place."""
    apply_row(np.add, y, row, y)
    np.maximum(y, 0, out=y)


def plain_relu_gradient(g: np.ndarray, out: np.ndarray, result: np.ndarray) -> None:
    """result = g * (out > 0)."""
    np.multiply(g, out > 0, out=result)


add_row_relu = Twin(plain_add_row_relu, loops.add_row_relu, minimum=1 << 9, planned=SMALL)
relu_gradient = Twin(plain_relu_gradient, loops.relu_gradient, minimum=1 << 9, planned=SMALL)


def finish(y: np.ndarray, bias: np.ndarray | None, activation: str | None) -> None:
    """Add the bias to each row of a contiguous (n, m) matrix and apply the activation, in place.

    Raises:
        ValueError: The activation is not one of `FUSED_ACTIVATIONS`.
    """
    if activation not in FUSED_ACTIVATIONS:
        raise ValueError(
            f"A fused activation is one of {FUSED_ACTIVATIONS}, got {activation!r}. Apply "
            "other activations to the output of the kernel."
        )
    if activation == "relu" and bias is not None:
        add_row_relu(y, bias)
        return
    if bias is not None:
        apply_row(np.add, y, bias, y)
    if activation == "relu":
        np.maximum(y, 0, out=y)
    elif activation == "tanh":
        np.tanh(y, out=y)
    elif activation == "sigmoid":
        logistic(y, y)


def unfinish(g: np.ndarray, out: np.ndarray, activation: str | None) -> np.ndarray:
    """The gradient before the activation, from the one after it and the activation's output.

    Args:
        g: (n, m).
        out: (n, m).
        activation: As given to `finish`.

    Returns:
        A new array, or `g` itself for a linear activation: not to be written to.
    """
    if activation == "relu":
        small = out.nbytes < pool.SMALLEST
        result = as_one(np.empty_like if small else pool.empty_like, out)
        relu_gradient(g, out, result)
        return result
    if activation == "tanh":
        scale = out * out
        np.subtract(1, scale, out=scale)
    elif activation == "sigmoid":
        scale = 1 - out
        scale *= out
    else:
        return g
    scale *= g
    return scale


def xla_activate(y: Any, activation: str | None) -> Any:
    """The activation in `jax.numpy`."""
    import jax
    import jax.numpy as jnp

    functions = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}
    return functions[activation](y) if activation in functions else y
