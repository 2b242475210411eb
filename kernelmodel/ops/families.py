"""Families of ops that differ in one NumPy function, and how their operands are promoted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.ops.convert import _cast, dtype_of
from kernelmodel.ops.dispatch import _array_like, op

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)


def floating(x: Any) -> Any:
    """Integers and booleans as floats: a function with real values has no integer result."""
    kind = type(x)
    if kind is float or kind is int:
        return np.asarray(x, DEFAULTS.floatx)[()]
    return x if kind_of(dtype_of(x)) in "fc" else _cast(x, DEFAULTS.floatx)


def wide(x: Any) -> Any:
    """Half precision as float32: logarithms of chances lose too much in it, and Keras agrees."""
    return _cast(x, "float32") if dtype_of(x) in ("float16", "bfloat16") else x


def in_float32(function: F) -> F:
    """A function of arrays that LAPACK computes: of float16, which it doesn't know, rounded."""

    def is_half(x: Any) -> bool:
        return getattr(x, "dtype", None) is not None and dtype_of(x) == "float16"

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not any(map(is_half, (*args, *kwargs.values()))):
            return function(*args, **kwargs)
        named = {key: wide(x) if is_half(x) else x for key, x in kwargs.items()}
        found = function(*(wide(x) if is_half(x) else x for x in args), **named)
        parts = found if isinstance(found, tuple) else (found,)
        rounded = tuple(_cast(x, "float16") if dtype_of(x) == "float32" else x for x in parts)
        return rounded if isinstance(found, tuple) else rounded[0]

    return call  # type: ignore[return-value]


def same_floats(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Two operands, an array of integers beside one of floats cast to its dtype.

    NumPy would compute both in float64.
    """
    x1, x2 = _array_like(x1), _array_like(x2)
    one, two = getattr(x1, "dtype", None), getattr(x2, "dtype", None)
    if one is None or two is None or one == two:
        return x1, x2
    kinds = kind_of(one), kind_of(two)
    if kinds[0] == "f" and kinds[1] in "iub":
        return x1, _cast(x2, one)
    if kinds[1] == "f" and kinds[0] in "iub":
        return _cast(x1, two), x2
    return x1, x2


def both_floating(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Two operands of real values: integers become floats of the other's dtype, or float32."""
    x1, x2 = same_floats(x1, x2)
    if kind_of(dtype_of(x1)) not in "fc" and kind_of(dtype_of(x2)) not in "fc":
        x1, x2 = floating(x1), floating(x2)
    return x1, x2


def documented(
    body: Function,
    name: str,
    meaning: str,
    call: str,
    result: str,
    source: str | None = None,
    how: str = ", element by element",
    x: str | None = None,
) -> Any:
    """An op of a body, with a name and a docstring.

    Args:
        body: Computes it.
        name: Of the op.
        meaning: What it computes.
        call: The example: the arguments in parentheses, and what may follow.
        result: What the example prints.
        source: The function of NumPy, if it has another name.
        how: The rest of the sentence.
        x: What the only argument is, if no array.
    """
    argument = f"    Args:\n        x: {x}\n\n" if x else ""
    body.__name__ = body.__qualname__ = name
    body.__module__ = sys._getframe(2).f_globals["__name__"]  # where the table stands
    body.__doc__ = f"""{meaning}{how}, as `numpy.{source or name}`.

{argument}    Examples:
        >>> import kernelmodel as km
        >>> km.ops.{name}{call}
        {result}
    """
    return op(body)


def real(name: str, meaning: str, call: str, result: str, source: str | None = None) -> Any:
    """An op of one array with real values: integers are taken as floats."""
    function = getattr(anp, source or name)

    def body(x: Any) -> Any:
        return function(floating(x))

    return documented(body, name, meaning, call, result, source)


def unary(name: str, meaning: str, call: str, result: str, source: str | None = None) -> Any:
    """An op of one array that keeps its dtype."""
    function = getattr(anp, source or name)

    def body(x: Any) -> Any:
        return function(x)

    return documented(body, name, meaning, call, result, source)


def binary(name: str, meaning: str, call: str, result: str) -> Any:
    """An op of two arrays."""
    function = getattr(anp, name)

    def body(x1: Any, x2: Any) -> Any:
        return function(*same_floats(x1, x2))

    return documented(body, name, meaning, call, result)


def real_binary(name: str, meaning: str, call: str, result: str) -> Any:
    """An op of two arrays with real values."""
    function = getattr(anp, name)

    def body(x1: Any, x2: Any) -> Any:
        return function(*both_floating(x1, x2))

    return documented(body, name, meaning, call, result)


def predicate(name: str, meaning: str, call: str, result: str) -> Any:
    """An op of one array without a gradient."""
    function = getattr(np, name)

    def body(x: Any) -> Any:
        return function(getval(x))

    return documented(body, name, meaning, call, result)


def comparison(name: str, meaning: str, call: str, result: str) -> Any:
    """An op of two arrays without a gradient."""
    function = getattr(np, name)

    def body(x1: Any, x2: Any) -> Any:
        return function(*map(getval, same_floats(x1, x2)))

    return documented(body, name, meaning, call, result)
