"""Processes killed in the middle of saving: the old file or the new one is there, and whole.

    python tests/saving/kills.py TRIALS

runs so many trials of each kind. A trial forks a process that saves over and over, each time other
values, and kills it with SIGKILL after a random time.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import kernelmodel as km
from kernelmodel.callbacks.console import say

X = np.ones((40, 30), "float32")
SHARD = 0.0002  # of the model below, two layers fit into a file


def make_model() -> km.Model:
    layers = [km.layers.Dense(150, name=f"dense_{i}") for i in range(8)]
    model = km.Sequential([km.Input((30,)), *layers])
    model.compile(km.optimizers.SGD(0.0), "mse")
    model.fit(X, np.ones((40, 150)), verbose=0)
    return model


def fill(model: Any, value: float) -> None:
    model.set_weights([np.full_like(w, value) for w in model.get_weights()])


def saving(model: Any, path: Path) -> None:
    save = model.save_weights if path.name.startswith("weights") else model.save
    if path.suffix == ".json":
        save = partial(save, max_shard_size=SHARD)
    for value in range(1, 10**6):
        fill(model, value)
        save(path)


class Filled(km.callbacks.Callback):
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        fill(self.model, (batch + 1) / 10_000)


def fitting(model: Any, callback: Any) -> None:
    y = np.ones((40, 150), "float32")
    model.fit(X, y, 1, 10**6, verbose=0, callbacks=[Filled(), callback], shuffle=False)


def checkpointing(model: Any, path: Path) -> None:
    fitting(model, km.callbacks.ModelCheckpoint(path, save_freq=1))


def backing_up(model: Any, path: Path) -> None:
    fitting(model, km.callbacks.BackupAndRestore(path.parent, save_freq=1))


def values_of(path: Path) -> set[float]:
    """All values that a file holds, which must be one."""
    if path.suffix == ".npz":
        with np.load(path) as found:
            arrays = [found[str(i)] for i in range(16)]
    elif path.name.startswith("weights"):
        model = make_model()
        model.load_weights(path)
        arrays = model.get_weights()
    else:
        arrays = km.models.load_model(path).get_weights()
    return {float(value) for array in arrays for value in np.unique(array)}


KINDS: dict[str, tuple[str, Callable[[Any, Path], None]]] = {
    "save .keras": ("model.keras", saving),
    "save .h5": ("model.h5", saving),
    "save_weights .weights.h5": ("weights.weights.h5", saving),
    "save_weights .h5": ("weights.h5", saving),
    "save_weights .weights.json": ("weights.weights.json", saving),
    "ModelCheckpoint": ("model.keras", checkpointing),
    "BackupAndRestore": ("latest.npz", backing_up),
}


def shards_of(path: Path) -> set[str]:
    """The names of the files that belong to a file which is there."""
    if path.suffix != ".json" or not path.exists():
        return set()
    where = json.loads(path.read_text())["weight_map"]
    return {"weights_00000.weights.h5", *(name for names in where.values() for name in names)}


def begin(work: Callable[[Any, Path], None], model: Any, path: Path) -> int:
    """The number of a process that saves."""
    process = os.fork()
    if process == 0:
        try:
            work(model, path)
        finally:
            os._exit(1)
    return process


def seconds_of_a_saving(model: Any, work: Callable[[Any, Path], None], path: Path) -> float:
    """How long it takes until the file is there."""
    began = time.monotonic()
    process = begin(work, model, path)
    while not path.exists():
        time.sleep(0.001)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return time.monotonic() - began


def run(kind: str, trials: int, seed: int = 0) -> tuple[int, int]:
    """Kill so many processes.

    Returns:
        How many files of unfinished savings were left, and how often the values of the whole one
        had changed since the last trial.

    Raises:
        AssertionError: A file is broken, or more than the last saving's leftovers are there.
    """
    name, work = KINDS[kind]
    rng = np.random.default_rng(seed)
    model = make_model()
    leftovers, changes, before = 0, 0, set[float]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        usual = seconds_of_a_saving(model, work, path)
        for _ in range(trials):
            process = begin(work, model, path)
            time.sleep(rng.uniform(0.0, 4 * usual))
            os.kill(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
            assert os.WIFSIGNALED(status), f"{kind}: the process ended by itself"
            belongs = {path.name, *shards_of(path)}
            left = [p.name for p in Path(folder).iterdir() if p.name not in belongs]
            # Four shards of one saving, and those that another began to write over them.
            assert len(left) <= (9 if path.suffix == ".json" else 1), left
            leftovers += len(left)
            if path.exists():
                values = values_of(path)
                assert len(values) == 1, f"{kind}: a file of {len(values)} savings"
                changes += values != before
                before = values
    return leftovers, changes


if __name__ == "__main__":
    for each in KINDS:
        found = run(each, int(sys.argv[1]))
        say(f"{each}: {sys.argv[1]} trials, {found[0]} leftovers, {found[1]} changes")
