"""What models are made of: their layers and ops, and those of the models in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass
class Place:
    """A layer or op in its place in a model.

    Attributes:
        id: The place in the tree, such as "3" or "3/0".
        path: The names that lead to it, such as "encoder/block/conv".
        depth: How many models it is nested in.
        operation: The layer or op.
        owner: The model or layer that it is a part of.
        nested: Whether its parts follow.
    """

    id: str
    path: str
    depth: int
    operation: Any
    owner: Any
    nested: bool


def is_model(operation: Any) -> bool:
    """Whether something is a model."""
    return hasattr(operation, "_graph")


def expands(operation: Any) -> bool:
    """Whether a layer is shown as made of layers: models, and layers of a user's own class."""
    if is_model(operation):
        return bool(operation.layers)
    own = type(operation).__module__.startswith("kernelmodel.")
    return not own and bool(getattr(operation, "_layers", []))


def operations_of(owner: Any) -> list[Any]:
    """The layers of a model, and the ops between them; the layers of another layer."""
    graph = getattr(owner, "_graph", None)
    if graph is not None and type(owner).__name__ != "Sequential":
        return graph.operations
    return owner.layers if is_model(owner) else list(owner._layers)


def places(model: Any) -> Iterator[Place]:
    """All parts of a model, those of a part right after it."""
    return _places(model, "", "", 0)


def _places(owner: Any, above: str, names: str, depth: int) -> Iterator[Place]:
    for number, operation in enumerate(operations_of(owner)):
        key, path = f"{above}{number}", f"{names}{operation.name}"
        nested = expands(operation)
        yield Place(key, path, depth, operation, owner, nested)
        if nested:
            yield from _places(operation, f"{key}/", f"{path}/", depth + 1)
