"""Our own files: round trips, training that goes on, and what damaged or wrong files do."""

from __future__ import annotations

import importlib.util
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.core.variable import Variable

SPEC = importlib.util.spec_from_file_location("families", Path(__file__).parent / "families.py")
families = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = families
SPEC.loader.exec_module(families)

each = pytest.mark.parametrize("family", families.FAMILIES)
X = np.random.default_rng(0).standard_normal((16, 4)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 16)


def trained(jit: bool = False) -> km.Model:
    inputs = km.Input((4,), name="x")
    x = km.layers.Dense(5, "relu", name="first", kernel_regularizer=km.regularizers.L2(0.01))(
        inputs
    )
    x = km.layers.Dropout(0.2, seed=3, name="drop")(km.layers.BatchNormalization(name="norm")(x))
    model = km.Model(inputs, km.layers.Dense(3, "softmax", name="last")(x), name="trained")
    rate = km.optimizers.schedules.ExponentialDecay(0.05, 4, 0.9)
    model.compile(
        km.optimizers.Adam(rate), km.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"],
        weighted_metrics=[km.metrics.SparseCategoricalCrossentropy(name="ce")],
    )  # fmt: skip
    model.fit(X, Y, epochs=2, batch_size=8, shuffle=False, verbose=0)
    return model


@pytest.fixture(scope="module")
def saved(tmp_path_factory: Any) -> tuple[km.Model, Path]:
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model = trained()
    model.save(path)
    return model, path


@each
def test_round_trip(family: str, tmp_path: Path) -> None:
    make, x = families.FAMILIES[family]
    model = families.shaken(make(km))
    model.save(tmp_path / "model.keras")
    twin = km.models.load_model(tmp_path / "model.keras")
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    assert [w.name for w in twin.weights] == [w.name for w in model.weights]
    assert type(twin) is type(model)
    np.testing.assert_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))
    twin.save(tmp_path / "twin.keras")
    one, other = (config_of(tmp_path / name) for name in ("model.keras", "twin.keras"))
    assert one == other
    model.save_weights(tmp_path / "model.weights.h5")
    fresh = make(km)
    fresh.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_equal(fresh.predict(x, verbose=0), model.predict(x, verbose=0))
    fresh = make(km)
    fresh.load_weights(tmp_path / "model.keras")
    np.testing.assert_equal(fresh.predict(x, verbose=0), model.predict(x, verbose=0))


def config_of(path: Path) -> Any:
    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: clean(v) for k, v in value.items() if k != "shared_object_id"}
        return [clean(v) for v in value] if isinstance(value, list) else value

    with zipfile.ZipFile(path) as archive:
        return clean(json.loads(archive.read("config.json")))


def test_a_model_inside_two_others_stays_one(tmp_path: Path) -> None:
    model = families.nested_and_shared(km)
    model.save(tmp_path / "model.keras")
    for twin in (
        km.models.load_model(tmp_path / "model.keras"),
        km.models.model_from_json(model.to_json()),
    ):
        assert twin.get_layer("side").get_layer("inner") is twin.get_layer("inner")
        assert len(twin.weights) == len(model.weights)


def test_training_goes_on_as_if_nothing_had_been(saved: Any) -> None:
    model, path = saved
    twin = km.models.load_model(path)
    assert twin.get_compile_config() == model.get_compile_config()
    assert int(twin.optimizer.iterations.numpy()) == 4
    assert twin.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    copy = (
        trained()
    )  # the state of the dropout's stream differs from the saved model's, unless kept
    copy.load_weights(path)
    fit = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0}
    original = km.models.load_model(path)
    assert twin.fit(X, Y, **fit).history == original.fit(X, Y, **fit).history
    wanted, found = model.fit(X, Y, **fit).history, km.models.load_model(path).fit(X, Y, **fit)
    assert found.history == wanted


def test_without_compiling(saved: Any) -> None:
    twin = km.models.load_model(saved[1], compile=False)
    assert not twin.compiled
    with pytest.raises(RuntimeError, match="Compile the model"):
        twin.fit(X, Y)


