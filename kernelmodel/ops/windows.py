"""Window functions: weights that fall off to both ends of a piece of a signal."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.ops import checks
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import documented

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]


def _length(name: str, x: Any) -> int:
    if not hasattr(x, "__index__"):
        checks.refuse(name, "x", repr(x), "an integer: the number of weights")
    return int(x)


def _window(name: str, meaning: str) -> Any:
    function = getattr(np, name)

    def body(x: Any) -> Any:
        return function(_length(name, x)).astype("float32")

    made = documented(body, name, meaning)
    made.__doc__ = f"{meaning}: x weights (float32), symmetric, as `numpy.{name}`."
    return made


bartlett = _window("bartlett", "Triangular window")
blackman = _window("blackman", "Window of three cosine terms")
hamming = _window("hamming", "Raised cosine window that doesn't reach zero")
hanning = _window("hanning", "Raised cosine window (Hann's)")


@op
def kaiser(x: Any, beta: float) -> Any:
    """Kaiser's window of Bessel functions.

    Args:
        x: Number of weights.
        beta: How sharply it falls off: 0 for equal weights, about 6 for a shape like Hann's.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.kaiser(3, 14.0).round(2)
        array([0., 1., 0.], dtype=float32)
    """
    return np.kaiser(_length("kaiser", x), float(beta)).astype("float32")
