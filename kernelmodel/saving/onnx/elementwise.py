"""Emitters of primitives that work element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.saving.onnx.graph import Graph, Value, code_of
from kernelmodel.saving.onnx.interpreter import emits

SAME_NAME = {
    "abs": "Abs", "acos": "Acos", "acosh": "Acosh", "add": "Add", "add_any": "Add", "asin": "Asin",
    "asinh": "Asinh", "atan": "Atan", "atanh": "Atanh", "ceil": "Ceil", "cos": "Cos",
    "cosh": "Cosh", "div": "Div", "eq": "Equal", "erf": "Erf", "exp": "Exp", "floor": "Floor",
    "ge": "GreaterOrEqual", "gt": "Greater", "le": "LessOrEqual", "le_to": "LessOrEqual",
    "log": "Log", "logistic": "Sigmoid", "lt": "Less", "lt_to": "Less", "mul": "Mul",
    "neg": "Neg", "pow": "Pow", "sign": "Sign", "sin": "Sin", "sinh": "Sinh", "sqrt": "Sqrt",
    "sub": "Sub", "tan": "Tan", "tanh": "Tanh",
}  # fmt: skip
# For booleans, and for the bits of integers.
LOGICAL = {
    "and": ("And", "BitwiseAnd"),
    "or": ("Or", "BitwiseOr"),
    "xor": ("Xor", "BitwiseXor"),
    "not": ("Not", "BitwiseNot"),
    "max": ("Or", "Max"),
    "min": ("And", "Min"),
}


def common(*shapes: Any) -> Any:
    """The shape that shapes broadcast to."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(next((n for n in lengths if n != 1), 1) for lengths in zip(*padded))


def shaped(value: Value, *inputs: Value) -> Value:
    """The result with the shape that its inputs broadcast to."""
    value.shape = common(*(v.shape for v in inputs))
    return value


@emits(*SAME_NAME, broadcasts=True)
def same(g: Graph, step: Any, *inputs: Value) -> Value:
    """An operator of ONNX that means the same."""
    return shaped(g.add(SAME_NAME[step.primitive.name], *inputs), *inputs)


@emits(*LOGICAL, broadcasts=True)
def logical(g: Graph, step: Any, *inputs: Value) -> Value:
    """An operator that is another one for booleans."""
    of_bools, of_numbers = LOGICAL[step.primitive.name]
    is_bool = step.invars[0].aval.dtype == bool
    return shaped(g.add(of_bools if is_bool else of_numbers, *inputs), *inputs)


@emits("ne", broadcasts=True)
def ne(g: Graph, step: Any, x: Value, y: Value) -> Value:
    """Whether x differs from y."""
    return shaped(g.add("Not", g.add("Equal", x, y)), x, y)


def number(step: Any, value: float) -> np.ndarray:
    """A number in the dtype of a step's first argument."""
    return np.array(value, step.invars[0].aval.dtype)


@emits("square", broadcasts=True)
def square(g: Graph, step: Any, x: Value) -> Value:
    """x times x."""
    return shaped(g.add("Mul", x, x), x)


@emits("integer_pow", broadcasts=True)
def integer_pow(g: Graph, step: Any, x: Value) -> Value:
    """x to a fixed power."""
    return shaped(g.add("Pow", x, number(step, step.params["y"])), x)


@emits("exp2", broadcasts=True)
def exp2(g: Graph, step: Any, x: Value) -> Value:
    """Two to the power of x."""
    return shaped(g.add("Pow", number(step, 2), x), x)


@emits("rsqrt", broadcasts=True)
def rsqrt(g: Graph, step: Any, x: Value) -> Value:
    """One over the square root."""
    return shaped(g.add("Reciprocal", g.add("Sqrt", x)), x)


@emits("cbrt", broadcasts=True)
def cbrt(g: Graph, step: Any, x: Value) -> Value:
    """The cube root."""
    size = g.add("Pow", g.add("Abs", x), number(step, 1 / 3))
    return shaped(g.add("Mul", g.add("Sign", x), size), x)


@emits("erfc", broadcasts=True)
def erfc(g: Graph, step: Any, x: Value) -> Value:
    """One less the error function."""
    return shaped(g.add("Sub", number(step, 1), g.add("Erf", x)), x)


