"""Ops that work element by element, with NumPy's broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import rules
from kernelmodel.engine.boxes import getval
from kernelmodel.ops.convert import FLOATX, _cast, dtype_of
from kernelmodel.ops.dispatch import _array_like, op

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


def _floating(x: Any) -> Any:
    """Integers and booleans as float32: a function with real values has no integer result."""
    kind = type(x)
    if kind is float or kind is int:
        return np.float32(x)
    return x if np.dtype(dtype_of(x)).kind in "fc" else _cast(x, FLOATX)


def _same_floats(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Two operands, an array of integers beside one of floats cast to its dtype.

    NumPy would compute both in float64.
    """
    x1, x2 = _array_like(x1), _array_like(x2)
    one, two = getattr(x1, "dtype", None), getattr(x2, "dtype", None)
    if one is None or two is None or one == two:
        return x1, x2
    kinds = np.dtype(one).kind, np.dtype(two).kind
    if kinds[0] == "f" and kinds[1] in "iu":
        return x1, _cast(x2, one)
    if kinds[1] == "f" and kinds[0] in "iu":
        return _cast(x1, two), x2
    return x1, x2


def _real(name: str, meaning: str) -> Callable[[Any], Any]:
    function = getattr(anp, name)

    def body(x: Any) -> Any:
        return function(_floating(x))

    return _documented(body, name, meaning)


def _unary(name: str, meaning: str) -> Callable[[Any], Any]:
    function = getattr(anp, name)

    def body(x: Any) -> Any:
        return function(x)

    return _documented(body, name, meaning)


def _binary(name: str, meaning: str) -> Callable[[Any, Any], Any]:
    function = getattr(anp, name)

    def body(x1: Any, x2: Any) -> Any:
        return function(*_same_floats(x1, x2))

    return _documented(body, name, meaning)


def _logical(name: str, meaning: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def body(*x: Any) -> Any:
        return function(*map(getval, x))

    return _documented(body, name, meaning)


def _documented(body: Callable[..., Any], name: str, meaning: str) -> Callable[..., Any]:
    body.__name__ = body.__qualname__ = name
    body.__doc__ = f"{meaning}, element by element, as `numpy.{name}` with a gradient."
    return op(body)


exp = _real("exp", "e to the power of x")
expm1 = _real("expm1", "e to the power of x, less one")
log = _real("log", "Natural logarithm")
log1p = _real("log1p", "Natural logarithm of one plus x")
log2 = _real("log2", "Logarithm to base two")
log10 = _real("log10", "Logarithm to base ten")
sqrt = _real("sqrt", "Square root")
sin = _real("sin", "Sine (radians)")
cos = _real("cos", "Cosine (radians)")
tan = _real("tan", "Tangent (radians)")
arcsin = _real("arcsin", "Inverse sine (radians)")
arccos = _real("arccos", "Inverse cosine (radians)")
arctan = _real("arctan", "Inverse tangent (radians)")
sinh = _real("sinh", "Hyperbolic sine")
cosh = _real("cosh", "Hyperbolic cosine")
arcsinh = _real("arcsinh", "Inverse hyperbolic sine")
arccosh = _real("arccosh", "Inverse hyperbolic cosine")
arctanh = _real("arctanh", "Inverse hyperbolic tangent")
abs = _unary("abs", "Absolute value")
absolute = abs
negative = _unary("negative", "Minus x")
square = _unary("square", "x times x")
sign = _unary("sign", "-1, 0 or 1")
floor = _unary("floor", "Largest integer below")
ceil = _unary("ceil", "Smallest integer above")
conjugate = _unary("conjugate", "Complex conjugate")
add = _binary("add", "Sum")
subtract = _binary("subtract", "Difference")
multiply = _binary("multiply", "Product")
mod = _binary("mod", "Remainder with the sign of the divisor")
power = _binary("power", "x1 to the power of x2")
maximum = _binary("maximum", "The larger value")
minimum = _binary("minimum", "The smaller value")
arctan2 = _binary("arctan2", "Angle of the point (x2, x1) in radians")
equal = _logical("equal", "Whether x1 equals x2")
not_equal = _logical("not_equal", "Whether x1 differs from x2")
greater = _logical("greater", "Whether x1 is above x2")
greater_equal = _logical("greater_equal", "Whether x1 is not below x2")
less = _logical("less", "Whether x1 is below x2")
less_equal = _logical("less_equal", "Whether x1 is not above x2")
logical_and = _logical("logical_and", "Whether both are true")
logical_or = _logical("logical_or", "Whether one is true")
logical_not = _logical("logical_not", "Whether x is false")
logical_xor = _logical("logical_xor", "Whether just one is true")
isnan = _logical("isnan", "Whether x is not a number")
isinf = _logical("isinf", "Whether x is infinite")
isfinite = _logical("isfinite", "Whether x is a finite number")
floor_divide = _logical("floor_divide", "Quotient rounded down")


@op
def divide(x1: Any, x2: Any) -> Any:
    """Quotient, element by element; integers are divided as float32."""
    x1, x2 = _same_floats(x1, x2)
    if np.dtype(dtype_of(x1)).kind not in "fc" and np.dtype(dtype_of(x2)).kind not in "fc":
        x1 = _floating(x1)
    return anp.divide(x1, x2)


true_divide = divide


@op
def rsqrt(x: Any) -> Any:
    """One over the square root, element by element."""
    return 1 / anp.sqrt(_floating(x))


@op
def reciprocal(x: Any) -> Any:
    """One over x, element by element."""
    return 1 / _floating(x)


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
    return anp.clip(x if hasattr(x, "dtype") else _floating(x), x_min, x_max)


@op
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """`x1` where the condition is true, `x2` elsewhere; indices where true if neither is given."""
    if x1 is None and x2 is None:
        return np.where(getval(condition))
    return rules.where(getval(condition), *_same_floats(x1, x2))
