"""Parquet files as data sets: what columns become, the order of rows, what is refused."""

from __future__ import annotations

import datetime
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from training.sources.models import noting

import kernelmodel as km
from kernelmodel.utils import parquet_columns, parquet_table

read = km.utils.table_dataset_from_parquet
COUNT = 23
COLUMNS = {
    "n": list(range(COUNT)),
    "half": pa.array(np.arange(COUNT) / 2, "float32"),
    "yes": [i % 2 == 0 for i in range(COUNT)],
    "price": [Decimal(i) / 4 for i in range(COUNT)],
    "word": [f"w{i % 3}" for i in range(COUNT)],
    "kind": pa.array([f"k{i % 2}" for i in range(COUNT)]).dictionary_encode(),
    "code": pa.array([i % 2 + 5 for i in range(COUNT)]).dictionary_encode(),
    "pair": [[i, -i] for i in range(COUNT)],
    "fixed": pa.array([[i, 2 * i, 3 * i] for i in range(COUNT)], pa.list_(pa.float32(), 3)),
    "grid": [[[i, 1], [2, 3], [4, 5]] for i in range(COUNT)],
    "bytes": [bytes([i, 2 * i]) for i in range(COUNT)],
    "pixels": pa.array([bytes([i, 1, 2]) for i in range(COUNT)], pa.binary(3)),
    "blob": pa.array([bytes([i]) * 4 for i in range(COUNT)], pa.large_binary()),
    "torn": [b"abc" if i == 20 else b"ab" for i in range(COUNT)],
    "when": [datetime.date(2020, 1, 1)] * COUNT,
    "hole": [None if i == 17 else i for i in range(COUNT)],
    "deep_hole": [[1, None if i == 16 else i] for i in range(COUNT)],
    "ragged": [[1] * (3 if i == 20 else 2) for i in range(COUNT)],
    "words": [["a"]] * COUNT,
}


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = str(tmp_path / "t.parquet")
    pq.write_table(pa.table(COLUMNS), path, row_group_size=5)
    return path


def whole(data: Any) -> Any:
    """All batches of arrays, joined."""
    return np.concatenate(list(data))


I = np.arange(COUNT)[:, None]  # noqa: E741
BECOME = {
    "n": I,
    "half": I / 2,
    "yes": I % 2 == 0,
    "price": I / 4,
    "word": np.array([[f"w{i % 3}"] for i in range(COUNT)], object),
    "kind": np.array([[f"k{i % 2}"] for i in range(COUNT)], object),
    "code": I % 2 + 5,
    "pair": np.hstack([I, -I]),
    "fixed": np.hstack([I, 2 * I, 3 * I]),
    "grid": np.array(COLUMNS["grid"]),
    "bytes": np.hstack([I, 2 * I]).astype("uint8"),
    "pixels": np.hstack([I, I * 0 + 1, I * 0 + 2]),
    "blob": np.hstack([I] * 4),
}


