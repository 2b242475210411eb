"""What an argument may be: annotations of constructors that are checked.

A parameter annotated with one of these names, with `bool`, `int`, `float` or `str`, or with a union
of them and `None`, takes nothing else. What NumPy or a tensor has for a number is one, too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np


@dataclass(frozen=True)
class Kind:
    """What an argument may be.

    Attributes:
        words: It in words, for errors.
        holds: Whether a value is such a one.
    """

    words: str
    holds: Callable[[Any], bool]


def is_flag(value: Any) -> bool:
    """Whether a value is a boolean; 0 and 1 are."""
    return isinstance(value, (bool, np.bool_)) or (is_integer(value) and value in (0, 1))


def is_integer(value: Any) -> bool:
    """Whether a value is a whole number, and no boolean."""
    return _is_single(value) and hasattr(value, "__index__")


def is_number(value: Any) -> bool:
    """Whether a value is a real number, and no boolean."""
    return _is_single(value) and hasattr(value, "__float__")


def _is_single(value: Any) -> bool:
    return not isinstance(value, (bool, np.bool_, str)) and getattr(value, "shape", ()) == ()


def integers(value: Any) -> bool:
    """Whether a value is a list of whole numbers."""
    return isinstance(value, Collection) and all(map(is_integer, value))


def numbers(value: Any) -> bool:
    """Whether a value is a list of numbers."""
    return isinstance(value, Collection) and all(map(is_number, value))


def are_values(value: Any) -> bool:
    """Whether a value is a number, or an array or nested list of numbers."""
    parts = isinstance(value, (list, tuple)) and all(map(are_values, value))
    return parts or is_number(value) or getattr(value, "shape", ()) != ()


def is_length(value: Any) -> bool:
    """Whether a value is the length of an axis; None is, for an unknown one."""
    return value is None or is_integer(value)


# Annotations that Python has names for.
BUILT_IN = {
    "bool": Kind("True or False", is_flag),
    "int": Kind("an integer", is_integer),
    "float": Kind("a number", is_number),
    "str": Kind("a string", lambda value: isinstance(value, str)),
    "dict": Kind("a dict", lambda value: isinstance(value, Mapping)),
    "None": Kind("None", lambda value: value is None),
}

NotNegative = Annotated[float, Kind("a number >= 0", lambda v: is_number(v) and v >= 0)]
NotPositive = Annotated[float, Kind("a number <= 0", lambda v: is_number(v) and v <= 0)]
Positive = Annotated[float, Kind("a number above 0", lambda v: is_number(v) and v > 0)]
Share = Annotated[float, Kind("a number in [0, 1]", lambda v: is_number(v) and 0 <= v <= 1)]
AboveZero = Annotated[float, Kind("a number in (0, 1]", lambda v: is_number(v) and 0 < v <= 1)]
BelowOne = Annotated[float, Kind("a number in [0, 1)", lambda v: is_number(v) and 0 <= v < 1)]
Whole = Annotated[int, Kind("an integer >= 0", lambda v: is_integer(v) and v >= 0)]
Count = Annotated[int, Kind("an integer >= 1", lambda v: is_integer(v) and v >= 1)]
AtLeastTwo = Annotated[int, Kind("an integer >= 2", lambda v: is_integer(v) and v >= 2)]
Axes = Annotated[Any, Kind("an integer, or a list of them", lambda v: is_integer(v) or integers(v))]
Integers = Annotated[Sequence[int], Kind("a list of integers", integers)]
Numbers = Annotated[Sequence[float], Kind("a list of numbers", numbers)]
PathLike = Annotated[Any, Kind("a path", lambda v: isinstance(v, (str, os.PathLike)))]
Strings = Annotated[
    Sequence[str],
    Kind(
        "a list of strings",
        lambda v: isinstance(v, (list, tuple)) and all(isinstance(part, str) for part in v),
    ),
]
Lengths = Annotated[
    Any,
    Kind(
        "an integer or None, or a list of them",
        lambda v: is_length(v) or (isinstance(v, (list, tuple)) and all(map(is_length, v))),
    ),
]
Shapes = Annotated[
    Any,
    Kind(
        "a shape, a structure of shapes or a function",
        lambda v: isinstance(v, (list, tuple, Mapping)) or callable(v),
    ),
]
Values = Annotated[Any, Kind("a number, or an array of them", are_values)]
Arrays = Annotated[
    Any, Kind("a list of arrays", lambda v: isinstance(v, (list, tuple)) or hasattr(v, "shape"))
]
Function = Annotated[Callable[..., Any], Kind("a function", callable)]
