"""Window functions: how much each sample of a frame counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.layer import Layer
from kernelmodel.initializers.fourier import window_values
from kernelmodel.layers.arguments import refuse


def window(layer: Layer, kind: Any, length: int, periodic: bool) -> np.ndarray:
    """A window of a length, float64.

    Args:
        layer: For error messages.
        kind: A name that `window_values` knows, an array, or None for ones.
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
    try:
        return window_values(kind, length, periodic)
    except ValueError as error:
        raise ValueError(f"Layer {layer.name!r} ({type(layer).__name__}): {error}") from error
