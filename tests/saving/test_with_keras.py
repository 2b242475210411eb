"""Files of genuine Keras open here, files of ours open there, and both predict the same."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kernelmodel as km

SPEC = importlib.util.spec_from_file_location("families", Path(__file__).parent / "families.py")
families = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = families
SPEC.loader.exec_module(families)

keras = importlib.import_module("keras")
pytestmark = [pytest.mark.oracle, pytest.mark.usefixtures("quick_weights")]
each = pytest.mark.parametrize("family", families.FAMILIES)


@each
def test_their_models_open_here(family: str, tmp_path: Path, record_property: Any) -> None:
    make, x = families.FAMILIES[family]
    theirs = families.shaken(make(keras))
    theirs.save(tmp_path / "theirs.keras")
    ours = km.models.load_model(tmp_path / "theirs.keras")
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    difference = families.largest_difference(
        ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    )
    record_property("largest difference", difference)
    assert difference < 1e-5


@pytest.mark.parametrize("family", [f for f in families.FAMILIES if f != "nested_and_shared"])
def test_our_models_open_there(family: str, tmp_path: Path, record_property: Any) -> None:
    make, x = families.FAMILIES[family]
    ours = families.shaken(make(km))
    ours.save(tmp_path / "ours.keras")
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    difference = families.largest_difference(
        ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    )
    record_property("largest difference", difference)
    assert difference < 1e-5


@each
def test_weights_files_in_both_directions(family: str, tmp_path: Path) -> None:
    make, x = families.FAMILIES[family]
    theirs, ours = families.shaken(make(keras)), make(km)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    wanted = theirs.predict(x, verbose=0)
    assert families.largest_difference(ours.predict(x, verbose=0), wanted) < 1e-5
    ours.save_weights(tmp_path / "ours.weights.h5")
    fresh = make(keras)
    fresh.load_weights(tmp_path / "ours.weights.h5")
    assert families.largest_difference(fresh.predict(x, verbose=0), wanted) < 1e-6


@pytest.mark.parametrize("optimizer", ["SGD", "RMSprop", "Adam"])
def test_training_goes_on_across_libraries(optimizer: str, tmp_path: Path) -> None:
    """Trained there, saved, loaded here and trained on: the losses that it would have had there."""
    settings = {"SGD": {"momentum": 0.9}, "RMSprop": {"momentum": 0.5}, "Adam": {}}[optimizer]
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((32, 4)).astype("float32"), rng.integers(0, 3, 32)

    def make(k: Any) -> Any:
        model = k.Sequential(
            [k.Input((4,)), k.layers.Dense(8, activation="tanh"), k.layers.Dense(3)]
        )
        loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(
            getattr(k.optimizers, optimizer)(0.02, **settings), loss, metrics=["accuracy"]
        )
        return model

    fit = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0}
    for here, there, load in (
        (keras, km, km.models.load_model),
        (km, keras, keras.models.load_model),
    ):
        model = make(here)
        model.fit(x, y, **fit)
        path = tmp_path / f"{here.__name__}.keras"
        model.save(path)
        twin = load(path)
        assert type(twin).__module__.split(".")[0] == there.__name__
        wanted, found = (one.fit(x, y, **fit).history for one in (model, twin))
        assert set(wanted) == set(found)
        for name in wanted:
            np.testing.assert_allclose(found[name], wanted[name], rtol=1e-4, err_msg=name)


def test_subclassed_and_registered_classes(tmp_path: Path) -> None:
    def classes(k: Any) -> Any:
        register = k.saving.register_keras_serializable(package="with_keras", name="Doubling")

        @register
        class Doubling(k.layers.Layer):
            def __init__(self, units: int, **kwargs: Any) -> None:
                super().__init__(**kwargs)
                self.units = units

            def build(self, input_shape: Any) -> None:
                self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
                self.inner = k.layers.Dense(self.units)
                self.inner.build((None, self.units))
                super().build(input_shape)

            def call(self, inputs: Any) -> Any:
                return 2.0 * self.inner(k.ops.matmul(inputs, self.kernel))

            def get_config(self) -> Any:
                return {**super().get_config(), "units": self.units}

        @k.saving.register_keras_serializable(package="tests", name="Whole")
        class Whole(k.Model):
            def __init__(self, width: int = 3, **kwargs: Any) -> None:
                super().__init__(**kwargs)
                self.width = width
                self.first = Doubling(width)
                self.others = [k.layers.Dense(width), k.layers.Dense(2)]

            def call(self, inputs: Any) -> Any:
                x = self.first(inputs)
                for layer in self.others:
                    x = layer(x)
                return x

            def get_config(self) -> Any:
                return {**super().get_config(), "width": self.width}

        return Whole

    x = families.floats(5, 4)
    theirs = classes(keras)(width=5)
    theirs(x)
    families.shaken(theirs)
    theirs.save(tmp_path / "theirs.keras")
    ours_class = classes(km)
    ours = km.models.load_model(tmp_path / "theirs.keras")
    assert type(ours) is ours_class
    wanted = theirs.predict(x, verbose=0)
    assert families.largest_difference(ours.predict(x, verbose=0), wanted) < 1e-4
    ours.save(tmp_path / "ours.keras")
    back = keras.models.load_model(tmp_path / "ours.keras")
    assert families.largest_difference(back.predict(x, verbose=0), wanted) < 1e-4
