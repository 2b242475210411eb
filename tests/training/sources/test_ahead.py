"""Loading ahead: in order, no more than asked for, on a thread if it pays, and without a trace."""

from __future__ import annotations

import itertools
import threading
import time
import traceback
from typing import Any

import numpy as np
import pytest
from training.sources.models import batch, loaders, noting

import kernelmodel as km
from kernelmodel.training.sources import ahead
from kernelmodel.training.sources.ahead import Signal, load_in_order


def slow(task: int) -> tuple[int, str]:
    time.sleep(0.002 + 0.004 * (task % 3))
    return task, threading.current_thread().name


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_results_come_in_order(workers: int) -> None:
    found = list(load_in_order(slow, range(12), workers, 5))
    assert [task for task, _ in found] == list(range(12))
    names = {name for _, name in found}
    assert len([name for name in names if "kernelmodel-data" in name]) <= workers
    assert (names == {"MainThread"}) == (workers == 0)
    assert loaders() == []


def test_fast_loading_stays_on_the_callers_thread() -> None:
    def fast(task: int) -> str:
        return threading.current_thread().name

    assert set(load_in_order(fast, range(50), 1, 10)) == {"MainThread"}


def test_no_more_is_loaded_than_the_queue_holds() -> None:
    started: list[int] = []

    def load(task: int) -> int:
        started.append(task)
        time.sleep(0.002)
        return task

    results = load_in_order(load, itertools.count(), 2, 4)
    assert next(results) == 0
    time.sleep(0.1)
    assert len(started) <= 1 + 4
    results.close()
    assert loaders() == []


@pytest.mark.parametrize("workers", [1, 3])
def test_the_end_may_come_from_the_loading_function(workers: int) -> None:
    def load(task: int) -> Any:
        time.sleep(0.002)
        return task if task < 5 else Signal.END

    assert list(load_in_order(load, itertools.count(), workers, 10)) == [0, 1, 2, 3, 4]
    assert loaders() == []


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_an_error_comes_in_its_turn_with_its_traceback(workers: int) -> None:
    def broken_source(task: int) -> int:
        time.sleep(0.002)
        if task == 3:
            raise KeyError("no such picture")
        return task

    results = load_in_order(broken_source, range(9), workers, 5)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="no such picture") as caught:
        next(results)
    assert "broken_source" in "".join(traceback.format_tb(caught.value.__traceback__))
    assert loaders() == []


def test_a_source_that_hangs_does_not_hang_the_end(monkeypatch: Any) -> None:
    monkeypatch.setattr(ahead, "PATIENCE_SECONDS", 0.05)
    hangs, release = threading.Event(), threading.Event()

    def load(task: int) -> int:
        if task == 2:
            hangs.set()
            release.wait(10)
        time.sleep(0.002)
        return task

    results = load_in_order(load, range(9), 2, 5)
    assert next(results) == 0
    assert hangs.wait(10)
    with pytest.warns(RuntimeWarning, match="making a batch"):
        results.close()
    release.set()
    while loaders():
        time.sleep(0.001)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("source", ["generator", "dataset"])
def test_a_slow_source_works_while_the_model_trains(source: str, workers: int) -> None:
    """Batch 7 is begun while step 5 goes on, or else not before its end."""
    begun = [threading.Event() for _ in range(10)]
    ahead_of_step = []

    def make(index: int) -> Any:
        begun[index].set()
        time.sleep(0.002)
        return batch(index)

    class Data(km.utils.PyDataset):
        def __len__(self) -> int:
            return len(begun)

        def __getitem__(self, index: int) -> Any:
            return make(index)

    class Slow(km.callbacks.Callback):
        def on_train_batch_end(self, number: int, logs: Any = None) -> None:
            if number == 5:
                ahead_of_step.append(begun[7].wait(20 if workers else 0.05))

    data = Data() if source == "dataset" else (make(i) for i in range(len(begun)))
    noting().fit(data, workers=workers, max_queue_size=3, callbacks=[Slow()], verbose=0)
    assert ahead_of_step == [workers == 1]


def test_a_generator_may_predict_with_the_model_that_it_trains() -> None:
    model = noting()
    model.predict(batch(0)[0], verbose=0)

    def generator() -> Any:
        for i in range(8):
            x, y = batch(i)
            time.sleep(0.002)
            yield x, y + np.asarray(model(x))

    history = model.fit(generator(), verbose=0)
    assert history.history["loss"] == [0.0]
