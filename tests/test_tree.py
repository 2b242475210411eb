"""`km.tree`: the same results as `keras.tree`, and errors that say where structures differ."""

from __future__ import annotations

import importlib
from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import pytest

import kernelmodel as km

Point = namedtuple("Point", ["x", "y"])
NESTED = {"b": [1, (2, None)], "a": Point(3, {"z": 4, "c": 5})}


@pytest.fixture(scope="module")
def keras() -> Any:
    return importlib.import_module("keras")


@pytest.mark.oracle
@pytest.mark.parametrize("structure", [NESTED, [1, [2]], 7, None, {}, (), OrderedDict(b=1, a=2)])
def test_as_in_keras(structure: Any, keras: Any) -> None:
    ours, theirs = km.tree, keras.tree
    assert set(ours.__all__) == {name for name in dir(theirs) if not name.startswith("_")}
    assert ours.is_nested(structure) == theirs.is_nested(structure)
    assert ours.flatten(structure) == theirs.flatten(structure)
    assert ours.flatten_with_path(structure) == theirs.flatten_with_path(structure)
    leaves = list(range(len(ours.flatten(structure))))
    assert ours.pack_sequence_as(structure, leaves) == theirs.pack_sequence_as(structure, leaves)
    assert ours.lists_to_tuples(structure) == theirs.lists_to_tuples(structure)
    as_text = ours.map_structure(repr, structure), theirs.map_structure(repr, structure)
    assert as_text[0] == as_text[1]
    kept = (tree.map_structure(repr, structure, none_is_leaf=False) for tree in (ours, theirs))
    assert next(kept) == next(kept)


@pytest.mark.oracle
@pytest.mark.parametrize("top_down", [True, False])
def test_traverse_as_in_keras(top_down: bool, keras: Any) -> None:
    def replace(tree: Any) -> Any:
        def change(part: Any) -> Any:
            if isinstance(part, int):
                return tree.MAP_TO_NONE if part == 2 else part * 10
            return None

        return tree.traverse(change, NESTED, top_down)

    assert replace(km.tree) == replace(keras.tree)


def test_kinds_of_containers_are_kept() -> None:
    counted = defaultdict(list, {"k": [1]})
    doubled = km.tree.map_structure(lambda x: 2 * x, {"d": counted, "p": Point(1, 2)})
    assert doubled["p"] == Point(2, 4)
    assert type(doubled["d"]) is defaultdict
    assert doubled["d"]["new"] == []


@pytest.mark.parametrize(
    ("one", "other"), [([1], (1,)), ({"a": 1}, {"b": 1}), ([1, 2], [1]), ([1], 1), ([[1]], [1])]
)
def test_different_structures_are_an_error(one: Any, other: Any) -> None:
    with pytest.raises(ValueError, match="differ"):
        km.tree.assert_same_structure(one, other)
    with pytest.raises(ValueError, match="differ"):
        km.tree.map_structure(lambda a, b: a, one, other)


def test_paths() -> None:
    km.tree.assert_same_paths([1, (2,)], [3, [4]])
    with pytest.raises(ValueError, match="only in the first"):
        km.tree.assert_same_paths({"a": 1}, {"b": 1})


def test_wrong_arguments_are_errors() -> None:
    with pytest.raises(TypeError, match="func"):
        km.tree.map_structure(3, [1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="2 leaves"):
        km.tree.pack_sequence_as([0, 0], [1])
    with pytest.raises(ValueError, match="differ"):
        km.tree.map_structure_up_to([0, 0], len, [1])
