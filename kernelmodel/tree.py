"""Nested structures of dicts, lists and tuples, named as in `keras.tree`.

A leaf is anything else. Dicts go in the order of their sorted keys, an
`OrderedDict` in its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernelmodel.core.tree import is_shape
from kernelmodel.engine.structure import flatten, ordered_keys, pack_like

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]


def __dir__() -> list[str]:
    return list(__all__)


class MAP_TO_NONE:
    """What a function of `traverse` returns to put None in place of a part.

    Examples:
        >>> import kernelmodel as km
        >>> km.tree.traverse(lambda x: km.tree.MAP_TO_NONE if x == 2 else None, [1, 2])
        [1, None]
    """


def is_nested(structure: Any) -> bool:
    """Whether something is a dict, list or tuple.

    Args:
        structure: Anything.

    Examples:
        >>> import kernelmodel as km
        >>> km.tree.is_nested([1]), km.tree.is_nested(1)
        (True, False)
    """
    return isinstance(structure, (dict, list, tuple))


def _children(structure: Any) -> list[tuple[Any, Any]]:
    """Keys or places, and the parts under them."""
    if isinstance(structure, dict):
        return [(key, structure[key]) for key in ordered_keys(structure)]
    return list(enumerate(structure))


def _rebuilt(structure: Any, parts: list[Any]) -> Any:
    """A container of the kind of `structure` with other parts, in the order of `_children`."""
    kind: Any = type(structure)
    if isinstance(structure, dict):
        made = dict(zip(ordered_keys(structure), parts))
        ordered = {key: made[key] for key in structure}
        if hasattr(structure, "default_factory"):
            return kind(structure.default_factory, ordered)
        return kind(ordered)
    return kind(*parts) if hasattr(structure, "_fields") else kind(parts)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves of a structure, each with the keys and places that lead to it.

    Args:
        structure: Dicts, lists and tuples, nested in any way; everything else is a leaf.

    Examples:
        >>> import kernelmodel as km
        >>> km.tree.flatten_with_path({"a": [5, 6]})
        [(('a', 0), 5), (('a', 1), 6)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [
        ((key, *path), leaf)
        for key, part in _children(structure)
        for path, leaf in flatten_with_path(part)
    ]


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """The structure with each leaf replaced by the function of the structures' leaves.

    Args:
        func: Function of as many leaves as there are structures.
        *structures: Structures of the same form.
        none_is_leaf: Whether None is given to the function; else it stays None.

    Raises:
        TypeError: `func` isn't a function.
        ValueError: No structures, or of different form.

    Examples:
        >>> import kernelmodel as km
        >>> km.tree.map_structure(lambda a, b: a + b, {"x": 1}, {"x": 2})
        {'x': 3}
    """
    if not callable(func):
        raise TypeError(f"map_structure: func must be a function, got {func!r}.")
    if not structures:
        raise ValueError("map_structure: give at least one structure.")
    first = structures[0]
    for other in structures[1:]:
        assert_same_structure(first, other)

    def of(*leaves: Any) -> Any:
        return None if leaves[0] is None and not none_is_leaf else func(*leaves)

    return map_structure_up_to(first, of, *structures)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """As `map_structure`, but what lies below the leaves of a shallow structure stays whole.

    Args:
        shallow_structure: Says how deep to go.
        func: Takes a part of each structure.
        structures: Structures that begin like the shallow one.

    Examples:
        >>> import kernelmodel as km
        >>> km.tree.map_structure_up_to([0, 0], len, [[1, 2], [3]])
        [2, 1]
    """
    if not is_nested(shallow_structure):
        return func(*structures)
    for structure in structures:
        if not is_nested(structure) or len(structure) != len(shallow_structure):
            raise ValueError(f"The structures differ: {shallow_structure!r} and {structure!r}.")
    parts = [_children(structure) for structure in structures]
    return _rebuilt(
        shallow_structure,
        [
            map_structure_up_to(part, func, *(children[i][1] for children in parts))
            for i, (_, part) in enumerate(_children(shallow_structure))
        ],
    )


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Check that two structures have the same form: keys, lengths and kinds of containers.

    Args:
        a: A structure.
        b: Another one.
        check_types: Without effect; kinds are always compared.

    Raises:
        ValueError: They differ; the message says where.

    Examples:
        >>> import kernelmodel as km
        >>> km.tree.assert_same_structure([1, {"a": 2}], [3, {"a": 4}])
    """
    if is_nested(a) != is_nested(b):
        raise ValueError(f"The structures differ: {a!r} and {b!r}.")
    if not is_nested(a):
        return
    kinds = (dict, dict) if isinstance(a, dict) and isinstance(b, dict) else (type(a), type(b))
    keys = [key for key, _ in _children(a)], [key for key, _ in _children(b)]
    if kinds[0] is not kinds[1] or keys[0] != keys[1]:
        raise ValueError(f"The structures differ: {a!r} and {b!r}.")
    for (_, one), (_, other) in zip(_children(a), _children(b)):
        assert_same_structure(one, other)


