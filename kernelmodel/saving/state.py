"""Where each variable of a model lies in a weights file: Keras 3's layout.

A layer's own variables are `vars/0`, `vars/1`, ...; its sublayers lie below the names of the
attributes that hold them (private ones last), those in lists below the snake case of their class,
counted up. A model has its list of layers as one more attribute.
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
    for where, owner in owners(thing, path):
        own = [owner.state] if isinstance(owner, SeedGenerator) else owner._own_weights()
        yield where, owner.name, own


def owners(thing: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each layer and random stream: (path in the file, itself)."""
    yield from _walk(thing, path, set())


def _walk(thing: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    yield path, thing
    if isinstance(thing, SeedGenerator):
        return
    found = {name: value for name, value in vars(thing).items() if name not in UNTRACKED}
    found.pop("_stack", None)
    if isinstance(thing, Model):
        found["layers"] = thing.layers
        if thing._graph is not None or type(thing).__name__ == "Sequential":
            yield from _walk_all(thing.layers, f"{path}/layers", seen)
    for name in sorted(found, key=lambda name: (name.startswith("_"), name)):
        value = found[name]
        if isinstance(value, (Layer, SeedGenerator)):
            yield from _walk(value, f"{path}/{name}", seen)
        elif isinstance(value, (dict, list, tuple)):
            yield from _walk_all(value, f"{path}/{name}", seen)


def _walk_all(things: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Things in a list, numbered by class: also those that were met before have their number."""
    counts: dict[str, int] = {}
    for thing in things.values() if isinstance(things, dict) else things:
        inner = isinstance(thing, (dict, list, tuple))
        if not inner and not isinstance(thing, (Layer, SeedGenerator)):
            continue
        title = getattr(thing, "_serialized_class_name", type(thing).__name__)
        title = getattr(thing, "_class_in_weights_files", title)
        name = "container" if inner else snake_case(title)
        count = counts.get(name, 0)
        counts[name] = count + 1
        walk_on = _walk_all if inner else _walk
        yield from walk_on(thing, f"{path}/{name}_{count}" if count else f"{path}/{name}", seen)
