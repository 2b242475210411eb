"""SavedModels: what TensorFlow computes with an export, in a process without kernelmodel."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel import layers

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None,
    reason="pip install tensorflow-cpu to test the export to it",
)
rng = np.random.default_rng(0)

SERVE = """
import json, sys
import numpy as np
import tensorflow as tf

assert "kernelmodel" not in sys.modules
model = tf.saved_model.load(sys.argv[1])
data = np.load(sys.argv[2])
x = data["x"] if "x" in data else {name: data[name] for name in data}
outputs = tf.nest.flatten(model.serve(x))
signature = model.signatures["serving_default"]
specs = signature.structured_input_signature[1]
flat = signature(**{name: tf.constant(x[name] if len(specs) > 1 else x) for name in specs})
print(json.dumps([[o.numpy().tolist() for o in outputs], sorted(flat)]))
"""


class Halves(km.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.dense(np.tanh(x)) if training else self.dense(np.tanh(x)) / 2


def convolutional() -> tuple[Any, Any]:
    image = km.Input((8, 8, 2), name="image")
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    x = layers.Flatten()(layers.MaxPooling2D()(layers.BatchNormalization()(x)))
    outputs = layers.Dense(3, activation="softmax", name="probabilities")(layers.Dropout(0.5)(x))
    return km.Model(image, outputs), rng.normal(size=(5, 8, 8, 2)).astype("float32")


def recurrent() -> tuple[Any, Any]:
    tokens = km.Input((None,), dtype="int32", name="tokens")
    x = layers.Embedding(10, 4, mask_zero=True)(tokens)
    x = layers.Bidirectional(layers.GRU(4, return_sequences=True))(x)
    x = layers.SimpleRNN(3, return_sequences=True, go_backwards=True)(x)
    x = layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)], return_sequences=True)(x)
    x = layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)
    x = layers.LSTM(5)(x)
    return km.Model(tokens, layers.Dense(2)(x)), rng.integers(0, 10, (3, 7)).astype("int32")


def several() -> tuple[Any, Any]:
    a, b = km.Input((3,), name="a"), km.Input((2,), name="b")
    outputs = {"s": layers.Dense(2, name="s")(layers.Concatenate()([a, b])), "t": a * 2}
    x = {name: rng.normal(size=(4, n)).astype("float32") for name, n in (("a", 3), ("b", 2))}
    return km.Model({"a": a, "b": b}, outputs), x


def subclassed() -> tuple[Any, Any]:
    model, x = Halves(), rng.normal(size=(6, 3)).astype("float32")
    model(x)
    return model, x


@needs_tensorflow
@pytest.mark.parametrize("make", [convolutional, recurrent, several, subclassed])
def test_tensorflow_serves_the_same(make: Any, tmp_path: Path) -> None:
    model, x = make()
    model.export(tmp_path / "artifact")
    np.savez(tmp_path / "x.npz", **(x if isinstance(x, dict) else {"x": x}))
    command = [sys.executable, "-c", SERVE, tmp_path / "artifact", tmp_path / "x.npz"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    served, names = json.loads(ran.stdout.splitlines()[-1])
    expected = model.predict(x, verbose=0)
    leaves = [expected[key] for key in sorted(expected)] if make is several else [expected]
    assert len(served) == len(leaves) == len(names)
    for one, other in zip(served, leaves):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@needs_tensorflow
def test_an_older_export_is_replaced_but_nothing_else(tmp_path: Path) -> None:
    model, _ = convolutional()
    model.export(tmp_path / "artifact")
    model.export(tmp_path / "artifact")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(FileExistsError, match="exists"):
        model.export(tmp_path / "mine")
    assert (tmp_path / "mine" / "notes.txt").read_text() == "keep"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["artifact", "mine"]


@needs_tensorflow
def test_a_model_whose_inputs_are_unknown(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="call it on data first"):
        Halves().export(tmp_path / "artifact")
    assert not list(tmp_path.iterdir())


SERVE_ENDPOINTS = """
import json, sys
import numpy as np
import tensorflow as tf

