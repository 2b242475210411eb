"""Saliency, SmoothGrad and integrated gradients: against differences, on every kind of model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from explain.models import CASES, IDS, draw, images, sequential, tokens, two_inputs

import kernelmodel as km
from kernelmodel import layers as L

E = km.explain


def double(model: Any, x: Any) -> Any:
    """A function of one input that computes a subclassed or Functional model in inference."""
    return np.asarray(model(x, training=False), "float64")


def slopes(function: Any, x: np.ndarray, step: float = 1e-2) -> np.ndarray:
    """Central differences of `function(x) -> (samples,)` in every value."""
    found = np.zeros(x.shape)
    for place in np.ndindex(*x.shape[1:]):
        moved = np.zeros(x.shape, x.dtype)
        moved[(slice(None), *place)] = step
        found[(slice(None), *place)] = (function(x + moved) - function(x - moved)) / (2 * step)
    return found


@pytest.mark.parametrize("name", CASES)
def test_saliency_is_the_slope_of_the_output(name: str) -> None:
    make, x = CASES[name]
    km.utils.set_random_seed(1)
    model = make()
    outputs = double(model, x)
    chosen = outputs.argmax(-1) if outputs.shape[-1] > 1 else np.zeros(len(x), int)
    found = E.saliency(model, x, logits=False, batch_size=3)
    expected = slopes(lambda z: double(model, z)[np.arange(len(x)), chosen], x)
    assert found.shape == x.shape and found.dtype == "float32"
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["sequential", "images", "nested", "signals"])
def test_logits_are_what_the_last_activation_was_applied_to(name: str) -> None:
    make, x = CASES[name]
    km.utils.set_random_seed(1)
    model = make()
    p = double(model, x)

    def logit(z: np.ndarray) -> np.ndarray:
        q = double(model, z)
        if q.shape[-1] == 1:
            return np.log(q / (1 - q))[:, 0]
        rows = np.arange(len(x))
        # the difference between two logits is that of two logarithms
        return np.log(q[rows, first]) - np.log(q[rows, second])

    order = p.argsort(-1)
    first, second = order[:, -1], order[:, -2] if p.shape[-1] > 1 else None
    if second is None:
        found = E.saliency(model, x)
    else:
        found = E.saliency(model, x, first) - E.saliency(model, x, second)
    expected = slopes(logit, x)
    np.testing.assert_allclose(found, expected, atol=1e-2 * np.abs(expected).max())


def test_a_sure_model_still_has_a_saliency() -> None:
    model = km.Sequential([km.Input((2,)), L.Dense(2, "softmax", use_bias=False)])
    model.set_weights([np.array([[90.0, 0.0], [1.0, 2.0]])])
    x = np.array([[3.0, 1.0]])
    assert not E.saliency(model, x, logits=False).any(), "the softmax is flat here"
    np.testing.assert_allclose(E.saliency(model, x), [[90, 1]])
    layered = km.Sequential([km.Input((2,)), L.Dense(2, use_bias=False), L.Softmax()])
    layered.set_weights(model.get_weights())
    np.testing.assert_allclose(E.saliency(layered, x), [[90, 1]])


TARGETS: dict[str, Any] = {
    "class": (1, lambda q: q[:, 1]),
    "negative": (-1, lambda q: q[:, 2]),
    "tuple": ((2,), lambda q: q[:, 2]),
    "array": (np.array([0, 1, 2, 1]), lambda q: q[np.arange(4), [0, 1, 2, 1]]),
    "column": (np.array([[0], [1], [2], [1]]), lambda q: q[np.arange(4), [0, 1, 2, 1]]),
    "list": ([0, 1, 2, 1], lambda q: q[np.arange(4), [0, 1, 2, 1]]),
    "function": (lambda q: q[:, 0] * q[:, 1], lambda q: q[:, 0] * q[:, 1]),
    "function of all": (lambda q: km.ops.log(q), lambda q: np.log(q).sum(1)),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets(name: str) -> None:
    target, score = TARGETS[name]
    km.utils.set_random_seed(2)
    model, x = sequential(), draw(4, 5)
    found = E.saliency(model, x, target, logits=False, batch_size=3)
    expected = slopes(lambda z: score(double(model, z)), x)
    np.testing.assert_allclose(found, expected, atol=3e-3 * np.abs(expected).max())


def test_several_inputs_and_outputs() -> None:
    km.utils.set_random_seed(3)
    model = two_inputs()
    x = {"left": draw(3, 3), "right": draw(3, 4, 4, 1)}
    with pytest.raises(ValueError, match=r"2 outputs. Choose one: output='kind'"):
        E.saliency(model, x)
    found = E.saliency(model, x, output="size", batch_size=2)
    assert set(found) == {"left", "right"}
    for name in x:
        assert found[name].shape == x[name].shape
        expected = slopes(
            lambda z, name=name: np.asarray(model({**x, name: z})["size"], "float64")[:, 0], x[name]
        )
        np.testing.assert_allclose(found[name], expected, atol=5e-3 * np.abs(expected).max())
    by_index = E.saliency(model, [x["left"], x["right"]], output=1)
    assert isinstance(by_index, list)
    np.testing.assert_array_equal(by_index[1], found["right"])
    both = E.saliency(model, x, lambda outputs: outputs["size"] + outputs["kind"][:, :1])
    assert not np.array_equal(both["left"], found["left"])
    with pytest.raises(ValueError, match="Did you mean 'size'"):
        E.saliency(model, x, output="sizes")


def test_an_input_that_does_not_matter_has_zeros() -> None:
    left, right = km.Input((2,), name="left"), km.Input((3,), name="right")
    model = km.Model([left, right], [L.Dense(1)(left), L.Dense(1)(right)])
    found = E.saliency(model, [draw(2, 2), draw(2, 3)], output=0)
    assert found[0].any() and not found[1].any() and found[1].shape == (2, 3)
    parts = E.integrated_gradients(model, [draw(2, 2), draw(2, 3)], output=0)
    assert parts[0].any() and not parts[1].any()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("logits", [False, True])
def test_integrated_gradients_are_complete(name: str, logits: bool) -> None:
    """They sum to the difference of the scores: the axiom that they are made for."""
    make, x = CASES[name]
    km.utils.set_random_seed(4)
    model = make()
    base = 0.3 * np.abs(draw(*x.shape[1:], seed=9))
    target = 0
    found = E.integrated_gradients(model, x, base, target=target, logits=logits, batch_size=17)
    assert found.shape == x.shape
    ends = double(model, x), double(model, np.broadcast_to(base, x.shape))
    if logits and name not in ("volumes", "subclassed", "nested subclassed"):
        if ends[0].shape[-1] > 1:  # the sum of all is that of the differences of logarithms
            other = E.integrated_gradients(model, x, base, target=1, logits=True)
            found, ends = found - other, tuple(np.log(e[:, :1] / e[:, 1:2]) for e in ends)
        else:
            ends = tuple(np.log(e / (1 - e)) for e in ends)
    rise = (ends[0] - ends[1])[:, target]
    np.testing.assert_allclose(
        found.reshape(len(x), -1).sum(1), rise, atol=2e-4 * max(1, np.abs(rise).max())
    )


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_tokens_have_one_value_each(dtype: str) -> None:
    km.utils.set_random_seed(5)
    model = tokens(dtype)
    found = E.saliency(model, IDS)
    assert found.shape == IDS.shape and found.dtype == "float32"
    assert (found[0] > 0).all() and not found[1, 4:].any(), "what the mask hides has no effect"
    parts = E.integrated_gradients(model, IDS, target=1, steps=40)
    words = model.get_layer("words")
    tail = km.Sequential([km.Input((6, 4)), L.LSTM(5), L.Dense(2, "softmax")])
    tail.set_weights(model.get_weights()[1:])
    silent = np.asarray(tail(np.zeros((4, 6, 4), "float32"), mask=IDS != 0))
    np.testing.assert_allclose(parts.sum(1), (model.predict(IDS) - silent)[:, 1], atol=1e-5)
    # the saliency is the length of the gradient at the embedding's output
    vectors = np.asarray(words.embeddings)[IDS]
    slope = slopes(lambda z: np.asarray(tail(z, mask=IDS != 0), "float64")[:, 1], vectors)
    length = E.saliency(model, IDS, 1, logits=False)
    np.testing.assert_allclose(length, np.linalg.norm(slope, axis=-1), atol=1e-3 * length.max())


def test_tokens_with_a_baseline_of_tokens() -> None:
    km.utils.set_random_seed(5)
    model = tokens()
    base = np.full((4, 6), 7)
    parts = E.integrated_gradients(model, IDS[:1], base[:1], target=0, steps=40)
    rise = (model.predict(IDS[:1]) - model.predict(base[:1]))[:, 0]
    np.testing.assert_allclose(parts.sum(1), rise, atol=1e-5)


def test_positions_beside_tokens() -> None:
    class WithPlaces(km.Model):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.places = L.Embedding(20, 4), L.Embedding(6, 4)
            self.end = L.Dense(2)

        def call(self, ids: Any) -> Any:
            x = self.words(ids) + self.places(np.arange(6))
            return self.end(km.ops.mean(km.ops.tanh(x), axis=1))

    model = WithPlaces()
    parts = E.integrated_gradients(model, IDS, np.zeros(6, int), target=0)
    rise = (model.predict(IDS) - model.predict(np.zeros_like(IDS)))[:, 0]
    np.testing.assert_allclose(parts.sum(1), rise, atol=1e-5)
    assert E.smooth_grad(model, IDS, 0, samples=4).shape == IDS.shape


def test_whole_numbers_that_no_embedding_reads() -> None:
    image, kind = km.Input((3,)), km.Input((1,), dtype="int32")

    class Coded(L.Layer):
        def call(self, ids: Any) -> Any:
            return km.ops.one_hot(ids[:, 0], 4)

    model = km.Model([image, kind], L.Dense(1)(L.Concatenate()([image, Coded()(kind)])))
    found = E.saliency(model, [draw(2, 3), np.array([[1], [2]])])
    assert found[0].shape == (2, 3) and found[1] is None
    only = km.Model(kind, L.Dense(1)(Coded()(kind)))
    with pytest.raises(ValueError, match=r"no gradient.*occlusion"):
        E.saliency(only, np.array([[1], [2]]))


def test_bytes_are_taken_as_floats() -> None:
    model = images()
    x = np.random.default_rng(0).integers(0, 255, (2, 9, 8, 2)).astype("uint8")
    found = E.saliency(model, x, 0)
    np.testing.assert_array_equal(found, E.saliency(model, x.astype("float32"), 0))
    assert found.any()


def test_a_sequence_of_classes_counts_every_position() -> None:
    model = km.Sequential([km.Input((5, 2)), L.Dense(3, "softmax")])
    x = draw(2, 5, 2)
    whole = E.saliency(model, x, logits=False)
    assert whole.shape == x.shape and (np.abs(whole).sum(-1) > 0).all()
    one = E.saliency(model, x, (3, 1), logits=False)
    assert np.abs(one[:, 3]).sum() > 0 and not one[:, [0, 1, 2, 4]].any()


def test_smooth_grad_is_the_mean_of_saliency_around() -> None:
    km.utils.set_random_seed(6)
    model, x = sequential(), draw(2, 5)
    one = E.smooth_grad(model, x, samples=8, batch_size=3)
    np.testing.assert_array_equal(one, E.smooth_grad(model, x, samples=8, batch_size=3))
    assert not np.array_equal(one, E.smooth_grad(model, x, samples=8, batch_size=3, seed=1))
    np.testing.assert_allclose(
        E.smooth_grad(model, x, samples=3, noise=0), E.saliency(model, x), rtol=1e-5
    )


def test_nothing_in_the_model_changes() -> None:
    km.utils.set_random_seed(7)
    model = images()
    model.compile("adam", "sparse_categorical_crossentropy")
    x = draw(4, 9, 8, 2)
    model.fit(x, np.array([0, 1, 2, 0]), epochs=1, verbose=0)
    stateful = km.Sequential([km.Input(batch_shape=(4, 3, 2)), L.LSTM(3, stateful=True)])
    before = [v.numpy() for v in [*model.variables, *stateful.variables]]
    losses = list(model.losses)
    for function in (E.saliency, E.smooth_grad, E.integrated_gradients, E.grad_cam, E.occlusion):
        function(model, x)
    E.activations(model, x)
    E.saliency(stateful, draw(4, 3, 2), target=0)
    after = [v.numpy() for v in [*model.variables, *stateful.variables]]
    assert all(map(np.array_equal, before, after))
    assert model.losses == losses


def test_half_precision_gives_floats_of_the_inputs() -> None:
    model = km.Sequential(
        [km.Input((5,)), L.Dense(4, "tanh", dtype="mixed_float16"), L.Dense(2, dtype="float32")]
    )
    found = E.saliency(model, draw(3, 5), 0)
    assert found.dtype == "float32" and np.isfinite(found).all() and found.any()


def test_errors_name_the_fix() -> None:
    model, x = sequential(), draw(4, 5)
    for bad, words in (
        (7, "classes are 0 to 2"),
        (np.array([0, 1]), "a class for each sample"),
        ((1, 2), "must index one value"),
        ("dog", "must be a class"),
        (lambda q: km.ops.sum(q), "array .samples, ...."),
    ):
        with pytest.raises(ValueError, match=words):
            E.saliency(model, x, bad)
    with pytest.raises(ValueError, match=r"x\[None\]"):
        E.saliency(model, np.float32(3))
    with pytest.raises(ValueError, match="expects input"):
        E.saliency(model, draw(4, 7))
    with pytest.raises(ValueError, match="`baseline` of shape"):
        E.integrated_gradients(model, x, draw(3))
    with pytest.raises(ValueError, match="`steps`"):
        E.integrated_gradients(model, x, steps=0)
    with pytest.raises(ValueError, match="`batch_size`"):
        E.saliency(model, x, batch_size=0)


@pytest.mark.parametrize("sign", [1, -1])
def test_grad_cam_says_where_it_finds_nothing(sign):
    """A layer whose only map speaks against a class has nothing to show for it."""
    inputs = km.Input((4, 4, 1))
    maps = km.layers.Conv2D(1, 1, kernel_initializer="ones", name="maps")(inputs)
    pooled = km.layers.GlobalAveragePooling2D()(maps)
    scores = km.layers.Dense(1, kernel_initializer=km.initializers.Constant(sign))(pooled)
    model, x = km.Model(inputs, scores), np.ones((3, 4, 4, 1), "float32")
    if sign > 0:
        assert (E.grad_cam(model, x) > 0).all()  # and no warning, which would be an error
        return
    with pytest.warns(UserWarning, match=r"'maps' nothing speaks for the class of 3 of 3") as said:
        assert not E.grad_cam(model, x).any()
    assert said[0].filename == __file__
