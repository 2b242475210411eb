"""What holds for every regularizer of the table."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest

from kernelmodel import regularizers
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.engine.xla_array import unwrap, wrap
from kernelmodel.regularizers import REGISTRY

CLASSES = sorted(set(REGISTRY.classes.values()), key=lambda cls: cls.__name__)
OPTIONS = {"L1L2": {"l1": 0.1, "l2": 0.2}}


@pytest.fixture(params=CLASSES, ids=lambda cls: cls.__name__)
def regularizer(request):
    return request.param(**OPTIONS.get(request.param.__name__, {}))


@pytest.fixture
def weight():
    return np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def test_a_scalar_of_the_weights_dtype(regularizer, weight):
    for dtype in ("float32", "float64"):
        penalty = regularizer(weight.astype(dtype))
        assert penalty.shape == () and penalty.dtype == dtype
        assert float(penalty) > 0


def test_gradient(regularizer, weight):
    at = weight.astype("float64")

    def loss(w):
        return regularizer(w["w"]), None

    _, _, gradients = value_and_grad(loss, {"w": at})
    step = 1e-6
    for index in np.ndindex(at.shape):
        shift = np.zeros_like(at)
        shift[index] = step
        slope = (float(regularizer(at + shift)) - float(regularizer(at - shift))) / (2 * step)
        assert gradients["w"][index] == pytest.approx(slope, rel=1e-5, abs=1e-7)


def test_under_jit(regularizer, weight):
    jax = importlib.import_module("jax")
    compiled = jax.jit(lambda w: unwrap(regularizer(wrap(w))))
    assert float(compiled(weight)) == pytest.approx(float(regularizer(weight)), rel=1e-5)


def test_config_round_trip(regularizer):
    config = json.loads(json.dumps(regularizers.serialize(regularizer)))
    again = regularizers.deserialize(config)
    assert type(again) is type(regularizer)
    assert again.get_config() == regularizer.get_config()


@pytest.mark.parametrize("name", sorted(REGISTRY.names))
def test_every_name_is_found(name):
    assert isinstance(regularizers.get(name), regularizers.Regularizer)


@pytest.mark.oracle
def test_as_keras(regularizer, weight, keras):
    ours = regularizers.serialize(regularizer)
    theirs = keras.saving.deserialize_keras_object(ours)
    assert float(regularizer(weight)) == pytest.approx(float(theirs(weight)), rel=1e-5)
    written = keras.saving.serialize_keras_object(theirs)
    assert written["config"] == pytest.approx(ours["config"]) or type(theirs).__name__ == (
        "OrthogonalRegularizer"
    )
