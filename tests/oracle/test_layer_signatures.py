"""The constructors of layers take what those of the genuine Keras take, in its order."""

from __future__ import annotations

import importlib
import inspect

import pytest

from kernelmodel import layers as L
from kernelmodel.core.autoconfig import init_parameters

keras = importlib.import_module("keras")
pytestmark = pytest.mark.oracle

# Arguments for what is left out (see tests/catalogue), taken at their defaults only.
LEFT_OUT = {
    "lora_rank",
    "lora_alpha",
    "quantization_config",
    "gptq_unpacked_column_size",
    "use_cudnn",
}
CLASSES = sorted(
    name
    for name, cls in vars(keras.layers).items()
    if inspect.isclass(cls) and inspect.isclass(getattr(L, name, None))
)


def own_parameters(cls):
    """The named arguments of a class's constructor."""
    named = inspect.signature(cls.__init__).parameters.values()
    return {
        p.name: p for p in list(named)[1:] if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    }


def parameters(cls):
    """Those, and the ones that it hands on to its bases."""
    found = {}
    for name in init_parameters(cls):
        owner = next(b for b in cls.__mro__ if name in inspect.signature(b.__init__).parameters)
        found[name] = inspect.signature(owner.__init__).parameters[name]
    return found


def plain(default):
    """A default in one form: a tuple of equal numbers is that number; names have no case."""
    if isinstance(default, tuple) and len(set(default)) == 1:
        return plain(default[0])
    return default.lower() if isinstance(default, str) else default


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_are_those_of_keras(name):
    ours, theirs = parameters(getattr(L, name)), own_parameters(getattr(keras.layers, name))
    missing = set(theirs) - set(ours) - LEFT_OUT
    assert not missing
    for argument, parameter in theirs.items():
        if argument in ours and parameter.default is not parameter.empty:
            assert plain(ours[argument].default) == plain(parameter.default), argument
    required = [n for n, p in own_parameters(getattr(L, name)).items() if p.default is p.empty]
    assert all(theirs[n].default is theirs[n].empty for n in required)


@pytest.mark.parametrize("name", CLASSES)
def test_positions_are_those_of_keras(name):
    def positional(cls):
        own = own_parameters(cls).values()
        return [p.name for p in own if p.kind is p.POSITIONAL_OR_KEYWORD]

    ours = positional(getattr(L, name))
    theirs = [n for n in positional(getattr(keras.layers, name)) if n not in LEFT_OUT]
    assert ours[: len(theirs)] == theirs or theirs[: len(ours)] == ours
