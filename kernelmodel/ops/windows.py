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


def _window(name: str, meaning: str, call: str, result: str) -> Any:
    function = getattr(np, name)

    def body(x: Any) -> Any:
        return function(_length(name, x)).astype("float32")

    how = ": x weights (float32), symmetric"
    return documented(body, name, meaning, call, result, how=how, x="Number of weights.")


bartlett = _window(
    "bartlett", "Triangular window", "(5)", "array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)"
)
blackman = _window(
    "blackman",
    "Window of three cosine terms",
    "(3).round(3)",
    "array([-0.,  1., -0.], dtype=float32)",
)
hamming = _window(
    "hamming",
    "Raised cosine window that doesn't reach zero",
    "(3)",
    "array([0.08, 1.  , 0.08], dtype=float32)",
)
hanning = _window(
    "hanning",
    "Raised cosine window (Hann's)",
    "(5)",
    "array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)",
)


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
