"""Fourier transforms of real numbers, complex ones as a pair of real and imaginary part.

The transforms are linear, so a gradient goes through the conjugate transpose of the same matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.primitive import fused

Pair = tuple[np.ndarray, np.ndarray]
# The conjugate transpose of each transform is its partner, up to the factor below.
PARTNERS = {"fft": "ifft", "ifft": "fft", "fft2": "ifft2", "ifft2": "fft2"}


def joined(real: np.ndarray, imag: np.ndarray) -> np.ndarray:
    """A pair as complex numbers of the same precision."""
    out = np.empty(np.broadcast_shapes(real.shape, imag.shape), np.result_type(real, np.complex64))
    out.real, out.imag = real, imag
    return out


def parts(values: np.ndarray, dtype: Any) -> Pair:
    """Complex numbers as a pair."""
    return values.real.astype(dtype), values.imag.astype(dtype)


def of_pair(g: Any, like: np.ndarray) -> np.ndarray:
    """The gradient of a pair, one of which may be None, as complex numbers."""
    real, imag = (np.zeros_like(like) if part is None else part for part in g)
    return joined(real, imag)


@forward_kernel
def fourier_forward(real: np.ndarray, imag: np.ndarray, *, transform: str) -> tuple[Pair, None]:
    """One of the complex transforms: "fft", "ifft", "fft2", "ifft2".

    Args:
        real: Real part, over the last axis or the last two.
        imag: Imaginary part.
        transform: Name of the transform.

    Returns:
        The transformed pair, and no residuals.
    """
    return parts(getattr(np.fft, transform)(joined(real, imag)), real.dtype), None


def fourier_backward(
    g: Any, out: Any, residuals: None, arrays: tuple[Any, ...], needed: Any, *, transform: str
) -> Pair:
    """The partner transform, times the number of points (or divided by it)."""
    slopes = of_pair(g, out[0])
    points = float(np.prod(slopes.shape[-2 if transform.endswith("2") else -1 :]))
    factor = points if transform.startswith("fft") else 1 / points
    back = getattr(np.fft, PARTNERS[transform])(slopes) * factor
    return parts(back, arrays[0].dtype)


def fourier_xla(real: Any, imag: Any, *, transform: str) -> Any:
    """The same in JAX."""
    import jax

    values = getattr(jax.numpy.fft, transform)(jax.lax.complex(real, imag))
    return values.real, values.imag


def fitted(values: np.ndarray, length: int) -> np.ndarray:
    """Cut off or filled up with zeros to a length of the last axis."""
    values = values[..., :length]
    missing = length - values.shape[-1]
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)]) if missing else values


@forward_kernel
def rfft_forward(x: np.ndarray, *, length: int | None = None) -> tuple[Pair, None]:
    """The transform of real numbers: the bins from zero to half the length.

    Args:
        x: (..., time).
        length: Length to cut or fill x to; None for its own.

    Returns:
        The pair (..., length // 2 + 1), and no residuals.
    """
    return parts(np.fft.rfft(x, length), x.dtype), None


def rfft_backward(
    g: Any,
    out: Any,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    length: int | None = None,
) -> tuple[np.ndarray]:
    """The full transform of the bins, which have no mirror image here."""
    (x,) = arrays
    points = x.shape[-1] if length is None else length
    back = np.fft.ifft(fitted(of_pair(g, out[0]), points)).real * points
    return (fitted(back.astype(x.dtype), x.shape[-1]),)


def rfft_xla(x: Any, *, length: int | None = None) -> Any:
    """The same in JAX."""
    import jax

    values = jax.numpy.fft.rfft(x, length)
    return values.real, values.imag


@forward_kernel
def irfft_forward(
    real: np.ndarray, imag: np.ndarray, *, length: int | None = None
) -> tuple[np.ndarray, None]:
    """Real numbers of their transform.

    Args:
        real: Real part of the bins from zero to half the length.
        imag: Imaginary part.
        length: Length of the result; None for twice the bins less two.

    Returns:
        (..., length), and no residuals.
    """
    return np.fft.irfft(joined(real, imag), length).astype(real.dtype), None


@backward_kernel
def irfft_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    length: int | None = None,
) -> Pair:
    """The transform of the gradient; every bin but the first and the middle one stands for two."""
    real, _ = arrays
    points = out.shape[-1]
    back = np.fft.rfft(g) / points
    back[..., 1 : (points + 1) // 2] *= 2
    return parts(fitted(back, real.shape[-1]), real.dtype)


def irfft_xla(real: Any, imag: Any, *, length: int | None = None) -> Any:
    """The same in JAX."""
    import jax

    return jax.numpy.fft.irfft(jax.lax.complex(real, imag), length)


fourier = fused("fourier", fourier_forward, fourier_backward, fourier_xla)
rfft = fused("rfft", rfft_forward, rfft_backward, rfft_xla)
irfft = fused("irfft", irfft_forward, irfft_backward, irfft_xla)
