"""Lines of a plan, and rules that put better ones in their place.

A rule belongs to a function: it is given each line of a plan that calls it, looks at the lines
that use the result, and may put others in their place. What the plan returns stays the same to
the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np


@dataclass(frozen=True)
class Place:
    """What a plan knows of a value before it runs; without the value, whose memory is let go of.

    Attributes:
        name: The name that it has in the plan.
        shape: Of an array; empty for other values.
        dtype: Of an array; None for other values.
        whole: Whether its elements lie one after the other.
    """

    name: str
    shape: tuple[int, ...] = ()
    dtype: np.dtype[Any] | None = None
    whole: bool = True

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)


class Line:
    """A line of a plan.

    Args:
        code: Python code, an expression if it has a target.
        target: The name that gets its value; None if it only changes something in place.
        uses: Names that it reads.
        errors: NumPy's error settings around it, if not those of the step.
        kept: Whether it stays even if nothing reads its target.
        call: The function that it calls, its arguments and its keyword arguments, with a `Place`
            for each value of the plan; without them no rule knows it.

    Attributes:
        scalar: Whether the target is a NumPy scalar.
    """

    __slots__ = ("args", "code", "errors", "function", "kept", "kwargs", "scalar", "target", "uses")

    def __init__(
        self,
        code: str,
        target: str | None,
        uses: set[str],
        errors: Any,
        kept: bool = False,
        call: tuple[Callable[..., Any] | None, Sequence[Any], dict[str, Any]] = (None, (), {}),
    ) -> None:
        self.code, self.target, self.uses, self.errors = code, target, uses, errors
        self.kept = kept or target is None
        self.function, self.args, self.kwargs = call
        self.scalar = False


Write = Callable[..., Line]  # (function, args, kwargs, target, errors)


class Lines:
    """The lines of a plan in the hands of rules; the last one returns its results.

    Args:
        lines: All of them.
        write: Makes a line that calls a function: `Plan.line`.
    """

    def __init__(self, lines: list[Line], write: Write) -> None:
        self.lines, self.write = lines, write
        self._makers = {line.target: line for line in lines if line.target is not None}

    def maker(self, name: str) -> Line | None:
        """The line that made what has a name; None for what the plan is given."""
        return self._makers.get(name)

    def users(self, line: Line) -> list[Line]:
        """The lines that read what a line makes, in their order."""
        return [other for other in self.lines if line.target in other.uses]

    def part(self, line: Line, index: int) -> Line:
        """A new line that takes a part of the tuple that a line makes."""
        name = str(line.target)
        return Line(f"{name}[{index}]", f"{name}_{index}", {name}, line.errors)

    def change_in_place(self, first: Line, last: Line) -> bool:
        """Whether a line between two others changes something in place."""
        between = self.lines[self.lines.index(first) : self.lines.index(last)]
        return any(line.target is None for line in between)

    def replace(self, old: Sequence[Line], line: Line, new: Sequence[Line]) -> None:
        """Take out lines, and another one, in whose place new ones come (or some of the old)."""
        for other in old:
            self.lines.remove(other)
        at = self.lines.index(line)
        self.lines[at : at + 1] = new
        self._makers.update((str(one.target), one) for one in new)


Rule = Callable[[Lines, Line], None]
SomeRule = TypeVar("SomeRule", bound=Rule)

RULES: dict[Callable[..., Any], Rule] = {}


def rule(function: Callable[..., Any]) -> Callable[[SomeRule], SomeRule]:
    """Have a rule called with all lines and each line that calls the function."""

    def register(found: SomeRule) -> SomeRule:
        RULES[function] = found
        return found

    return register


def rewritten(lines: Sequence[Line], write: Write) -> list[Line]:
    """The lines that a plan needs, after all rules.

    Args:
        lines: As they were recorded; the last one returns the results.
        write: As in `Lines`.
    """
    needed: set[str] = set()
    alive = []
    for line in reversed(lines):
        if line.kept or line.target in needed:
            needed |= line.uses
            alive.append(line)
    found = Lines(alive[::-1], write)
    for line in reversed(alive):
        if line.function in RULES and line in found.lines:
            RULES[line.function](found, line)
    return found.lines


@dataclass
class Part:
    """Lines of a plan that something stands in for.

    Attributes:
        stand_in: What the plan calls; its attribute `plain` will be the lines as a function.
        lines: The lines.
        inputs: Names of what it is called with.
        results: Names of what it returns, as a list.
        instead: The lines that come in place of the others.
    """

    stand_in: Any
    lines: Sequence[Line]
    inputs: Sequence[str]
    results: Sequence[str]
    instead: Sequence[Line]


NameOf = Callable[[Any], str]
Grouping = Callable[[Sequence[Line], NameOf, set[str]], tuple[list[Line], list[Part]]]
GROUPINGS: list[Grouping] = []


def grouped(
    lines: Sequence[Line], name_of: NameOf, used: set[str]
) -> tuple[list[Line], list[Part]]:
    """The lines with calls of stand-ins in place of some.

    Args:
        lines: All but the one that returns the plan's results.
        name_of: The name that the plan gives to a constant.
        used: Names that the last line reads.
    """
    left, parts = list(lines), []
    for grouping in GROUPINGS:
        left, found = grouping(left, name_of, used)
        parts += found
    return left, parts
