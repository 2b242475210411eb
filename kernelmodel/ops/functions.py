"""Less common functions, element by element, with NumPy's broadcasting."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import rules
from kernelmodel.engine.bfloat16 import kind_of, limits
from kernelmodel.engine.boxes import getval
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, dtype_of, standardize_dtype
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import (
    binary,
    both_floating,
    comparison,
    floating,
    predicate,
    real,
    real_binary,
    same_floats,
    unary,
)

__all__ = [
    "allclose",
    "cbrt",
    "deg2rad",
    "divide_no_nan",
    "exp2",
    "fabs",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "heaviside",
    "hypot",
    "isclose",
    "isneginf",
    "isposinf",
    "lcm",
    "ldexp",
    "logaddexp",
    "logaddexp2",
    "nan_to_num",
    "nextafter",
    "rad2deg",
    "saturate_cast",
    "signbit",
    "trunc",
]

fabs = real("fabs", "Absolute value as a float", "([-1, 2])", "array([1., 2.], dtype=float32)")
cbrt = real("cbrt", "Cube root", "([8, 27]).round(3)", "array([2., 3.], dtype=float32)")
exp2 = real("exp2", "Two to the power of x", "([1, 3])", "array([2., 8.], dtype=float32)")
deg2rad = real(
    "deg2rad", "Degrees as radians", "([0, 180]).round(3)", "array([0.   , 3.142], dtype=float32)"
)
rad2deg = real(
    "rad2deg", "Radians as degrees", "([0, 3.1415927])", "array([  0., 180.], dtype=float32)"
)
trunc = unary(
    "trunc", "Fraction cut off, towards zero", "([-1.5, 1.2])", "array([-1.,  1.], dtype=float32)"
)
fmod = binary("fmod", "Remainder with the sign of the dividend", "([7, -7], 3)", "array([ 1, -1])")
fmax = binary(
    "fmax",
    "The larger value; a number where the other is NaN",
    '([1, float("nan")], 0)',
    "array([1., 0.], dtype=float32)",
)
fmin = binary(
    "fmin",
    "The smaller value; a number where the other is NaN",
    '([1, float("nan")], 0)',
    "array([0., 0.], dtype=float32)",
)
hypot = real_binary(
    "hypot",
    "Length of the hypotenuse, without overflow",
    "([3, 5], [4, 12])",
    "array([ 5., 13.], dtype=float32)",
)
logaddexp = real_binary(
    "logaddexp",
    "log(exp(x1) + exp(x2)), without overflow",
    "([0, 1], 0).round(3)",
    "array([0.693, 1.313], dtype=float32)",
)
logaddexp2 = real_binary(
    "logaddexp2",
    "log2(2**x1 + 2**x2), without overflow",
    "([0, 1], 0).round(3)",
    "array([1.   , 1.585], dtype=float32)",
)
gcd = comparison("gcd", "Greatest common divisor of integers", "([12, 18], 8)", "array([4, 2])")
lcm = comparison("lcm", "Least common multiple of integers", "([4, 6], 10)", "array([20, 30])")
nextafter = comparison(
    "nextafter",
    "The float next to x1 in the direction of x2",
    "([1.0], 2.0)",
    "array([1.0000001], dtype=float32)",
)
signbit = predicate(
    "signbit",
    "Whether the sign is negative, also of -0.0",
    "([-1.0, 2.0])",
    "array([ True, False])",
)
isneginf = predicate(
    "isneginf", "Whether x is minus infinity", '([1.0, -float("inf")])', "array([False,  True])"
)
isposinf = predicate(
    "isposinf", "Whether x is plus infinity", '([1.0, float("inf")])', "array([False,  True])"
)


@op
def heaviside(x1: Any, x2: Any) -> Any:
    """0 where `x1` is negative, 1 where it is positive, `x2` where it is zero.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.heaviside([-1.5, 0.0, 2.0], 0.5)
        array([0. , 0.5, 1. ], dtype=float32)
    """
    x1, x2 = both_floating(x1, x2)
    one = _cast(np.greater(getval(x1), 0), dtype_of(x1))
    return rules.where(np.isnan(getval(x1)), x1, rules.where(np.equal(getval(x1), 0), x2, one))


@op
def ldexp(x1: Any, x2: Any) -> Any:
    """`x1 * 2**x2`, exact unless it overflows.

    Args:
        x1: Numbers of any shape.
        x2: Integers that broadcast against `x1`.

    Raises:
        ValueError: `x2` holds floats.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.ldexp([0.75, 1.0], [2, 3])
        array([3., 8.], dtype=float32)
    """
    checks.whole("ldexp", "x2", x2)
    return anp.ldexp(floating(x1), getval(x2))


@op
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """Quotient, element by element, and zero where `x2` is zero.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.divide_no_nan([1.0, 2.0], [0.0, 4.0])
        array([0. , 0.5], dtype=float32)
    """
    x1, x2 = both_floating(x1, x2)
    zero = np.equal(getval(x2), 0)
    none = np.zeros((), dtype_of(x2))
    return rules.where(zero, none, x1 / rules.where(zero, none + 1, x2))


@op
def isclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether `abs(x1 - x2) <= atol + rtol * abs(x2)`, element by element.

    Args:
        x1: Numbers of any shape.
        x2: Numbers that broadcast against `x1`.
        rtol: Allowed difference relative to `x2`.
        atol: Allowed absolute difference.
        equal_nan: Whether two NaN are close.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.isclose([1.0, 2.0], [1.0, 2.1])
        array([ True, False])
    """
    x1, x2 = same_floats(x1, x2)
    return np.isclose(getval(x1), getval(x2), rtol=rtol, atol=atol, equal_nan=equal_nan)


