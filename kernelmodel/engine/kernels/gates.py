"""Activations of recurrent cells, in place, and their slopes from their own outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels.epilogue import logistic

FUSED_GATES = ("tanh", "sigmoid", "hard_sigmoid", "relu", "linear", None)


def check_gates(kernel: str, *activations: str | None) -> None:
    """Raise ValueError for an activation that recurrent kernels don't know."""
    for activation in activations:
        if activation not in FUSED_GATES:
            raise ValueError(
                f"{kernel}: a fused cell activation is one of {FUSED_GATES}, got "
                f"{activation!r}. Run such a cell step by step instead."
            )


def gate(z: np.ndarray, activation: str | None) -> None:
    """Apply the activation in place."""
    if activation == "tanh":
        np.tanh(z, out=z)
    elif activation == "sigmoid":
        logistic(z, z)
    elif activation == "hard_sigmoid":
        z *= 1 / 6
        z += 0.5
        np.clip(z, 0, 1, out=z)
    elif activation == "relu":
        np.maximum(z, 0, out=z)


def slope(y: np.ndarray, activation: str | None) -> Any:
    """The activation's derivative where its output is `y`."""
    if activation == "tanh":
        return 1 - y * y
    if activation == "sigmoid":
        return y * (1 - y)
    if activation == "hard_sigmoid":
        return ((y > 0) & (y < 1)).astype(y.dtype) * y.dtype.type(1 / 6)
    if activation == "relu":
        return (y > 0).astype(y.dtype)
    return y.dtype.type(1)


def xla_gate(z: Any, activation: str | None) -> Any:
    """The activation in `jax.numpy`."""
    import jax
    import jax.numpy as jnp

    functions = {
        "tanh": jnp.tanh,
        "sigmoid": jax.nn.sigmoid,
        "hard_sigmoid": jax.nn.hard_sigmoid,
        "relu": jax.nn.relu,
    }
    return functions[activation](z) if activation in functions else z
