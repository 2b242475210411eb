"""Activations, element by element, and scores as probabilities."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp

from kernelmodel.engine import kernels
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import floating

__all__ = [
    "elu",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
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
    """The positive part, at most six.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.relu6([-1, 3, 9])
        array([0., 3., 6.], dtype=float32)
    """
    return kernels.relu(floating(x), max_value=6.0)


@op
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x where it is positive, `negative_slope` times x elsewhere.

    Args:
        x: Array of any shape, or what becomes one.
        negative_slope: Slope below zero.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.leaky_relu([-1, 0, 2])
        array([-0.2,  0. ,  2. ], dtype=float32)
    """
    return kernels.relu(floating(x), negative_slope=negative_slope)


@op
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.sigmoid([-1, 0, 2]).round(3)
        array([0.269, 0.5  , 0.881], dtype=float32)
    """
    return kernels.sigmoid(floating(x))


@op
def tanh(x: Any) -> Any:
    """Hyperbolic tangent.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.tanh([-1, 0, 2]).round(3)
        array([-0.762,  0.   ,  0.964], dtype=float32)
    """
    return anp.tanh(floating(x))


@op
def softplus(x: Any) -> Any:
    """log(1 + exp(x)).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.softplus([-1, 0, 2]).round(3)
        array([0.313, 0.693, 2.127], dtype=float32)
    """
    return kernels.softplus(floating(x))


@op
def silu(x: Any) -> Any:
    """x times its sigmoid (Ramachandran et al., *Swish*, 2017).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.silu([-1, 0, 2]).round(3)
        array([-0.269,  0.   ,  1.762], dtype=float32)
    """
    return kernels.silu(floating(x))


swish = silu


@op
def gelu(x: Any, approximate: bool = True) -> Any:
    """x times the normal distribution function of x (Hendrycks & Gimpel, 2016).

    Args:
        x: Floats of any shape.
        approximate: Use the formula with tanh instead of the error function.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.gelu([-1, 0, 2]).round(3)
        array([-0.159,  0.   ,  1.955], dtype=float32)
    """
    return kernels.gelu(floating(x), approximate=approximate)


@op
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2015).

    Args:
        x: Array of any shape, or what becomes one.
        alpha: Size of the most negative result.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.elu([-1, 0, 2]).round(3)
        array([-0.632,  0.   ,  2.   ], dtype=float32)
    """
    return kernels.elu(floating(x), alpha=alpha)


@op
def selu(x: Any) -> Any:
    """A scaled elu that keeps mean and variance (Klambauer et al., 2017).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.selu([-1, 0, 2]).round(3)
        array([-1.111,  0.   ,  2.101], dtype=float32)
    """
    return kernels.selu(floating(x))


@op
def softsign(x: Any) -> Any:
    """x / (1 + abs(x)).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.softsign([-1, 0, 3])
        array([-0.5 ,  0.  ,  0.75], dtype=float32)
    """
    x = floating(x)
    return x / (1 + anp.abs(x))


@op
def hard_sigmoid(x: Any) -> Any:
    """x / 6 + 0.5, limited to [0, 1].

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.hard_sigmoid([-4, 0, 1]).round(3)
        array([0.   , 0.5  , 0.667], dtype=float32)
    """
    return kernels.relu(floating(x) + 3, max_value=6.0) / 6


@op
def hard_silu(x: Any) -> Any:
    """x times its hard sigmoid.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.hard_silu([-4, 0, 1]).round(3)
        array([-0.   ,  0.   ,  0.667], dtype=float32)
    """
    return floating(x) * hard_sigmoid(x)


hard_swish = hard_silu


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
    return kernels.softmax(floating(x), axis=axis)


@op
def log_softmax(x: Any, axis: int = -1) -> Any:
    """Logarithm of the softmax, without overflow.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.log_softmax([1, 1]).round(3)
        array([-0.693, -0.693], dtype=float32)
    """
    return kernels.log_softmax(floating(x), axis=axis)
