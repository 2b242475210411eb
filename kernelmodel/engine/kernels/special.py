"""Special functions beside the error function: its complement and its inverse.

Sources: the Cephes library (Moshier 1984) for the complement; Giles 2010, "Approximating the erfinv
function", for the start of the inverse, which Halley's method then makes exact.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.erf import OUTER_P, OUTER_Q, error_function, polynomial
from kernelmodel.engine.primitive import fused

# erfc(x) = exp(-x^2) P(x) / Q(x) above 8.
FAR_P = (
    5.64189583547755073984e-1,
    1.27536670759978104416e0,
    5.01905042251180477414e0,
    6.16021097993053585195e0,
    7.40974269950448939160e0,
    2.97886665372100240670e0,
)
FAR_Q = (
    1.0,
    2.26052863220117276590e0,
    9.39603524938001434673e0,
    1.20489539808096656605e1,
    1.70814450747565897222e1,
    9.60896809063285878198e0,
    3.36907645100081516050e0,
)
CENTRAL = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
    -0.00125372503, -0.00417768164, 0.246640727, 1.50140941,
)  # fmt: skip
TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
    -0.0076224613, 0.00943887047, 1.00167406, 2.83297682,
)  # fmt: skip


def complement(x: np.ndarray) -> np.ndarray:
    """1 - erf(x) of float64, exact in the tail too."""
    size = np.abs(x)
    middle, far = np.clip(size, 1, 8), np.maximum(size, 8)
    tail = np.where(
        size < 8,
        polynomial(OUTER_P, middle) / polynomial(OUTER_Q, middle),
        polynomial(FAR_P, far) / polynomial(FAR_Q, far),
    )
    tail *= np.exp(-(np.minimum(size, 40) ** 2))
    return np.where(
        size < 1, 1 - error_function(np.clip(x, -1, 1)), np.where(x < 0, 2 - tail, tail)
    )


def inverse(y: np.ndarray) -> np.ndarray:
    """The x of float64 with erf(x) = y; infinite at -1 and 1, NaN beyond."""
    with np.errstate(all="ignore"):
        w = -np.log1p(-y * y)
        x = y * np.where(
            w < 5,
            polynomial(CENTRAL, w - 2.5),
            polynomial(TAIL, np.sqrt(np.maximum(w, 5)) - 3),
        )
        for _ in range(2):
            step = (error_function(x) - y) * (math.sqrt(math.pi) / 2) * np.exp(x * x)
            x -= step / (1 + x * step)
        return np.where(np.abs(y) < 1, x, np.where(np.abs(y) == 1, y * np.inf, np.nan))


def in_float64(function: Any, x: np.ndarray) -> np.ndarray:
    """A function of float64 arrays of one or more dimensions, in the dtype and shape of x."""
    return function(np.atleast_1d(x).astype(np.float64)).reshape(x.shape).astype(x.dtype)


@forward_kernel
def erfc_forward(x: np.ndarray) -> tuple[np.ndarray, None]:
    """1 - erf(x), elementwise.

    Args:
        x: Any shape, floating point.

    Returns:
        An array like x, and no residuals.
    """
    return in_float64(complement, x), None


@backward_kernel
def erfc_backward(
    g: np.ndarray, out: np.ndarray, residuals: None, arrays: tuple[Any, ...], needed: Any
) -> tuple[np.ndarray]:
    """-g * 2 / sqrt(pi) * exp(-x^2)."""
    return (g * np.exp(-np.square(arrays[0])) * (-2 / math.sqrt(math.pi)),)


def erfc_xla(x: Any) -> Any:
    """The same in JAX."""
    from jax import lax

    return lax.erfc(x)


@forward_kernel
def erfinv_forward(x: np.ndarray) -> tuple[np.ndarray, None]:
    """The inverse of erf, elementwise.

    Args:
        x: Any shape, floating point, from -1 to 1.

    Returns:
        An array like x, and no residuals.
    """
    return in_float64(inverse, x), None


@backward_kernel
def erfinv_backward(
    g: np.ndarray, out: np.ndarray, residuals: None, arrays: tuple[Any, ...], needed: Any
) -> tuple[np.ndarray]:
    """g * sqrt(pi) / 2 * exp(out^2)."""
    return (g * np.exp(np.square(out)) * (math.sqrt(math.pi) / 2),)


def erfinv_xla(x: Any) -> Any:
    """The same in JAX."""
    from jax import lax

    return lax.erf_inv(x)


erfc = fused("erfc", erfc_forward, erfc_backward, erfc_xla)
erfinv = fused("erfinv", erfinv_forward, erfinv_backward, erfinv_xla)