@op
def allclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether all elements are close; see `isclose`.

    Args:
        x1: First array.
        x2: Second array.
        rtol: Tolerance, relative to `x2`.
        atol: Tolerance beside it.
        equal_nan: Whether NaN equals NaN.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.allclose([1.0, 2.0], [1.0, 2.0 + 1e-7])
        np.True_
    """
    x1, x2 = same_floats(x1, x2)
    close = np.isclose(getval(x1), getval(x2), rtol=rtol, atol=atol, equal_nan=equal_nan)
    return np.all(close)


@op
def nan_to_num(
    x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """Numbers in place of NaN and the infinities.

    Args:
        x: Numbers of any shape.
        nan: Value for NaN.
        posinf: Value for plus infinity; None for the largest number of the dtype.
        neginf: Value for minus infinity; None for the lowest number of the dtype.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nan_to_num([float("nan"), 1.0, float("inf")], posinf=9.0)
        array([0., 1., 9.], dtype=float32)
    """
    values = getval(x)
    if dtype_of(x) == "bfloat16":  # NumPy would take float32's largest number
        largest = float(limits(values.dtype).max)
        posinf = largest if posinf is None else posinf
        neginf = -largest if neginf is None else neginf
    found = np.nan_to_num(values, nan=nan, posinf=posinf, neginf=neginf)
    return rules.where(np.isfinite(values), x, found)


@op
def saturate_cast(x: Any, dtype: Any) -> Any:
    """Convert to a dtype, values outside of its range to its nearest end.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.saturate_cast([-3.5, 300.0], "uint8")
        array([  0, 255], dtype=uint8)
    """
    target, source = np.dtype(standardize_dtype(dtype)), np.dtype(dtype_of(x))
    if target == source or target.kind == "b" or source.kind == "b":
        return _cast(x, dtype)
    range_of, own = _range(target), _range(source)
    low, high = max(range_of[0], own[0]), min(range_of[1], own[1])
    if kind_of(source) == "f" and target.kind in "iu":
        # The nearest floats within the range: the cast of one beyond it is undefined.
        low, high = source.type(low), source.type(high)
        high = high if int(high) <= range_of[1] else np.nextafter(high, source.type(0))
    return _cast(anp.clip(x, source.type(low), source.type(high)), dtype)


def _range(dtype: np.dtype) -> tuple[Any, Any]:
    """The least and the greatest number of a dtype."""
    found = limits(dtype) if kind_of(dtype) == "f" else np.iinfo(dtype)
    if dtype.name == "bfloat16":
        return float(found.min), float(found.max)
    return found.min, found.max
