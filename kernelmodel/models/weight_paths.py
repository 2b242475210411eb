"""Weights by the attributes that lead to them."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.layer import Layer
from kernelmodel.core.variable import Variable


def collect(layer: Any, path: list[str], found: dict[str, Variable], seen: set[int]) -> None:
    """Collect weights by attribute path, such as "blocks.0.kernel" for a layer in a list.

    A Functional model's layers, and others that no attribute holds, go by their names.
    """
    if id(layer) in seen:
        return
    seen.add(id(layer))
    names: dict[int, str] = {}
    for name, value in layer._tracked.items():
        if not name.startswith("_"):  # a Sequential's own list, for one
            _name(name, value, names)
    names |= {id(v): n for n, v in vars(layer).items() if isinstance(v, (Variable, Layer))}
    for variable in layer._own_weights():
        name = names.get(id(variable), variable.name)
        found.setdefault(".".join([*path, name]), variable)
    for child in layer._layers:
        collect(child, [*path, names.get(id(child), child.name)], found, seen)


def _name(path: str, value: Any, names: dict[int, str]) -> None:
    """Note the path of each layer and variable in nested containers, the first if several."""
    if isinstance(value, dict):
        parts = [(str(key), part) for key, part in value.items()]
    elif isinstance(value, (list, tuple)):
        parts = [(str(i), part) for i, part in enumerate(value)]
    else:
        names.setdefault(id(value), path)
        return
    for key, part in parts:
        _name(f"{path}.{key}", part, names)
