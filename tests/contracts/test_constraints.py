"""What holds for every constraint of the table."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest

from kernelmodel import constraints
from kernelmodel.constraints import REGISTRY
from kernelmodel.engine.xla_array import unwrap, wrap

CLASSES = sorted(set(REGISTRY.classes.values()), key=lambda cls: cls.__name__)


@pytest.fixture(params=CLASSES, ids=lambda cls: cls.__name__)
def constraint(request):
    return request.param()


@pytest.fixture
def weight():
    return (3 * np.random.default_rng(0).normal(size=(4, 3))).astype("float32")


def test_keeps_shape_and_dtype(constraint, weight):
    for dtype in ("float32", "float64"):
        new = constraint(weight.astype(dtype))
        assert new.shape == weight.shape and new.dtype == dtype


def test_twice_is_once(constraint, weight):
    once = constraint(weight)
    np.testing.assert_allclose(constraint(once), once, rtol=1e-5)


def test_nan_stays(constraint, weight):
    weight[1, 1] = np.nan
    assert np.isnan(constraint(weight)[1, 1])


def test_under_jit(constraint, weight):
    jax = importlib.import_module("jax")
    compiled = jax.jit(lambda w: unwrap(constraint(wrap(w))))
    np.testing.assert_allclose(compiled(weight), constraint(weight), rtol=1e-5)


def test_config_round_trip(constraint):
    config = json.loads(json.dumps(constraints.serialize(constraint)))
    again = constraints.deserialize(config)
    assert type(again) is type(constraint)
    assert again.get_config() == constraint.get_config()


@pytest.mark.parametrize("name", sorted(REGISTRY.names))
def test_every_name_is_found(name):
    assert isinstance(constraints.get(name), constraints.Constraint)


@pytest.mark.oracle
def test_as_keras(constraint, weight, keras):
    ours = constraints.serialize(constraint)
    theirs = keras.saving.deserialize_keras_object(ours)
    assert keras.saving.serialize_keras_object(theirs) == ours
    np.testing.assert_allclose(constraint(weight), np.asarray(theirs(weight)), rtol=1e-5)
