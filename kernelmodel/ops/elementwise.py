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


exp = real("exp", "e to the power of x")
expm1 = real("expm1", "e to the power of x, less one")
log = real("log", "Natural logarithm")
log1p = real("log1p", "Natural logarithm of one plus x")
log2 = real("log2", "Logarithm to base two")
log10 = real("log10", "Logarithm to base ten")
sqrt = real("sqrt", "Square root")
sin = real("sin", "Sine (radians)")
cos = real("cos", "Cosine (radians)")
tan = real("tan", "Tangent (radians)")
arcsin = real("arcsin", "Inverse sine (radians)")
arccos = real("arccos", "Inverse cosine (radians)")
arctan = real("arctan", "Inverse tangent (radians)")
sinh = real("sinh", "Hyperbolic sine")
cosh = real("cosh", "Hyperbolic cosine")
arcsinh = real("arcsinh", "Inverse hyperbolic sine")
arccosh = real("arccosh", "Inverse hyperbolic cosine")
arctanh = real("arctanh", "Inverse hyperbolic tangent")
abs = unary("abs", "Absolute value")
absolute = abs
negative = unary("negative", "Minus x")
square = unary("square", "x times x")
sign = unary("sign", "-1, 0 or 1 by sign")
floor = real("floor", "Largest integer below")
ceil = real("ceil", "Smallest integer above")
conj = unary("conj", "Complex conjugate", "conjugate")
conjugate = conj
add = binary("add", "Sum")
subtract = binary("subtract", "Difference")
multiply = binary("multiply", "Product")
mod = binary("mod", "Remainder with the sign of the divisor")
power = binary("power", "x1 to the power of x2")
maximum = binary("maximum", "The larger value")
minimum = binary("minimum", "The smaller value")
arctan2 = real_binary("arctan2", "Angle of the point (x2, x1) in radians")
equal = comparison("equal", "Whether x1 equals x2")
not_equal = comparison("not_equal", "Whether x1 differs from x2")
greater = comparison("greater", "Whether x1 is above x2")
greater_equal = comparison("greater_equal", "Whether x1 is not below x2")
less = comparison("less", "Whether x1 is below x2")
less_equal = comparison("less_equal", "Whether x1 is not above x2")
logical_and = comparison("logical_and", "Whether both are true")
logical_or = comparison("logical_or", "Whether one is true")
logical_not = predicate("logical_not", "Whether x is false")
logical_xor = comparison("logical_xor", "Whether just one is true")
isnan = predicate("isnan", "Whether x is not a number")
isinf = predicate("isinf", "Whether x is infinite")
isfinite = predicate("isfinite", "Whether x is a finite number")
floor_divide = comparison("floor_divide", "Quotient rounded down")


@op
def divide(x1: Any, x2: Any) -> Any:
    """Quotient, element by element; integers are divided as float32."""
    return anp.divide(*both_floating(x1, x2))


true_divide = divide


@op
def rsqrt(x: Any) -> Any:
    """One over the square root, element by element."""
    return 1 / anp.sqrt(floating(x))


@op
def reciprocal(x: Any) -> Any:
    """One over x, element by element."""
    return 1 / floating(x)


@op
def round(x: Any, decimals: int = 0) -> Any:
    """Rounded to `decimals` places, halves to the even neighbour; the gradient is zero."""
    return np.round(getval(x), decimals)


@op
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Values below `x_min` become `x_min`, those above `x_max` become `x_max`.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.clip([-2.0, 0.5, 3.0], 0.0, 1.0)
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return anp.clip(x if hasattr(x, "dtype") else floating(x), x_min, x_max)


@op
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """`x1` where the condition is true, `x2` elsewhere; indices where true if neither is given."""
    if x1 is None and x2 is None:
        return np.where(getval(condition))
    return rules.where(getval(condition), *same_floats(x1, x2))
