"""Window functions: how much each sample of a frame counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.layer import Layer
from kernelmodel.layers.arguments import refuse

# Coefficients of sums of cosines (Nuttall, *Some windows with very good sidelobe behavior*, 1981).
COSINES = {
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
    "boxcar": (1.0,),
}


def window(layer: Layer, kind: Any, length: int, periodic: bool) -> np.ndarray:
    """A window of a length, float64.

    Args:
        layer: For error messages.
        kind: A name of `COSINES`, another name that SciPy knows if SciPy is installed, an array,
            or None for ones.
        length: Samples.
        periodic: Whether the window goes on smoothly when it is repeated, instead of being
            symmetric.

    Raises:
        ValueError: An unknown name, or an array of another length.
    """
    if kind is None:
        return np.ones(length)
    if not isinstance(kind, str):
        values = np.asarray(kind, "float64")
        if values.shape != (length,):
            refuse(layer, "window", f"shape {values.shape}", f"a name or {length} numbers")
        return values
    if kind not in COSINES:
        return _of_scipy(layer, kind, length, periodic)
    if length == 1:
        return np.ones(1)
    angle = 2 * np.pi * np.arange(length) / (length if periodic else length - 1)
    parts = [(-1) ** k * a * np.cos(k * angle) for k, a in enumerate(COSINES[kind])]
    return np.sum(parts, axis=0)


def _of_scipy(layer: Layer, kind: str, length: int, periodic: bool) -> np.ndarray:
    known = "one of " + ", ".join(map(repr, COSINES))
    try:
        from scipy.signal import get_window
    except ImportError:
        refuse(layer, "window", kind, f"{known}, or with SciPy installed another one of its names")
    try:
        return get_window(kind, length, fftbins=periodic)
    except ValueError:
        refuse(layer, "window", kind, f"{known}, or another name that SciPy knows")
