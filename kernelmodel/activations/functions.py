"""Activation functions, named as Keras names them."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.lookup import Registry

REGISTRY = Registry("activation function", "keras.activations")


@REGISTRY.register()
def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """The positive part of x: max(x, 0), with options.

    Args:
        x: Numbers of any shape.
        negative_slope: Slope below the threshold.
        max_value: Largest result, or None.
        threshold: Values up to it count as negative.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.relu([-2.0, 3.0, 9.0], max_value=6.0)
        array([0., 3., 6.], dtype=float32)
    """
    if threshold == 0 and max_value is None:
        return ops.leaky_relu(x, negative_slope) if negative_slope else ops.relu(x)
    if threshold == 0 and max_value == 6 and not negative_slope:
        return ops.relu6(x)
    x = ops.convert_to_tensor(x)
    above = ops.where(ops.greater(x, threshold), x, ops.zeros_like(x)) if threshold else ops.relu(x)
    if max_value is not None:
        above = ops.minimum(above, max_value)
    return above - negative_slope * ops.relu(threshold - x) if negative_slope else above


@REGISTRY.register()
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x where it is positive, `negative_slope * x` elsewhere (Maas et al., 2013).

    Args:
        x: Array of any shape, or what becomes one.
        negative_slope: Slope below zero.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.leaky_relu([-1.0, 1.0])
        array([-0.2, 1. ], dtype=float32)
    """
    return ops.leaky_relu(x, negative_slope)


@REGISTRY.register()
def relu6(x: Any) -> Any:
    """The positive part of x, at most six.

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.relu6([-1.0, 8.0])
        array([0., 6.], dtype=float32)
    """
    return ops.relu6(x)


@REGISTRY.register()
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2015).

    Args:
        x: Array of any shape, or what becomes one.
        alpha: Size of the most negative result.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.elu([-1.0, 1.0]).round(3)
        array([-0.632, 1. ], dtype=float32)
    """
    return ops.elu(x, alpha)


@REGISTRY.register()
def selu(x: Any) -> Any:
    """elu scaled so that deep networks keep mean 0 and variance 1 (Klambauer et al., 2017).

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.selu([-1.0, 1.0]).round(3)
        array([-1.111, 1.051], dtype=float32)
    """
    return ops.selu(x)


@REGISTRY.register()
def softplus(x: Any) -> Any:
    """log(1 + exp(x)), a smooth relu.

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.softplus([0.0]).round(3)
        array([0.693], dtype=float32)
    """
    return ops.softplus(x)


@REGISTRY.register()
def softsign(x: Any) -> Any:
    """x / (1 + |x|).

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.softsign([-1.0, 1.0])
        array([-0.5, 0.5], dtype=float32)
    """
    return ops.softsign(x)


@REGISTRY.register()
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)).

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.sigmoid([0.0])
        array([0.5], dtype=float32)
    """
    return ops.sigmoid(x)


@REGISTRY.register()
def tanh(x: Any) -> Any:
    """Hyperbolic tangent.

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.tanh([0.0])
        array([0.], dtype=float32)
    """
    return ops.tanh(x)


@REGISTRY.register("swish")
def silu(x: Any) -> Any:
    """x times its sigmoid (Elfwing et al., 2017; Ramachandran et al., 2017).

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.silu([1.0]).round(3)
        array([0.731], dtype=float32)
    """
    return ops.silu(x)


@REGISTRY.register("hard_swish")
def hard_silu(x: Any) -> Any:
    """x times its hard sigmoid (Howard et al., 2019).

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.hard_silu([-4.0, 4.0])
        array([-0., 4.], dtype=float32)
    """
    return ops.hard_silu(x)


@REGISTRY.register()
def gelu(x: Any, approximate: bool = False) -> Any:
    """x times the normal distribution function of x (Hendrycks & Gimpel, 2016).

    Args:
        x: Numbers of any shape.
        approximate: Use the formula with tanh instead of the error function.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.gelu([1.0]).round(3)
        array([0.841], dtype=float32)
    """
    return ops.gelu(x, approximate)


@REGISTRY.register()
def exponential(x: Any) -> Any:
    """e to the power of x.

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.exponential([0.0])
        array([1.], dtype=float32)
    """
    return ops.exp(x)


@REGISTRY.register()
def linear(x: Any) -> Any:
    """x itself.

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.linear(3.0)
        3.0
    """
    return x


@REGISTRY.register()
def hard_sigmoid(x: Any) -> Any:
    """x / 6 + 0.5, limited to [0, 1].

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.hard_sigmoid([-3.0, 0.0, 3.0])
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return ops.hard_sigmoid(x)


@REGISTRY.register()
def softmax(x: Any, axis: int = -1) -> Any:
    """Exponentials of x that sum to one along the axis: scores as probabilities.

    Args:
        x: Array of any shape, or what becomes one.
        axis: Axis; negative ones count from the last.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.softmax([[1.0, 1.0]])
        array([[0.5, 0.5]], dtype=float32)
    """
    return ops.softmax(x, axis)


@REGISTRY.register()
def log_softmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of the softmax, without overflow.

    Args:
        x: Array of any shape, or what becomes one.
        axis: Axis; negative ones count from the last.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.log_softmax([[1.0, 1.0]]).round(3)
        array([[-0.693, -0.693]], dtype=float32)
    """
    return ops.log_softmax(x, axis)


@REGISTRY.register()
def log_sigmoid(x: Any) -> Any:
    """The logarithm of the sigmoid, without overflow.

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.log_sigmoid([0.0]).round(3)
        array([-0.693], dtype=float32)
    """
    return -ops.softplus(ops.negative(x))


@REGISTRY.register()
def mish(x: Any) -> Any:
    """x times the tanh of its softplus (Misra, 2019).

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.mish([1.0]).round(3)
        array([0.865], dtype=float32)
    """
    x = ops.convert_to_tensor(x)
    return x * ops.tanh(ops.softplus(x))


swish, hard_swish = silu, hard_silu
