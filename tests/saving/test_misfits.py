"""Weights that don't fit a model: what the error says, and that nothing has changed then."""

from __future__ import annotations

import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

import kernelmodel as km

ENDINGS = ["w.weights.h5", "w.h5", "w.weights.json", "model.keras", "model.h5"]


def model(*widths: int, bias: bool = True, name: str = "model") -> km.Model:
    """The first layer fits in all of them; those after it are in a model of their own."""
    inner = [km.layers.Dense(n, use_bias=bias, name=f"d{i}") for i, n in enumerate(widths)]
    stack = km.Sequential([km.Input((4,)), *inner], name="inner")
    return km.Sequential([km.Input((3,)), km.layers.Dense(4, name="first"), stack], name=name)


CASES = {
    "a shape": (model(5), r"\(4, 2\).*'inner/d0/kernel' has \(4, 5\)"),
    "too few weights": (model(2, bias=False), r"holds 2 weights.*'inner/d0/kernel'"),
    "too many layers": (model(2, 2), r"holds .* but .*'inner/d1/kernel'"),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("case", CASES)
def test_the_error_names_all_and_nothing_changes(case: str, ending: str, tmp_path: Path) -> None:
    saved, path = model(2), tmp_path / ending
    (saved.save_weights if ending.startswith("w") else saved.save)(path)
    other, told = CASES[case]
    before = other.get_weights()
    with pytest.raises(ValueError, match=told) as caught:
        other.load_weights(path)
    assert str(path) in str(caught.value) and "skip_mismatch=True" in str(caught.value)
    for one, two in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    with pytest.warns(UserWarning, match="was skipped"):
        other.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], saved.get_weights()[0])


@pytest.mark.parametrize("ending", ["w.weights.h5", "w.weights.json", "model.keras"])
def test_layers_that_the_model_lacks_are_named(ending: str, tmp_path: Path) -> None:
    saved, path = model(5, 5, 5, 5, 5), tmp_path / ending
    saved.compile("adam", "mse", metrics=["mae"])
    saved.fit(np.ones((2, 3)), np.ones((2, 5)), verbose=0)
    (saved.save_weights if ending.startswith("w") else saved.save)(path)
    other = model(5)
    told = r"'layers/sequential/layers/dense_1', .*dense_2', .*dense_3' and 1 more\."
    with pytest.warns(UserWarning, match=told) as caught:
        other.load_weights(path)
    assert str(path) in str(caught[0].message) and caught[0].filename == __file__
    np.testing.assert_array_equal(other.get_weights()[0], saved.get_weights()[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other.load_weights(path, skip_mismatch=True)
        saved.load_weights(path)


def test_metrics_of_a_model_are_no_layers(tmp_path: Path) -> None:
    """Keras writes those that are attributes; the parts that a layer lacks are missed, though."""

    class Tracking(km.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense, self.tracker = km.layers.Dense(2), km.metrics.Mean(name="loss")

        def call(self, x: np.ndarray) -> np.ndarray:
            return self.dense(x)

    one, path = Tracking(), tmp_path / "w.weights.h5"
    one(np.ones((2, 3)))
    one.save_weights(path)
    with h5py.File(path, "r+") as store:
        store["tracker/vars/0"], store["tracker/vars/1"] = 1.0, 2.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one.load_weights(path)
    with h5py.File(path, "r+") as store:
        store["dense/gate/vars/0"] = 1.0
    with pytest.warns(UserWarning, match="'dense/gate'"):
        one.load_weights(path)
