"""Activations that few models use."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import kernels
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.rules import where
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, dtype_of, extents
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import floating

__all__ = [
    "celu",
    "glu",
    "hard_shrink",
    "hard_tanh",
    "log_sigmoid",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh_shrink",
    "threshold",
]


def _zero(x: Any) -> Any:
    return np.zeros((), dtype_of(x))


@op
def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, `alpha * (exp(x / alpha) - 1)` elsewhere (Barron, 2017).

    Args:
        x: Array of any shape, or what becomes one.
        alpha: Size of the most negative result.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.celu([-1, 0, 2]).round(3)
        array([-0.632,  0.   ,  2.   ], dtype=float32)
    """
    x = floating(x)
    return kernels.elu(x / alpha) * alpha


@op
def glu(x: Any, axis: int = -1) -> Any:
    """The first half of an axis times the sigmoid of the second (Dauphin et al., 2016).

    Raises:
        ValueError: The axis has no even length.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.glu([4.0, 0.0])
        array([2.], dtype=float32)
    """
    x = floating(x)
    if extents(x)[axis] is not None and extents(x)[axis] % 2:
        checks.refuse("glu", "x", f"length {extents(x)[axis]}", f"of even length along axis {axis}")
    value, gate = anp.split(x, 2, axis)
    return value * kernels.sigmoid(gate)


@op
def hard_tanh(x: Any) -> Any:
    """x, limited to [-1, 1].

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.hard_tanh([-4, 0.5, 2])
        array([-1. ,  0.5,  1. ], dtype=float32)
    """
    return anp.clip(floating(x), -1, 1)


@op
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x, and zero where its size is at most the threshold.

    Args:
        x: Array of any shape, or what becomes one.
        threshold: Width of the part that becomes zero, on each side.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.hard_shrink([-1, 0.2, 2])
        array([-1.,  0.,  2.], dtype=float32)
    """
    x = floating(x)
    return where(np.greater(np.abs(getval(x)), threshold), x, _zero(x))


@op
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x moved towards zero by the threshold, and zero where it would cross it.

    Args:
        x: Array of any shape, or what becomes one.
        threshold: Width of the part that becomes zero, on each side.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.soft_shrink([-1, 0.2, 2])
        array([-0.5,  0. ,  1.5], dtype=float32)
    """
    x = floating(x)
    return x - anp.clip(x, -threshold, threshold)


@op
def tanh_shrink(x: Any) -> Any:
    """x less its hyperbolic tangent.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.tanh_shrink([-1, 0, 2]).round(3)
        array([-0.238,  0.   ,  1.036], dtype=float32)
    """
    x = floating(x)
    return x - anp.tanh(x)


@op
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where it is above the threshold, another value elsewhere.

    Args:
        x: Array of any shape, or what becomes one.
        threshold: Values up to it are replaced.
        default_value: What replaces them.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.threshold([-1.0, 1.0, 3.0], 1.0, 0.5)
        array([0.5, 0.5, 3. ], dtype=float32)
    """
    x = floating(x)
    return where(np.greater(getval(x), threshold), x, np.asarray(default_value, x.dtype))


@op
def log_sigmoid(x: Any) -> Any:
    """Logarithm of the sigmoid, without overflow.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.log_sigmoid([-1, 0, 2]).round(3)
        array([-1.313, -0.693, -0.127], dtype=float32)
    """
    return -kernels.softplus(-floating(x))


@op
def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x**2 + b)) / 2, a smooth relu without exponentials (Barron, 2021).

    Args:
        x: Array of any shape, or what becomes one.
        b: How wide the bend at zero is.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.squareplus([-1, 0, 2]).round(3)
        array([0.618, 1.   , 2.414], dtype=float32)
    """
    x = floating(x)
    return (x + anp.sqrt(x * x + np.asarray(b, x.dtype))) * 0.5


@op
def sparse_plus(x: Any) -> Any:
    """0 up to -1, x from 1 on, and (x + 1)**2 / 4 between: the integral of `sparse_sigmoid`.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.sparse_plus([-2, 0, 2])
        array([0.  , 0.25, 2.  ], dtype=float32)
    """
    x = floating(x)
    middle = anp.clip(x, -1, 1)
    return kernels.relu(x - 1) + (middle + 1) ** 2 * 0.25


@op
def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2, limited to [0, 1].

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.sparse_sigmoid([-2, 0, 2])
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return (anp.clip(floating(x), -1, 1) + 1) * 0.5


@op
def sparsemax(x: Any, axis: int = -1) -> Any:
    """Probabilities of which many are zero: the nearest point to x among all that sum to one.

    Source: Martins & Astudillo, *From softmax to sparsemax*, 2016.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.sparsemax([1.0, 0.5, -2.0])
        array([0.75, 0.25, 0.  ], dtype=float32)
    """
    x = floating(x)
    values = getval(x)
    ordered = np.flip(np.sort(values, axis=axis), axis)
    ranks = np.arange(1, extents(values)[axis] + 1, dtype=dtype_of(x))
    ranks = np.reshape(
        ranks, [-1 if i == axis % len(extents(x)) else 1 for i in range(len(extents(x)))]
    )
    support = np.greater(1 + ranks * ordered, np.cumsum(ordered, axis=axis))
    count = np.sum(support, axis=axis, keepdims=True)
    least = np.min(np.where(support, ordered, np.inf), axis=axis, keepdims=True)
    inside = np.greater_equal(values, least)
    total = anp.sum(where(inside, x, _zero(x)), axis=axis, keepdims=True)
    level = (total - 1) / _cast(count, dtype_of(x))
    return kernels.relu(x - level)
