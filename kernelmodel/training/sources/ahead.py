"""Loading ahead: slow batches are made on other threads while the model trains."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextvars import copy_context
from enum import Enum
from itertools import islice
from time import perf_counter
from typing import Any

# Handing a batch from thread to thread costs about 0.05 ms, so it pays for slower ones only.
SLOW_SECONDS = 0.001
PATIENCE_SECONDS = 5.0


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

    pool = ThreadPoolExecutor(max(workers, 1), thread_name_prefix="kernelmodel-data")
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
        _shut_down(pool, waiting)


def _shut_down(pool: Any, waiting: Iterable[Any]) -> None:
    """End the threads; one that hangs in the user's code is not waited for for ever."""
    from concurrent.futures import wait

    pool.shutdown(wait=False, cancel_futures=True)
    late = wait([one for one in waiting if not one.cancelled()], PATIENCE_SECONDS).not_done
    if late:
        warnings.warn(
            f"A data source has been making a batch for over {PATIENCE_SECONDS:g} seconds. Its "
            "thread goes on until the batch is made.",
            RuntimeWarning,
            stacklevel=2,
        )
    else:
        pool.shutdown(wait=True)
