"""Nested structures of dicts, lists and tuples. Dicts go in the order of their sorted keys.

An `OrderedDict` goes in its own order, as in Keras 3.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any


def ordered_keys(structure: dict[Any, Any]) -> list[Any]:
    """The keys of a dict in the order that its parts go in."""
    return list(structure) if isinstance(structure, OrderedDict) else sorted(structure)


def flatten(structure: Any) -> list[Any]:
    """The leaves of a structure.

    Args:
        structure: Dicts, lists and tuples, nested in any way; everything else is a leaf.

    Examples:
        >>> flatten({"b": 1, "a": [2, (3,)]})
        [2, 3, 1]
    """
    if isinstance(structure, dict):
        return [leaf for key in ordered_keys(structure) for leaf in flatten(structure[key])]
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
        packed = {key: _pack(structure[key], leaves) for key in ordered_keys(structure)}
        return {key: packed[key] for key in structure}
    if isinstance(structure, (list, tuple)):
        parts = [_pack(part, leaves) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    return next(leaves)
