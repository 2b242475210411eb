"""Ops of neural networks: activations, normalized scores, cross-entropies."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp

from kernelmodel.engine import kernels
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.elementwise import _floating

__all__ = [
    "elu",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "leaky_relu",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]


@op
def relu(x: Any) -> Any:
    """The positive part: max(x, 0).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.relu([-1.0, 2.0])
        array([0., 2.], dtype=float32)
    """
    return kernels.relu(x)


@op
def relu6(x: Any) -> Any:
    """The positive part, at most six."""
    return kernels.relu(x, max_value=6.0)


@op
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x where it is positive, `negative_slope` times x elsewhere."""
    return kernels.relu(x, negative_slope=negative_slope)


@op
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return kernels.sigmoid(_floating(x))


@op
def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return anp.tanh(_floating(x))


@op
def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return kernels.softplus(_floating(x))


@op
def silu(x: Any) -> Any:
    """x times its sigmoid (Ramachandran et al., *Swish*, 2017)."""
    return kernels.silu(_floating(x))


swish = silu


@op
def gelu(x: Any, approximate: bool = True) -> Any:
    """x times the normal distribution function of x (Hendrycks & Gimpel, 2016).

    Args:
        x: Floats of any shape.
        approximate: Use the formula with tanh instead of the error function.
    """
    return kernels.gelu(_floating(x), approximate=approximate)


@op
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2015)."""
    return kernels.elu(_floating(x), alpha=alpha)


@op
def selu(x: Any) -> Any:
    """A scaled elu that keeps mean and variance (Klambauer et al., 2017)."""
    return kernels.selu(_floating(x))


@op
def softsign(x: Any) -> Any:
    """x / (1 + abs(x))."""
    x = _floating(x)
    return x / (1 + anp.abs(x))


@op
def hard_sigmoid(x: Any) -> Any:
    """x / 6 + 0.5, limited to [0, 1]."""
    return kernels.relu(_floating(x) + 3, max_value=6.0) / 6


@op
def hard_silu(x: Any) -> Any:
    """x times its hard sigmoid."""
    return _floating(x) * hard_sigmoid(x)


@op
def softmax(x: Any, axis: int | None = -1) -> Any:
    """Exponentials that sum to one along the axis.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.softmax([[0.0, 0.0]])
        array([[0.5, 0.5]], dtype=float32)
    """
    if axis is None:
        return anp.reshape(kernels.softmax(anp.reshape(x, (-1,)), axis=-1), anp.shape(x))
    return kernels.softmax(_floating(x), axis=axis)


@op
def log_softmax(x: Any, axis: int = -1) -> Any:
    """Logarithm of the softmax, without overflow."""
    return kernels.log_softmax(_floating(x), axis=axis)
