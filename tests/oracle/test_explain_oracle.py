"""Saliency, integrated gradients and Grad-CAM against JAX, on Keras models of the same weights."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from explain.models import CASES, IDS, draw, tokens, two_inputs
from golden import jax, keras

import kernelmodel as km

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(os.environ["KERAS_BACKEND"] != "jax", reason="the oracle runs on JAX"),
    pytest.mark.usefixtures("anew"),
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


def about(model: Any, *inputs: Any) -> tuple[Any, ...]:
    """What Keras' results are made from."""
    return model.to_json(), model.get_weights(), inputs, twin, grads


def assert_close(ours: Any, theirs: Any) -> None:
    scale = max(float(np.abs(theirs).max()), 1e-6)
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), atol=2e-5 * scale)


@pytest.mark.parametrize("name", FUNCTIONAL)
def test_saliency_of_probabilities(name: str, tmp_path: Any, golden: Any) -> None:
    make, x = CASES[name]
    km.utils.set_random_seed(1)
    model = make()

    def theirs() -> list[Any]:
        other = twin(model, tmp_path)
        chosen = np.asarray(other(x)).argmax(-1)
        return [grads(other, x, lambda q: q[np.arange(len(x)), chosen])]

    (expected,) = golden(theirs, *about(model, x))
    assert_close(E.saliency(model, x, logits=False), expected)


@pytest.mark.parametrize("name", FUNCTIONAL)
def test_saliency_of_logits(name: str, tmp_path: Any, golden: Any) -> None:
    make, x = CASES[name]
    km.utils.set_random_seed(1)
    model = make()

    def theirs() -> list[Any]:
        other = twin(model, tmp_path)
        other.layers[-1].activation = keras.activations.linear
        return [grads(other, x, lambda q: q[:, 0])]

    (expected,) = golden(theirs, *about(model, x))
    assert_close(E.saliency(model, x, 0), expected)


@pytest.mark.parametrize("name", FUNCTIONAL)
def test_integrated_gradients(name: str, tmp_path: Any, golden: Any) -> None:
    make, x = CASES[name]
    km.utils.set_random_seed(2)
    model = make()

    def theirs() -> list[Any]:
        other = twin(model, tmp_path)
        nodes, weights = np.polynomial.legendre.leggauss(8)
        mean = sum(
            w / 2 * np.asarray(grads(other, x * np.float32((a + 1) / 2), lambda q: q[:, 0]))
            for a, w in zip(nodes, weights)
        )
        return [x * mean]

    (expected,) = golden(theirs, *about(model, x))
    assert_close(E.integrated_gradients(model, x, steps=8, target=0), expected)


@pytest.mark.parametrize("name", ["images", "signals", "volumes"])
def test_grad_cam(name: str, tmp_path: Any, golden: Any) -> None:
    make, x = CASES[name]
    km.utils.set_random_seed(3)
    model = make()
    layer = "last" if name == "images" else "conv"

    def theirs() -> list[Any]:
        other = twin(model, tmp_path)
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
        return [jax.image.resize(heat, x.shape[:-1], "linear")]

    (expected,) = golden(theirs, *about(model, x, layer))
    assert_close(E.grad_cam(model, x, layer, 0), expected)


def test_several_inputs_and_outputs(tmp_path: Any, golden: Any) -> None:
    km.utils.set_random_seed(4)
    model = two_inputs()
    x = {"left": draw(3, 3), "right": draw(3, 4, 4, 1)}

    def theirs() -> list[Any]:
        expected = grads(twin(model, tmp_path), x, lambda outputs: outputs["size"])
        return [expected[name] for name in x]

    expected = golden(theirs, *about(model, x))
    found = E.saliency(model, x, output="size")
    for name, other in zip(x, expected, strict=True):
        assert_close(found[name], other)


def test_tokens(tmp_path: Any, golden: Any) -> None:
    km.utils.set_random_seed(5)
    model = tokens()

    def theirs() -> list[Any]:
        other = twin(model, tmp_path)
        vectors = np.asarray(other.get_layer("words")(IDS))
        inner = other.layers[-2:]

        def total(z: Any) -> Any:
            hidden = inner[0](z, mask=IDS != 0)
            return inner[1](hidden)[:, 1].sum()

        return [np.linalg.norm(np.asarray(jax.grad(total)(vectors)), axis=-1)]

    (expected,) = golden(theirs, *about(model, IDS))
    assert_close(E.saliency(model, IDS, 1, logits=False), expected)
