"""Special functions, element by element."""

from __future__ import annotations

from typing import Any

from kernelmodel.engine import kernels
from kernelmodel.engine.kernels import special
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import floating, real

__all__ = ["erf", "erfc", "erfinv", "i0", "sinc"]

i0 = real(
    "i0",
    "Modified Bessel function of the first kind, order zero",
    "([0, 1]).round(3)",
    "array([1.   , 1.266], dtype=float32)",
)
sinc = real(
    "sinc",
    "sin(pi x) / (pi x), and 1 at zero",
    "([0, 0.5]).round(3)",
    "array([1.   , 0.637], dtype=float32)",
)


@op
def erf(x: Any) -> Any:
    """Error function: the chance that a normal draw of variance 1/2 lies within [-x, x].

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.erf([0.0, 1.0]).round(4)
        array([0.    , 0.8427], dtype=float32)
    """
    return kernels.erf(floating(x))


@op
def erfc(x: Any) -> Any:
    """1 - erf(x), exact also where erf is nearly one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.erfc([0.0, 1.0]).round(4)
        array([1.    , 0.1573], dtype=float32)
    """
    return special.erfc(floating(x))


@op
def erfinv(x: Any) -> Any:
    """The number whose error function is x: infinite at -1 and 1, NaN beyond.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.erfinv([0.0, 0.5]).round(4)
        array([0.    , 0.4769], dtype=float32)
    """
    return special.erfinv(floating(x))
