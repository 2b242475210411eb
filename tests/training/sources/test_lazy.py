"""Arrays that aren't read whole: HDF5, memory maps, what works like Zarr, sparse matrices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy import sparse
from training.sources.models import loaders, noting

import kernelmodel as km
from kernelmodel.training.sources.hdf5 import mapped
from kernelmodel.training.sources.rows import Rows

X = np.arange(20, dtype="float32")[:, None]


class Recorded:
    """Works like a Zarr array, and notes what is read."""

    def __init__(self, data: np.ndarray, takes_lists: bool = True) -> None:
        self._data, self.reads = data, []  # type: ignore[var-annotated]
        self.shape, self.dtype = data.shape, data.dtype

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, where: Any) -> np.ndarray:
        rows = np.arange(len(self))[where]
        assert (np.diff(rows) > 0).all(), "not in increasing order"
        self.reads.append(rows.tolist())
        return self._data[where]

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise AssertionError("read whole")


@pytest.fixture(params=["h5py", "memmap", "recorded"])
def lazy(request: Any, tmp_path: Path) -> Any:
    """A function that puts an array where it is read lazily."""
    if request.param == "recorded":
        yield Recorded
    elif request.param == "memmap":

        def on_disk(data: np.ndarray) -> Any:
            np.save(tmp_path / "x.npy", data)
            return np.load(tmp_path / "x.npy", mmap_mode="r")

        yield on_disk
    else:
        with h5py.File(tmp_path / "x.h5", "w") as file:
            yield lambda data: file.create_dataset(f"x{len(file)}", data=data, chunks=(4, 1))


def test_in_order_and_shuffled(lazy: Any) -> None:
    x = lazy(X.astype("float64"))
    model = noting()
    model.fit(x, np.zeros(20), batch_size=6, shuffle=False, verbose=0)
    assert model.seen() == [X[i : i + 6].ravel().tolist() for i in range(0, 20, 6)]
    assert model.batches[0][0].dtype == np.float32
    model = noting()
    model.fit(x, 2 * X, batch_size=6, epochs=2, verbose=0)
    epochs = [model.samples(0, 4), model.samples(4, 8)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(20))] * 2
    assert epochs[0] != epochs[1]
    assert all((2 * b[0] == b[1]).all() for b in model.batches), "x and y don't belong together"
    assert loaders() == []


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
def test_batches_are_those_of_arrays_in_memory(lazy: Any, shuffle: Any) -> None:
    seen = []
    for x in (X, lazy(X)):
        km.utils.set_random_seed(4)
        model = noting()
        model.fit(x, X, batch_size=6, epochs=2, shuffle=shuffle, verbose=0)
        seen.append(model.seen())
    assert seen[0] == seen[1]


def test_rows_of_a_memory_map_are_read_by_the_thread_that_loads(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    model = noting()
    model.fit(x, X, shuffle="batch", batch_size=6, verbose=0)
    assert not any(np.shares_memory(batch[0], x) for batch in model.batches)


def test_in_chunks(lazy: Any) -> None:
    model = noting()
    model.fit(lazy(X), np.zeros(20), batch_size=4, shuffle="batch", epochs=2, verbose=0)
    assert sorted(model.firsts()[:5]) == sorted(model.firsts()[5:]) == [0, 4, 8, 12, 16]
    assert model.firsts() != [0, 4, 8, 12, 16] * 2
    assert all(values == list(range(int(values[0]), int(values[0]) + 4)) for values in model.seen())


def test_validation_split(lazy: Any) -> None:
    model = noting()
    model.fit(lazy(X), X, batch_size=6, validation_split=0.25, verbose=0)
    assert sorted(model.samples()) == list(range(15))
    assert np.concatenate([b[0] for b in model.tested]).ravel().tolist() == list(range(15, 20))


def test_evaluate_and_predict(lazy: Any) -> None:
    assert noting().predict(lazy(X), batch_size=7, verbose=0).ravel().tolist() == list(range(20))
    model = noting()
    model.evaluate(X, lazy(X), batch_size=7, steps=2, verbose=0)
    assert [len(b[1]) for b in model.tested] == [7, 7]


def test_only_the_rows_of_a_batch_are_read() -> None:
    x = Recorded(X)
    noting().fit(x, X, batch_size=5, shuffle="batch", verbose=0)
    assert sorted(x.reads) == [list(range(i, i + 5)) for i in range(0, 20, 5)]
    x = Recorded(X)
    noting().fit(x, X, batch_size=5, steps_per_epoch=2, verbose=0)
    assert [len(rows) for rows in x.reads] == [5, 5]


def test_class_weights_of_lazy_targets() -> None:
    model = noting()
    model.fit(X, Recorded((X > 9).astype(int)), class_weight={1: 3.0}, shuffle=False, verbose=0)
    assert model.batches[0][2].tolist() == [1.0] * 10 + [3.0] * 10


def test_an_hdf5_group_is_a_dict_by_input_name(tmp_path: Path) -> None:
    a, b = km.Input((1,), name="a"), km.Input((1,), name="b")
    model = km.Model([a, b], km.layers.Subtract()([a, b]))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["b"], file["a"] = X, 3 * X
        np.testing.assert_array_equal(model.predict(file, verbose=0), 2 * X)


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_matrix", "coo_array", "csr_array"])
def test_sparse_matrices(kind: str) -> None:
    dense = np.eye(20, 5) + np.eye(20, 5, k=-7)
    model = km.Sequential([km.Input((5,)), km.layers.Dense(2)])
    model.compile("sgd", "mse")
    matrix = getattr(sparse, kind)(dense)
    np.testing.assert_allclose(
        model.predict(matrix, batch_size=6, verbose=0), model.predict(dense, verbose=0), rtol=1e-6
    )
    model.fit(matrix, np.ones((20, 2)), batch_size=6, validation_split=0.3, verbose=0)
    model.train_on_batch(matrix, np.ones((20, 2)))


def test_what_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        text = file.create_dataset("t", data=["a"] * 20)
        scalar, empty = file.create_dataset("s", data=3.0), file.create_dataset("e", data=X[:0])
        model = noting()
        for x, words in (
            (text, "holds bytes|numbers"),
            (scalar, "batch axis"),
            (empty, "0 samples"),
        ):
            with pytest.raises(ValueError, match=words):
                model.fit(x, X, verbose=0)
        with pytest.raises(ValueError, match="`x`: 20, `y`: 3"):
            model.fit(Recorded(X), X[:3], verbose=0)
        assert not model.built


LAYOUTS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "plain": ({}, {}, True),
    "big endian": ({}, {"dtype": ">f4"}, True),
    "integers": ({}, {"dtype": "int16"}, True),
    "in chunks": ({}, {"chunks": (4, 3)}, False),
    "compressed": ({}, {"compression": "gzip"}, False),
    "half precision": ({}, {"dtype": "float16"}, True),
    "booleans": ({}, {"dtype": "bool"}, False),
    "with a block in front": ({"userblock_size": 512}, {}, False),
    "of the latest format": ({"libver": "latest"}, {}, True),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_hdf5_dataset_that_lies_plainly_in_its_file_is_mapped(
    layout: str, tmp_path: Path
) -> None:
    options, dataset, is_mapped = LAYOUTS[layout]
    x = np.random.default_rng(0).integers(0, 2, (20, 3))
    with h5py.File(tmp_path / "x.h5", "w", **options) as file:
        file["first"] = np.zeros(7)
        file.create_dataset("x", data=x, **dataset)
        assert mapped(file["x"]) is None, "somebody writes"
    with h5py.File(tmp_path / "x.h5") as file:
        found = mapped(file["x"])
        assert (found is not None) == is_mapped
        rows = Rows(file["x"], "x", "float32")
        order = np.random.default_rng(1).permutation(20)[:7]
        for where in (order, slice(3, 9), slice(18, 20)):
            part = rows[where]
            np.testing.assert_array_equal(part, x[where])
            assert part.dtype.isnative and part.flags.c_contiguous
            assert found is None or not np.shares_memory(part, found)


def test_numbers_that_hdf5_converts_are_left_to_it(tmp_path: Path) -> None:
    twelve_bits = h5py.h5t.STD_I32LE.copy()
    twelve_bits.set_precision(12)
    twelve_bits.set_offset(4)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", data=X.astype("int32"), dtype=h5py.Datatype(twelve_bits))
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["x"].dtype == "int32" and mapped(file["x"]) is None
        np.testing.assert_array_equal(Rows(file["x"], "x", "float32")[:], X)


def test_a_file_that_cannot_be_mapped_is_read(tmp_path: Path, monkeypatch: Any) -> None:
    def no_maps(*_: Any, **__: Any) -> Any:
        raise OSError("no memory maps here")

    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = X
    monkeypatch.setattr("mmap.mmap", no_maps)
    with h5py.File(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(Rows(file["x"], "x", "float32")[np.array([7, 3])], X[[7, 3]])


def test_an_hdf5_dataset_in_another_file_or_in_memory_is_not_mapped(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", data=X, external=[(tmp_path / "raw", 0, X.nbytes)])
        file.create_dataset("empty", data=X[:0])
    with h5py.File(tmp_path / "x.h5") as file:
        assert mapped(file["x"]) is mapped(file["empty"]) is mapped(X) is None
    with h5py.File(tmp_path / "x.h5", driver="core") as file:
        assert mapped(file["x"]) is None
