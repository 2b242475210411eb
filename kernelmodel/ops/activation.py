"""Activations, element by element, and scores as probabilities."""

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
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
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
    return kernels.sigmoid(floating(x))


@op
def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return anp.tanh(floating(x))


@op
def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return kernels.softplus(floating(x))


@op
def silu(x: Any) -> Any:
    """x times its sigmoid (Ramachandran et al., *Swish*, 2017)."""
    return kernels.silu(floating(x))


swish = silu


@op
def gelu(x: Any, approximate: bool = True) -> Any:
    """x times the normal distribution function of x (Hendrycks & Gimpel, 2016).

    Args:
        x: Floats of any shape.
        approximate: Use the formula with tanh instead of the error function.
    """
    return kernels.gelu(floating(x), approximate=approximate)


@op
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2015)."""
    return kernels.elu(floating(x), alpha=alpha)


@op
def selu(x: Any) -> Any:
    """A scaled elu that keeps mean and variance (Klambauer et al., 2017)."""
    return kernels.selu(floating(x))


@op
def softsign(x: Any) -> Any:
    """x / (1 + abs(x))."""
    x = floating(x)
    return x / (1 + anp.abs(x))


@op
def hard_sigmoid(x: Any) -> Any:
    """x / 6 + 0.5, limited to [0, 1]."""
    return kernels.relu(floating(x) + 3, max_value=6.0) / 6


@op
def hard_silu(x: Any) -> Any:
    """x times its hard sigmoid."""
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
    """Logarithm of the softmax, without overflow."""
    return kernels.log_softmax(floating(x), axis=axis)


def _zero(x: Any) -> Any:
    return np.zeros((), dtype_of(x))


@op
def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, `alpha * (exp(x / alpha) - 1)` elsewhere (Barron, 2017)."""
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
    """x, limited to [-1, 1]."""
    return anp.clip(floating(x), -1, 1)


@op
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x, and zero where its size is at most the threshold."""
    x = floating(x)
    return where(np.greater(np.abs(getval(x)), threshold), x, _zero(x))


@op
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x moved towards zero by the threshold, and zero where it would cross it."""
    x = floating(x)
    return x - anp.clip(x, -threshold, threshold)


@op
def tanh_shrink(x: Any) -> Any:
    """x less its hyperbolic tangent."""
    x = floating(x)
    return x - anp.tanh(x)


@op
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where it is above the threshold, another value elsewhere.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.threshold([-1.0, 1.0, 3.0], 1.0, 0.5)
        array([0.5, 0.5, 3. ], dtype=float32)
    """
    x = floating(x)
    return where(np.greater(getval(x), threshold), x, np.asarray(default_value, x.dtype))


@op
def log_sigmoid(x: Any) -> Any:
    """Logarithm of the sigmoid, without overflow."""
    return -kernels.softplus(-floating(x))


@op
def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x**2 + b)) / 2, a smooth relu without exponentials (Barron, 2021)."""
    x = floating(x)
    return (x + anp.sqrt(x * x + np.asarray(b, x.dtype))) * 0.5


@op
def sparse_plus(x: Any) -> Any:
    """0 up to -1, x from 1 on, and (x + 1)**2 / 4 between: the integral of `sparse_sigmoid`."""
    x = floating(x)
    middle = anp.clip(x, -1, 1)
    return kernels.relu(x - 1) + (middle + 1) ** 2 * 0.25


@op
def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2, limited to [0, 1]."""
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
