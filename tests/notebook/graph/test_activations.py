"""What layers give for a sample: the genuine values, of the weights of the moment."""

import threading

import graph_models
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.notebook.graph.activations import MOST_SAMPLES, Activations
from kernelmodel.notebook.graph.parts import model_parts

RANDOM = np.random.default_rng(1)


def activations_of(model, x):
    return Activations(model, model_parts(model), x)


def test_each_layer_of_a_functional_model():
    model = graph_models.resnet50(32)
    x = RANDOM.normal(size=(2, 32, 32, 3)).astype("float32")
    seen = activations_of(model, x)
    for name in ("pool1", "conv3_block1_add", "predictions"):
        part_model = km.Model(model.inputs, model.get_layer(name).output)
        (given,), _ = seen.of(model.get_layer(name), 1)
        np.testing.assert_allclose(given, part_model(x[1:2])[0], rtol=1e-4, atol=1e-5)
    (image,), _ = seen.of(model.layers[0], 1)
    np.testing.assert_array_equal(image, x[1])


def test_scores_of_attention_and_the_results_of_ops():
    model = graph_models.transformer()
    x = RANDOM.integers(0, 100, (3, 12))
    seen = activations_of(model, x)
    attention = model.get_layer("attention_0")
    embedded = model.get_layer("embed")(x)
    expected, scores = attention(embedded, embedded, return_attention_scores=True)
    outputs, found = seen.of(attention, 2)
    np.testing.assert_allclose(outputs[0], expected[2], atol=1e-6)
    np.testing.assert_allclose(found[0], scores[2], atol=1e-6)
    op = next(part for part in model_parts(model).nodes if part.class_name == "op").operation
    (total,), _ = seen.of(op, 2)
    np.testing.assert_allclose(total, (embedded + expected)[2], atol=1e-6)


def test_a_shared_nested_model_is_seen_call_by_call():
    model = graph_models.twins()
    x = [RANDOM.normal(size=(2, 16, 16, 3)) for _ in range(2)]
    seen = activations_of(model, x)
    encoder = model.get_layer("encoder")
    outputs, _ = seen.of(encoder, 0)
    for given, one in zip(outputs, x, strict=True):
        np.testing.assert_allclose(given, encoder(one[:1])[0], atol=1e-5)
    inner = encoder.get_layer("block").get_layer("edges")
    assert [array.shape for array in seen.of(inner, 0)[0]] == [(16, 16, 8)] * 2


def test_a_subclassed_model():
    model = graph_models.built()
    x = RANDOM.normal(size=(4, 3)).astype("float32")
    (given,), _ = activations_of(model, x).of(model.block.up, 3)
    np.testing.assert_allclose(given, model.block.up(model.first(x[3:]))[0], atol=1e-6)


def test_new_weights_are_seen_and_nothing_is_changed():
    inputs = km.Input((4,))
    hidden = km.layers.BatchNormalization(name="bn")(km.layers.Dense(4, name="d")(inputs))
    model = km.Model(inputs, km.layers.Dropout(0.5, name="drop")(hidden))
    before = [v.numpy() for v in model.variables]
    seen = activations_of(model, np.ones((2, 4)))
    (first,), _ = seen.of(model.get_layer("drop"), 0)
    np.testing.assert_allclose(first, model.predict(np.ones((1, 4)), verbose=0)[0], atol=1e-6)
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
    layer = model.get_layer("d")
    layer.set_weights([w + 1 for w in layer.get_weights()])
    (second,), _ = seen.of(layer, 0)
    np.testing.assert_allclose(second, layer(np.ones((1, 4)))[0], atol=1e-6)


def test_it_waits_for_the_running_step():
    model = graph_models.one_layer()
    seen = activations_of(model, np.ones((2, 4)))
    got = threading.Event()
    thread = threading.Thread(target=lambda: (seen.of(model.layers[0], 1), got.set()))
    with ENGINE_LOCK:
        thread.start()
        assert not got.wait(0.2)
    assert got.wait(5)
    thread.join()


def test_only_the_first_samples_are_kept():
    seen = activations_of(graph_models.one_layer(), np.ones((100, 4)))
    assert (seen.count, seen.total, len(seen.samples)) == (MOST_SAMPLES, 100, MOST_SAMPLES)


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.float32(1.0), r"needs one or more samples.*The batch axis comes first"),
        (np.ones((0, 4)), "needs one or more samples"),
        (np.ones((3, 5)), r"expects input 'x' of shape \(None, 4\), got \(1, 5\)"),
    ],
)
def test_samples_that_dont_fit_are_refused_at_once(x, says):
    with pytest.raises(ValueError, match=says):
        graph_models.one_layer().graph(x=x)