def test_a_compiled_xla_model_loads_where_there_is_no_xla(tmp_path: Path) -> None:
    model = km.Sequential([km.Input((4,)), km.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=True)
    model.save(tmp_path / "model.keras")
    assert not km.models.load_model(tmp_path / "model.keras").jit_compile


@km.saving.register_keras_serializable(package="tests")
def tripled(x: Any) -> Any:
    return 3 * x


def halved(x: Any) -> Any:
    return x / 2


@km.saving.register_keras_serializable(package="tests")
class Scaled(km.layers.Layer):
    def __init__(self, factor: float = 2.0, activation: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor, self.activation = factor, km.activations.get(activation)

    def build(self, input_shape: Any) -> None:
        self.shift = self.add_weight(shape=(input_shape[-1],), name="shift")

    def call(self, x: Any) -> Any:
        return self.activation(x * self.factor + self.shift)


def test_own_classes_and_functions(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    inputs = km.Input((4,))
    model = km.Model(inputs, km.layers.Activation(tripled)(Scaled(0.5, activation="tanh")(inputs)))
    model.save(path)
    np.testing.assert_array_equal(km.models.load_model(path)(X), model(X))
    own = km.Model(inputs, km.layers.Activation(halved)(inputs))
    own.save(path)
    with pytest.raises(ValueError, match=r"halved.*custom_objects.*register_keras_serializable"):
        km.models.load_model(path)
    loaded = km.models.load_model(path, custom_objects={"halved": halved})
    np.testing.assert_array_equal(loaded(X), X / 2)
    with km.utils.custom_object_scope({"halved": halved}):
        np.testing.assert_array_equal(km.models.load_model(path)(X), X / 2)
    anonymous = km.Model(inputs, km.layers.Activation(lambda x: x)(inputs))
    before = path.read_bytes()
    with pytest.raises(TypeError, match="lambda"):
        anonymous.save(path)
    assert path.read_bytes() == before


# ---- files that are there already, or in no folder ----


def test_overwrite(saved: Any, tmp_path: Path) -> None:
    model, _ = saved
    for name, save in (("m.keras", model.save), ("m.weights.h5", model.save_weights)):
        path = tmp_path / name
        save(path)
        before = path.read_bytes()
        with pytest.raises(FileExistsError, match="overwrite=False"):
            save(path, overwrite=False)
        assert path.read_bytes() == before
        save(str(path))
    assert {p.name for p in tmp_path.iterdir()} == {"m.keras", "m.weights.h5"}


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_folders(saved: Any, name: str, tmp_path: Path) -> None:
    model, _ = saved
    save = model.save if name.endswith("keras") else model.save_weights
    with pytest.raises(FileNotFoundError, match=r"folder .*nowhere doesn't exist"):
        save(tmp_path / "nowhere" / name)
    load = km.models.load_model if name.endswith("keras") else model.load_weights
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load(tmp_path / name)
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(ValueError, match="is a folder"):
        km.models.load_model(tmp_path / "folder.keras")


def test_endings(saved: Any, tmp_path: Path) -> None:
    model, _ = saved
    for name in ("model", "model.hdf", "model.zip"):
        with pytest.raises(ValueError, match=r"'\.keras'"):
            model.save(tmp_path / name)
    for name in ("model", "model.zip", "model.keras"):
        with pytest.raises(ValueError, match=r"\.weights\.h5"):
            model.save_weights(tmp_path / name)
    unbuilt = km.Sequential([km.layers.Dense(1)])
    with pytest.raises(ValueError, match="isn't built"):
        unbuilt.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="isn't built"):
        unbuilt.save_weights(tmp_path / "model.weights.h5")
    assert list(tmp_path.iterdir()) == []


class Unreadable(Variable):
    """A weight whose values can't be read: the disk is full, so to say."""

    def numpy(self) -> Any:
        raise OSError("no space left")


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_an_error_in_the_middle_leaves_nothing_half_written(name: str, tmp_path: Path) -> None:
    path, model = tmp_path / name, km.Sequential([km.Input((4,)), km.layers.Dense(2)])
    save = model.save if name.endswith("keras") else model.save_weights
    model.layers[0]._own_trainable[1] = Unreadable(np.zeros(2, "float32"), name="bias")
    with pytest.raises(OSError, match="no space left"):
        save(path)
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"older")
    with pytest.raises(OSError, match="no space left"):
        save(path)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


# ---- damaged and wrong files ----


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_truncated_files(saved: Any, share: float, tmp_path: Path) -> None:
    model, path = saved
    weights = tmp_path / "whole.weights.h5"
    model.save_weights(weights)
    before = model.get_weights()
    for source, load in ((path, km.models.load_model), (weights, model.load_weights)):
        whole = source.read_bytes()
        cut = tmp_path / f"cut{''.join(source.suffixes)}"
        cut.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ValueError, match=r"cut.*(not|damaged|no weights)"):
            load(cut)
    for one, other in zip(before, model.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_a_file_of_another_kind(saved: Any, tmp_path: Path) -> None:
    model, _ = saved
    other = tmp_path / "other.keras"
    other.write_text("hello")
    with pytest.raises(ValueError, match=r"not a \.keras file"):
        km.models.load_model(other)
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ValueError, match=r"no 'config.json' inside.*readme.txt"):
        km.models.load_model(other)
    weights = tmp_path / "other.weights.h5"
    weights.write_text("hello")
    with pytest.raises(ValueError, match="not a readable HDF5 file"):
        model.load_weights(weights)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: [km.layers.Dense(6), km.layers.Dense(3)], r"shape \(4, 5\).*\(4, 6\)"),
        (lambda: [km.layers.Dense(5, use_bias=False), km.layers.Dense(3)], "holds 2 weights.*1"),
        (lambda: [km.layers.Dense(5), km.layers.Dense(3), km.layers.Dense(3)], "holds 0 weights"),
    ],
)
def test_weights_of_another_model_change_nothing(make: Any, words: str, tmp_path: Path) -> None:
    source = km.Sequential([km.Input((4,)), km.layers.Dense(5), km.layers.Dense(3)])
    source.save_weights(tmp_path / "w.weights.h5")
    model = km.Sequential([km.Input((4,)), *make()])
    before = model.get_weights()
    with pytest.raises(ValueError, match=words):
        model.load_weights(tmp_path / "w.weights.h5")
    for one, other in zip(before, model.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_skip_mismatch(tmp_path: Path) -> None:
    source = km.Sequential([km.Input((4,)), km.layers.Dense(5), km.layers.Dense(3)])
    source.save_weights(tmp_path / "w.weights.h5")
    model = km.Sequential([km.Input((4,)), km.layers.Dense(5), km.layers.Dense(7, name="wider")])
    before = model.get_weights()
    with pytest.warns(UserWarning, match="'wider' was skipped"):
        model.load_weights(tmp_path / "w.weights.h5", skip_mismatch=True)
    np.testing.assert_array_equal(model.get_weights()[0], source.get_weights()[0])
    np.testing.assert_array_equal(model.get_weights()[2], before[2])
    with pytest.raises(ValueError, match="by_name"):
        model.load_weights(tmp_path / "w.weights.h5", by_name=True)


def test_code_in_a_file_is_never_run(saved: Any, tmp_path: Path) -> None:
    _, path = saved
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    evil = {"class_name": "__lambda__", "config": {"value": "..."}}
    module = {"module": "os", "class_name": "system", "config": "true", "registered_name": None}
    for inserted, words in ((evil, "never run"), (module, "Unknown class or function 'system'")):
        config["config"]["layers"][1]["config"]["activation"] = inserted
        bad = tmp_path / "bad.keras"
        with zipfile.ZipFile(bad, "w") as archive:
            for name, data in {**parts, "config.json": json.dumps(config)}.items():
                archive.writestr(name, data)
        with pytest.raises(ValueError, match=words):
            km.models.load_model(bad)
