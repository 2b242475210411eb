"""Work shared out among threads: NumPy lets go of the interpreter lock while it computes.

A kernel cuts its work into tasks that write to separate places and calls `run`. While that lasts
the BLAS under NumPy computes with one thread for each caller, as if every task were alone. How
the work is cut doesn't depend on the number of threads, so neither does a result; only large matrix
products (`kernels.product`) are cut for as many threads as there are.
"""

from __future__ import annotations

import contextvars
import ctypes
import os
import threading
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from kernelmodel.engine.subnormals import as_caller

Body = Callable[[int], None]


class Blas:
    """How many threads the BLAS under NumPy uses for one product.

    Args:
        get: Returns the number.
        set: Changes it.
    """

    def __init__(self, get: Callable[[], int], set: Callable[[int], Any]) -> None:
        self.get, self.set = get, set


@cache
def blas() -> Blas | None:
    """NumPy's BLAS, if it is an OpenBLAS; None for others, which then share out work themselves."""
    extension = Path(import_module("numpy._core._multiarray_umath").__file__ or "")
    # A lookup in NumPy's extension also finds what it was linked with, except on Windows.
    wheels = sorted((Path(np.__file__).parents[1] / "numpy.libs").glob("*openblas*"))
    for path in (extension, *wheels):
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for before, after in (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")):
            get = getattr(library, f"{before}openblas_get_num_threads{after}", None)
            change = getattr(library, f"{before}openblas_set_num_threads{after}", None)
            if get is not None and change is not None:
                return Blas(get, change)
    return None


def processors() -> int:
    """How many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class OneThread:
    """In a `with` block the BLAS under NumPy computes with one thread for each caller.

    Blocks may lie within one another or be those of several threads: the last one to end sets the
    number of threads back.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.blocks = self.before = 0

    def __enter__(self) -> None:
        library = blas()
        if library is not None:
            with self.lock:
                self.blocks += 1
                if self.blocks == 1:
                    self.before = library.get()
                    library.set(1)

    def __exit__(self, *_: object) -> None:
        library = blas()
        if library is not None:
            with self.lock:
                self.blocks -= 1
                if self.blocks == 0:
                    library.set(self.before)

    def threads(self) -> int:
        """How many threads there are to share work out to: those of BLAS outside of all blocks."""
        library = blas()
        if library is None:
            return 1
        return min(self.before if self.blocks else library.get(), processors())


class Job:
    """Tasks that several threads take one by one.

    Nobody waits for a thread that has taken none: on a busy machine it may wake up late.
    """

    def __init__(self, body: Body, tasks: int) -> None:
        self.body: Body | None = body
        self.left, self.running = tasks, 0
        self.lock = threading.Lock()
        self.news: SimpleQueue[None] = SimpleQueue()
        self.error: BaseException | None = None

    def work(self) -> None:
        """Do tasks until there are none; an error ends the whole job."""
        while (task := self.take()) >= 0:
            try:
                self.body(task)  # type: ignore[misc]
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that asked
                self.end(error)
            finally:
                self.finish()

    def take(self) -> int:
        """The number of a task, or -1 if none is left."""
        with self.lock:
            if not self.left:
                return -1
            self.left -= 1
            self.running += 1
            return self.left

    def finish(self) -> None:
        """Note that a task has ended."""
        with self.lock:
            self.running -= 1
        if self.is_over:
            self.news.put(None)

    def end(self, error: BaseException) -> None:
        """Start no more tasks."""
        with self.lock:
            self.left = 0
            self.error = self.error or error

    @property
    def is_over(self) -> bool:
        """Whether no task is left and none is running."""
        with self.lock:
            return not self.left and not self.running

    def wait(self) -> None:
        """Wait for tasks of other threads; then let go of all that the tasks worked on.

        Raises:
            BaseException: What a task raised.
        """
        while not self.is_over:
            try:
                self.news.get()
            except KeyboardInterrupt as interrupt:  # not before the others stop writing
                self.end(interrupt)
        self.body = None
        error, self.error = self.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback holds this frame


class Team:
    """Threads that wait for jobs, and the one job that they work on at a time."""

    def __init__(self) -> None:
        self.busy = threading.Lock()
        self.jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.members = 0

    def grow(self, members: int) -> None:
        """Have so many threads at least."""
        while self.members < members:
            name = f"kernelmodel-{self.members}"
            threading.Thread(target=self.serve, name=name, daemon=True).start()
            self.members += 1

    def serve(self) -> None:
        """What each thread does for ever."""
        while True:
            self.jobs.get()()

    def run(self, body: Body, tasks: int, helpers: int) -> None:
        """Do all tasks on the calling thread and so many others."""
        if helpers < 1:
            in_turn(body, tasks)
            return
        self.grow(helpers)
        job = Job(body, tasks)
        work = as_caller(job.work)
        for _ in range(helpers):
            # In the caller's context: NumPy's errstate is part of it.
            self.jobs.put(partial(contextvars.copy_context().run, work))
        try:
            job.work()
        finally:
            job.wait()


_team = Team()
ONE_THREAD = OneThread()


def _forget_threads() -> None:
    """In a forked child: the parent's threads aren't there."""
    global _team
    _team = Team()
    ONE_THREAD.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


def in_turn(body: Body, tasks: int) -> None:
    """Do all tasks on this thread, in the order in which several threads begin them."""
    for task in reversed(range(tasks)):
        body(task)


def run(body: Body, tasks: int) -> None:
    """Call `body(tasks - 1)` ... `body(0)`, each once, on several threads if that can help.

    Args:
        body: Does one task, and writes where no other task reads or writes. Its time should be
            tens of microseconds or more, nearly all of it in NumPy.
        tasks: How many there are.

    Raises:
        BaseException: What a task raised; tasks that hadn't started are left out.

    Even a single task has that single-threaded BLAS, which small products are faster with. Calls
    from inside a task, and from a second thread at the same time, run on the calling thread.
    The number of threads is that of NumPy's BLAS (OMP_NUM_THREADS, OPENBLAS_NUM_THREADS and
    threadpoolctl set it), at most the number of processors that the process may use.
    """
    team = _team
    if blas() is None or not team.busy.acquire(blocking=False):
        in_turn(body, tasks)
        return
    try:
        with ONE_THREAD:
            team.run(body, tasks, min(tasks, ONE_THREAD.threads()) - 1 if tasks > 1 else 0)
    finally:
        team.busy.release()


def width() -> int:
    """How many threads `run` would use now."""
    return 1 if _team.busy.locked() else ONE_THREAD.threads()


def even_slices(length: int, count: int) -> list[slice]:
    """`range(length)` cut into slices that differ by one at most: `count`, or fewer if short."""
    count = max(1, min(count, length))
    ends = [length * i // count for i in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(ends)]
