"""Nested structures of dicts, lists and tuples. Dicts go in the order of their sorted keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def flatten(structure: Any) -> list[Any]:
    """The leaves of a structure.

    Examples:
        >>> flatten({"b": 1, "a": [2, (3,)]})
        [2, 3, 1]
    """
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flatten(part)]
    return [structure]


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """The structure with each leaf replaced by `function(leaf)`."""
    if isinstance(structure, dict):
        return {key: map_structure(function, part) for key, part in structure.items()}
    if isinstance(structure, (list, tuple)):
        parts = [map_structure(function, part) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    return function(structure)


def pack_like(structure: Any, leaves: list[Any]) -> Any:
    """The structure with its leaves replaced, in the order of `flatten`."""
    return _pack(structure, iter(leaves))


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, dict):
        packed = {key: _pack(structure[key], leaves) for key in sorted(structure)}
        return {key: packed[key] for key in structure}
    if isinstance(structure, (list, tuple)):
        parts = [_pack(part, leaves) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    return next(leaves)


def concatenate(parts: list[Any]) -> Any:
    """Structures of one kind as one, whose leaves are joined along the first axis."""
    if len(parts) == 1:
        return parts[0]
    leaves = zip(*(flatten(part) for part in parts))
    return pack_like(parts[0], [np.concatenate(leaf) for leaf in leaves])


def is_shape(value: Any) -> bool:
    """Whether a value is a shape, not a structure of shapes."""
    return isinstance(value, (list, tuple)) and all(
        part is None or (hasattr(part, "__index__") and not isinstance(part, bool))
        for part in value
    )


def map_shapes(function: Callable[[Any], Any], structure: Any) -> Any:
    """A structure of shapes with each shape replaced by `function(shape)`."""
    if structure is None or is_shape(structure):
        return function(structure)
    if isinstance(structure, dict):
        return {key: map_shapes(function, part) for key, part in structure.items()}
    return type(structure)(map_shapes(function, part) for part in structure)


def shapes_of(structure: Any) -> Any:
    """The shapes of a structure of arrays or symbolic tensors."""
    return map_structure(
        lambda leaf: tuple(leaf.shape) if hasattr(leaf, "shape") else None, structure
    )
