"""Jobs beside a computation: all are done, once, on whichever threads there are."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import numpy as np
import pytest

from kernelmodel.engine import kernels, parallel, pipeline
from kernelmodel.engine.kernels import beside_steps
from kernelmodel.engine.pipeline import Jobs, beside


@pytest.fixture(params=[1, 2, 4])
def threads(request: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    class Blas:
        def get(self) -> int:
            return request.param

        def set(self, count: int) -> None:
            pass

    monkeypatch.setattr(parallel, "blas", lambda: Blas())
    monkeypatch.setattr(parallel, "processors", lambda: request.param)
    return request.param


@pytest.mark.parametrize("again", range(30))
def test_all_jobs_are_done_and_those_waited_for_in_time(threads: int, again: int) -> None:
    done: list[int] = []

    def compute(jobs: Jobs) -> None:
        first = [jobs.add(partial(done.append, i)) for i in range(8)]
        for i, over in enumerate(first):
            jobs.wait(over)
            assert i in done
        for i in range(8, 20):
            jobs.add(partial(done.append, i))

    beside(compute)
    assert sorted(done) == list(range(20))


def test_another_thread_takes_jobs(threads: int) -> None:
    names: set[str] = set()
    there = threading.Event()

    def job() -> None:
        names.add(threading.current_thread().name)
        there.set()

    def compute(jobs: Jobs) -> None:
        jobs.add(job)
        assert there.wait(30) if threads > 1 else not there.is_set()

    beside(compute)
    own = threading.current_thread().name
    assert names == {own} if threads == 1 else own not in names


@pytest.mark.parametrize("where", ["compute", "job", "job waited for"])
def test_errors_come_out_and_nothing_hangs(threads: int, where: str) -> None:
    def fail() -> None:
        raise ZeroDivisionError("here")

    def compute(jobs: Jobs) -> None:
        jobs.add(lambda: None)
        if where == "compute":
            fail()
        over = jobs.add(fail)
        if where == "job waited for":
            jobs.wait(over)
        jobs.add(lambda: None)

    for _ in range(20):
        with pytest.raises(ZeroDivisionError, match="here"):
            beside(compute)
    done: list[int] = []
    beside(lambda jobs: jobs.wait(jobs.add(lambda: done.append(1))))
    assert done == [1]


def test_within_a_task_it_is_done_on_one_thread(threads: int) -> None:
    own: set[tuple[int, str]] = set()
    done: list[tuple[int, str]] = []

    def body(task: int) -> None:
        own.add((task, threading.current_thread().name))

        def compute(jobs: Jobs) -> None:
            for _ in range(3):
                jobs.add(lambda: done.append((task, threading.current_thread().name)))

        beside(compute)

    parallel.run(body, 3)
    assert sorted(task for task, _ in done) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert set(done) == own


def test_another_thread_took_the_team_in_between(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.parallel, "width", lambda: 4)  # what was so a moment ago
    done: list[int] = []

    def body(task: int) -> None:
        beside(lambda jobs: jobs.wait(jobs.add(lambda: done.append(task))))

    parallel.run(body, 2)
    assert sorted(done) == [0, 1]


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_an_lstm_gives_the_same_bits_on_any_number_of_threads(
    threads: int, sequences: bool, masked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    batch, steps, features, units = 24, 70, 40, 32
    x = rng.standard_normal((batch, steps, features)).astype("float32")
    weights = [
        rng.standard_normal(shape).astype("float32") / 8
        for shape in ((features, 4 * units), (units, 4 * units), (4 * units,))
    ]
    mask = rng.integers(0, 2, (batch, steps)).astype(bool) if masked else None
    assert beside_steps.is_worth_it(batch * steps * features * 4 * units)
    found = []
    for count in (threads, 1):
        monkeypatch.setattr(parallel, "processors", partial(int, count))
        arrays = (x, *weights, None, None, mask)
        out, residuals = kernels.lstm.forward(*arrays)
        g = (np.ones_like(out[0]) if sequences else None, np.ones_like(out[1]), None)
        needed = [True] * 6 + [False]
        found.append([*out, *kernels.lstm.backward(g, out, residuals, arrays, needed)])
    for one, other in zip(*found):
        assert (one is None) == (other is None)
        if one is not None:
            assert one.tobytes() == other.tobytes()
