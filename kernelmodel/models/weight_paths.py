"""Weights by the attributes that lead to them."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.layer import Layer
from kernelmodel.core.variable import Variable


def collect(layer: Any, path: list[str], found: dict[str, Variable], seen: set[int]) -> None:
    """Collect weights by attribute path; a Functional model's layers go by their names."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    names = {id(v): n for n, v in vars(layer).items() if isinstance(v, Variable)}
    for variable in layer._own_weights():
        name = names.get(id(variable), variable.name)
        found.setdefault(".".join([*path, name]), variable)
    children = {id(v): n for n, v in vars(layer).items() if isinstance(v, Layer)}
    for child in layer._layers:
        collect(child, [*path, children.get(id(child), child.name)], found, seen)
