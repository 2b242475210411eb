"""Files of other formats say how to convert them; JSON of old versions of Keras is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import kernelmodel as km


@pytest.mark.parametrize(
    "name,said",
    [
        ("m.pt", "torch.load"), ("m.pth", "torch.load"), ("m.onnx", "for serving, not layers"),
        ("m.tflite", "for serving, not layers"), ("m.pkl", "A pickle can run any code"),
        ("m.joblib", "A pickle can run any code"), ("m.ckpt", "tf_keras.models.load_model"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("weights", [False, True])
def test_files_of_others(name: str, said: str, weights: bool, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"content")
    model = km.Sequential([km.Input((2,)), km.layers.Dense(1)])
    with pytest.raises(ValueError, match=said) as caught:
        model.load_weights(path) if weights else km.models.load_model(path)
    assert str(path) in str(caught.value)


def test_a_saved_model(tmp_path: Path) -> None:
    folder = tmp_path / "artifact"
    folder.mkdir()
    with pytest.raises(ValueError, match=r"holds no 'saved_model\.pb', but"):
        km.models.load_model(folder)
    (folder / "saved_model.pb").write_bytes(b"")
    for path in (folder, folder / "saved_model.pb"):
        with pytest.raises(ValueError) as caught:
            km.models.load_model(path)
        for line in (
            f"tf_keras.models.load_model({str(folder)!r}).save('model.h5')",
            f"variables = tf.saved_model.load({str(folder)!r}).variables",
        ):
            assert line in str(caught.value)


DENSE = {
    "name": "dense_1", "trainable": True, "batch_input_shape": [None, 4], "dtype": "float32",
    "units": 3, "activation": "relu", "use_bias": True, "kernel_regularizer": None,
    "kernel_initializer": {
        "class_name": "VarianceScaling",
        "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
    },
}  # fmt: skip
NORMAL = {"name": "batch_normalization_1", "axis": [1], "momentum": 0.9, "epsilon": 0.001}


def entry(title: str, config: Any, inbound: Any) -> Any:
    return {
        "class_name": title, "config": config, "name": config["name"], "inbound_nodes": inbound
    }  # fmt: skip


def functional(title: str) -> Any:
    inputs = {"name": "a", "batch_input_shape": [None, 4], "dtype": "float32", "sparse": False}
    layers = [
        entry("InputLayer", inputs, []),
        entry("Dense", DENSE, [[["a", 0, 0, {}]]]),
        entry("BatchNormalization", NORMAL, [[["dense_1", 0, 0, {}]]]),
    ]
    ends = {
        "input_layers": [["a", 0, 0]], "output_layers": [["batch_normalization_1", 0, 0]]
    }  # fmt: skip
    return {"class_name": title, "config": {"name": "model_1", "layers": layers, **ends}}


STACK = [
    {"class_name": "Dense", "config": DENSE},
    {"class_name": "BatchNormalization", "config": NORMAL},
]


@pytest.mark.parametrize(
    "version,config",
    [
        ("2.0.8", {"class_name": "Sequential", "config": STACK}),
        ("2.2.4", {"class_name": "Sequential", "config": {"name": "s", "layers": STACK}}),
        ("2.0.8", functional("Model")),
        ("2.4.0", functional("Functional")),
    ],
)
def test_json_of_keras_2(version: str, config: Any) -> None:
    text = json.dumps({**config, "keras_version": version, "backend": "tensorflow"})
    model = km.models.model_from_json(text)
    assert [layer.name for layer in model.layers][-2:] == ["dense_1", "batch_normalization_1"]
    assert model.count_params() == 4 * 3 + 3 + 4 * 3
    assert model.layers[-1].momentum == 0.9
    assert model.predict(np.ones((2, 4)), verbose=0).shape == (2, 3)
    again = km.models.model_from_json(model.to_json())
    assert again.to_json() == model.to_json()


def test_what_viewers_of_hdf5_files_look_for(tmp_path: Path) -> None:
    model = km.Sequential([km.Input((4,)), km.layers.Dense(3, name="first"), km.layers.ReLU()])
    model.compile("adam", "mse")
    model.save(tmp_path / "whole.h5")
    model.save_weights(tmp_path / "weights.h5")
    model.save_weights(tmp_path / "new.weights.h5")
    with h5py.File(tmp_path / "whole.h5") as whole, h5py.File(tmp_path / "weights.h5") as weights:
        assert json.loads(whole.attrs["model_config"])["class_name"] == "Sequential"
        for group in (whole["model_weights"], weights):
            assert {"layer_names", "backend", "keras_version"} <= set(group.attrs)
            assert b"first" in list(group.attrs["layer_names"])
            names = list(group["first"].attrs["weight_names"])
            assert [group["first"][name].shape for name in names] == [(4, 3), (3,)]
    paths = list(model.get_weight_paths())
    assert paths == ["first.kernel", "first.bias"]
    with h5py.File(tmp_path / "new.weights.h5") as store:
        assert store["layers/dense/vars/0"].shape == (4, 3)
        assert store["layers/dense/vars"].attrs["name"] == "first"
