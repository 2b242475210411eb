"""Activation functions: options and names."""

from __future__ import annotations

import numpy as np
import pytest

from kernelmodel import activations
from kernelmodel.core.registration import custom_object_scope, register_keras_serializable
from kernelmodel.engine.tape import value_and_grad

RELU_OPTIONS = [
    {"negative_slope": 0.1},
    {"max_value": 6.0},
    {"max_value": 1.5},
    {"threshold": 0.5},
    {"negative_slope": 0.1, "max_value": 1.5},
    {"negative_slope": 0.1, "threshold": 0.5},
    {"negative_slope": 0.1, "max_value": 1.5, "threshold": 0.5},
]
X = (2 * np.random.default_rng(0).normal(size=(4, 5))).astype("float32")


@pytest.mark.oracle
@pytest.mark.parametrize("options", RELU_OPTIONS, ids=str)
def test_relu_as_keras(options, keras):
    import jax

    expected, pull = jax.vjp(lambda x: keras.activations.relu(x, **options), X)
    np.testing.assert_allclose(activations.relu(X, **options), expected, rtol=1e-6, atol=1e-7)
    _, _, gradients = value_and_grad(
        lambda w: (activations.relu(w["x"], **options).sum(), None), {"x": X}
    )
    (slope,) = pull(np.ones_like(X))
    np.testing.assert_allclose(gradients["x"], slope, rtol=1e-6, atol=1e-7)


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("leaky_relu", {"negative_slope": 0.3}),
        ("elu", {"alpha": 0.5}),
        ("gelu", {"approximate": True}),
        ("gelu", {"approximate": False}),
        ("softmax", {"axis": 0}),
        ("log_softmax", {"axis": 0}),
    ],
)
def test_options_as_keras(name, options, keras):
    expected = getattr(keras.activations, name)(X, **options)
    found = getattr(activations, name)(X, **options)
    np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-5, atol=1e-6)


def test_names():
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.swish is activations.silu
    assert activations.get("hard_swish") is activations.hard_silu
    with pytest.raises(ValueError, match="'relu'"):
        activations.get("rleu")
    with pytest.raises(TypeError, match="activation function"):
        activations.get(3)


def test_own_functions():
    @register_keras_serializable(package="tests")
    def halved(x):
        return x / 2

    config = activations.serialize(halved)
    assert activations.deserialize(config) is halved
    with custom_object_scope({"doubled": np.add}):
        assert activations.get("doubled") is np.add
    with pytest.raises(TypeError, match="lambda"):
        activations.serialize(lambda x: x)


def test_integers_become_floats():
    assert activations.sigmoid(np.array([0, 1])).dtype == "float32"
