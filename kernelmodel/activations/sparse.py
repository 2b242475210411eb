"""Activation functions that make values zero, bend less or share out: named as in Keras."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.activations.functions import REGISTRY


@REGISTRY.register()
def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, `alpha * (exp(x / alpha) - 1)` elsewhere (Barron, 2017).

    Args:
        x: Array of any shape, or what becomes one.
        alpha: Size of the most negative result.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.celu([-1.0, 1.0]).round(3)
        array([-0.632,  1.   ], dtype=float32)
    """
    return ops.celu(x, alpha)


@REGISTRY.register()
def glu(x: Any, axis: int = -1) -> Any:
    """The first half along the axis times the sigmoid of the second (Dauphin et al., 2016).

    Args:
        x: Array of any shape, or what becomes one.
        axis: Axis; negative ones count from the last.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.glu([3.0, 0.0])
        array([1.5], dtype=float32)
    """
    return ops.glu(x, axis)


@REGISTRY.register()
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x, but zero where |x| is at most the threshold.

    Args:
        x: Array of any shape, or what becomes one.
        threshold: Width of the part that becomes zero, on each side.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.hard_shrink([-2.0, 0.2])
        array([-2.,  0.], dtype=float32)
    """
    return ops.hard_shrink(x, threshold)


@REGISTRY.register()
def hard_tanh(x: Any) -> Any:
    """x limited to [-1, 1].

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.hard_tanh([-2.0, 0.5])
        array([-1. ,  0.5], dtype=float32)
    """
    return ops.hard_tanh(x)


@REGISTRY.register()
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x moved towards zero by the threshold, and zero where it doesn't reach it.

    Args:
        x: Array of any shape, or what becomes one.
        threshold: Width of the part that becomes zero, on each side.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.soft_shrink([-2.0, 0.2])
        array([-1.5,  0. ], dtype=float32)
    """
    return ops.soft_shrink(x, threshold)


@REGISTRY.register()
def sparse_plus(x: Any) -> Any:
    """0 up to -1, (x + 1)² / 4 up to 1, then x: the integral of `sparse_sigmoid`.

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.sparse_plus([-2.0, 0.0, 2.0])
        array([0.  , 0.25, 2.  ], dtype=float32)
    """
    return ops.sparse_plus(x)


@REGISTRY.register()
def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2, limited to [0, 1].

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.sparse_sigmoid([-2.0, 0.0])
        array([0. , 0.5], dtype=float32)
    """
    return ops.sparse_sigmoid(x)


@REGISTRY.register()
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest probabilities to x: like softmax, but with zeros (Martins & Astudillo, 2016).

    Args:
        x: Array of any shape, or what becomes one.
        axis: Axis; negative ones count from the last.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.sparsemax([[1.0, 0.5, -1.0]])
        array([[0.75, 0.25, 0.  ]], dtype=float32)
    """
    return ops.sparsemax(x, axis)


@REGISTRY.register()
def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x² + b)) / 2, a smooth relu without exponentials (Barron, 2021).

    Args:
        x: Array of any shape, or what becomes one.
        b: How wide the bend at zero is.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.squareplus([0.0])
        array([1.], dtype=float32)
    """
    return ops.squareplus(x, b)


@REGISTRY.register()
def tanh_shrink(x: Any) -> Any:
    """x - tanh(x).

    Args:
        x: Array of any shape, or what becomes one.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.tanh_shrink([1.0]).round(3)
        array([0.238], dtype=float32)
    """
    return ops.tanh_shrink(x)


@REGISTRY.register()
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where it is above the threshold, the default elsewhere.

    Args:
        x: Array of any shape, or what becomes one.
        threshold: Values up to it are replaced.
        default_value: What replaces them.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.threshold([0.5, 2.0], 1.0, 0.0)
        array([0., 2.], dtype=float32)
    """
    return ops.threshold(x, threshold, default_value)
