"""Elementwise activations whose gradient by hand is shorter than that of their composition.

Each is stable for any finite input and warns about nothing. `softmax` is in `softmax.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.epilogue import logistic
from kernelmodel.engine.kernels.erf import error_function
from kernelmodel.engine.plan import unfolds
from kernelmodel.engine.primitive import Fused, fused

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
GELU_CUBIC = 0.044715


def sigmoid_of(x: np.ndarray) -> np.ndarray:
    """The logistic function in a new array."""
    return logistic(x, np.empty_like(x))


def relu_forward(
    x: np.ndarray,
    *,
    negative_slope: float = 0,
    max_value: float | None = None,
    threshold: float = 0,
) -> tuple[np.ndarray, None]:
    """x above the threshold, at most max_value; negative_slope * (x - threshold) below."""
    if threshold == 0:
        y = np.maximum(x, 0, out=np.empty_like(x))
    else:
        y = np.where(x > threshold, x, x.dtype.type(0))
    if max_value is not None:
        np.minimum(y, max_value, out=y)
    if negative_slope != 0:
        y += negative_slope * np.minimum(x - threshold if threshold else x, 0)
    return y, None


def relu_slope(
    x: np.ndarray,
    y: np.ndarray,
    residuals: None,
    *,
    negative_slope: float = 0,
    max_value: float | None = None,
    threshold: float = 0,
) -> np.ndarray:
    """1 between threshold and max_value, negative_slope below, 0 above."""
    above = x > threshold
    rising = above if max_value is None else above & (x < max_value)
    if negative_slope == 0:
        return rising
    return rising.astype(x.dtype) + x.dtype.type(negative_slope) * ~above


def relu_xla(
    x: Any, *, negative_slope: float = 0, max_value: float | None = None, threshold: float = 0
) -> Any:
    """relu in `jax.numpy`."""
    import jax.numpy as jnp

    top = x if max_value is None else jnp.where(x < max_value, x, jnp.asarray(max_value, x.dtype))
    return jnp.where(x > threshold, top, negative_slope * (x - threshold))


def sigmoid_forward(x: np.ndarray) -> tuple[np.ndarray, None]:
    """1 / (1 + exp(-x))."""
    return sigmoid_of(x), None


def sigmoid_slope(x: np.ndarray, y: np.ndarray, residuals: None) -> np.ndarray:
    """y (1 - y)."""
    return y * (1 - y)


def sigmoid_xla(x: Any) -> Any:
    """sigmoid in `jax.numpy`."""
    import jax

    return jax.nn.sigmoid(x)


def tanh_forward(x: np.ndarray) -> tuple[np.ndarray, None]:
    """tanh(x)."""
    return np.tanh(x), None


def tanh_slope(x: np.ndarray, y: np.ndarray, residuals: None) -> np.ndarray:
    """1 - y^2."""
    return 1 - y * y


def tanh_xla(x: Any) -> Any:
    """tanh in `jax.numpy`."""
    import jax.numpy as jnp

    return jnp.tanh(x)


def softplus_forward(x: np.ndarray) -> tuple[np.ndarray, None]:
    """log(1 + exp(x))."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), None


def softplus_slope(x: np.ndarray, y: np.ndarray, residuals: None) -> np.ndarray:
    """sigmoid(x)."""
    return sigmoid_of(x)


def softplus_xla(x: Any) -> Any:
    """softplus in `jax.numpy`."""
    import jax

    return jax.nn.softplus(x)


def silu_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x sigmoid(x)."""
    gate = sigmoid_of(x)
    return x * gate, gate


def silu_slope(x: np.ndarray, y: np.ndarray, gate: np.ndarray) -> np.ndarray:
    """s + y (1 - s) with s = sigmoid(x)."""
    return gate + y * (1 - gate)


def silu_xla(x: Any) -> Any:
    """silu in `jax.numpy`."""
    import jax

    return jax.nn.silu(x)


def gelu_forward(x: np.ndarray, *, approximate: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """x times the normal distribution function, or the approximation of it by a tanh."""
    if approximate:
        share = np.tanh(x * (SQRT_2_OVER_PI + (SQRT_2_OVER_PI * GELU_CUBIC) * np.square(x)))
    else:
        share = error_function(np.atleast_1d(x) * math.sqrt(0.5)).reshape(x.shape)
    share = 0.5 + 0.5 * share
    return x * share, share


def gelu_slope(
    x: np.ndarray, y: np.ndarray, share: np.ndarray, *, approximate: bool = True
) -> np.ndarray:
    """share + x share'."""
    square = np.square(x)
    if approximate:
        inner = SQRT_2_OVER_PI + (3 * SQRT_2_OVER_PI * GELU_CUBIC) * square
        return share + 2 * y * (1 - share) * inner
    return share + x * np.exp(-0.5 * square) * (0.5 * SQRT_2_OVER_PI)


def gelu_xla(x: Any, *, approximate: bool = True) -> Any:
    """gelu in `jax.numpy`."""
    import jax

    return jax.nn.gelu(x, approximate)


def elu_forward(
    x: np.ndarray, *, alpha: float = 1.0, scale: float = 1.0
) -> tuple[np.ndarray, None]:
    """scale times: x above 0, alpha (exp(x) - 1) below."""
    return scale * (np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))), None


def elu_slope(
    x: np.ndarray, y: np.ndarray, residuals: None, *, alpha: float = 1.0, scale: float = 1.0
) -> np.ndarray:
    """scale above 0; below, y + scale alpha."""
    return np.minimum(y, 0) + scale * alpha + (x > 0) * y.dtype.type(scale * (1 - alpha))


def elu_xla(x: Any, *, alpha: float = 1.0, scale: float = 1.0) -> Any:
    """elu in `jax.numpy`."""
    import jax.numpy as jnp

    return scale * jnp.where(x > 0, x, alpha * jnp.expm1(jnp.where(x > 0, 0, x)))


def elementwise(name: str, forward: Any, slope: Any, xla: Any) -> Fused:
    """A primitive of one array whose gradient is `g * slope(x, y, residuals, **static)`."""

    @unfolds
    def backward(
        g: np.ndarray, out: Any, residuals: Any, arrays: Any, needed: Any, **static: Any
    ) -> tuple[np.ndarray]:
        return (g * slope(arrays[0], out, residuals, **static),)

    return fused(name, forward_kernel(unfolds(forward)), backward_kernel(backward), xla)


relu = elementwise("relu", relu_forward, relu_slope, relu_xla)
sigmoid = elementwise("sigmoid", sigmoid_forward, sigmoid_slope, sigmoid_xla)
tanh = elementwise("tanh", tanh_forward, tanh_slope, tanh_xla)
softplus = elementwise("softplus", softplus_forward, softplus_slope, softplus_xla)
silu = elementwise("silu", silu_forward, silu_slope, silu_xla)
gelu = elementwise("gelu", gelu_forward, gelu_slope, gelu_xla)
elu = elementwise("elu", elu_forward, elu_slope, elu_xla)


def selu(x: Any) -> Any:
    """The self-normalizing unit: elu with the constants of Klambauer et al. 2017."""
    return elu(x, alpha=SELU_ALPHA, scale=SELU_SCALE)
