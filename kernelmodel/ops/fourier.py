"""Fourier transforms. Complex numbers go in and out as pairs of real and imaginary part."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.indexing import getitem
from kernelmodel.engine.kernels import frames as kernel
from kernelmodel.engine.kernels import spectrum
from kernelmodel.engine.rules import where
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, convert_to_tensor, dtype_of, extents
from kernelmodel.ops.dispatch import op, op_of_other
from kernelmodel.ops.families import floating
from kernelmodel.ops.shaping import pad

__all__ = [
    "extract_sequences",
    "fft",
    "fft2",
    "ifft2",
    "irfft",
    "istft",
    "rfft",
    "stft",
]


def _pair(name: str, x: Any, rank: int = 1) -> tuple[Any, Any]:
    """Real and imaginary part, checked."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        checks.refuse(name, "x", type(x).__name__, "a pair of arrays, real and imaginary part")
    real, imag = (convert_to_tensor(part) for part in x)
    if extents(real) != extents(imag) or len(extents(real)) < rank:
        got = f"parts of shape {extents(real)} and {extents(imag)}"
        checks.refuse(name, "x", got, f"two parts of the same shape, of rank {rank} or more")
    for part in (real, imag):
        if kind_of(dtype_of(part)) != "f":
            checks.refuse(name, "x", f"dtype {dtype_of(part)}", "a pair of float arrays")
    return real, imag


@op_of_other
def fft(x: Any) -> Any:
    """Discrete Fourier transform along the last axis.

    Args:
        x: A pair of float arrays (..., n): real and imaginary part.

    Returns:
        The transformed pair.

    Raises:
        ValueError: x isn't a pair of float arrays of one shape.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.fft((np.ones(4), np.zeros(4)))[0]
        array([4., 0., 0., 0.])
    """
    return spectrum.fourier(*_pair("fft", x), transform="fft")


@op_of_other
def fft2(x: Any) -> Any:
    """Discrete Fourier transform along the last two axes, of a pair; see `fft`.

    Examples:
        >>> import kernelmodel as km
        >>> real, imaginary = km.ops.fft2((km.ops.ones((2, 2)), km.ops.zeros((2, 2))))
        >>> real
        array([[4., 0.],
               [0., 0.]], dtype=float32)
    """
    return spectrum.fourier(*_pair("fft2", x, 2), transform="fft2")


@op_of_other
def ifft2(x: Any) -> Any:
    """Inverse of `fft2`.

    Examples:
        >>> import kernelmodel as km
        >>> real, imaginary = km.ops.ifft2((km.ops.ones((2, 2)), km.ops.zeros((2, 2))))
        >>> real
        array([[1., 0.],
               [0., 0.]], dtype=float32)
    """
    return spectrum.fourier(*_pair("ifft2", x, 2), transform="ifft2")


@op
def rfft(x: Any, fft_length: int | None = None) -> Any:
    """Discrete Fourier transform of real numbers along the last axis.

    Args:
        x: Floats (..., n).
        fft_length: Length to cut x off at, or fill it up to with zeros; None for n.

    Returns:
        A pair (..., fft_length // 2 + 1): the rest of the transform is their mirror image.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.rfft([1.0, 0.0, -1.0, 0.0])[0]
        array([0., 2., 0.], dtype=float32)
    """
    return spectrum.rfft(floating(x), length=fft_length)


@op_of_other
def irfft(x: Any, fft_length: int | None = None) -> Any:
    """Inverse of `rfft`.

    Args:
        x: A pair of float arrays (..., bins).
        fft_length: Length of the result; None for `2 * (bins - 1)`.

    Examples:
        >>> import kernelmodel as km
        >>> signal = km.ops.array([1.0, 2.0, 3.0, 4.0])
        >>> km.ops.irfft(km.ops.rfft(signal))
        array([1., 2., 3., 4.], dtype=float32)
    """
    return spectrum.irfft(*_pair("irfft", x), length=fft_length)


