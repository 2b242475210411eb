"""Ops that work element by element, with NumPy's broadcasting."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import rules
from kernelmodel.engine.boxes import getval
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
    "abs",
    "absolute",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "ceil",
    "clip",
    "conj",
    "conjugate",
    "cos",
    "cosh",
    "divide",
    "equal",
    "exp",
    "expm1",
    "floor",
    "floor_divide",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "not_equal",
    "power",
    "reciprocal",
    "round",
    "rsqrt",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "true_divide",
    "where",
]


exp = real(
    "exp", "e to the power of x", "([0, 1]).round(3)", "array([1.   , 2.718], dtype=float32)"
)
expm1 = real(
    "expm1",
    "e to the power of x, less one",
    "([0, 1]).round(3)",
    "array([0.   , 1.718], dtype=float32)",
)
log = real("log", "Natural logarithm", "([1, 2]).round(3)", "array([0.   , 0.693], dtype=float32)")
log1p = real(
    "log1p",
    "Natural logarithm of one plus x",
    "([0, 1]).round(3)",
    "array([0.   , 0.693], dtype=float32)",
)
log2 = real("log2", "Logarithm to base two", "([1, 8])", "array([0., 3.], dtype=float32)")
log10 = real(
    "log10", "Logarithm to base ten", "([1, 100]).round(3)", "array([0., 2.], dtype=float32)"
)
sqrt = real("sqrt", "Square root", "([4, 9])", "array([2., 3.], dtype=float32)")
sin = real("sin", "Sine (radians)", "([0, 1]).round(3)", "array([0.   , 0.841], dtype=float32)")
cos = real("cos", "Cosine (radians)", "([0, 1]).round(3)", "array([1.  , 0.54], dtype=float32)")
tan = real("tan", "Tangent (radians)", "([0, 1]).round(3)", "array([0.   , 1.557], dtype=float32)")
arcsin = real(
    "arcsin", "Inverse sine (radians)", "([0, 1]).round(3)", "array([0.   , 1.571], dtype=float32)"
)
arccos = real(
    "arccos",
    "Inverse cosine (radians)",
    "([0, 1]).round(3)",
    "array([1.571, 0.   ], dtype=float32)",
)
arctan = real(
    "arctan",
    "Inverse tangent (radians)",
    "([0, 1]).round(3)",
    "array([0.   , 0.785], dtype=float32)",
)
sinh = real("sinh", "Hyperbolic sine", "([0, 1]).round(3)", "array([0.   , 1.175], dtype=float32)")
cosh = real(
    "cosh", "Hyperbolic cosine", "([0, 1]).round(3)", "array([1.   , 1.543], dtype=float32)"
)
arcsinh = real(
    "arcsinh",
    "Inverse hyperbolic sine",
    "([0, 1]).round(3)",
    "array([0.   , 0.881], dtype=float32)",
)
arccosh = real(
    "arccosh",
    "Inverse hyperbolic cosine",
    "([1, 2]).round(3)",
    "array([0.   , 1.317], dtype=float32)",
)
arctanh = real(
    "arctanh",
    "Inverse hyperbolic tangent",
    "([0, 0.5]).round(3)",
    "array([0.   , 0.549], dtype=float32)",
)
abs = unary("abs", "Absolute value", "([-1, 2])", "array([1, 2])")
absolute = abs
negative = unary("negative", "Minus x", "([1, -2])", "array([-1,  2])")
square = unary("square", "x times x", "([2, -3])", "array([4, 9])")
sign = unary("sign", "-1, 0 or 1 by sign", "([-3, 0, 2])", "array([-1,  0,  1])")
floor = real("floor", "Largest integer below", "([-1.5, 1.2])", "array([-2.,  1.], dtype=float32)")
ceil = real("ceil", "Smallest integer above", "([-1.5, 1.2])", "array([-1.,  2.], dtype=float32)")
conj = unary("conj", "Complex conjugate", "([1 + 2j])", "array([1.-2.j])", "conjugate")
conjugate = conj
add = binary("add", "Sum", "([1, 2], 10)", "array([11, 12])")
subtract = binary("subtract", "Difference", "([1, 2], 10)", "array([-9, -8])")
multiply = binary("multiply", "Product", "([1, 2], 10)", "array([10, 20])")
mod = binary("mod", "Remainder with the sign of the divisor", "([7, -7], 3)", "array([1, 2])")
power = binary("power", "x1 to the power of x2", "([1, 2, 3], 2)", "array([1, 4, 9])")
maximum = binary("maximum", "The larger value", "([1, 5], 3)", "array([3, 5])")
minimum = binary("minimum", "The smaller value", "([1, 5], 3)", "array([1, 3])")
arctan2 = real_binary(
    "arctan2",
    "Angle of the point (x2, x1) in radians",
    "([1, -1], [1, 1]).round(3)",
    "array([ 0.785, -0.785], dtype=float32)",
)
equal = comparison("equal", "Whether x1 equals x2", "([1, 2], [1, 3])", "array([ True, False])")
not_equal = comparison(
    "not_equal", "Whether x1 differs from x2", "([1, 2], [1, 3])", "array([False,  True])"
)
greater = comparison("greater", "Whether x1 is above x2", "([1, 2], 1)", "array([False,  True])")
greater_equal = comparison(
    "greater_equal", "Whether x1 is not below x2", "([1, 2], 2)", "array([False,  True])"
)
less = comparison("less", "Whether x1 is below x2", "([1, 2], 2)", "array([ True, False])")
less_equal = comparison(
    "less_equal", "Whether x1 is not above x2", "([1, 2], 1)", "array([ True, False])"
)
logical_and = comparison(
    "logical_and", "Whether both are true", "([True, False], True)", "array([ True, False])"
)
logical_or = comparison(
    "logical_or", "Whether one is true", "([True, False], False)", "array([ True, False])"
)
logical_not = predicate(
    "logical_not", "Whether x is false", "([True, False])", "array([False,  True])"
)
logical_xor = comparison(
    "logical_xor", "Whether just one is true", "([True, False], True)", "array([False,  True])"
)
isnan = predicate(
    "isnan", "Whether x is not a number", '([1.0, float("nan")])', "array([False,  True])"
)
isinf = predicate(
    "isinf", "Whether x is infinite", '([1.0, float("inf")])', "array([False,  True])"
)
isfinite = predicate(
    "isfinite", "Whether x is a finite number", '([1.0, float("inf")])', "array([ True, False])"
)
floor_divide = comparison(
    "floor_divide", "Quotient rounded down", "([7, -7], 2)", "array([ 3, -4])"
)


@op
def divide(x1: Any, x2: Any) -> Any:
    """Quotient, element by element; integers are divided as float32.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.divide([1, 2], 4)
        array([0.25, 0.5 ], dtype=float32)
    """
    return anp.divide(*both_floating(x1, x2))


true_divide = divide


@op
def rsqrt(x: Any) -> Any:
    """One over the square root, element by element.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.rsqrt([4, 16])
        array([0.5 , 0.25], dtype=float32)
    """
    return 1 / anp.sqrt(floating(x))


@op
def reciprocal(x: Any) -> Any:
    """One over x, element by element.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.reciprocal([2, 4])
        array([0.5 , 0.25], dtype=float32)
    """
    return 1 / floating(x)


@op
def round(x: Any, decimals: int = 0) -> Any:
    """Rounded to `decimals` places, halves to the even neighbour; the gradient is zero.

    Args:
        x: Array of any shape, or what becomes one.
        decimals: Digits behind the point.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.round([1.26, 2.54], 1)
        array([1.3, 2.5], dtype=float32)
    """
    return np.round(getval(x), decimals)


@op
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Values below `x_min` become `x_min`, those above `x_max` become `x_max`.

    Args:
        x: Array of any shape, or what becomes one.
        x_min: Lower bound.
        x_max: Upper bound.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.clip([-2.0, 0.5, 3.0], 0.0, 1.0)
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return anp.clip(x if hasattr(x, "dtype") else floating(x), x_min, x_max)


@op
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """`x1` where the condition is true, `x2` elsewhere; indices where true if neither is given.

    Args:
        condition: Booleans.
        x1: Value where the condition holds.
        x2: Value elsewhere.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.where([True, False], [1, 2], [3, 4])
        array([1, 4])
    """
    if x1 is None and x2 is None:
        return np.where(getval(condition))
    return rules.where(getval(condition), *same_floats(x1, x2))
