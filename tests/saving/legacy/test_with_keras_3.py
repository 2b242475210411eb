"""HDF5 files of whole models go to genuine Keras 3 and come from it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saving import families
from saving.legacy.make_golden import attention

import kernelmodel as km

keras = importlib.import_module("keras")
pytestmark = [
    pytest.mark.oracle,
    pytest.mark.usefixtures("quick_weights"),
    pytest.mark.filterwarnings("ignore:.*no arguments of compile"),
]
HERE = Path(__file__).parent / "files"


def deep(k: Any) -> Any:
    """Models in a model in a stack, whose weights that aren't trained come last, level by level."""
    inner = k.Sequential(
        [k.Input((4,)), k.layers.Dense(5), k.layers.BatchNormalization(), k.layers.Dense(4)]
    )
    inner.layers[0].trainable = False
    inputs = k.Input((4,))
    middle = k.Model(inputs, k.layers.BatchNormalization()(inner(inputs)))
    return k.Sequential([k.Input((4,)), k.layers.BatchNormalization(), middle, k.layers.Dense(2)])


def wrapped(k: Any) -> Any:
    """Layers that hold other layers."""
    x = inputs = k.Input((6, 3))
    x = k.layers.RNN([k.layers.LSTMCell(3), k.layers.GRUCell(4)], return_sequences=True)(x)
    x = k.layers.Bidirectional(k.layers.GRU(3, return_sequences=True))(x)
    stack = [k.Input((6,)), k.layers.Dense(3), k.layers.BatchNormalization()]
    x = k.layers.TimeDistributed(k.Sequential(stack))(x)
    return k.Model(inputs, k.layers.Dense(2, activation="hard_silu")(k.layers.LSTM(2)(x)))


MODELS = {
    **families.FAMILIES,
    "deep": (deep, families.floats(5, 4)),
    "wrapped": (wrapped, families.floats(5, 6, 3)),
    "attention": (attention, [families.floats(3, 5, 4), families.floats(3, 6, 4)]),
}
# Ops have no form in these files, and Keras 3 can't read attention in the form of Keras 2.
THERE = [name for name in MODELS if name not in ("with_ops", "attending", "attention")]


def same(one: Any, other: Any, x: Any) -> None:
    found, wanted = one.predict(x, verbose=0), other.predict(x, verbose=0)
    assert families.largest_difference(found, wanted) < 1e-5


@pytest.mark.parametrize("name", MODELS)
def test_their_models_open_here(name: str, tmp_path: Path) -> None:
    """Also those with ops, which Keras writes but can't open."""
    make, x = MODELS[name]
    theirs = families.shaken(make(keras))
    theirs.save(tmp_path / "theirs.h5")
    ours = km.models.load_model(tmp_path / "theirs.h5")
    same(ours, theirs, x)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]


@pytest.mark.parametrize("name", THERE)
def test_our_models_open_there_and_here(name: str, tmp_path: Path) -> None:
    make, x = MODELS[name]
    ours = families.shaken(make(km))
    ours.save(tmp_path / "ours.h5")
    same(keras.models.load_model(tmp_path / "ours.h5"), ours, x)
    same(km.models.load_model(tmp_path / "ours.h5"), ours, x)


@pytest.mark.parametrize("name", MODELS)
def test_weights_in_both_directions(name: str, tmp_path: Path) -> None:
    make, x = MODELS[name]
    theirs, ours = families.shaken(make(keras)), make(km)
    theirs.save(tmp_path / "theirs.h5")
    ours.load_weights(tmp_path / "theirs.h5")
    same(ours, theirs, x)
    ours.save_weights(tmp_path / "ours.h5")
    fresh = make(keras)
    fresh.load_weights(tmp_path / "ours.h5")
    same(fresh, theirs, x)


def test_keras_3_cannot_read_attention_in_the_form_of_keras_2(tmp_path: Path) -> None:
    """Neither in files of tf_keras nor in ours, which tf_keras reads; ours open here."""
    make, x = MODELS["attention"]
    ours = families.shaken(make(km))
    ours.save(tmp_path / "ours.h5")
    for path in (HERE / "attention.h5", tmp_path / "ours.h5"):
        with pytest.raises(TypeError, match="query_shape"):
            keras.models.load_model(path)
    same(km.models.load_model(tmp_path / "ours.h5"), ours, x)


def test_hard_sigmoid_is_that_of_keras_3(tmp_path: Path) -> None:
    dense = keras.layers.Dense(3, activation="hard_sigmoid")
    theirs = keras.Sequential([keras.Input((3,)), dense])
    theirs.save(tmp_path / "theirs.h5")
    ours = km.models.load_model(tmp_path / "theirs.h5")
    same(ours, theirs, np.random.default_rng(0).normal(size=(9, 3)).astype("float32"))


def test_a_class_of_ones_own(tmp_path: Path) -> None:
    def doubling(k: Any) -> Any:
        class Doubling(k.layers.Layer):
            def call(self, x: Any) -> Any:
                return 2.0 * x

        return Doubling

    theirs = doubling(keras)
    keras.saving.register_keras_serializable(name="Doubling")(theirs)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(theirs()(inputs)))
    model.save(tmp_path / "theirs.h5")
    objects = {"Doubling": doubling(km)}
    ours = km.models.load_model(tmp_path / "theirs.h5", custom_objects=objects)
    same(ours, model, np.ones((2, 3), "float32"))
