"""The kernel of a short-time Fourier transform."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.initializers.initializer import REGISTRY, Initializer
from kernelmodel.ops.convert import standardize_dtype

SIDES = ("real", "imag")
SCALINGS = ("density", "spectrum", None)
# Cosine series of the windows, constant first (Harris, 1978).
WINDOWS = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


def window_values(name: str, length: int, periodic: bool) -> np.ndarray:
    """A window by name.

    Args:
        name: One of `WINDOWS`, "bartlett" or "cosine"; any other of SciPy's if it is installed.
        length: Number of values.
        periodic: Leave out the last value of a window one longer.

    Raises:
        ValueError: Nobody knows the window.

    Examples:
        >>> window_values("hann", 4, periodic=True).round(2).tolist()
        [0.0, 0.5, 1.0, 0.5]
    """
    count = length + 1 if periodic else length
    place = np.arange(count, dtype="float64")
    if name == "bartlett":
        values = np.bartlett(count)
    elif name == "cosine":
        values = np.sin(np.pi * (place + 0.5) / count)
    elif name in WINDOWS:
        angle = 2 * np.pi * place / max(count - 1, 1)
        parts = [(-1) ** k * f * np.cos(k * angle) for k, f in enumerate(WINDOWS[name])]
        values = np.sum(parts, axis=0) if count > 1 else np.ones(count)
    else:
        return _of_scipy(name, length, periodic)
    return values[:length]


def _of_scipy(name: str, length: int, periodic: bool) -> np.ndarray:
    try:
        from scipy.signal import get_window
    except ImportError:
        known = sorted([*WINDOWS, "bartlett", "cosine"])
        raise ValueError(
            f"STFT: window must be one of {known}, got {name!r}. With SciPy installed "
            "(pip install scipy) its windows are known, too."
        ) from None
    return get_window(name, length, periodic)


@REGISTRY.register("stft", "STFTInitializer")
class STFT(Initializer):
    """Windowed waves of rising frequency: the kernel of a short-time Fourier transform.

    Made for weights (frame length, 1, frequencies), of the frequencies 0 to the highest one that
    2 (frequencies - 1) samples tell apart.

    Args:
        side: "real" for cosines, "imag" for negative sines.
        window: Name of a window such as "hann", an array (frame length,), or None for none.
        scaling: "density" divides by the root of the window's sum of squares, "spectrum" by its
            sum, None by nothing.
        periodic: Whether the window goes on periodically.

    Raises:
        ValueError: Another side or scaling; an unknown window.

    Examples:
        >>> import kernelmodel as km
        >>> km.initializers.STFT(window=None)((4, 1, 3))[:, 0, 1].round(3).tolist()
        [1.0, 0.0, -1.0, -0.0]
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        if side not in SIDES:
            raise ValueError(f"STFT: side must be one of {SIDES}, got {side!r}.")
        if scaling not in SCALINGS:
            raise ValueError(f"STFT: scaling must be one of {SCALINGS}, got {scaling!r}.")
        if isinstance(window, str):
            window_values(window, 1, periodic)
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if len(shape) != 3:
            raise ValueError(
                f"STFT: shape must be (frame length, 1, frequencies), got {tuple(shape)}."
            )
        length, _, frequencies = shape
        turns = np.arange(length)[:, None, None] * np.arange(frequencies)
        angle = -math.pi * turns / max(frequencies - 1, 1)
        kernel = np.cos(angle) if self.side == "real" else np.sin(angle)
        kernel = np.broadcast_to(kernel, tuple(shape))
        return (kernel * self._scaled_window(length)).astype(standardize_dtype(dtype))

    def _scaled_window(self, length: int) -> Any:
        if self.window is None:
            return 1.0
        window: Any
        if isinstance(self.window, str):
            window = window_values(self.window, length, self.periodic)
        else:
            window = np.asarray(self.window, "float64")
        if window.shape != (length,):
            raise ValueError(
                f"STFT: window must have the shape ({length},) of a frame, got {window.shape}."
            )
        if self.scaling == "density":
            window = window / np.sqrt(np.sum(np.square(window)))
        elif self.scaling == "spectrum":
            window = window / np.sum(np.abs(window))
        return window[:, None, None]
