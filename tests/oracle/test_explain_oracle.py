"""Saliency, integrated gradients and Grad-CAM against JAX, on Keras models of the same weights."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from explain.models import CASES, IDS, draw, tokens, two_inputs

import kernelmodel as km

keras = importlib.import_module("keras")
jax = importlib.import_module("jax")
pytestmark = [
    pytest.mark.oracle,
]
E = km.explain
# In JAX, a convolution with channels first doesn't run on a CPU.
FUNCTIONAL = ["sequential", "images", "signals", "volumes", "nested"]


def twin(model: Any, tmp_path: Any) -> Any:
    """The same model, opened in Keras."""
    model.save(tmp_path / "model.keras")
    return keras.saving.load_model(tmp_path / "model.keras", compile=False)


def grads(model: Any, x: Any, score: Any) -> Any:
    """The gradient of the sum of `score(outputs)`."""
    trainable = [v.value for v in model.trainable_variables]
    fixed = [v.value for v in model.non_trainable_variables]

    def total(inputs: Any) -> Any:
        outputs, _ = model.stateless_call(trainable, fixed, inputs, training=False)
        return score(outputs).sum()

    return jax.grad(total)(x)


def assert_close(ours: Any, theirs: Any) -> None:
    scale = max(float(np.abs(theirs).max()), 1e-6)
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), atol=2e-5 * scale)


@pytest.mark.parametrize("name", FUNCTIONAL)
def test_saliency_of_probabilities(name: str, tmp_path: Any) -> None:
    make, x = CASES[name]
    km.utils.set_random_seed(1)
    model = make()
    other = twin(model, tmp_path)
    chosen = np.asarray(other(x)).argmax(-1)
    expected = grads(other, x, lambda q: q[np.arange(len(x)), chosen])
    assert_close(E.saliency(model, x, logits=False), expected)


@pytest.mark.parametrize("name", FUNCTIONAL)
def test_saliency_of_logits(name: str, tmp_path: Any) -> None:
    make, x = CASES[name]
    km.utils.set_random_seed(1)
    model = make()
    other = twin(model, tmp_path)
    end = other.layers[-1]
    end.activation = keras.activations.linear
    assert_close(E.saliency(model, x, 0), grads(other, x, lambda q: q[:, 0]))


@pytest.mark.parametrize("name", FUNCTIONAL)
def test_integrated_gradients(name: str, tmp_path: Any) -> None:
    make, x = CASES[name]
    km.utils.set_random_seed(2)
    model = make()
    other = twin(model, tmp_path)
    nodes, weights = np.polynomial.legendre.leggauss(8)
    mean = sum(
        w / 2 * np.asarray(grads(other, x * np.float32((a + 1) / 2), lambda q: q[:, 0]))
        for a, w in zip(nodes, weights)
    )
    assert_close(E.integrated_gradients(model, x, steps=8, target=0), x * mean)


@pytest.mark.parametrize("name", ["images", "signals", "volumes"])
def test_grad_cam(name: str, tmp_path: Any) -> None:
    make, x = CASES[name]
    km.utils.set_random_seed(3)
    model = make()
    other = twin(model, tmp_path)
    layer = "last" if name == "images" else "conv"
    other.layers[-1].activation = keras.activations.linear
    body = keras.Model(other.inputs, other.get_layer(layer).output)
    maps = np.asarray(body(x, training=False))
    inputs = keras.Input(maps.shape[1:])
    outputs = inputs
    names = [one.name for one in other.layers]
    for one in other.layers[names.index(layer) + 1 :]:
        outputs = one(outputs)
    gradient = np.asarray(grads(keras.Model(inputs, outputs), maps, lambda q: q[:, 0]))
    axes = tuple(range(1, maps.ndim - 1))
    heat = np.maximum((maps * gradient.mean(axes, keepdims=True)).sum(-1), 0)
    expected = jax.image.resize(heat, x.shape[:-1], "linear")
    assert_close(E.grad_cam(model, x, layer, 0), expected)


def test_several_inputs_and_outputs(tmp_path: Any) -> None:
    km.utils.set_random_seed(4)
    model = two_inputs()
    other = twin(model, tmp_path)
    x = {"left": draw(3, 3), "right": draw(3, 4, 4, 1)}
    expected = grads(other, x, lambda outputs: outputs["size"])
    found = E.saliency(model, x, output="size")
    for name in x:
        assert_close(found[name], expected[name])


def test_tokens(tmp_path: Any) -> None:
    km.utils.set_random_seed(5)
    model = tokens()
    other = twin(model, tmp_path)
    vectors = np.asarray(other.get_layer("words")(IDS))
    inner = other.layers[-2:]

    def total(z: Any) -> Any:
        hidden = inner[0](z, mask=IDS != 0)
        return inner[1](hidden)[:, 1].sum()

    expected = np.linalg.norm(np.asarray(jax.grad(total)(vectors)), axis=-1)
    assert_close(E.saliency(model, IDS, 1, logits=False), expected)
