"""Which lines of a plan become a program, and the commands for them.

A translator belongs to a function: it is given a line that calls it, and writes commands that do
the same to the last bit, or refuses by `NoCommand`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from kernelmodel.engine.assembler import Assembler
from kernelmodel.engine.plan_fusion import GROUPINGS, Line, NameOf, Part, Place
from kernelmodel.engine.program import Program, can_run
from kernelmodel.engine.program_memory import Buffer, NoCommand, Value

FEWEST = 4  # lines that are worth a program
AWAY = 64  # other lines that a line may cross to join a program

Translator = Callable[["Group", Line], Value | None]
SomeTranslator = TypeVar("SomeTranslator", bound=Translator)
TRANSLATORS: dict[Any, Translator] = {}


def translates(*functions: Callable[..., Any]) -> Callable[[SomeTranslator], SomeTranslator]:
    """Have a translator called with each line that calls one of some functions.

    Args:
        functions: Functions, or classes whose instances are called.
    """

    def register(found: SomeTranslator) -> SomeTranslator:
        TRANSLATORS.update(dict.fromkeys(functions, found))
        return found

    return register


class Group:
    """Lines that become one program.

    Args:
        name_of: The name that the plan gives to a constant.
    """

    def __init__(self, name_of: Callable[[Any], str]) -> None:
        self.assembler = Assembler()
        self.lines: list[Line] = []
        self.made: dict[str, Value] = {}
        self.views: set[str] = set()  # of what was made before, or given
        self.checked: set[Buffer] = set()  # where labels lie that are known to be in range
        self.threads = False
        self._name_of = name_of
        self._buffers: set[Buffer] = set()

    def take(self, line: Line) -> bool:
        """Write commands for a line, if there are any for it."""
        try:
            translate = TRANSLATORS.get(line.function) or TRANSLATORS.get(type(line.function))
        except TypeError:  # not hashable
            return False
        if translate is None or (line.kept and line.target is not None):
            return False
        before = self.assembler.state()
        try:
            value = translate(self, line)
        except NoCommand:
            self.assembler.go_back(before)
            return False
        if value is not None and line.target is not None:
            if value.buffer.slot is not None or value.buffer in self._buffers:
                self.views.add(line.target)
            self._buffers.add(value.buffer)
            self.made[line.target] = value
        self.lines.append(line)
        return True

    def operand(self, given: Any) -> Any:
        """An argument of a line as a value, or as the number that it is."""
        if isinstance(given, Place):
            if given.name in self.made:
                return self.made[given.name]
            if given.dtype is None or not given.whole:
                raise NoCommand("no array, or one that isn't contiguous")
            return self.assembler.input(given.name, given.shape, given.dtype)
        if isinstance(given, np.ndarray):
            name = self._name_of(given)
            return self.assembler.input(name, given.shape, given.dtype)
        return given

    def value(self, given: Any) -> Value:
        """An argument that must be an array."""
        found = self.operand(given)
        if not isinstance(found, Value):
            raise NoCommand("no array")
        return found

    def target(self, given: Any) -> Value:
        """An argument that is written to: an array that the group made."""
        found = self.value(given)
        if found.buffer.slot is not None:
            raise NoCommand("what others may hold is changed in place")
        return found

    def labels(self, value: Value, classes: int) -> Value:
        """Numbers of classes as int64, held to be in range."""
        found = self.assembler.labels(value, classes)
        self.checked.add(found.buffer)
        return found

    def close(self, used: set[str], count: int) -> Part | None:
        """A program for the lines; None if it isn't worth while.

        Args:
            used: Names that lines after them read.
            count: A number that no other group of the plan has.
        """
        views: list[Line] = []
        results: list[str] = []
        needed = set(used)
        for line in reversed(self.lines):
            if line.target in needed:
                if line.target in self.views:
                    views.insert(0, line)
                    needed |= line.uses
                else:
                    results.insert(0, str(line.target))
        calls = sum(line.target not in self.views for line in self.lines)
        if calls < FEWEST or not results:
            return None
        scalars = {line.target for line in self.lines if line.scalar}
        values = [(self.made[name], name in scalars) for name in results]
        program = Program(self.assembler, values, calls, self.threads)
        name, inputs = f"p{count}", [name for name, _ in self.assembler.inputs]
        uses = set().union(*(line.uses for line in self.lines)) & set(inputs)
        call = Line(f"{self._name_of(program)}({', '.join(inputs)})", name, uses, None)
        taken = [Line(f"{name}[{i}]", made, {name}, None) for i, made in enumerate(results)]
        return Part(program, self.lines, inputs, results, [call, *taken, *views])


def programs(
    lines: Sequence[Line], name_of: NameOf, used: set[str]
) -> tuple[list[Line], list[Part]]:
    """Lines with programs in place of what programs can do; see `plan_fusion.grouped`.

    A line joins the group that is open if nothing that it reads is made by a line which has to
    come after the group. What needs nothing of the group comes before it.
    """
    if not can_run():
        return list(lines), []
    done: list[Line] = []
    parts: list[Part] = []
    left = list(lines)
    while left:
        group, before, after, rest = open_group(left, name_of)
        reads = used.union(*(line.uses for line in [*after, *rest]))
        part = group.close(reads, len(parts)) if len(group.lines) >= FEWEST else None
        if part is None:  # all stays as it was, up to the first line that might have been in one
            at = left.index(group.lines[0]) if group.lines else len(before)
            done += left[: at + 1]
            left = left[at + 1 :]
        else:
            done += [*before, *part.instead]
            left = [*after, *rest]
            parts.append(part)
    return done, parts


def open_group(
    lines: Sequence[Line], name_of: NameOf
) -> tuple[Group, list[Line], list[Line], list[Line]]:
    """The first group; and which lines come before it, after it, and were not looked at."""
    group = Group(name_of)
    before: list[Line] = []
    after: list[Line] = []
    late: set[str] = set()  # made after the group
    for at, line in enumerate(lines):
        waits = not late.isdisjoint(line.uses)
        if not waits and group.take(line):
            continue
        # If it is kept something may be changed: no line crosses it.
        if line.kept or len(before) + len(after) == AWAY:
            return group, before, after, list(lines[at:])
        if waits or not group.made.keys().isdisjoint(line.uses):
            after.append(line)
            late.add(str(line.target))
        else:
            before.append(line)
    return group, before, after, []


GROUPINGS.append(programs)
