"""`.keras` files of tf_keras: the same predictions, and training that goes on with its losses."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from saving.legacy.archive_models import FIT, MODELS, doubling

import kernelmodel as km

HERE = Path(__file__).parent / "files"
GOLDEN = json.loads((HERE / "archives.json").read_text())
each = pytest.mark.parametrize("name", MODELS)
doubling(km)


def given(name: str) -> tuple[Any, Any]:
    arrays = MODELS[name][2]
    y = [np.ones(np.shape(part)) for part in GOLDEN[name]["outputs"]]
    return (arrays if len(arrays) > 1 else arrays[0]), (y if len(y) > 1 else y[0])


def outputs_of(model: Any, x: Any) -> list[np.ndarray]:
    outputs = model.predict(x, verbose=0)
    return outputs if isinstance(outputs, list) else [outputs]


@each
def test_it_predicts_the_same_and_trains_on(name: str, record_property: Any) -> None:
    x, y = given(name)
    model = km.models.load_model(HERE / f"{name}.keras")
    assert type(model.optimizer).__name__ == MODELS[name][1][0]
    found, wanted = outputs_of(model, x), GOLDEN[name]["outputs"]
    gap = max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(found, wanted))
    losses = model.fit(x, y, **FIT).history["loss"]
    loss_gap = float(np.max(np.abs(np.array(losses) / GOLDEN[name]["losses"] - 1)))
    record_property("largest relative difference of outputs", gap)
    record_property("largest relative difference of losses", loss_gap)
    assert len(found) == len(wanted)
    assert gap < 1e-5
    assert loss_gap < 1e-5


@each
def test_saved_again_it_is_the_same(name: str, tmp_path: Path) -> None:
    x, y = given(name)
    model = km.models.load_model(HERE / f"{name}.keras")
    model.save(tmp_path / "again.keras")
    again = km.models.load_model(tmp_path / "again.keras")
    for one, other in zip(outputs_of(again, x), outputs_of(model, x), strict=True):
        np.testing.assert_array_equal(one, other)
    losses = [m.fit(x, y, **FIT).history["loss"] for m in (model, again)]
    np.testing.assert_array_equal(*losses)


def test_weights_alone() -> None:
    x, _ = given("recurrent")
    model = km.models.load_model(HERE / "recurrent.keras", compile=False)
    wanted = outputs_of(model, x)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    model.load_weights(HERE / "recurrent.keras")
    np.testing.assert_array_equal(outputs_of(model, x), wanted)


def edited(name: str, target: Path, config: Any = None, weights: Any = None) -> Path:
    """A golden file with another config or other weights."""
    with zipfile.ZipFile(HERE / f"{name}.keras") as old, zipfile.ZipFile(target, "w") as new:
        for member in old.namelist():
            data = old.read(member)
            if member == "config.json" and config is not None:
                data = config(data.decode()).encode()
            if member == "model.weights.h5" and weights is not None:
                file = io.BytesIO(data)
                with h5py.File(file, "r+") as store:
                    weights(store)
                data = file.getvalue()
            new.writestr(member, data)
    return target


def test_the_groups_of_tensorflow_2_12(tmp_path: Path) -> None:
    def older(store: Any) -> None:
        for name in list(store["layers"]):
            store.move(f"layers/{name}", f"_layer_checkpoint_dependencies\\{name}")
        del store["layers"]

    x, _ = given("convolutional")
    path = edited("convolutional", tmp_path / "older.keras", weights=older)
    outputs = outputs_of(km.models.load_model(path), x)
    np.testing.assert_allclose(outputs, GOLDEN["convolutional"]["outputs"], rtol=1e-5)


def test_an_optimizer_by_its_name(tmp_path: Path) -> None:
    """As tf_keras writes what `compile("adam", "mse")` was given."""

    def named(text: str) -> str:
        config = json.loads(text)
        config["compile_config"] |= {"optimizer": "adam", "loss": "mse", "metrics": ["mae"]}
        return json.dumps(config)

    model = km.models.load_model(edited("sequential", tmp_path / "m.keras", config=named))
    golden = km.models.load_model(HERE / "sequential.keras")
    assert type(model.optimizer) is km.optimizers.Adam
    for one, other in zip(model.optimizer.variables, golden.optimizer.variables, strict=True):
        if one.name != "learning_rate":
            np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_a_function_without_an_op_is_named(tmp_path: Path) -> None:
    path = edited(
        "functions",
        tmp_path / "m.keras",
        config=lambda text: text.replace("nn.relu", "math.lgamma"),
    )
    with pytest.raises(ValueError, match=r"'math.lgamma' at 'tf.math.lgamma'"):
        km.models.load_model(path)


def test_a_link_in_the_weights_is_not_followed(tmp_path: Path) -> None:
    def linked(store: Any) -> None:
        del store["layers/dense"]
        store["layers/dense"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/x")

    path = edited("custom", tmp_path / "m.keras", weights=linked)
    with pytest.raises(ValueError, match="dense"):
        km.models.load_model(path)


def test_another_count_of_slots_begins_anew(tmp_path: Path) -> None:
    def shorter(store: Any) -> None:
        del store["optimizer/vars/3"]

    path = edited("sequential", tmp_path / "m.keras", weights=shorter)
    with pytest.warns(UserWarning, match="begins anew"):
        model = km.models.load_model(path)
    assert int(model.optimizer.iterations.numpy()) == 0
