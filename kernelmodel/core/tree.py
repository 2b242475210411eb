"""Structures of arrays and of shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel.engine.structure import flatten, map_structure, pack_like

__all__ = [
    "concatenate",
    "flatten",
    "is_shape",
    "map_shapes",
    "map_structure",
    "pack_like",
    "shapes_of",
]


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
