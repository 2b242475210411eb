"""Where each variable of a model lies in a weights file: Keras 3's layout.

A layer's own variables are `vars/0`, `vars/1`, ...; its sublayers lie below the names of the
attributes that hold them, those in lists below the snake case of their class, counted up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernelmodel.core.layer import Layer
from kernelmodel.core.naming import snake_case
from kernelmodel.core.seed import SeedGenerator
from kernelmodel.core.tracking import UNTRACKED
from kernelmodel.core.variable import Variable
from kernelmodel.models.model import Model


def walk(thing: Any, path: str = "") -> Iterator[tuple[str, str, list[Variable]]]:
    """Each owner of variables: (path in the file, its name, its variables in order)."""
    yield from _walk(thing, path, set())


def _walk(thing: Any, path: str, seen: set[int]) -> Iterator[tuple[str, str, list[Variable]]]:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, SeedGenerator):
        yield path, thing.name, [thing.state]
        return
    yield path, thing.name, thing._own_weights()
    if (isinstance(thing, Model) and thing._graph is not None) or (
        isinstance(thing, Model) and type(thing).__name__ == "Sequential"
    ):
        yield from _walk_all(thing.layers, f"{path}/layers", seen)
    for name in sorted(vars(thing)):
        if name in UNTRACKED or name == "_stack":
            continue
        value = vars(thing)[name]
        if isinstance(value, (Layer, SeedGenerator)):
            yield from _walk(value, f"{path}/{name}", seen)
        elif isinstance(value, dict):
            yield from _walk_all(list(value.values()), f"{path}/{name}", seen)
        elif isinstance(value, (list, tuple)):
            yield from _walk_all(value, f"{path}/{name}", seen)


def _walk_all(things: Any, path: str, seen: set[int]) -> Iterator[tuple[str, str, list[Variable]]]:
    counts: dict[str, int] = {}
    for thing in things:
        if not isinstance(thing, (Layer, SeedGenerator)) or id(thing) in seen:
            continue
        title = getattr(thing, "_serialized_class_name", type(thing).__name__)
        name = snake_case(title)
        count = counts.get(name, 0)
        counts[name] = count + 1
        yield from _walk(thing, f"{path}/{name}_{count}" if count else f"{path}/{name}", seen)
