"""Ops of complex numbers."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.ops import checks, families
from kernelmodel.ops.convert import extents
from kernelmodel.ops.dispatch import op

__all__ = ["angle", "imag", "isreal", "polar", "real", "view_as_complex", "view_as_real"]

angle = families.real(
    "angle",
    "Angle in the complex plane, in radians",
    "([1j, -1 + 0j]).round(3)",
    "array([1.571, 3.142])",
)
isreal = families.predicate(
    "isreal", "Whether the imaginary part is zero", "([1 + 2j, 3 + 0j])", "array([False,  True])"
)
imag = families.unary("imag", "Imaginary part", "([1 + 2j])", "array([2.])")
real = families.unary("real", "Real part", "([1 + 2j])", "array([1.])")


@op
def polar(abs_: Any, angle: Any) -> Any:
    """Complex numbers of given lengths and angles.

    Args:
        abs_: Lengths, floats of any shape.
        angle: Angles in radians, of the same shape.

    Returns:
        `abs_ * exp(1j * angle)`.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.polar([2.0], [0.0])
        array([2.+0.j], dtype=complex64)
    """
    length, angle = families.both_floating(abs_, angle)
    return length * anp.cos(angle) + np.complex64(1j) * (length * anp.sin(angle))


@op
def view_as_complex(x: Any) -> Any:
    """Pairs along the last axis as complex numbers.

    Args:
        x: Floats of shape (..., 2): real and imaginary parts.

    Raises:
        ValueError: The last axis is no pair.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.view_as_complex([[1.0, 2.0]])
        array([1.+2.j], dtype=complex64)
    """
    if extents(x)[-1:] != (2,):
        checks.refuse("view_as_complex", "x", f"shape {extents(x)}", "an array of shape (..., 2)")
    return x[..., 0] + np.complex64(1j) * x[..., 1]


@op
def view_as_real(x: Any) -> Any:
    """Complex numbers as pairs of real and imaginary part along a new last axis.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.view_as_real(np.array([1 + 2j], "complex64"))
        array([[1., 2.]], dtype=float32)
    """
    parts = [anp.expand_dims(part, -1) for part in (anp.real(x), anp.imag(x))]
    return anp.concatenate(parts, -1)
