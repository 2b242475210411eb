"""Weights files changed without a model."""

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.saving import KerasFileEditor


def model(units=2, name="out"):
    inner = km.Sequential([km.Input((4,)), km.layers.Dense(4, name="same")], name="inner")
    layers = [km.layers.Dense(4, name="same"), inner, km.layers.Dense(units, name=name)]
    return km.Sequential([km.Input((3,)), *layers])


@pytest.fixture
def path(tmp_path):
    made = model()
    made.compile("adam", "mse")
    made.fit(np.ones((2, 3)), np.ones((2, 2)), verbose=0)
    made.save(tmp_path / "model.keras")
    made.save_weights(tmp_path / "model.weights.h5")
    return tmp_path / "model.keras"


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_looking(path, name, capsys):
    editor = KerasFileEditor(path.parent / name)
    editor.summary()
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("layers/dense")] == [
        "layers/dense/0: (3, 4) float32",
        "layers/dense/1: (4,) float32",
        "layers/dense_1/0: (4, 2) float32",
        "layers/dense_1/1: (2,) float32",
    ]
    assert editor.compare(model()) == {"status": "success", "error_count": 0, "match_count": 6}
    assert (editor.config is None) == (name == "model.weights.h5")


def test_comparing(path, capsys):
    editor = KerasFileEditor(path)
    found = editor.compare(model(units=5))
    assert found == {"status": "error", "error_count": 2, "match_count": 4}
    assert "layers/dense_1/0: the model has shape (4, 5), the file shape (4, 2)" in (
        capsys.readouterr().out
    )
    editor.add_object("layers/more", {"0": np.ones(3)})
    assert editor.compare(model())["error_count"] == 1


def test_changed_weights_are_loaded(path):
    editor = KerasFileEditor(path)
    editor.rename_object("dense_1", "old")
    editor.delete_object("layers/old")
    new = {"0": np.ones((4, 5), "float32"), "1": np.zeros(5, "float32")}
    editor.add_object("layers/dense_1", {"0": new["0"]})
    editor.add_weights("dense_1", {"1": new["1"], "2": new["1"]})
    editor.delete_weight("dense_1", "2")
    target = path.parent / "new.weights.h5"
    editor.save(target)
    twin = model(units=5)
    twin.load_weights(target)
    np.testing.assert_array_equal(twin.layers[-1].kernel, new["0"])
    first = km.models.load_model(path).layers[0].get_weights()
    np.testing.assert_array_equal(twin.layers[0].get_weights()[0], first[0])


@pytest.mark.oracle
def test_keras_reads_the_file(path, keras):
    editor = KerasFileEditor(path)
    editor.add_weights("layers/dense", {"1": np.full(4, 7.0, "float32")})
    editor.resave_weights(path.parent / "new.weights.h5")
    theirs = keras.saving.load_model(path)
    theirs.load_weights(path.parent / "new.weights.h5")
    np.testing.assert_array_equal(theirs.layers[0].bias, np.full(4, 7.0))


def test_what_is_wrong(path):
    editor = KerasFileEditor(path)
    cases = [
        (lambda: editor.delete_object("none"), ValueError, "has no object 'none'. See summary"),
        (lambda: editor.delete_object("dense"), ValueError, "has 2 objects .dense.. Give the path"),
        (lambda: editor.rename_object("dense_1", "dense"), ValueError, "isn't taken"),
        (lambda: editor.rename_object("dense_1", "a/b"), ValueError, "without '/'"),
        (lambda: editor.delete_weight("dense_1", "9"), ValueError, "has no weight '9'; it has"),
        (lambda: editor.add_weights("dense_1", [1]), TypeError, "must be a dict such as"),
        (lambda: editor.add_object("none/x", {}), ValueError, "no object 'none'"),
        (lambda: editor.add_object("layers/dense", {}), ValueError, "Use add_weights"),
        (lambda: editor.save(path), ValueError, "'.weights.h5' files"),
        (lambda: KerasFileEditor("x.h5"), ValueError, "ends in '.keras' or"),
        (lambda: KerasFileEditor("none.keras"), FileNotFoundError, "no file"),
    ]
    for call, error, message in cases:
        with pytest.raises(error, match=message):
            call()
