"""The namespace of ops: Keras' names, with Keras' parameters, loaded when needed."""

from __future__ import annotations

import importlib
import inspect
import pickle
import subprocess
import sys
from typing import Any

import pytest

import kernelmodel as km


@pytest.fixture(scope="module")
def keras() -> Any:
    return importlib.import_module("keras")


def public(module: Any) -> set[str]:
    return {name for name in dir(module) if not name.startswith("_")}


@pytest.mark.oracle
@pytest.mark.parametrize(
    "path", ["ops", "ops.numpy", "ops.nn", "ops.linalg", "ops.image", "random"]
)
def test_every_name_of_keras(path: str, keras: Any) -> None:
    ours, theirs = km, keras
    for part in path.split("."):
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    assert public(theirs) - public(ours) == set()
    for name in public(theirs):
        assert getattr(ours, name) is not None


@pytest.mark.oracle
@pytest.mark.parametrize("path", ["ops", "ops.image", "random"])
def test_parameters_as_in_keras(path: str, keras: Any) -> None:
    ours, theirs = km, keras
    for part in path.split("."):
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    different = {}
    for name in public(theirs):
        one, other = getattr(ours, name), getattr(theirs, name)
        if not inspect.isfunction(other):
            continue
        mine = list(inspect.signature(one).parameters)
        wanted = list(inspect.signature(other).parameters)
        if mine[: len(wanted)] != wanted:
            different[name] = (mine, wanted)
    assert different == {}


def test_every_op_has_a_docstring() -> None:
    for names, module in ((km.ops.__all__, km.ops), (km.ops.image.__all__, km.ops.image)):
        for name in names:
            documentation = inspect.getdoc(getattr(module, name)) or ""
            assert documentation.split("\n")[0].endswith((".", '"')), name


@pytest.mark.parametrize("name", ["exp", "hypot", "bitwise_and", "svd", "median", "conv"])
def test_ops_can_be_pickled(name: str) -> None:
    op = getattr(km.ops, name)
    assert pickle.loads(pickle.dumps(op)) is op


def test_the_table_of_later_modules_is_true() -> None:
    for module, names in km.ops._LATER.items():
        loaded = importlib.import_module(f"kernelmodel.ops.{module}")
        assert sorted(loaded.__all__) == sorted(names.split()), module


def test_rarely_used_themes_load_when_asked_for() -> None:
    code = (
        "import sys, kernelmodel as km; rare = ['decompositions', 'ctc', 'image', 'fourier'];"
        "assert not [m for m in rare if f'kernelmodel.ops.{m}' in sys.modules];"
        "assert 'svd' in dir(km.ops); km.ops.svd; km.ops.image.resize"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error() -> None:
    for module in (km.ops, km.ops.nn, km.ops.image):
        with pytest.raises(AttributeError, match="no_such_op"):
            _ = module.no_such_op
