"""Every public name is a good place to press `?`: a sentence, its arguments, an example that runs.

pytest itself runs the examples that stand in docstrings; those of ops that a table makes are run
here.
"""

from __future__ import annotations

import doctest
import inspect
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import kernelmodel as km

# What a class inherits from its documented base, and says nothing new about.
OF_LAYER = {"activity_regularizer", "trainable", "dtype", "name", "autocast"}
# Their examples would need the network, or files that nobody has.
WITHOUT_EXAMPLE = {"load_data", "get_word_index", "audio_dataset_from_directory"}
OPEN = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
# Whose methods people call and override.
SPOKEN = ("Model", "Sequential", "Layer", "Loss", "Metric", "Optimizer", "GradientTape", "Variable")


def walk(module: ModuleType, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Every public module, class and function, once."""
    for name in sorted(module.__all__):
        value, place = getattr(module, name), f"{path}.{name}"
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, ModuleType):
            yield place, value
            yield from walk(value, place, seen)
        elif callable(value):
            yield place, value


PUBLIC = dict(walk(km, "km", set()))
MODULES = {"km": km, **{path: x for path, x in PUBLIC.items() if isinstance(x, ModuleType)}}
CALLABLES = {path: x for path, x in PUBLIC.items() if not isinstance(x, ModuleType)}
METHODS = {
    f"km.{owner}.{name}": (getattr(km, owner), name)
    for owner in SPOKEN
    for name, value in inspect.getmembers(getattr(km, owner))
    if not name.startswith("_") and (callable(value) or isinstance(value, property))
}


def parameters(value: Any) -> list[str]:
    """Names of a signature's parameters, without `*args`, `**kwargs` and `self`."""
    signature = inspect.signature(value)
    return [
        p.name for p in signature.parameters.values() if p.kind not in OPEN and p.name != "self"
    ]


def missing(names: list[str], doc: str) -> list[str]:
    """Parameters that the section `Args:` doesn't name; "see `x`" sends the reader elsewhere."""
    if re.search(r"[Ss]ee `", doc):
        return []
    section = doc.partition("Args:")[2]  # of a method, with those of the methods it overrides
    return [name for name in names if not re.search(rf"^\s+{name}: ", section, re.M)]


@pytest.mark.parametrize("path", sorted(MODULES))
def test_modules(path: str) -> None:
    module = MODULES[path]
    assert module.__doc__
    shown = {name for name in dir(module) if not name.startswith("_")}
    spaces = {"image", "linalg", "nn", "numpy"} if path == "km.ops" else set()
    assert shown == set(module.__all__) | spaces, "dir() shows what isn't public"


@pytest.mark.parametrize("path", sorted(CALLABLES))
def test_sentence_arguments_and_example(path: str) -> None:
    value = CALLABLES[path]
    doc = value.__doc__
    assert doc, "no docstring"
    if inspect.isclass(value):
        assert all(doc != base.__doc__ for base in value.__mro__[1:]), "the docstring of its base"
    names = parameters(value)
    if inspect.isclass(value) and issubclass(value, km.Layer) and value is not km.Layer:
        names = [name for name in names if name not in OF_LAYER]
    assert missing(names, doc) == []
    if path.rpartition(".")[2] not in WITHOUT_EXAMPLE:
        assert ">>>" in doc, "no example"


@pytest.mark.parametrize("path", sorted(METHODS))
def test_methods(path: str) -> None:
    owner, name = METHODS[path]
    static = inspect.getattr_static(owner, name)
    doc = inspect.getdoc(static if isinstance(static, property) else getattr(owner, name))
    assert doc, "no docstring"
    if not isinstance(static, property):
        told = [vars(base)[name].__doc__ or "" for base in owner.__mro__ if name in vars(base)]
        assert missing(parameters(getattr(owner, name)), "\n".join(told)) == []


def made_by_tables() -> dict[str, Any]:
    """Ops whose docstring isn't in the source, so that pytest doesn't find their example."""
    return {
        path: value
        for path, value in CALLABLES.items()
        if path.startswith("km.ops.")
        and inspect.unwrap(value).__globals__["__name__"] != value.__module__
    }


@pytest.mark.parametrize("path", sorted(made_by_tables()))
def test_examples_of_tables(path: str) -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    text = CALLABLES[path].__doc__
    test = doctest.DocTestParser().get_doctest(text, {}, path, None, None)
    said: list[str] = []
    failed, tried = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)
    assert tried and not failed, "".join(said)


def test_the_walk_meets_everything() -> None:
    assert len(CALLABLES) > 800
    assert len(made_by_tables()) > 70
