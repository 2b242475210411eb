"""What holds for every activation function of the table."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from kernelmodel import activations
from kernelmodel.activations import REGISTRY
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.engine.xla_array import unwrap, wrap

FUNCTIONS = sorted(set(REGISTRY.classes.values()), key=lambda f: f.__name__)


@pytest.fixture(params=FUNCTIONS, ids=lambda f: f.__name__)
def activation(request):
    return request.param


@pytest.fixture
def x():
    return (3 * np.random.default_rng(0).normal(size=(5, 4))).astype("float32")


def test_keeps_shape_and_dtype(activation, x):
    for dtype in ("float32", "float64"):
        y = activation(x.astype(dtype))
        assert y.shape == x.shape and y.dtype == dtype


def test_takes_lists(activation):
    assert np.shape(activation([[1.0, -1.0]])) == (1, 2)


def test_large_inputs_are_finite_and_nan_stays(activation):
    if activation.__name__ != "exponential":
        with np.errstate(all="raise", under="ignore"):
            assert np.isfinite(activation(np.array([[-1e4, 0.0, 1e4]], "float32"))).all()
    assert np.isnan(activation(np.array([[np.nan, 1.0]], "float32"))).any()


def test_gradient(activation, x):
    at, weights = x.astype("float64"), np.random.default_rng(1).normal(size=x.shape)

    def loss(w):
        return (activation(w["x"]) * weights).sum(), None

    _, _, gradients = value_and_grad(loss, {"x": at})
    step = 1e-6
    for index in np.ndindex(at.shape):
        shift = np.zeros_like(at)
        shift[index] = step
        up, down = (float((activation(at + s) * weights).sum()) for s in (shift, -shift))
        assert gradients["x"][index] == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-7)


def test_under_jit(activation, x):
    jax = importlib.import_module("jax")
    compiled = jax.jit(lambda value: unwrap(activation(wrap(value))))
    np.testing.assert_allclose(compiled(x), activation(x), rtol=1e-5, atol=1e-6)


def test_name_round_trip(activation):
    name = activations.serialize(activation)
    assert name == activation.__name__
    assert activations.deserialize(name) is activation
    assert activations.get(name) is activation


@pytest.mark.parametrize("name", sorted(REGISTRY.names))
def test_every_name_is_found(name):
    assert callable(activations.get(name))


@pytest.mark.oracle
def test_as_keras(activation, x, keras):
    theirs = keras.activations.get(activations.serialize(activation))
    assert keras.activations.serialize(theirs) == activations.serialize(activation)
    np.testing.assert_allclose(activation(x), np.asarray(theirs(x)), rtol=1e-5, atol=1e-6)