@pytest.mark.parametrize("name", BECOME)
@pytest.mark.parametrize("piece", [1, 10**6])
def test_what_a_column_becomes(name: str, piece: int, file: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(parquet_table, "PIECE_BYTES", piece)
    found = whole(read(file, name, batch_size=4, shuffle=False))
    assert found.shape == BECOME[name].shape and found.tolist() == BECOME[name].tolist()


def test_columns_are_joined_and_named(file: str) -> None:
    both = read(file, ["fixed", "n"], ["half"], "half", batch_size=4, shuffle=False)
    x, y, weight = next(iter(both))
    assert x.tolist() == [[i, 2 * i, 3 * i, i] for i in range(4)]
    assert y.tolist() == [[0], [0.5], [1], [1.5]] and weight.tolist() == [0, 0.5, 1, 1.5]
    named = read(file, {"b": ["n", "half"], "a": "word"}, {"out": "yes"}, shuffle=False)
    x, y = next(iter(named))
    assert x["b"].shape == (COUNT, 2) and x["a"][1] == "w1" and y["out"].shape == (COUNT, 1)


def test_without_features_all_other_columns_are_joined(tmp_path: Path) -> None:
    pq.write_table(pa.table({k: COLUMNS[k] for k in ("n", "half", "yes", "fixed")}), tmp_path / "t")
    x, y, _ = next(iter(read(tmp_path / "t", None, "yes", "half", shuffle=False)))
    assert x.shape == (COUNT, 4) and y.shape == (COUNT, 1)


def test_bytes_in_a_part_of_a_column() -> None:
    """Whose buffers hold other values before and after."""
    for kind in (pa.binary(), pa.binary(2), pa.large_binary()):
        batch = pa.record_batch({"b": pa.array([bytes([i, i]) for i in range(9)], kind)}).slice(
            3, 4
        )
        found = parquet_columns.ColumnReader("b").read(batch, "t", 0)
        assert found.tolist() == [[i, i] for i in range(3, 7)] and found.dtype == "uint8"


def test_a_later_file_with_wider_numbers(tmp_path: Path) -> None:
    for i, kind in enumerate(("int8", "int32", "float64")):
        pq.write_table(pa.table({"n": pa.array([i], kind)}), tmp_path / f"{i}.parquet")
    (batch,) = read(tmp_path, "n", shuffle=False)
    assert batch.tolist() == [[0], [1], [2]] and batch.dtype == "float64"


@pytest.mark.parametrize("size", [1, 4, 23, 50])
@pytest.mark.parametrize("shuffle", [True, False])
def test_each_row_comes_once(size: int, shuffle: bool, file: str) -> None:
    data = read(file, "n", batch_size=size, shuffle=shuffle, buffer_bytes=100)
    sizes = [len(x) for x in data]
    assert len(data) == len(sizes) and set(sizes[:-1]) <= {size} and sum(sizes) == COUNT
    assert data.num_samples == COUNT
    first, second = whole(data).ravel().tolist(), whole(data).ravel().tolist()
    assert sorted(first) == sorted(second) == list(range(COUNT))
    assert (first != second) == shuffle


def test_sorted_rows_are_mixed(tmp_path: Path, monkeypatch: Any) -> None:
    """Of a file sorted by class, batches hold all classes, though a buffer holds a tenth of it."""
    monkeypatch.setattr(parquet_table, "PIECE_BYTES", 2**9)
    y = np.repeat(np.arange(4), 5000)
    pq.write_table(pa.table({"y": y}), tmp_path / "t", row_group_size=500, use_dictionary=False)
    data = read(tmp_path / "t", "y", batch_size=500, buffer_bytes=y.nbytes // 10)
    km.utils.set_random_seed(0)
    classes = [len(np.unique(x)) for x in data]
    assert np.mean(classes) > 2.5


def test_the_order_is_that_of_the_seed(file: str) -> None:
    orders = []
    for _ in range(2):
        km.utils.set_random_seed(7)
        model = noting()
        model.fit(read(file, "n", "half", batch_size=4), epochs=2, verbose=0)
        orders.append(model.samples())
    assert orders[0] == orders[1]


def test_a_share_for_validation(file: str) -> None:
    parts = {"validation_split": 0.3, "batch_size": 4}
    training, validation = read(file, "n", "half", subset="both", **parts)
    model = noting()
    model.fit(training, validation_data=validation, verbose=0)
    assert sorted(model.samples()) == list(range(16))
    assert np.concatenate([b[0] for b in model.tested]).ravel().tolist() == list(range(16, 23))
    assert len(read(file, "n", subset="validation", **parts)) == 2


def test_files_follow_each_other(tmp_path: Path) -> None:
    for i in range(3):
        pq.write_table(pa.table({"n": list(range(10 * i, 10 * i + 10))}), tmp_path / f"{i}.parquet")
    pq.write_table(pa.table({"n": pa.array([], "int64")}), tmp_path / "4.parquet")
    assert whole(read(tmp_path, batch_size=7, shuffle=False)).ravel().tolist() == list(range(30))
    listed = [tmp_path / "2.parquet", str(tmp_path / "0.parquet")]
    found = whole(read(listed, "n", shuffle=False)).ravel().tolist()
    assert found == [*range(20, 30), *range(10)]


def test_text_goes_into_a_model(file: str) -> None:
    lookup = km.layers.StringLookup(vocabulary=["w0", "w1", "w2"], output_mode="one_hot")
    inputs = km.Input((1,), dtype="string")
    model = km.Model(inputs, km.layers.Dense(1)(lookup(inputs)))
    model.compile("adam", "mse")
    model.fit(read(file, "word", "half"), verbose=0)
    assert model.predict(read(file, "word", shuffle=False), verbose=0).shape == (COUNT, 1)


def test_only_wanted_rows_and_columns_are_looked_at(file: str) -> None:
    """Row 17 has a hole, and other columns have worse."""
    training = read(file, "hole", validation_split=0.3, subset="training", batch_size=4)
    assert sorted(whole(training).ravel().tolist()) == list(range(16))


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ("hole", r"Column 'hole' of '.*t.parquet' has no value \(null\) in row 17"),
        ("deep_hole", r"'deep_hole' of '.*' has no value \(null\) in row 16"),
        ("torn", "'torn' of '.*' has a list of 3 values in row 20, but .* of 2"),
        ("ragged", "'ragged' of '.*' has a list of 3 values in row 20, but .* of 2"),
    ],
)
@pytest.mark.parametrize("piece", [1, 10**6])
def test_the_row_that_does_not_fit(
    features: str, words: str, piece: int, file: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(parquet_table, "PIECE_BYTES", piece)
    with pytest.raises(ValueError, match=words):
        list(read(file, features, shuffle=False))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"features": "when"}, "'when' of '.*' is of type date32.*dates as seconds"),
        ({"features": "words"}, "'words' of '.*' is of type list<"),
        ({"features": "hlf"}, r"has no column 'hlf'; it has \['n', .*Did you mean 'half'"),
        ({"features": ["n", "word"]}, "`features` joins the column 'word', which holds text"),
        ({"features": "n", "targets": {"a": ["kind", "n"]}}, "`targets` joins the column 'kind'"),
        ({"features": []}, r"`features` must be .* got \[\]"),
        ({"features": "n", "sample_weight": {"a": "half"}}, "`sample_weight` must be"),
        ({"features": "n", "batch_size": 0}, "`batch_size` must be"),
        ({"features": "n", "subset": "both"}, "go together"),
    ],
)
def test_what_is_refused(arguments: Any, words: str, file: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(file, **arguments)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no file '\*.parquet' in"):
        read(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no file 'nothing\.parquet'"):
        read("nothing.parquet")


def test_data_sets_of_pyarrow(tmp_path: Path) -> None:
    from pyarrow import dataset

    for i in range(2):
        table = pa.table({"n": list(range(10 * i, 10 * i + 10)), "k": [0, 1] * 5})
        pq.write_table(table, tmp_path / f"{i}.parquet")
    given = dataset.dataset(tmp_path)
    assert whole(read(given, "n", shuffle=False)).ravel().tolist() == list(range(20))
    with pytest.raises(ValueError, match="has a filter"):
        read(given.filter(dataset.field("n") > 3), "n")
    with pytest.raises(ValueError, match="isn't made of Parquet files"):
        read(dataset.dataset(given.to_table()), "n")
    parts = dataset.partitioning(pa.schema([("k", pa.int64())]), flavor="hive")
    dataset.write_dataset(given, tmp_path / "parts", format="parquet", partitioning=parts)
    with pytest.raises(ValueError, match="in the names of its folders"):
        read(dataset.dataset(tmp_path / "parts", partitioning=parts), "n")


def test_files_that_differ(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"n": ["one"]}), tmp_path / "b.parquet")
    with pytest.raises(ValueError, match=r"'n' is of type int64 in .* but string in"):
        read(tmp_path, "n")
    pq.write_table(pa.table({"n": pa.array([], "int64")}), tmp_path / "b.parquet")
    with pytest.raises(ValueError, match="no data"):
        read(tmp_path / "b.parquet", "n")


def test_without_pyarrow(file: str, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match="needs the package pyarrow"):
        read(file)
