"""Functional models: structures of inputs and outputs, sharing, parts of graphs, layer order."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import kernelmodel as km

layers, ops = km.layers, km.ops
rng = np.random.default_rng(0)


def data(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype("float32")


# ---- structures ----


def build(structure: str) -> tuple[km.Model, Any]:
    a, b = km.Input((2,), name="a"), km.Input((3,), name="b")
    shapes = {"a": data(4, 2), "b": data(4, 3)}
    x = layers.Concatenate(name="both")([a, b])
    one, two = layers.Dense(1, name="one")(x), layers.Dense(2, name="two")(x)
    inputs, outputs, fed = {
        "list": ([a, b], [one, two], [shapes["a"], shapes["b"]]),
        "tuple": ((b, a), (two, one), (shapes["b"], shapes["a"])),
        "dict": ({"a": a, "b": b}, {"y": one, "x": two}, shapes),
        "renamed dict": ({"p": b, "q": a}, {"z": [one]}, {"p": shapes["b"], "q": shapes["a"]}),
        "nested": ([{"k": a}, (b,)], {"m": [one, {"n": two}], "l": x},
                   [{"k": shapes["a"]}, (shapes["b"],)]),
    }[structure]  # fmt: skip
    return km.Model(inputs, outputs), fed


STRUCTURES = ["list", "tuple", "dict", "renamed dict", "nested"]


def shape_tree(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape_tree(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(shape_tree, value))
    return tuple(value.shape)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_call_and_predict_keep_the_structure(structure: str) -> None:
    model, fed = build(structure)
    wanted = {
        "list": [(4, 1), (4, 2)],
        "tuple": ((4, 2), (4, 1)),
        "dict": {"y": (4, 1), "x": (4, 2)},
        "renamed dict": {"z": [(4, 1)]},
        "nested": {"m": [(4, 1), {"n": (4, 2)}], "l": (4, 5)},
    }[structure]
    assert shape_tree(model(fed)) == wanted
    predicted = model.predict(fed, batch_size=3, verbose=0)
    assert shape_tree(predicted) == wanted
    km_leaves = [np.asarray(leaf) for leaf in leaves(model(fed))]
    for one, other in zip(km_leaves, leaves(predicted)):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert shape_tree(model.predict_on_batch(fed)) == wanted


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def test_data_is_matched_by_name_or_order() -> None:
    model, (a, b) = build("list")
    wanted = model([a, b])
    for given in ((a, b), {"a": a, "b": b}, {"b": b, "a": a, "unused": a}):
        for one, other in zip(wanted, model(given)):
            np.testing.assert_array_equal(one, other)
    renamed, fed = build("renamed dict")
    by_key = renamed(fed)["z"][0]
    np.testing.assert_array_equal(by_key, renamed({"a": fed["q"], "b": fed["p"]})["z"][0])


def test_a_missing_or_spare_last_axis_of_one() -> None:
    model = km.Sequential([km.Input((1,)), layers.Dense(1)])
    np.testing.assert_allclose(model(np.ones(5)), model(np.ones((5, 1))))
    flat = km.Model(x := km.Input(()), x * 2.0)
    assert flat(np.ones((5, 1))).shape == (5,)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([data(4, 2)], ["expects 2 input(s)", "['a', 'b']", "got 1"]),
        ([data(4, 2), data(4, 3), data(4, 1)], ["got 3"]),
        ({"a": data(4, 2)}, ["no data for input 'b'", "['a']"]),
        ({"a": data(4, 2), "bb": data(4, 3)}, ["'b'", "Did you mean 'bb'"]),
        ([data(4, 2), data(4, 7)], ["input 'b'", "(None, 3)", "(4, 7)"]),
        ([data(4, 2), data(3)], ["input 'b'", "(None, 3)", "(3,)", "batch axis"]),
        ([data(4, 2), None], ["None for input 'b'"]),
    ],
)
def test_wrong_data_names_input_expected_received_and_fix(given: Any, words: list[str]) -> None:
    model, _ = build("list")
    with pytest.raises(ValueError) as caught:
        model(given)
    for word in words:
        assert word in str(caught.value)


def test_helpful_remedies() -> None:
    model = km.Sequential([km.Input((3, 4, 2)), layers.Flatten()])
    for shape, remedy in (((5, 2, 3, 4), "moveaxis"), ((5, 24), None), ((3, 4, 2), "batch axis")):
        with pytest.raises(ValueError, match=remedy):
            model(np.ones(shape))


# ---- graphs ----


def test_shared_layers_and_their_gradient() -> None:
    shared = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    a, b = km.Input((2,)), km.Input((2,))
    model = km.Model([a, b], layers.Subtract()([shared(a), shared(b)]))
    assert len(model.weights) == 1
    assert len([layer for layer in model.layers if layer is shared]) == 1
    model.compile(km.optimizers.SGD(1.0), "mse")
    x, y = np.array([[3.0, 1.0]]), np.array([[1.0, 0.0]])
    model.train_on_batch([x, y], np.zeros((1, 1)))  # the loss is (w . (x - y))^2, w = 1
    np.testing.assert_allclose(shared.kernel.numpy()[:, 0], 1 - 2 * 3 * np.array([2.0, 1.0]))
    with pytest.raises(AttributeError, match="2 times"):
        _ = shared.output


def test_specification_backbone() -> None:
    """The example of the specification, and that training one model is seen by the others."""
    inputs = km.Input(shape=(None, None, 3))
    processed = layers.RandomCrop(width=32, height=32)(inputs)
    conv = layers.Conv2D(filters=2, kernel_size=3)(processed)
    pooling = layers.GlobalAveragePooling2D()(conv)
    feature = layers.Dense(10)(pooling)

    full_model = km.Model(inputs, feature)
    backbone = km.Model(processed, conv)
    activations = km.Model(conv, feature)

    assert full_model.output_shape == (None, 10)
    assert backbone.input_shape == (None, 32, 32, 3)
    assert backbone.output_shape == (None, 30, 30, 2)
    assert activations.output_shape == (None, 10)
    assert {id(w) for w in full_model.weights} == {
        id(w) for w in [*backbone.weights, *activations.weights]
    } | {id(w) for w in backbone.weights}

    images = data(4, 40, 36, 3)
    cropped = full_model.layers[1](images, training=False)
    assert cropped.shape == (4, 32, 32, 3)
    before = backbone.predict(cropped, verbose=0)
    np.testing.assert_allclose(
        activations.predict(before, verbose=0), full_model.predict(images, verbose=0),
        rtol=1e-4, atol=1e-5,
    )  # fmt: skip
    full_model.compile("sgd", "mse")
    full_model.fit(images, data(4, 10), epochs=2, verbose=0)
    after = backbone.predict(cropped, verbose=0)
    assert np.abs(after - before).max() > 1e-4
    np.testing.assert_allclose(
        activations.predict(after, verbose=0), full_model.predict(images, verbose=0),
        rtol=1e-4, atol=1e-5,
    )  # fmt: skip


def test_models_are_called_like_layers() -> None:
    inner = km.Sequential([km.Input((3,)), layers.Dense(4, "tanh")], name="inner")
    branch = km.Model(x := km.Input((4,)), {"p": layers.Dense(1)(x), "q": x * 2}, name="branch")
    inputs = km.Input((3,))
    found = branch(inner(inputs))
    outer = km.Model(inputs, ops.concatenate([found["p"], found["q"], inner(inputs * 2)], axis=-1))
    nested = {layer.name for layer in outer.layers if isinstance(layer, km.Model)}
    assert nested == {"inner", "branch"}
    assert len(outer.weights) == 4
    x = data(5, 3)
    wanted = [branch(inner(x))["p"], inner(x) * 2, inner(2 * x)]
    np.testing.assert_allclose(outer(x), np.concatenate(wanted, axis=-1), rtol=1e-5)
    outer.compile("sgd", "mse")
    before = inner.get_weights()[0]
    outer.fit(x, data(5, 9), verbose=0)
    assert not np.array_equal(before, inner.get_weights()[0])
    inner.trainable = False
    assert len(outer.trainable_weights) == 2


def test_ops_and_operators_in_the_graph() -> None:
    x = km.Input((4,))
    y = 1 - 2 * x[:, :2] / (ops.exp(x[:, 2:]) + 1) ** 2
    y = np.maximum(y, 0.1) @ np.ones((2, 3), "float32")
    y = ops.where(ops.sum(x, axis=1, keepdims=True) > 0, y, -y) + np.float32(1)
    model = km.Model(x, [y, -abs(x), np.concatenate([x, x], axis=1)])
    given = data(6, 4)
    found = model(given)
    wanted = np.maximum(1 - 2 * given[:, :2] / (np.exp(given[:, 2:]) + 1) ** 2, 0.1)
    wanted = wanted @ np.ones((2, 3))
    wanted = np.where(given.sum(1, keepdims=True) > 0, wanted, -wanted) + 1
    np.testing.assert_allclose(found[0], wanted, rtol=1e-5)
    np.testing.assert_array_equal(found[1], -np.abs(given))
    assert found[2].shape == (6, 8)
    assert model.layers == [model.layers[0]]  # ops are no layers


def test_symbolic_tensors_have_no_values() -> None:
    x = km.Input((4,))
    for use in (bool, float, len, list, np.asarray):
        with pytest.raises(TypeError, match=r"no values until the model gets data"):
            use(x)


def test_disconnected_graph() -> None:
    a, b = km.Input((2,), name="in_a"), km.Input((2,), name="in_b")
    out = layers.Add(name="sum")([a, b])
    with pytest.raises(ValueError, match=r"depends on input 'in_b'.*Add it to `inputs`"):
        km.Model(a, out)
    with pytest.raises(ValueError, match="given twice"):
        km.Model([a, a], out)
    with pytest.raises(ValueError, match="got 3 of type int"):
        km.Model(a, 3)
    with pytest.raises(ValueError, match="no `outputs`"):
        km.Model(inputs=a)


def test_names_are_unique_in_a_graph() -> None:
    a = km.Input((2,))
    x = layers.Dense(2, name="twice")(a)
    with pytest.raises(ValueError, match="several layers of the name 'twice'"):
        km.Model(a, layers.Dense(2, name="twice")(x))


def test_an_output_may_be_an_input() -> None:
    a = km.Input((2,))
    model = km.Model(a, [a, layers.Dense(1)(a)])
    x = data(3, 2)
    np.testing.assert_array_equal(model(x)[0], x)


def test_a_chain_deeper_than_the_recursion_limit() -> None:
    x = inputs = km.Input((2,))
    for _ in range(1500):
        x = layers.Activation("linear")(x)
    model = km.Model(inputs, x)
    assert len(model.layers) == 1501
    np.testing.assert_array_equal(model(np.ones((1, 2))), [[1, 1]])


# ---- order of layers, as genuine Keras has it ----


def chain(k: Any) -> Any:
    x = k.Input((4,), name="i")
    return k.Model(x, k.layers.Dense(1, name="b")(k.layers.Dense(2, name="a")(x)))


def diamond(k: Any) -> Any:
    x = k.Input((4,), name="i")
    left = k.layers.Dense(3, name="left2")(k.layers.Dense(3, name="left1")(x))
    right = k.layers.Dense(3, name="right1")(x)
    out = k.layers.Add(name="add")([right, left])
    return k.Model(x, k.layers.Dense(1, name="out")(out))


def two_in_two_out(k: Any) -> Any:
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    left = k.layers.Dense(3, name="left")(a)
    both = k.layers.Concatenate(name="both")([left, k.layers.Dense(2, name="right")(b)])
    return k.Model([b, a], [k.layers.Dense(1, name="p")(both), k.layers.Dense(1, name="q")(left)])


def shared(k: Any) -> Any:
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    twin = k.layers.Dense(4, name="twin")
    late = k.layers.Dense(4, name="late")(twin(a))
    return k.Model([a, b], k.layers.Add(name="sum")([twin(late), twin(b)]))


def skips(k: Any) -> Any:
    x = k.Input((4,), name="x")
    y, parts = x, []
    for i in range(4):
        y = k.layers.Dense(4, name=f"d{i}")(y)
        parts.append(y)
    z = k.layers.Add(name="mid")([parts[3], parts[0]])
    z = k.layers.Concatenate(name="end")([z, parts[1], x])
    return k.Model(x, [z, parts[2]])


def unused_input(k: Any) -> Any:
    x, unused = k.Input((4,), name="x"), k.Input((4,), name="unused")
    return k.Model([x, unused], k.layers.Dense(4, name="c")(k.layers.Dense(4, name="a")(x)))


def shared_twice(k: Any) -> Any:
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    twin = k.layers.Dense(4, name="twin")
    deep = twin(k.layers.Dense(4, name="low")(twin(k.layers.Dense(4, name="lower")(a))))
    return k.Model(
        [b, a], k.layers.Add(name="sum")([twin(b), deep, k.layers.Dense(4, name="z")(b)])
    )


def nested(k: Any) -> Any:
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(4, name="in1")], name="inner")
    x = k.Input((4,), name="x")
    y = k.layers.Dense(4, name="before")(x)
    return k.Model(x, k.layers.Add(name="add")([inner(y), inner(x)]))


GRAPHS = [chain, diamond, two_in_two_out, shared, skips, unused_input, shared_twice, nested]


@pytest.mark.oracle
@pytest.mark.parametrize("make", GRAPHS)
def test_order_of_layers_and_weights_is_that_of_keras(make: Any) -> None:
    keras = importlib.import_module("keras")
    ours, genuine = make(km), make(keras)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in genuine.layers]
    assert [tuple(w.shape) for w in ours.weights] == [tuple(w.shape) for w in genuine.weights]
    assert [w.path for w in ours.weights] == [w.path for w in genuine.weights]
    assert ours.output_names == list(genuine.output_names)
