"""Arrays brought to a common scale."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import kernels
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, dtype_of, extents
from kernelmodel.ops.dispatch import _array_like, op
from kernelmodel.ops.families import floating, wide
from kernelmodel.ops.solving import norm

__all__ = [
    "batch_normalization",
    "layer_normalization",
    "moments",
    "normalize",
    "rms_normalization",
]

Axes = int | tuple[int, ...] | list[int]


def _axes(name: str, axis: Axes, rank: int) -> tuple[int, ...]:
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if any(not -rank <= a < rank for a in axes):
        checks.refuse(name, "axis", axis, f"axes of an array of rank {rank}")
    return tuple(sorted(a % rank for a in axes))


def _fitted(name: str, argument: str, x: Any, axes: tuple[int, ...], like: Any) -> Any:
    """A scale or shift in the extents of the axes, or None."""
    if x is None:
        return None
    lengths = tuple(extents(like)[a] for a in axes)
    x = _array_like(x)
    if int(np.prod(extents(x))) != int(np.prod(lengths)):
        checks.refuse(name, argument, f"shape {extents(x)}", f"of shape {lengths}")
    return _cast(anp.reshape(x, lengths), dtype_of(like))


@op
def moments(x: Any, axes: Axes, keepdims: bool = False, synchronized: bool = False) -> Any:
    """Mean and variance over the axes.

    Args:
        x: Numbers of any shape; float16 is computed in float32.
        axes: Axes to reduce.
        keepdims: Whether reduced axes stay with length one.
        synchronized: Must be False: training runs in one process.

    Returns:
        Mean and variance.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.moments([1.0, 3.0], 0)
        (np.float32(2.0), np.float32(1.0))
    """
    if synchronized:
        checks.refuse("moments", "synchronized", True, "False")
    x = floating(x)
    over = _axes("moments", axes, len(extents(x)))
    wide = _cast(x, "float32") if dtype_of(x) in ("float16", "bfloat16") else x
    mean = anp.mean(wide, axis=over, keepdims=True)
    centred = wide - mean
    variance = anp.mean(centred * centred, axis=over, keepdims=keepdims)
    mean = mean if keepdims else anp.squeeze(mean, over)
    return _cast(mean, dtype_of(x)), _cast(variance, dtype_of(x))


@op
def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:
    """Normalize with the mean and the variance of each feature.

    Args:
        x: Numbers of any shape.
        mean: Means (features,).
        variance: Variances (features,).
        axis: The axis of the features.
        offset: What to add afterwards (features,), or None.
        scale: What to multiply with afterwards (features,), or None.
        epsilon: Added to the variance.

    Raises:
        ValueError: A shape doesn't fit.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.batch_normalization([[1.0, 2.0]], [0.0, 1.0], [1.0, 1.0], -1, epsilon=0.0)
        array([[1., 1.]], dtype=float32)
    """
    name, x = "batch_normalization", floating(x)
    (feature,) = _axes(name, axis, len(extents(x)))
    mean, variance, scale, offset = (
        _fitted(name, argument, part, (feature,), x)
        for argument, part in (
            ("mean", mean), ("variance", variance), ("scale", scale), ("offset", offset),
        )
    )  # fmt: skip
    over = tuple(a for a in range(len(extents(x))) if a != feature)
    return kernels.batch_norm_apply(x, mean, variance, scale, offset, axes=over, epsilon=epsilon)


@op
def layer_normalization(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    axis: Axes = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Any:
    """Normalize with the mean and the variance over the axes of each sample.

    Args:
        x: Numbers of any shape.
        gamma: Scale in the extents of the axes, or None.
        beta: Shift in the extents of the axes, or None.
        axis: Axes that share a mean.
        epsilon: Added to the variance; None for `config.epsilon()`.
        **kwargs: `rms_scaling=True` leaves the mean out; prefer `rms_normalization`.

    Raises:
        ValueError: A shape doesn't fit.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.layer_normalization([1.0, 3.0]).round(4)
        array([-1.,  1.], dtype=float32)
    """
    name, x = "layer_normalization", floating(x)
    rms = kwargs.pop("rms_scaling", False)
    if kwargs:
        raise TypeError(f"layer_normalization has no argument {next(iter(kwargs))!r}.")
    if rms:
        scaled = rms_normalization(x, gamma, axis, epsilon)
        return scaled if beta is None else scaled + beta
    axes = _axes(name, axis, len(extents(x)))
    gamma, beta = (
        _fitted(name, argument, part, axes, x)
        for argument, part in (("gamma", gamma), ("beta", beta))
    )
    return kernels.layer_norm(
        x, gamma, beta, axes=axes, epsilon=DEFAULTS.epsilon if epsilon is None else epsilon
    )


@op
def rms_normalization(
    x: Any, scale: Any = None, axis: Axes = -1, epsilon: float | None = None
) -> Any:
    """Divide by the root of the mean square over the axes (Zhang & Sennrich, 2019).

    Args:
        x: Numbers of any shape.
        scale: What to multiply with afterwards, in the extents of the axes, or None.
        axis: Axes that share a mean square.
        epsilon: Added to the mean square; None for `config.epsilon()`.

    Raises:
        ValueError: A shape doesn't fit.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.rms_normalization([3.0, 3.0]).round(4)
        array([1., 1.], dtype=float32)
    """
    name, x = "rms_normalization", floating(x)
    axes = _axes(name, axis, len(extents(x)))
    scale = _fitted(name, "scale", scale, axes, x)
    epsilon = DEFAULTS.epsilon if epsilon is None else epsilon
    return kernels.rms_norm(x, scale, axes=axes, epsilon=epsilon)


@op
def normalize(x: Any, axis: Axes = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """Vectors divided by their length.

    Args:
        x: Numbers of any shape.
        axis: Axis of the vectors, or several that form one.
        order: Exponent of the p-norm, an integer from one up.
        epsilon: Least length to divide by; None for `config.epsilon()`.

    Raises:
        ValueError: Another order.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.normalize([3.0, 4.0])
        array([0.6, 0.8], dtype=float32)
    """
    if not isinstance(order, int) or order < 1:
        checks.refuse("normalize", "order", repr(order), "an integer from one up")
    x = floating(x)
    x = anp.reshape(x, (1,)) if not extents(x) else x
    least = DEFAULTS.epsilon if epsilon is None else epsilon
    axes = _axes("normalize", axis, len(extents(x)))
    if order == 2:
        exact = wide(x)  # the square of the least length is zero in float16
        squares = anp.sum(exact * exact, axis=axes, keepdims=True)
        # The least length bounds its square, so that zero vectors have a gradient too.
        found = exact / anp.sqrt(anp.maximum(squares, np.asarray(least**2, dtype_of(exact))))
        return _cast(found, dtype_of(x))
    length = norm(x, ord=order, axis=axes if len(axes) > 1 else axes[0], keepdims=True)
    return x / anp.maximum(length, np.asarray(least, dtype_of(x)))