def assert_same_paths(a: Any, b: Any) -> None:
    """Check that the leaves of two structures have the same paths, whatever the containers are.

    Args:
        a: A structure.
        b: Another.

    Raises:
        ValueError: They differ; the message names the paths.

    Examples:
        >>> import kernelmodel as km
        >>> km.tree.assert_same_paths([1, (2,)], [3, [4]])
    """
    paths = [{path for path, _ in flatten_with_path(part)} for part in (a, b)]
    if paths[0] != paths[1]:
        raise ValueError(
            f"Paths only in the first: {sorted(map(str, paths[0] - paths[1]))}; only in the "
            f"second: {sorted(map(str, paths[1] - paths[0]))}."
        )


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """The structure with other leaves, in the order of `flatten`.

    Args:
        structure: Dicts, lists and tuples, nested in any way; everything else is a leaf.
        flat_sequence: The new leaves.

    Raises:
        ValueError: Another number of leaves.

    Examples:
        >>> import kernelmodel as km
        >>> km.tree.pack_sequence_as({"a": 0, "b": [0]}, [1, 2])
        {'a': 1, 'b': [2]}
    """
    leaves, count = list(flat_sequence), len(flatten(structure))
    if len(leaves) != count:
        raise ValueError(
            f"pack_sequence_as: the structure has {count} leaves, flat_sequence has {len(leaves)}."
        )
    return pack_like(structure, leaves)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Call a function on every part of a structure, and put what it returns in its place.

    Args:
        func: Called with each container and each leaf. None keeps the part (and, top down, goes on
            into it); `MAP_TO_NONE` puts None in its place; anything else replaces it.
        structure: Any structure.
        top_down: Whether a container comes before its parts.

    Examples:
        >>> import kernelmodel as km
        >>> km.tree.traverse(lambda x: sum(x) if isinstance(x, tuple) else None, [1, (2, 3)])
        [1, 5]
    """
    if top_down:
        found = func(structure)
        if found is not None:
            return None if found is MAP_TO_NONE else found
    if is_nested(structure):
        parts = [traverse(func, part, top_down) for _, part in _children(structure)]
        structure = _rebuilt(structure, parts)
    if top_down:
        return structure
    found = func(structure)
    return structure if found is None else None if found is MAP_TO_NONE else found


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in place of lists.

    Args:
        structure: Dicts, lists and tuples, nested in any way; everything else is a leaf.

    Examples:
        >>> import kernelmodel as km
        >>> km.tree.lists_to_tuples([1, {"a": [2]}])
        (1, {'a': (2,)})
    """

    def convert(part: Any) -> Any:
        return tuple(part) if type(part) is list else None

    return traverse(convert, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """A structure of shapes with each shape replaced by `func(shape)`.

    Args:
        func: Takes a shape.
        structure: Structure of shapes: tuples or lists of integers and None.

    Examples:
        >>> import kernelmodel as km
        >>> km.tree.map_shape_structure(len, {"a": (None, 3), "b": [2, 2, 2]})
        {'a': 2, 'b': 3}
    """
    if is_shape(structure):
        return func(tuple(structure))
    if not is_nested(structure):
        raise ValueError(f"map_shape_structure: {structure!r} is neither a shape nor a container.")
    return _rebuilt(
        structure, [map_shape_structure(func, part) for _, part in _children(structure)]
    )
