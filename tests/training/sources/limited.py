"""Trains on a file in a process that may take little memory: `limited.py KIND FOLDER SHUFFLE FREE`.

Prints losses, scores and predictions as JSON, so that runs can be compared to the last bit.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

import kernelmodel as km

ROWS, WIDTH, BATCH = 20_011, 4096, 128


def block(first: int) -> np.ndarray:
    """Some rows of the data."""
    count = min(1000, ROWS - first)
    return np.random.default_rng(first).random((count, WIDTH), "float32") - np.float32(0.5)


def targets() -> tuple[np.ndarray, np.ndarray]:
    """Targets and sample weights."""
    return np.arange(ROWS) % 7 / 7, np.arange(ROWS) % 3 + 0.5


def write(folder: Path) -> None:
    """The data (of 328 MB) as an HDF5 file, as an array file and as a Parquet file."""
    import h5py
    import pyarrow as pa
    import pyarrow.parquet as pq

    array = np.lib.format.open_memmap(
        folder / "x.npy", mode="w+", dtype="float32", shape=(ROWS, WIDTH)
    )
    y, weights = targets()
    schema = pa.schema(
        [("x", pa.list_(pa.float32(), WIDTH)), ("y", pa.float64()), ("w", pa.float64())]
    )
    with (
        h5py.File(folder / "x.h5", "w") as store,
        pq.ParquetWriter(folder / "x.parquet", schema, use_dictionary=False) as table,
    ):
        dataset = store.create_dataset("x", (ROWS, WIDTH), "float32")
        for first in range(0, ROWS, 1000):
            part = block(first)
            array[first : first + len(part)] = part
            dataset[first : first + len(part)] = part
            lists = pa.FixedSizeListArray.from_arrays(part.ravel(), WIDTH)
            end = first + len(part)
            table.write_table(pa.table([lists, y[first:end], weights[first:end]], schema))
        array.flush()


def opened(kind: str, folder: Path, stack: ExitStack) -> Any:
    """The inputs, as `fit` gets them."""
    import h5py

    if kind == "h5py":
        return stack.enter_context(h5py.File(folder / "x.h5"))["x"]
    array = np.load(folder / "x.npy", mmap_mode="r")
    return array if kind == "memmap" else np.array(array)


def arguments(kind: str, folder: Path, shuffle: Any, stack: ExitStack) -> list[dict[str, Any]]:
    """The data for `fit`, `evaluate` and `predict`."""
    if kind == "parquet":
        parts = {"path": folder / "x.parquet", "features": "x", "batch_size": BATCH}
        parts |= {"shuffle": shuffle, "buffer_bytes": 2**23}
        read = km.utils.table_dataset_from_parquet
        training, validation = read(
            **parts, targets="y", sample_weight="w", validation_split=0.1, subset="both"
        )
        parts["shuffle"] = False
        fit = {"x": training, "validation_data": validation}
        return [fit, {"x": read(**parts, targets="y")}, {"x": read(**parts)}]
    x, (y, weights) = opened(kind, folder, stack), targets()
    fit = {"x": x, "y": y[:, None], "sample_weight": weights, "shuffle": shuffle}
    fit |= {"batch_size": BATCH, "validation_split": 0.1}
    return [fit, {"x": x, "y": y[:, None], "batch_size": BATCH}, {"x": x, "batch_size": BATCH}]


def run(kind: str, folder: Path, shuffle: Any) -> dict[str, Any]:
    """Train, evaluate and predict."""
    km.utils.set_random_seed(5)
    model = km.Sequential([km.Input((WIDTH,)), km.layers.Dense(4), km.layers.Dense(1)])
    model.compile("adam", "mse", weighted_metrics=["mae"])
    with ExitStack() as stack:
        fit, evaluate, predict = arguments(kind, folder, shuffle, stack)
        history = model.fit(**fit, epochs=2, verbose=0).history
        scores = model.evaluate(**evaluate, verbose=0)
        predicted = model.predict(**predict, verbose=0)
    return {"history": history, "scores": scores, "predicted": predicted.tobytes().hex()[-4000:]}


def leave(megabytes: int) -> None:
    """Let this process take so much memory beside what it has."""
    status = Path("/proc/self/status").read_text()
    now = int(status.partition("VmData:")[2].split()[0]) * 1024
    limit = now + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def warm_up() -> None:
    """Load whatever a training loads, so that the limit counts the data alone."""
    model = km.Sequential([km.Input((WIDTH,)), km.layers.Dense(4), km.layers.Dense(1)])
    model.compile("adam", "mse", weighted_metrics=["mae"])
    x = np.zeros((300, WIDTH), "float32")  # BLAS takes memory at its first large product
    model.fit(x, x[:, 0], batch_size=BATCH, validation_split=0.1, verbose=0)
    model.predict(x, verbose=0)
    importlib.import_module("pyarrow.parquet")


if __name__ == "__main__":
    kind, folder, shuffle, free = sys.argv[1:]
    if int(free):
        warm_up()
        leave(int(free))
    print(json.dumps(run(kind, Path(folder), json.loads(shuffle))))  # noqa: T201
