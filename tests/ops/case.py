"""A call of an op, as the table of all ops holds it, and arrays for it."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

drawn: Counter[str] = Counter()


def generator() -> np.random.Generator:
    """For one array of a module: the same, whichever modules were imported before it.

    Under two names a module is run twice, and counts anew.
    """
    name = sys._getframe(2).f_globals["__name__"]
    drawn[name] += 1
    return np.random.default_rng([*name.rpartition(".")[2].encode(), drawn[name]])


def normal(*shape: int) -> np.ndarray:
    return generator().standard_normal(shape)


def between(low: float, high: float, *shape: int) -> np.ndarray:
    return generator().uniform(low, high, shape)


def whole(high: int, *shape: int) -> np.ndarray:
    return generator().integers(0, high, shape).astype("int32")


def distinct(*shape: int) -> np.ndarray:
    """Values far enough apart that no step of a difference quotient changes their order."""
    count = int(np.prod(shape))
    return (generator().permutation(count) * 0.37 - 0.11 * count).reshape(shape)


@dataclass
class Case:
    """A call of an op: arrays among its arguments, and which of them have a gradient."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    gradient: tuple[int, ...] = ()
    symbolic: bool = True
    xla: bool = True
    keras: bool = True
    lists: bool = False  # the first argument is a list of arrays
    tolerance: float = 2e-5

    def __str__(self) -> str:
        settings = ",".join(f"{k}={v}" for k, v in self.kwargs.items())
        return f"{self.name}({settings})"

    def with_floats(self, dtype: str) -> tuple[Any, ...]:
        return tuple(map_arrays(lambda a: as_float(a, dtype), self.args))


def as_float(array: np.ndarray, dtype: str) -> np.ndarray:
    return array.astype(dtype) if array.dtype.kind == "f" else array


def map_arrays(function: Any, values: Any) -> Any:
    if isinstance(values, np.ndarray):
        return function(values)
    if isinstance(values, (list, tuple)) and any(
        isinstance(v, (np.ndarray, list, tuple)) for v in values
    ):
        return type(values)(map_arrays(function, v) for v in values)
    return values


def each(names: str, *args: Any, **settings: Any) -> list[Case]:
    return [Case(name, args, **settings) for name in names.split()]
