"""Grad-CAM, activations and occlusion: what layers give, and what hiding does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from explain.models import CASES, IDS, Block, Outer, draw, images, nested, sequential, tokens
from explain.models import two_inputs as two_inputs_model

import kernelmodel as km
from kernelmodel import layers as L
from kernelmodel.explain.grad_cam import resize_linear
from kernelmodel.explain.occlusion import patches

E = km.explain


def spot_finder(data_format: str = "channels_last") -> Any:
    """A network whose class 1 is a bright spot, of which it is as sure anywhere."""
    shape = (12, 16, 1) if data_format == "channels_last" else (1, 12, 16)
    model = km.Sequential(
        [
            km.Input(shape),
            L.Conv2D(2, 3, activation="relu", padding="same", data_format=data_format, name="conv"),
            L.MaxPooling2D(2, data_format=data_format, name="pool"),
            L.GlobalAveragePooling2D(data_format=data_format, name="mean"),
            L.Dense(2, "softmax"),
        ]
    )
    kernel = np.zeros((3, 3, 1, 2), "float32")
    kernel[..., 0, 1] = 1
    model.set_weights([kernel, np.zeros(2), np.array([[0, 0], [-1, 3.0]]), np.zeros(2)])
    return model


def spots(data_format: str = "channels_last") -> np.ndarray:
    x = np.zeros((2, 12, 16, 1), "float32")
    x[0, 8:10, 3:5] = 1
    x[1, 2:4, 11:13] = 1
    return x if data_format == "channels_last" else np.moveaxis(x, -1, 1)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("layer", [None, "conv"])
def test_grad_cam_finds_the_spot(data_format: str, layer: Any) -> None:
    heat = E.grad_cam(spot_finder(data_format), spots(data_format), layer)
    assert heat.shape == (2, 12, 16) and heat.min() >= 0 and heat.dtype == "float32"
    for one, (row, column) in zip(heat, [(8.5, 3.5), (2.5, 11.5)]):
        at = np.array(np.unravel_index(one.argmax(), one.shape))
        assert np.abs(at - (row, column)).max() <= 1.5
    with pytest.warns(UserWarning, match="nothing speaks for the class of 2 of 2"):
        assert not E.grad_cam(spot_finder(data_format), spots(data_format), layer, 0).any()


def test_grad_cam_is_its_formula() -> None:
    km.utils.set_random_seed(1)
    model, x = images(), draw(3, 9, 8, 2)
    heat = E.grad_cam(model, x, "last", 1, logits=False, batch_size=2)
    inner = model.layers
    head = km.Sequential(
        [km.Input((6, 5, 6)), *[type(m).from_config(m.get_config()) for m in inner[3:]]]
    )
    head.set_weights(inner[-1].get_weights())
    maps = E.activations(model, x, "last")
    gradient = E.saliency(head, maps, 1, logits=False)
    raw = np.maximum((maps * gradient.mean((1, 2), keepdims=True)).sum(-1), 0)
    np.testing.assert_allclose(heat, resize_linear(raw, (9, 8)), atol=1e-6)


@pytest.mark.parametrize("name", ["signals", "volumes"])
def test_grad_cam_of_signals_and_volumes(name: str) -> None:
    make, x = CASES[name]
    assert E.grad_cam(make(), x, target=0).shape == x.shape[:-1]


def test_grad_cam_of_text() -> None:
    inputs = km.Input((9,), dtype="int32")
    y = L.Conv1D(4, 3, activation="relu", name="conv")(L.Embedding(20, 5)(inputs))
    model = km.Model(inputs, L.Dense(2)(L.GlobalMaxPooling1D()(y)))
    assert E.grad_cam(model, np.arange(18).reshape(2, 9), target=0).shape == (2, 9)


def test_grad_cam_in_a_model_within_a_model() -> None:
    body = km.Sequential([km.Input((8, 8, 1)), L.Conv2D(3, 3, name="deep")], name="body")
    inputs = km.Input((8, 8, 1))
    model = km.Model(inputs, L.Dense(2)(L.GlobalAveragePooling2D()(body(inputs))))
    x = draw(2, 8, 8, 1)
    by_path = E.grad_cam(model, x, "body/deep", 0)
    for which in ("deep", body.layers[0], "body", None):
        np.testing.assert_array_equal(by_path, E.grad_cam(model, x, which, 0))


def test_grad_cam_takes_the_input_that_fits() -> None:
    x = {"left": draw(3, 3), "right": draw(3, 4, 4, 1)}
    assert E.grad_cam(two_inputs_model(), x, output="kind").shape == (3, 4, 4)


def test_grad_cam_refuses_what_has_no_place() -> None:
    with pytest.raises(ValueError, match=r"no layer whose output keeps the spatial axes.*dense"):
        E.grad_cam(sequential(), draw(2, 5))
    model, x = spot_finder(), spots()
    with pytest.raises(ValueError, match=r"spatial axes.*'mean'.*\(2, 2\)"):
        E.grad_cam(model, x, "mean")
    with pytest.raises(ValueError, match="Did you mean 'pool'"):
        E.grad_cam(model, x, "pol")
    with pytest.raises(ValueError, match="no part of model"):
        E.grad_cam(model, x, L.Dense(2, name="stranger"))
    side = L.Conv2D(1, 3, name="side")
    inputs = km.Input((12, 16, 1))
    with_side = km.Model(inputs, [model(inputs), side(inputs)])
    with pytest.raises(ValueError, match="doesn't depend on the output of layer 'side'"):
        E.grad_cam(with_side, x, "side", output=0)


def test_resizing_keeps_what_is_constant_and_linear() -> None:
    np.testing.assert_allclose(resize_linear(np.full((1, 3, 4), 2.0), (7, 9)), 2)
    line = resize_linear(np.arange(4.0)[None], (8,))
    np.testing.assert_allclose(np.diff(line[0, 1:-1]), 0.5)


# ---- activations


def test_activations_of_every_layer_in_order() -> None:
    model, x = images(), draw(5, 9, 8, 2)
    found = E.activations(model, x, batch_size=2)
    assert list(found) == [layer.name for layer in model.layers]
    for layer in model.layers:
        until = km.Model(model.inputs, layer.output)
        np.testing.assert_allclose(found[layer.name], until.predict(x), atol=1e-6)


def test_activations_inside_models_and_layers() -> None:
    x = draw(3, 5)
    found = E.activations(nested(), x)
    assert list(found) == ["inner/deep", "inner", "end"]
    np.testing.assert_array_equal(found["inner/deep"], found["inner"])
    outer = Outer()
    found = E.activations(outer, x)
    names = ["first", "drop", "second"]
    once = [*(f"block/{name}" for name in names), "block"]
    assert list(found) == [*once, *(f"{path}#2" for path in once)]
    weights, bias = outer.block.first.get_weights()
    twice = E.activations(outer, x, ["block/first"])
    np.testing.assert_allclose(twice["block/first"], np.tanh(x @ weights + bias), rtol=1e-5)
    np.testing.assert_allclose(twice["block/first#2"], np.tanh(x / 2 @ weights + bias), rtol=1e-5)


def test_activations_of_one_layer_are_an_array() -> None:
    model, x = Block(), draw(3, 5)
    model(x)
    one = E.activations(model, x, "first")
    assert one.shape == (3, 6)
    np.testing.assert_array_equal(one, E.activations(model, x, model.first))
    assert list(E.activations(model, x, [model.second, "first"])) == ["first", "second"]


def test_activations_inside_a_layer_of_ones_own() -> None:
    class Gate(L.Layer):
        def __init__(self) -> None:
            super().__init__(name="gate")
            self.inner = L.Dense(3, name="inner")

        def call(self, x: Any) -> Any:
            return self.inner(x) * 2

    model = km.Sequential([km.Input((5,)), Gate()])
    x = draw(2, 5)
    assert list(E.activations(model, x)) == ["gate"], "as summary() shows it"
    inner = E.activations(model, x, "gate/inner")
    np.testing.assert_allclose(2 * inner, model.predict(x), rtol=1e-6)


def test_activations_with_several_outputs() -> None:
    model = km.Sequential([km.Input((4, 2)), L.LSTM(3, return_sequences=True), L.LSTM(2)])
    inputs = km.Input((4, 2))
    states = km.Model(inputs, L.LSTM(3, return_state=True, name="lstm")(inputs))
    found = E.activations(states, draw(5, 4, 2), "lstm", batch_size=2)
    assert [part.shape for part in found] == [(5, 3)] * 3
    assert len(E.activations(model, draw(2, 4, 2))) == 2


def test_layers_that_are_not_there() -> None:
    inner = [L.Dense(2, name="same", dtype="float32") for _ in range(2)]
    a = km.Sequential([km.Input((5,)), inner[0]], name="a")
    b = km.Sequential([km.Input((5,)), inner[1]], name="b")
    inputs = km.Input((5,))
    model = km.Model(inputs, [a(inputs), b(inputs)])
    with pytest.raises(ValueError, match=r"several layers of the name 'same'.*'a/same', 'b/same'"):
        E.activations(model, draw(2, 5), "same")

    class Lazy(km.Model):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = L.Dense(2, name="used"), L.Dense(2, name="unused")

        def call(self, x: Any) -> Any:
            return self.used(x)

    with pytest.raises(ValueError, match="'unused' isn't called"):
        E.activations(Lazy(), draw(2, 5), "unused")


# ---- occlusion


def test_hiding_a_feature_of_a_linear_model_takes_its_share() -> None:
    model = km.Sequential([km.Input((5,)), L.Dense(1)])
    x = draw(4, 5)
    kernel = model.get_weights()[0][:, 0]
    np.testing.assert_allclose(E.occlusion(model, x, batch_size=7), x * kernel, atol=1e-5)
    to_two = E.occlusion(model, x, value=2.0)
    np.testing.assert_allclose(to_two, (x - 2) * kernel, atol=1e-5)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_occlusion_finds_the_spot(data_format: str) -> None:
    heat = E.occlusion(spot_finder(data_format), spots(data_format), patch=4, stride=2)
    assert heat.shape == (2, 12, 16)
    assert heat[0, 8:10, 3:5].min() > 0.9 * heat[0].max()
    assert abs(heat[0, :3]).max() < 1e-6


def test_occlusion_of_tokens_and_several_inputs() -> None:
    assert E.occlusion(tokens(), IDS, 1).shape == IDS.shape
    x = {"left": draw(3, 3), "right": draw(3, 4, 4, 1)}
    found = E.occlusion(two_inputs_model(), x, output="kind")
    assert found["left"].shape == (3, 3) and found["right"].shape == (3, 4, 4)
    free = E.occlusion(two_inputs_model(), x, lambda outputs: outputs["size"])
    assert free["left"].any()
    volumes, x = CASES["volumes"]
    assert E.occlusion(volumes(), x[:1]).shape == x[:1].shape[:-1]


@pytest.mark.parametrize(
    ("lengths", "patch", "stride"), [([7], 3, 2), ([7], 3, 9), ([5, 6], (2, 4), 3), ([3], 9, 1)]
)
def test_patches_cover_everything(lengths: list[int], patch: Any, stride: Any) -> None:
    seen = np.zeros(lengths)
    for place in patches(lengths, patch, stride):
        seen[place] += 1
    assert seen.min() >= 1


def test_occlusion_refuses_sizes_that_are_none() -> None:
    for bad in (0, (2, 2), 1.5):
        with pytest.raises(ValueError, match="`patch` must be a positive integer"):
            E.occlusion(sequential(), draw(1, 5), patch=bad)
