"""Files of whole models for Keras 2: we read them, and so does tf_keras if installed."""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import kernelmodel as km

rng = np.random.default_rng(0)
LIBRARIES = [
    "kernelmodel",
    pytest.param(
        "tf_keras",
        marks=pytest.mark.skipif(
            importlib.util.find_spec("tf_keras") is None,
            reason="pip install tf_keras tensorflow-cpu to read the files with it",
        ),
    ),
]
# Values of `save_format`, and the name of a file of the kind.
FORMATS = {"h5": "model.h5", "tf_keras": "model.keras"}


def images(k: Any) -> tuple[Any, Any, Any]:
    layers = [
        k.layers.Conv2D(3, 3, activation="relu", kernel_regularizer="l2"),
        k.layers.BatchNormalization(),
        k.layers.LeakyReLU(negative_slope=0.1),
        k.layers.Flatten(),
        k.layers.Dense(2, activation="softmax", kernel_constraint="max_norm"),
    ]
    model = k.Sequential([k.Input((6, 6, 1)), *layers])
    loss = k.losses.SparseCategoricalCrossentropy()
    model.compile(k.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model, rng.random((6, 6, 6, 1)).astype("float32"), np.arange(6) % 2


def nested(k: Any) -> tuple[Any, Any, Any]:
    a, b = k.Input((4,), name="a"), k.Input((6,), dtype="int32", name="b")
    words = k.layers.Embedding(9, 4, mask_zero=True)(b)
    words = k.layers.Bidirectional(k.layers.LSTM(3))(words)
    shared = k.layers.Dense(6, name="shared")
    inner = k.Sequential([k.Input((6,)), k.layers.Dense(6, activation="tanh")], name="inner")
    one = k.layers.Add(name="add")([shared(a), inner(words)])
    two = k.layers.Dense(1, name="two")(k.layers.Concatenate(name="concatenate")([one, shared(a)]))
    model = k.Model([a, b], [one, two])
    model.compile(k.optimizers.SGD(0.1, momentum=0.9), ["mse", "mae"], loss_weights=[0.5, 1.0])
    x = [rng.random((4, 4)).astype("float32"), rng.integers(1, 9, (4, 6)).astype("int32")]
    return model, x, [np.zeros((4, 6)), np.zeros((4, 1))]


def attention(k: Any) -> tuple[Any, Any, Any]:
    a, b = k.Input((5, 4)), k.Input((6, 4))
    x = k.layers.MultiHeadAttention(2, 3)(a, b)
    x = k.layers.GlobalAveragePooling1D()(k.layers.LayerNormalization()(x))
    model = k.Model([a, b], k.layers.Dense(1)(x))
    model.compile(k.optimizers.RMSprop(0.01, momentum=0.5), k.losses.Huber(delta=0.5))
    x = [rng.random((4, n, 4)).astype("float32") for n in (5, 6)]
    return model, x, np.ones((4, 1))


FIT = {"epochs": 3, "shuffle": False, "verbose": 0}


def assert_equal_predictions(one: Any, other: Any, x: Any) -> None:
    pairs = [m.predict(x, verbose=0) for m in (one, other)]
    for a, b in zip(*(p if isinstance(p, list) else [p] for p in pairs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("save_format", FORMATS)
@pytest.mark.parametrize("make", [images, nested, attention])
def test_a_file_predicts_and_trains_as_the_model(
    make: Any, save_format: str, library: str, tmp_path: Path
) -> None:
    model, x, y = make(km)
    model.fit(x, y, **FIT)
    path = tmp_path / FORMATS[save_format]
    model.save(path, save_format=save_format)
    loaded = importlib.import_module(library).models.load_model(str(path))
    assert_equal_predictions(model, loaded, x)
    histories = [m.fit(x, y, **FIT).history["loss"] for m in (model, loaded)]
    np.testing.assert_allclose(*histories, rtol=1e-5)


@pytest.mark.usefixtures("quick_weights")
@pytest.mark.oracle
@pytest.mark.parametrize("make", [images, nested])
def test_keras_3_opens_an_archive_for_tf_keras(make: Any, tmp_path: Path) -> None:
    keras = importlib.import_module("keras")
    model, x, y = make(km)
    model.fit(x, y, **FIT)
    model.save(tmp_path / "model.keras", save_format="tf_keras")
    with pytest.warns(UserWarning, match="Skipping variable loading for optimizer"):
        loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_equal_predictions(model, loaded, x)
    y = y if isinstance(y, list) else [y]
    wanted, found = (m.evaluate(x, y, verbose=0) for m in (model, loaded))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


RULES = {
    "SGD": {"momentum": 0.9, "nesterov": True}, "RMSprop": {"momentum": 0.5, "centered": True},
    "Adam": {"amsgrad": True}, "AdamW": {}, "Adamax": {}, "Adagrad": {}, "Adadelta": {},
    "Ftrl": {}, "Lion": {},
}  # fmt: skip


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("rule", RULES)
def test_each_optimizer_goes_on_from_an_archive(rule: str, library: str, tmp_path: Path) -> None:
    stack = [km.layers.Dense(8, activation="tanh"), km.layers.Dense(3)]
    model = km.Sequential([km.Input((4,)), *stack])
    model.compile(getattr(km.optimizers, rule)(0.01, **RULES[rule]), "mse", metrics=["mae"])
    x, y = rng.random((12, 4)).astype("float32"), np.ones((12, 3))
    model.fit(x, y, **FIT)
    model.save(tmp_path / "model.keras", save_format="tf_keras")
    loaded = importlib.import_module(library).models.load_model(tmp_path / "model.keras")
    assert int(loaded.optimizer.iterations.numpy()) == 3
    losses = [m.fit(x, y, **FIT).history["loss"] for m in (model, loaded)]
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_an_archive_without_the_optimizer(tmp_path: Path) -> None:
    model, x, _ = images(km)
    path = tmp_path / "model.keras"
    model.save(path, save_format="tf_keras", include_optimizer=False)
    loaded = km.models.load_model(path)
    assert not loaded.compiled
    assert_equal_predictions(model, loaded, x)


def test_without_the_optimizer(tmp_path: Path) -> None:
    model, x, _ = images(km)
    model.save(tmp_path / "model.h5", include_optimizer=False)
    with h5py.File(tmp_path / "model.h5") as store:
        assert "training_config" not in store.attrs
    with pytest.warns(UserWarning, match="no arguments of compile"):
        loaded = km.models.load_model(tmp_path / "model.h5")
    assert not loaded.compiled
    np.testing.assert_array_equal(model.predict(x, verbose=0), loaded.predict(x, verbose=0))


def test_layers_have_the_form_of_keras_2(tmp_path: Path) -> None:
    model, _, _ = nested(km)
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as store:
        config = json.loads(store.attrs["model_config"])
    assert config["class_name"] == "Functional"
    entries = {layer["name"]: layer for layer in config["config"]["layers"]}
    assert entries["a"]["config"]["batch_input_shape"] == [None, 4]
    assert entries["two"]["inbound_nodes"] == [[["concatenate", 0, 0, {}]]]
    assert ["inner", 1, 0, {}] in entries["add"]["inbound_nodes"][0]
    assert len(entries["shared"]["inbound_nodes"]) == 2
    assert entries["shared"]["config"]["dtype"] == "float32"


@pytest.mark.parametrize("save_format", FORMATS)
def test_what_keras_2_has_no_form_for_is_refused(save_format: str, tmp_path: Path) -> None:
    class Sub(km.Model):
        def call(self, x: Any) -> Any:
            return x * 2

    sub = Sub()
    sub(np.ones((2, 3)))
    inputs = km.Input((3,))
    function = km.Model(inputs, km.ops.sin(inputs))
    sigmoid = km.Sequential([km.Input((3,)), km.layers.Dense(2, activation="hard_sigmoid")])
    for model, words in ((sub, "subclassed"), (function, "a function"), (sigmoid, "hard_sigmoid")):
        with pytest.raises(ValueError, match=words):
            model.save(tmp_path / FORMATS[save_format], save_format=save_format)
    assert not list(tmp_path.iterdir())


def test_a_layer_in_two_models_is_refused_in_an_archive(tmp_path: Path) -> None:
    dense, x = km.layers.Dense(3, name="twice"), km.Input((3,))
    inner = km.Sequential([km.Input((3,)), dense], name="inner")
    model = km.Model(x, dense(inner(x)))
    with pytest.raises(ValueError, match=r"'twice' is part of 'inner' and of another"):
        model.save(tmp_path / "model.keras", save_format="tf_keras")
    assert not list(tmp_path.iterdir())


def test_another_optimizers_state_begins_anew(tmp_path: Path) -> None:
    model, x, y = images(km)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as store:
        config = json.loads(store.attrs["training_config"])
        config["optimizer_config"]["class_name"] = "Custom>SGD"
        config["optimizer_config"]["config"] = {"learning_rate": 0.1}
        store.attrs["training_config"] = json.dumps(config)
    with pytest.warns(UserWarning, match="begins anew"):
        loaded = km.models.load_model(tmp_path / "model.h5")
    assert type(loaded.optimizer) is km.optimizers.SGD


def test_slots_listed_block_by_block(tmp_path: Path) -> None:
    """Before tf_keras, all first slots came before all second ones."""
    model, x, y = images(km)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as store:
        group = store["optimizer_weights"]
        names = [n.decode() for n in group.attrs["weight_names"]]
        old = [f"training/Adam/w{i // 2}/{'mv'[i % 2]}:0" for i in range(len(names) - 1)]
        for new, name in zip(old, names[1:]):
            group.move(name, new)
        order = [names[0], *old[0::2], *old[1::2]]
        group.attrs["weight_names"] = np.array([n.encode() for n in order])
    loaded = km.models.load_model(tmp_path / "model.h5")
    for one, other in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy())
