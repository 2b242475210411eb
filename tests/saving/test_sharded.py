"""Weights in several files: here, to genuine Keras 3 and from it."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kernelmodel as km

keras = importlib.import_module("keras")
X = np.random.default_rng(0).normal(size=(3, 40)).astype("float32")
# Of the arrays below, the largest alone fits into a file.
SIZE = 0.00036


def make(k: Any) -> Any:
    x = inputs = k.Input((40,))
    x = k.layers.Normalization(mean=0.5, variance=2.0)(x)
    x = k.layers.Dense(300)(k.layers.Dense(300, activation="tanh")(x))
    return k.Model(inputs, k.layers.Dense(2)(k.layers.BatchNormalization()(x)))


def test_a_round_trip(tmp_path: Path) -> None:
    model, other = make(km), make(km)
    path = tmp_path / "m.weights.json"
    model.save_weights(path, max_shard_size=SIZE)
    shards = ["m_00000.weights.h5", "m_00001.weights.h5"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.weights.json", *shards]
    table = json.loads(path.read_text())
    assert table["metadata"]["total_size"] == sum(w.nbytes for w in model.get_weights())
    assert {name for files in table["weight_map"].values() for name in files} == set(shards)
    other.load_weights(path)
    np.testing.assert_array_equal(model.predict(X, verbose=0), other.predict(X, verbose=0))


@pytest.mark.oracle
def test_each_saving_writes_other_files(tmp_path: Path) -> None:
    """Until the table names the new ones, the old ones are there; Keras opens the first always."""
    path = tmp_path / "m.weights.json"
    (tmp_path / "m_00009.weights.h5").write_text("somebody's own")
    for size, numbers in [
        (SIZE, (0, 1)),
        (SIZE, (0, 2, 3)),
        (SIZE, (0, 1)),
        (5, (0, 2)),
        (5, (0,)),
    ]:
        model, ours, theirs = make(km), make(km), make(keras)
        model.save_weights(path, max_shard_size=size)
        shards = {f"m_{number:05}.weights.h5" for number in (*numbers, 9)}
        assert {p.name for p in tmp_path.iterdir()} == {path.name, *shards}
        for other in (ours, theirs):
            other.load_weights(path)
            wanted = model.predict(X, verbose=0)
            np.testing.assert_allclose(other.predict(X, verbose=0), wanted, rtol=1e-5, atol=1e-6)


def test_a_table_without_its_place_leaves_no_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All new shards are there already when the table can't be put in place."""
    model, path = make(km), tmp_path / "m.weights.json"
    model.save_weights(path, max_shard_size=SIZE)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    replace, seen = os.replace, []

    def refuse(source: Any, target: Path) -> None:
        seen.append({p.name for p in tmp_path.glob("m_*")})
        if target.suffix == ".json":
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match=r"Can't save .*json: No space .* unchanged"):
        make(km).save_weights(path, max_shard_size=SIZE)
    assert seen[-1] == {f"m_{number:05}.weights.h5" for number in range(4)}
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_new_shards_have_the_modes_of_the_table(tmp_path: Path) -> None:
    model, path = make(km), tmp_path / "m.weights.json"
    model.save_weights(path)
    path.chmod(0o600)
    model.save_weights(path)
    assert (tmp_path / "m_00001.weights.h5").stat().st_mode & 0o777 == 0o600


@pytest.mark.oracle
@pytest.mark.parametrize("here,there", [(km, keras), (keras, km)])
def test_with_keras(here: Any, there: Any, tmp_path: Path) -> None:
    model, other = make(here), make(there)
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=SIZE)
    assert len(list(tmp_path.glob("m_*.weights.h5"))) == 2
    other.load_weights(tmp_path / "m.weights.json")
    wanted = model.predict(X, verbose=0)
    np.testing.assert_allclose(other.predict(X, verbose=0), wanted, rtol=1e-5, atol=1e-6)


def test_a_weight_that_is_too_large_leaves_the_old_files(tmp_path: Path) -> None:
    model = make(km)
    path = tmp_path / "m.weights.json"
    model.save_weights(path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="360000 bytes, more than max_shard_size"):
        model.save_weights(path, max_shard_size=0.0003)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("filepath,size", [("m.weights.h5", 1), ("m.weights.json", 0)])
def test_a_size_that_means_nothing(filepath: str, size: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="max_shard_size"):
        make(km).save_weights(tmp_path / filepath, max_shard_size=size)


def spoiled(path: Path, change: Any) -> None:
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))


@pytest.mark.parametrize("name", ["../secret.h5", "/etc/passwd", "a\\b", "..", ""])
def test_no_path_leads_outside(name: str, tmp_path: Path) -> None:
    model, path = make(km), tmp_path / "m.weights.json"
    model.save_weights(path)
    spoiled(path, lambda table: table["weight_map"].update({"/layers/dense/vars": name}))
    before = model.get_weights()
    with pytest.raises(ValueError, match="doesn't lie beside it"):
        model.load_weights(path)
    for one, other in zip(model.get_weights(), before):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 3}}']
)
def test_no_table(content: str, tmp_path: Path) -> None:
    (tmp_path / "m.weights.json").write_text(content)
    with pytest.raises(ValueError, match="no table of sharded weights"):
        make(km).load_weights(tmp_path / "m.weights.json")


def test_missing_files_and_layers(tmp_path: Path) -> None:
    model, path = make(km), tmp_path / "m.weights.json"
    with pytest.raises(FileNotFoundError, match=r"m\.weights\.json"):
        model.load_weights(path)
    model.save_weights(path)
    spoiled(path, lambda table: table["weight_map"].pop("/layers/dense/vars"))
    with pytest.raises(ValueError, match="holds 0 weights, but the layer has 2"):
        model.load_weights(path)
    with pytest.warns(UserWarning, match="was skipped"):
        model.load_weights(path, skip_mismatch=True)
    (tmp_path / "m_00000.weights.h5").unlink()
    with pytest.raises(FileNotFoundError, match="m_00000"):
        model.load_weights(path)