@emits("expm1", broadcasts=True)
def expm1(g: Graph, step: Any, x: Value) -> Value:
    """tanh(x / 2) (e^x + 1): exact also near zero."""
    half = g.add("Tanh", g.add("Mul", x, number(step, 0.5)))
    return shaped(g.add("Mul", half, g.add("Add", g.add("Exp", x), number(step, 1))), x)


@emits("log1p", broadcasts=True)
def log1p(g: Graph, step: Any, x: Value) -> Value:
    """2 artanh(x / (x + 2)) near zero, where it is exact; log(1 + x) elsewhere."""
    near = g.add("Less", g.add("Abs", x), number(step, 0.5))
    ratio = g.add("Div", x, g.add("Add", x, number(step, 2)))
    small = g.add("Mul", g.add("Atanh", ratio), number(step, 2))
    large = g.add("Log", g.add("Add", x, number(step, 1)))
    return shaped(g.add("Where", near, small, large), x)


@emits("atan2", broadcasts=True)
def atan2(g: Graph, step: Any, y: Value, x: Value) -> Value:
    """The angle of (x, y): that of the right half plane, turned by half a circle in the left."""
    angle = g.add("Atan", g.add("Div", y, x))
    below = g.add("Less", y, number(step, 0))
    turn = g.add("Where", below, number(step, -np.pi), number(step, np.pi))
    left = g.add("Less", x, number(step, 0))
    turned = g.add("Where", left, g.add("Add", angle, turn), angle)
    origin = g.add("And", g.add("Equal", x, number(step, 0)), g.add("Equal", y, number(step, 0)))
    return shaped(g.add("Where", origin, number(step, 0), turned), y, x)


@emits("rem", broadcasts=True)
def rem(g: Graph, step: Any, x: Value, y: Value) -> Value:
    """The remainder with the sign of x."""
    return shaped(g.add("Mod", x, y, fmod=1), x, y)


@emits("shift_left", broadcasts=True)
def shift_left(g: Graph, step: Any, x: Value, by: Value) -> Value:
    """x times a power of two."""
    return shaped(g.add("Mul", x, g.add("Pow", number(step, 2), by)), x, by)


@emits("round", broadcasts=True)
def rounded(g: Graph, step: Any, x: Value) -> Value:
    """Rounded, halves to even or away from zero."""
    if int(step.params["rounding_method"]) == 1:
        return shaped(g.add("Round", x), x)
    size = g.add("Floor", g.add("Add", g.add("Abs", x), number(step, 0.5)))
    return shaped(g.add("Mul", g.add("Sign", x), size), x)


@emits("is_finite", broadcasts=True)
def is_finite(g: Graph, step: Any, x: Value) -> Value:
    """Whether x is neither infinite nor NaN."""
    return shaped(g.add("Not", g.add("Or", g.add("IsInf", x), g.add("IsNaN", x))), x)


@emits("select_n", broadcasts=True)
def select_n(g: Graph, step: Any, which: Value, *cases: Value) -> Value:
    """The case of a number, or the second where a boolean is true."""
    if step.invars[0].aval.dtype == bool:
        return shaped(g.add("Where", which, cases[1], cases[0]), which, *cases)
    result = cases[0]
    for i, case in enumerate(cases[1:], start=1):
        result = g.add("Where", g.add("Equal", which, number(step, i)), case, result)
    return shaped(result, which, *cases)


@emits("clamp", broadcasts=True)
def clamp(g: Graph, step: Any, low: Value, x: Value, high: Value) -> Value:
    """x between two bounds."""
    return shaped(g.add("Min", g.add("Max", x, low), high), low, x, high)


@emits("convert_element_type", broadcasts=True)
def convert(g: Graph, step: Any, x: Value) -> Value:
    """x in another dtype."""
    old, new = step.invars[0].aval.dtype, step.params["new_dtype"]
    return x if old == new else shaped(g.add("Cast", x, to=code_of(new)), x)


@emits("reduce_precision", "copy", "copy_p", "stop_gradient", "name", "optimization_barrier",
       "sharding_constraint", broadcasts=True)  # fmt: skip
def unchanged(g: Graph, step: Any, *inputs: Value) -> list[Value]:
    """What means something to JAX only."""
    return list(inputs)
