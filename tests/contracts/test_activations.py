"""What holds for every activation function of the table."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from golden import jax, keras

from kernelmodel import activations, ops
from kernelmodel.activations import REGISTRY
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.engine.xla_array import unwrap, wrap

# Arguments without which a function can't be called, and functions that halve the last axis.
OPTIONS = {"threshold": {"threshold": 0.7, "default_value": -0.3}}
HALVING = {"glu"}
# A NaN is above no threshold, as in Keras.
ONLY_ABOVE = {"hard_shrink", "soft_shrink", "threshold"}
FUNCTIONS = sorted(set(REGISTRY.classes.values()), key=lambda f: f.__name__)


def name_of(activation) -> str:
    return activation.func.__name__


@pytest.fixture(params=FUNCTIONS, ids=lambda f: f.__name__)
def activation(request):
    return partial(request.param, **OPTIONS.get(request.param.__name__, {}))


@pytest.fixture
def x():
    return (3 * np.random.default_rng(0).normal(size=(5, 4))).astype("float32")


def test_keeps_shape_and_dtype(activation, x):
    for dtype in ("float32", "float64"):
        y = activation(x.astype(dtype))
        last = x.shape[-1] // 2 if name_of(activation) in HALVING else x.shape[-1]
        assert y.shape == (*x.shape[:-1], last) and y.dtype == dtype


def test_takes_lists(activation):
    last = 1 if name_of(activation) in HALVING else 2
    assert np.shape(activation([[1.0, -1.0]])) == (1, last)


def test_large_inputs_are_finite_and_nan_stays(activation):
    if name_of(activation) != "exponential":
        with np.errstate(all="raise", under="ignore"):
            assert np.isfinite(activation(np.array([[-1e4, 0.0, 1e4, 0.1]], "float32"))).all()
    if name_of(activation) not in ONLY_ABOVE:
        assert np.isnan(activation(np.array([[np.nan, 1.0]], "float32"))).any()


def test_gradient(activation, x):
    at = x.astype("float64")
    weights = np.random.default_rng(1).normal(size=activation(at).shape)

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
    compiled = jax.jit(lambda value: unwrap(activation(wrap(value))))
    np.testing.assert_allclose(compiled(x), activation(x), rtol=1e-5, atol=1e-6)


def test_name_round_trip(activation):
    function = activation.func
    name = activations.serialize(function)
    assert name == function.__name__
    assert activations.deserialize(name) is function
    assert activations.get(name) is function


@pytest.mark.parametrize("name", sorted(REGISTRY.names))
def test_every_name_is_found(name):
    assert callable(activations.get(name))


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_as_keras(activation, x, golden, dtype):
    name, narrow = name_of(activation), ops.cast(x, dtype).numpy()

    def keras_results():
        return [keras.activations.get(name)(narrow, **activation.keywords)]

    (wanted,) = golden(keras_results, name, narrow, activation.keywords)
    found = activation(ops.cast(x, dtype))
    assert found.dtype.name == wanted.dtype.name == dtype
    wanted = wanted.astype("float32")
    tolerance = 4 * {"float16": 2**-10, "bfloat16": 2**-7}[dtype] * np.abs(wanted).max()
    np.testing.assert_allclose(np.asarray(found, "float32"), wanted, rtol=0, atol=tolerance)


@pytest.mark.oracle
def test_as_keras(activation, x, golden):
    name = activations.serialize(activation.func)

    def keras_results():
        theirs = keras.activations.get(name)
        return [keras.activations.serialize(theirs), theirs(x, **activation.keywords)]

    written, expected = golden(keras_results, name, x, activation.keywords)
    assert written == name
    np.testing.assert_allclose(activation(x), expected, rtol=1e-5, atol=1e-6)
