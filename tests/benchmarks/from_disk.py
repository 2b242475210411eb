"""Training from files against training from memory: `-m tests.benchmarks.from_disk`.

Samples a second of a whole epoch of `fit`, after one that isn't counted, as a share of what the
same data gives in memory. The sources take turns, and medians are given, since the machine has
other work. The files are in the system's cache after the first epoch: what is measured is the cost
of reading, decoding and shuffling, not that of a disk. Rows are shuffled, "batches" means
`shuffle="batch"`.
"""

import argparse
import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import kernelmodel as km
from tests.benchmarks.figures import table

WIDTH, BATCH, UNITS = 784, 128, 256


def write(folder, rows):
    """The data as an array file, an HDF5 file and a Parquet file."""
    rng = np.random.default_rng(0)
    x, y = rng.random((rows, WIDTH), "float32"), rng.integers(0, 10, rows)
    np.save(folder / "x.npy", x)
    with h5py.File(folder / "x.h5", "w") as store:
        store["x"] = x
        store.create_dataset("chunks", data=x, chunks=(BATCH, WIDTH))
    lists = pa.FixedSizeListArray.from_arrays(x.ravel(), WIDTH)
    pq.write_table(pa.table({"x": lists, "y": y}), folder / "x.parquet", row_group_size=4096)
    return x, y


def sources(folder, x, y, stack):
    """Arguments of `fit` by the name of the source."""
    store = stack.enter_context(h5py.File(folder / "x.h5"))
    rows = {"y": y, "batch_size": BATCH}
    mapped = np.load(folder / "x.npy", mmap_mode="r")
    parquet = km.utils.table_dataset_from_parquet(folder / "x.parquet", "x", "y", batch_size=BATCH)
    return {
        "memory": {"x": x, **rows},
        "memory map": {"x": mapped, **rows},
        "memory map, batches": {"x": mapped, **rows, "shuffle": "batch"},
        "HDF5": {"x": store["x"], **rows},
        "HDF5, batches": {"x": store["x"], **rows, "shuffle": "batch"},
        "HDF5 in chunks, batches": {"x": store["chunks"], **rows, "shuffle": "batch"},
        "Parquet": {"x": parquet},
    }


def main(rows=40_000, rounds=5):
    """Print the table."""
    model = km.Sequential(
        [
            km.Input((WIDTH,)),
            *(km.layers.Dense(UNITS, "relu") for _ in range(2)),
            km.layers.Dense(10),
        ]
    )
    loss = km.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        found = sources(Path(place), *write(Path(place), rows), stack)
        for data in found.values():
            model.fit(**data, verbose=0)
        speeds = {name: [] for name in found}
        for _ in range(rounds):
            for name, data in found.items():
                began = time.perf_counter()
                model.fit(**data, verbose=0)
                speeds[name].append(rows / (time.perf_counter() - began))
    shares = {
        name: statistics.median(map(np.divide, own, speeds["memory"]))
        for name, own in speeds.items()
    }
    lines = [
        [name, f"{statistics.median(speeds[name]):,.0f}", f"{share:.2f}"]
        for name, share in shares.items()
    ]
    assert __doc__ is not None
    print(
        "### Training from files",
        __doc__.partition("\n\n")[2].strip(),
        f"{rows} rows of {WIDTH} numbers, batches of {BATCH}, a network of {model.count_params()} "
        f"weights. {os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}.",
        table(["source", "samples a second", "share of memory's"], lines),
        sep="\n\n",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    main(**vars(parser.parse_args()))
