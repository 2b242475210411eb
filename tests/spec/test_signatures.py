"""Every method and attribute of the tf.keras.Model page, with its parameters and defaults."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

import kernelmodel as km

LINES = (Path(__file__).parent / "model_page.txt").read_text().splitlines()
ATTRIBUTES = [line.split()[1] for line in LINES if line.startswith("attribute ")]
SIGNATURES = [line for line in LINES if not line.startswith("attribute ")]

Parameter = tuple[str, Any]
REQUIRED = inspect.Parameter.empty


def parse(signature: str) -> tuple[str, list[Parameter], bool]:
    """Name, parameters with defaults, and whether there is **kwargs."""
    function = ast.parse(f"def {signature}: ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    arguments = function.args
    defaults = [ast.literal_eval(default) for default in arguments.defaults]
    missing: list[Any] = [REQUIRED] * (len(arguments.args) - len(defaults))
    names = [argument.arg for argument in arguments.args]
    return function.name, list(zip(names, missing + defaults)), arguments.kwarg is not None


def test_the_page_has_what_it_has() -> None:
    assert (len(SIGNATURES), len(ATTRIBUTES)) == (31, 6)


@pytest.mark.parametrize("model", [km.Model, km.Sequential], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda line: line.split("(")[0])
def test_method(signature: str, model: type) -> None:
    name, expected, has_kwargs = parse(signature)
    own = list(inspect.signature(getattr(model, name)).parameters.values())[1:]
    positional = [p for p in own if p.kind is p.POSITIONAL_OR_KEYWORD]
    found = [(p.name, p.default) for p in positional]
    assert found[: len(expected)] == expected
    assert not any(p.default is REQUIRED for p in positional[len(expected) :])
    if has_kwargs:
        assert own[-1].kind is inspect.Parameter.VAR_KEYWORD
    for parameter, default in found[len(expected) :]:
        assert default is not REQUIRED, f"{name} also requires {parameter}"


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attribute(name: str) -> None:
    inputs = km.Input((3,))
    models = [km.Model(inputs, km.layers.Dense(1)(inputs)), km.Sequential()]
    for model in models:
        getattr(model, name)
        assert inspect.getdoc(getattr(type(model), name, None)), f"{name} needs a docstring"


@pytest.mark.parametrize("name", ["run_eagerly", "jit_compile", "distribute_reduction_method"])
def test_settable_attribute(name: str) -> None:
    model = km.Sequential([km.Input((3,)), km.layers.Dense(1)])
    model.compile("sgd", "mse")
    value = "sum" if name == "distribute_reduction_method" else False
    setattr(model, name, value)
    assert getattr(model, name) == value


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda line: line.split("(")[0])
def test_docstring_names_every_parameter(signature: str) -> None:
    name, expected, _ = parse(signature)
    text = inspect.getdoc(getattr(km.Model, name)) or ""
    for parameter, _default in expected:
        assert f"{parameter}:" in text, f"Model.{name} doesn't document {parameter}"