assert "kernelmodel" not in sys.modules
loaded = tf.saved_model.load(sys.argv[1])
data = np.load(sys.argv[2])
found = {
    "scores": loaded.scores(data["x"]).numpy().tolist(),
    "best": loaded.best(data["x"]).numpy().tolist(),
    "both": [part.numpy().tolist() for part in loaded.both(data["x"], data["t"])],
    "weights": [v.shape.as_list() for v in loaded.dense_weights],
    "count": len({v.ref() for v in loaded._all_variables}),
    "signatures": sorted(loaded.signatures),
    "by_name": sorted(loaded.signatures["both"](x=data["x"], t=data["t"])),
}
print(json.dumps(found))
"""


@needs_tensorflow
def test_an_archive_with_several_endpoints(tmp_path: Path) -> None:
    model, x = subclassed()
    extra = layers.GRU(2)
    t = rng.normal(size=(4, 7, 3)).astype("float32")
    extra(t)
    archive = km.export.ExportArchive()
    archive.track_and_add_endpoint("scores", model, [km.InputSpec(shape=(None, 3), name="x")])
    archive.track(extra)
    spec = km.InputSpec(shape=(None, 3), dtype="float32", name="x")
    steps = km.TensorSpec((None, None, 3), "float32", name="t")
    archive.add_endpoint("best", lambda x: km.ops.argmax(model(x), -1), [spec])

    def both(x: Any, t: Any) -> Any:
        return model(x), km.ops.sum(extra(t), 0)

    fixed = km.InputSpec(shape=(6, 3), dtype="float32", name="x")
    archive.add_endpoint("both", both, [fixed, steps])
    archive.add_variable_collection("dense_weights", model.dense.weights)
    assert [v.path for v in archive.variables] == [
        v.path for v in [*model.variables, *extra.variables]
    ]
    assert archive.non_trainable_variables == [v for v in archive.variables if not v.trainable]
    archive.write_out(tmp_path / "artifact")
    np.savez(tmp_path / "data.npz", x=x, t=t)
    command = [sys.executable, "-c", SERVE_ENDPOINTS, tmp_path / "artifact", tmp_path / "data.npz"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    found = json.loads(ran.stdout.splitlines()[-1])
    scores = np.asarray(model(x, training=False))
    close = {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(found["scores"], scores, **close)
    assert found["best"] == scores.argmax(-1).tolist()
    for one, other in zip(found["both"], both(x, t), strict=True):
        np.testing.assert_allclose(one, other, **close)
    assert found["weights"] == [[3, 2], [2]]
    assert found["count"] == len(archive.variables)
    assert found["signatures"] == ["best", "both", "scores", "serving_default"]
    assert found["by_name"] == ["output_1", "output_2"]


@needs_tensorflow
def test_what_an_archive_refuses(tmp_path: Path) -> None:
    model, _ = convolutional()
    archive = km.export.ExportArchive()
    with pytest.raises(ValueError, match="no endpoints"):
        archive.write_out(tmp_path / "a")
    with pytest.raises(ValueError, match="is empty"):
        archive.add_endpoint("serve", model)
    with pytest.raises(ValueError, match="isn't built yet"):
        archive.track(layers.Dense(2))
    with pytest.raises(ValueError, match="tracks layers, models and variables"):
        archive.track("model")
    archive.track_and_add_endpoint("serve", model)
    with pytest.raises(ValueError, match="is taken"):
        archive.add_endpoint("serve", model)
    with pytest.raises(ValueError, match="needs an input_signature"):
        archive.add_endpoint("other", lambda x: x)
    with pytest.raises(ValueError, match="list of variables"):
        archive.add_variable_collection("some", [1])
    with pytest.raises(TypeError, match="nonsense"):
        archive.add_endpoint("other", model, nonsense=1)
    assert not list(tmp_path.iterdir())


def test_without_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    model, _ = convolutional()
    with pytest.raises(ImportError, match="pip install tensorflow-cpu"):
        model.export(tmp_path / "artifact")
    assert not list(tmp_path.iterdir())
