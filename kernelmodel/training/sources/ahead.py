"""Loading ahead: slow batches are made on other threads while the model trains."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextvars import copy_context
from enum import Enum
from itertools import count, islice
from time import perf_counter, sleep
from typing import Any

from kernelmodel.core.warning import warn_user

# Handing a batch from thread to thread costs about 0.05 ms, so it pays for slower ones only.
SLOW_SECONDS = 0.001
PATIENCE_SECONDS = 5.0

_pools = count()


class Signal(Enum):
    """What a loading function returns in place of a batch; it keeps its identity in a pickle."""

    END = "end"


def load_in_order(
    load: Callable[[Any], Any], tasks: Iterable[Any], workers: int, queue: int
) -> Generator[Any, None, None]:
    """The results of `load(task)`, in the order of the tasks.

    With one worker, fast loading stays on the caller's thread; from the first slow batch on, a
    thread works ahead. Never more is loaded than there are tasks, nor than `queue` beyond what was
    taken. The threads are gone when the generator ends or is closed.

    Args:
        load: Makes a batch; `Signal.END` in place of one ends all.
        tasks: What to load.
        workers: Threads; 0 keeps everything on the caller's.
        queue: Batches that may lie ready.
    """
    tasks = iter(tasks)
    if workers <= 1:
        for task in tasks:
            began = perf_counter()
            batch = load(task)
            if batch is Signal.END:
                return
            slow = perf_counter() - began > SLOW_SECONDS
            yield batch
            if slow and workers:
                break
    yield from _with_threads(load, tasks, workers, queue)


def _with_threads(
    load: Callable[[Any], Any], tasks: Iterator[Any], workers: int, queue: int
) -> Generator[Any, None, None]:
    from concurrent.futures import ThreadPoolExecutor  # imports logging: not for everybody

    name = f"kernelmodel-data-{next(_pools)}"
    pool = ThreadPoolExecutor(max(workers, 1), thread_name_prefix=name)
    waiting: deque[Any] = deque()
    try:
        while True:
            for task in islice(tasks, queue - len(waiting)):
                waiting.append(pool.submit(copy_context().run, load, task))
            if not waiting:
                return
            batch = waiting[0].result()
            waiting.popleft()
            if batch is Signal.END:
                return
            yield batch
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        _wait_for_end(f"{name}_")


def _wait_for_end(name: str) -> None:
    """Wait for threads to end; one that hangs in the user's code is not waited for for ever.

    The pool can't be asked: it forgets a thread in whose start an interrupt came.
    """
    until = perf_counter() + PATIENCE_SECONDS
    while any(thread.name.startswith(name) for thread in threading.enumerate()):
        if perf_counter() > until:
            warn_user(
                f"A data source has been making a batch for over {PATIENCE_SECONDS:g} seconds. Its "
                "thread goes on until the batch is made.",
                RuntimeWarning,
            )
            return
        sleep(0.0002)