@op
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Any:
    """The last axis cut into overlapping pieces.

    Args:
        x: Array (..., n).
        sequence_length: Length of a piece.
        sequence_stride: Step between two pieces.

    Returns:
        Array (..., pieces, sequence_length).

    Raises:
        ValueError: A piece is longer than x, or a length isn't positive.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.extract_sequences([1, 2, 3, 4, 5], 3, 2)
        array([[1, 2, 3],
               [3, 4, 5]])
    """
    name = "extract_sequences"
    if not 1 <= sequence_length <= extents(x)[-1]:
        allowed = f"from 1 to the length of x's last axis ({extents(x)[-1]})"
        checks.refuse(name, "sequence_length", sequence_length, allowed)
    if sequence_stride < 1:
        checks.refuse(name, "sequence_stride", sequence_stride, "a positive integer")
    return kernel.frames(x, length=sequence_length, stride=sequence_stride)


def _window(name: str, window: Any, length: int, fft_length: int, dtype: str) -> Any:
    """The weights of a frame, in the middle of `fft_length`."""
    if fft_length < length:
        checks.refuse(name, "fft_length", fft_length, f"at least sequence_length={length}")
    if isinstance(window, str):
        checks.choice(name, "window", window, ("hann", "hamming"))
        low = 0.5 if window == "hann" else 0.46
        angles = 2 * np.pi * np.arange(length) / length
        window = ((1 - low) - low * np.cos(angles)).astype(dtype)
    if window is None:
        return np.ones(fft_length, dtype)
    weights = _cast(convert_to_tensor(window), dtype)
    if extents(weights) != (length,):
        checks.refuse(name, "window", f"shape {extents(weights)}", f"of shape ({length},)")
    before = (fft_length - length) // 2
    return anp.pad(weights, (before, fft_length - length - before), "constant", constant_values=0)


@op
def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """Short-time Fourier transform: the spectrum of overlapping pieces of a signal.

    Args:
        x: Floats (..., time).
        sequence_length: Length of a piece.
        sequence_stride: Step between two pieces.
        fft_length: Length of the transform, at least `sequence_length`.
        window: Weights of a piece: "hann", "hamming", an array (sequence_length,), or None for
            equal ones.
        center: Mirror the signal at both ends, so that piece i lies around i * sequence_stride.

    Returns:
        A pair (..., pieces, fft_length // 2 + 1) of real and imaginary part.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.stft(np.zeros((2, 100)), 16, 8, 16)[0].shape
        (2, 13, 9)
    """
    if kind_of(dtype_of(x)) != "f":
        checks.refuse("stft", "x", f"dtype {dtype_of(x)}", "an array of floats")
    weights = _window("stft", window, sequence_length, fft_length, dtype_of(x))
    if center:
        around = [(0, 0)] * (len(extents(x)) - 1) + [(fft_length // 2, fft_length // 2)]
        x = pad(x, around, "reflect")
    return rfft(extract_sequences(x, fft_length, sequence_stride) * weights)


@op_of_other
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """Inverse of `stft`, with the same settings.

    The pieces are weighted once more, added, and divided by the sum of squared weights (Griffin &
    Lim, 1984), so that `istft(stft(x))` is x, whatever the window.

    Args:
        x: A pair of float arrays (..., pieces, fft_length // 2 + 1).
        sequence_length: Length of a piece.
        sequence_stride: Step between two pieces.
        fft_length: Length of the transform.
        length: Length of the result; None for all of it.
        window: Weights of a piece, as in `stft`.
        center: Whether the signal was mirrored at its ends.

    Returns:
        Floats (..., time).

    Examples:
        >>> import kernelmodel as km
        >>> x = km.ops.arange(16, dtype="float32")
        >>> km.ops.istft(km.ops.stft(x, 8, 4, 8), 8, 4, 8).shape
        (16,)
    """
    real, imag = _pair("istft", x, 2)
    weights = _window("istft", window, sequence_length, fft_length, dtype_of(real))
    pieces = spectrum.irfft(real, imag, length=fft_length) * weights
    total = kernel.overlap_add(pieces, stride=sequence_stride)
    squares = anp.broadcast_to(weights * weights, (extents(real)[-2], fft_length))
    share = kernel.overlap_add(squares, stride=sequence_stride)
    safe = np.greater(getval(share), 1e-10)
    signal = total / where(safe, share, np.ones((), dtype_of(real)))
    start = fft_length // 2 if center else 0
    if length is not None:
        return getitem(signal, (Ellipsis, slice(start, start + length)))
    end = extents(signal)[-1] - (fft_length // 2 if center else 0)
    return getitem(signal, (Ellipsis, slice(start, end)))
