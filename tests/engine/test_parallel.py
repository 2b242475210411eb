"""Work on threads: every task once, errors and interrupts, BLAS as it was, forks, any caller."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
import weakref
from typing import Any

import numpy as np
import pytest

from kernelmodel.engine import parallel
from kernelmodel.engine.kernels import attention, conv, gru, lstm, max_pool
from kernelmodel.engine.kernels.product import SHARE, WAKE, product, shares


class FakeBlas:
    """A BLAS that says it has so many threads."""

    def __init__(self, threads: int) -> None:
        self.threads, self.seen = threads, [threads]

    def get(self) -> int:
        return self.threads

    def set(self, threads: int) -> None:
        self.threads = threads
        self.seen.append(threads)


@pytest.fixture
def four_threads(monkeypatch: pytest.MonkeyPatch) -> FakeBlas:
    library = FakeBlas(4)
    monkeypatch.setattr(parallel, "blas", lambda: library)
    monkeypatch.setattr(parallel, "processors", lambda: 4)
    return library


def test_each_task_once_on_several_threads(four_threads: FakeBlas) -> None:
    done, names = [0] * 40, set()
    together = threading.Barrier(4, timeout=30)

    def body(i: int) -> None:
        if i >= 36:  # the first four: they run at the same time, or the barrier breaks
            together.wait()
        done[i] += 1
        names.add(threading.current_thread().name)

    parallel.run(body, 40)
    assert done == [1] * 40
    assert len(names) == 4
    assert four_threads.seen == [4, 1, 4]


def test_blas_has_its_threads_again_when_the_last_block_ends(four_threads: FakeBlas) -> None:
    first_ends, second_began = threading.Event(), threading.Event()

    def second() -> None:
        with parallel.ONE_THREAD:
            second_began.set()
            first_ends.wait(30)

    thread = threading.Thread(target=second)
    with parallel.ONE_THREAD:
        thread.start()
        assert second_began.wait(30)
        with parallel.ONE_THREAD:
            assert parallel.width() == 4
            parallel.run(lambda i: None, 8)
    assert four_threads.seen == [4, 1]
    first_ends.set()
    thread.join()
    assert four_threads.seen == [4, 1, 4]
    with pytest.raises(KeyError), parallel.ONE_THREAD:
        raise KeyError
    assert four_threads.seen == [4, 1, 4, 1, 4]


def test_nobody_waits_for_a_thread_that_took_no_task(four_threads: FakeBlas) -> None:
    parallel.run(lambda i: None, 8)  # the team is there
    held = threading.Event()
    for _ in range(3):
        parallel._team.jobs.put(held.wait)
    start = time.monotonic()
    parallel.run(lambda i: None, 8)
    assert time.monotonic() - start < 10
    held.set()


def test_an_error_is_raised_once_all_have_stopped(four_threads: FakeBlas) -> None:
    running: list[int] = []

    def body(i: int) -> None:
        running.append(i)
        time.sleep(0.001)
        running.remove(i)
        if i == 10:
            raise KeyError("ten")

    with pytest.raises(KeyError, match="ten"):
        parallel.run(body, 500)
    assert not running
    assert four_threads.threads == 4
    parallel.run(lambda i: None, 5)  # and the team goes on


def test_an_interrupt_waits_for_what_is_running(four_threads: FakeBlas) -> None:
    ended = threading.Event()
    started = threading.Event()

    def body(i: int) -> None:
        if threading.current_thread() is threading.main_thread():
            started.wait(30)
            raise KeyboardInterrupt
        started.set()
        time.sleep(0.05)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        parallel.run(body, 2)
    assert ended.is_set()


def test_nested_and_simultaneous_calls(four_threads: FakeBlas) -> None:
    counts = np.zeros((4, 6), int)

    def outer(i: int) -> None:
        def inner(j: int) -> None:
            counts[i, j] += 1

        parallel.run(inner, 6)

    parallel.run(outer, 4)
    assert (counts == 1).all()
    threads = [threading.Thread(target=parallel.run, args=(outer, 4)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (counts == 6).all()
    assert four_threads.threads == 4


def test_tasks_run_in_the_callers_context(four_threads: FakeBlas) -> None:
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        parallel.run(lambda i: np.ones(1000) / 0.0, 16)


def test_nothing_keeps_what_tasks_worked_on(four_threads: FakeBlas) -> None:
    array = np.zeros(1000)
    seen = weakref.ref(array)
    parallel.run(lambda i, array=array: array.sum(), 16)
    del array
    limit = time.monotonic() + 10
    while seen() is not None and time.monotonic() < limit:
        time.sleep(0.01)
    assert seen() is None


def in_a_child(queue: Any) -> None:
    total = np.zeros(8)

    def body(i: int) -> None:
        total[i] += 1

    parallel.run(body, 8)
    queue.put(total.sum())


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_forked_child_has_a_team_of_its_own(four_threads: FakeBlas) -> None:
    parallel.run(lambda i: None, 8)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=in_a_child, args=(queue,))
    child.start()
    assert queue.get(timeout=30) == 8
    child.join()


def test_the_blas_of_this_numpy() -> None:
    library = parallel.blas()
    if library is None:
        pytest.skip("NumPy here has another BLAS than OpenBLAS")
    threads = library.get()
    inside: list[int] = []
    parallel.run(lambda i: inside.append(library.get()), 4)
    assert inside == [1] * 4
    assert library.get() == threads


def test_even_slices() -> None:
    for length in range(12):
        for count in range(1, 6):
            slices = parallel.even_slices(length, count)
            lengths = [s.stop - s.start for s in slices]
            assert [i for s in slices for i in range(s.start, s.stop)] == list(range(length))
            assert max(lengths) - min(lengths) <= 1
            assert len(slices) == max(1, min(count, length))


def test_shares_of_a_product() -> None:
    for length in (0, 1, 15, 16, 100, 784):
        for work in (0, WAKE, WAKE + 3 * SHARE, 1 << 30):
            for threads in (1, 2, 5):
                slices = shares(length, work, threads)
                assert [i for s in slices for i in range(s.start, s.stop)] == list(range(length))
                lengths = [s.stop - s.start for s in slices]
                assert len(lengths) <= threads
                assert lengths[-1] == max(lengths)
    assert len(shares(784, 1 << 30, 2)) == 2


def test_products(four_threads: FakeBlas) -> None:
    rng = np.random.default_rng(0)
    for n, k, m in ((700, 90, 90), (90, 90, 700), (3, 2, 1), (0, 4, 3), (2, 0, 3)):
        a, b = rng.standard_normal((n, k)), rng.standard_normal((m, k)).T
        np.testing.assert_allclose(product(a, b), a @ b, atol=1e-12)
        into = np.empty((n, 2 * m))[:, ::2] if m > 1 else np.empty((n, m))
        assert product(a, b, into) is into
        np.testing.assert_allclose(into, a @ b, atol=1e-12)


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype("float32")

    calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
        (conv, (normal(64, 15, 14, 8), normal(3, 3, 8, 16), normal(16)), {"padding": "same"}),
        (max_pool, (normal(64, 30, 30, 16),), {"pool_size": 2}),
        (attention, (*(normal(40, 50, 2, 16) for _ in range(3)), None, None), {"scale": 0.2}),
        (lstm, (normal(64, 9, 20), normal(20, 256), normal(64, 256), *[None] * 4), {}),
        (gru, (normal(64, 9, 20), normal(20, 192), normal(64, 192), *[None] * 3), {}),
    ]

    def results() -> list[bytes]:
        found = []
        for op, arrays, static in calls:
            out, residuals = op.forward(*arrays, **static)
            g = tuple(np.sin(part) for part in out) if isinstance(out, tuple) else np.sin(out)
            gradients = op.backward(g, out, residuals, arrays, [True] * len(arrays), **static)
            outs = out if isinstance(out, tuple) else (out,)
            found += [a.tobytes() for a in (*outs, *gradients) if a is not None]
        return found

    # Products as a whole are BLAS's own affair.
    monkeypatch.setattr("kernelmodel.engine.parallel.width", lambda: 1)
    expected = None
    for threads in (1, 2, 3, 5):
        library = FakeBlas(threads)
        real = parallel.blas()
        if real is not None:
            real.set(1)
        with monkeypatch.context() as patch:
            patch.setattr(parallel, "blas", lambda library=library: library)
            patch.setattr(parallel, "processors", lambda: 8)
            found = results()
        expected = expected or found
        assert found == expected
