"""Arguments of ops that are wrong: errors that name the op, the argument, and what is allowed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from kernelmodel.ops.convert import dtype_of, extents

FORMATS = ("channels_last", "channels_first")


def refuse(op: str, argument: str, got: Any, allowed: str) -> None:
    """Raise the error for an argument.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f"{op}: {argument} must be {allowed}, got {got}.")


def choice(op: str, argument: str, value: Any, allowed: Collection[Any]) -> Any:
    """The value, if it is among the allowed ones."""
    if value not in allowed:
        refuse(op, argument, repr(value), "one of " + ", ".join(map(repr, allowed)))
    return value


def data_format(op: str, value: str | None) -> str:
    """The value, or "channels_last" for None."""
    return FORMATS[0] if value is None else choice(op, "data_format", value, FORMATS)


def rank(op: str, argument: str, x: Any, allowed: Collection[int]) -> int:
    """The number of dimensions of x, if it is among the allowed ones."""
    found = extents(x)
    if len(found) not in allowed:
        ranks = " or ".join(map(str, allowed))
        refuse(op, argument, f"an array of shape {found}", f"an array of rank {ranks}")
    return len(found)


def matrix(op: str, argument: str, x: Any) -> None:
    """Check that x is a matrix, or a batch of matrices."""
    if len(extents(x)) < 2:
        refuse(op, argument, f"shape {extents(x)}", "a matrix, or a batch of them")


def square(op: str, argument: str, x: Any) -> None:
    """Check that x is a matrix, or a batch of matrices, of equal side lengths."""
    found = extents(x)
    if len(found) < 2 or found[-1] != found[-2]:
        refuse(op, argument, f"shape {found}", "a square matrix, or a batch of them")


def whole(op: str, argument: str, x: Any) -> None:
    """Check that x holds integers or booleans."""
    if "int" not in dtype_of(x) and dtype_of(x) != "bool":
        refuse(op, argument, f"dtype {dtype_of(x)}", "an array of integers")


def per_axis(op: str, argument: str, value: Any, axes: int) -> tuple[int, ...]:
    """An int for every spatial axis, or the given sequence as a tuple of ints."""
    found = (value,) * axes if hasattr(value, "__index__") else value
    if (
        not isinstance(found, (tuple, list))
        or len(found) != axes
        or not all(hasattr(part, "__index__") for part in found)
    ):
        refuse(op, argument, repr(value), f"an integer or {axes} of them")
    return tuple(map(int, found))
