"""The engine lock: first come, first served, and re-entrant."""

from __future__ import annotations

import itertools
import sys
import threading
import time

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.engine import lock as module
from kernelmodel.engine.lock import FairLock


def free(lock: FairLock) -> bool:
    """Whether another thread can take the lock."""
    taken = []

    def take() -> None:
        taken.append(lock.acquire(blocking=False))
        if taken[0]:
            lock.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return taken[0]


def test_reentrant() -> None:
    lock = FairLock()
    with lock, lock:
        pass
    with lock:
        pass


def test_a_released_lock_goes_to_who_waited() -> None:
    """A loop that takes the lock again at once doesn't starve a waiting thread."""
    lock, order, waiting = FairLock(), [], threading.Event()

    def other() -> None:
        waiting.set()
        with lock:
            order.append("other")

    with lock:
        thread = threading.Thread(target=other)
        thread.start()
        waiting.wait()
        while not lock._waiting:
            time.sleep(0.001)
    for _ in range(3):
        with lock:
            order.append("loop")
    thread.join(5)
    assert order == ["other", "loop", "loop", "loop"]


def test_served_in_the_order_of_arrival() -> None:
    lock, order, threads = FairLock(), [], []

    def take(number: int) -> None:
        with lock:
            order.append(number)

    with lock:
        for number in range(5):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            while len(lock._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3, 4]


def test_released_by_an_error() -> None:
    lock = FairLock()
    with pytest.raises(ZeroDivisionError), lock:
        raise ZeroDivisionError
    assert free(lock)
    done = threading.Event()
    threading.Thread(target=lambda: (lock.__enter__(), done.set())).start()
    assert done.wait(5)


@pytest.mark.parametrize("case", ["free", "owned", "busy", "queued"])
def test_an_interrupt_leaves_nothing_taken(case: str) -> None:
    """Python looks for an interrupt where a function begins and where one in C has returned."""
    places = set()
    for number in itertools.count():
        lock, events = FairLock(), itertools.count()

        def interrupt(frame, event, arg) -> None:
            within = frame.f_code.co_filename == module.__file__
            if within and event in ("call", "c_return") and next(events) == number:  # noqa: B023
                places.add(frame.f_lineno)
                raise KeyboardInterrupt

        holding, leave, over = threading.Event(), threading.Event(), threading.Event()
        holders, threads = {"busy": 1, "queued": 2}.get(case, 0), []

        def hold() -> None:
            with lock:  # noqa: B023
                holding.set()  # noqa: B023
                leave.wait(5)  # noqa: B023

        def leave_when_all_wait() -> None:
            while len(lock._waiting) < holders and not over.is_set():  # noqa: B023
                time.sleep(0.0001)
            leave.set()  # noqa: B023

        if case == "owned":
            lock.__enter__()
        for count in range(holders):
            threads.append(threading.Thread(target=hold))
            threads[-1].start()
            holding.wait(5)
            while len(lock._waiting) < count:
                time.sleep(0.0001)
        threads.append(threading.Thread(target=leave_when_all_wait))
        threads[-1].start()
        try:
            sys.setprofile(interrupt)
            with lock:
                pass
        except KeyboardInterrupt:
            hit = True
        else:
            hit = False
        finally:
            sys.setprofile(None)
            over.set()
        if case == "owned":
            assert not free(lock)
            lock.release()
        for thread in threads:
            thread.join(5)
        assert free(lock) and not lock._waiting
        with pytest.raises(RuntimeError):
            lock.release()
        if not hit:
            break
    assert len(places) >= {"free": 2, "owned": 2, "busy": 6, "queued": 7}[case]


def test_predict_from_a_thread_runs_between_two_steps() -> None:
    """While fit runs, another thread's predictions come soon, and belong to one set of weights."""
    model = km.Sequential([km.Input((2,)), km.layers.Dense(2, use_bias=False)])
    layer = model.layers[0]
    layer.set_weights([np.full((2, 2), 1.0)])
    model.compile(km.optimizers.SGD(0.5), loss="mse")
    x, seen, errors = np.ones((4, 2), "float32"), [], []
    fitting, stop = threading.Event(), threading.Event()
    limit = time.monotonic() + 60

    def watch() -> None:
        fitting.wait(10)
        try:
            seen.extend(np.array(model.predict(x, verbose=0)) for _ in range(20))
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)
        stop.set()

    def begin(batch: int, logs: object) -> None:
        fitting.set()
        model.stop_training = stop.is_set() or time.monotonic() > limit

    thread = threading.Thread(target=watch)
    thread.start()
    callback = km.callbacks.LambdaCallback(on_train_batch_end=begin)
    data = np.ones((256, 2), "float32")
    model.fit(data, 3 * data, batch_size=4, epochs=10**6, verbose=0, callbacks=[callback])
    assert stop.is_set(), "predict starved"
    thread.join(20)
    assert not errors
    assert len(seen) == 20
    for prediction in seen:  # equal rows and equal columns: never half of a step
        np.testing.assert_array_equal(prediction, np.full_like(prediction, prediction[0, 0]))
