"""Jobs that other threads do beside a computation that goes step by step.

The one thread that computes adds jobs as they become possible, and waits for those that it needs
the results of. It does jobs itself while it waits, so that all goes well on one thread, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from kernelmodel.engine import parallel

MOST = 4  # threads: the one that computes can't feed more


class Jobs:
    """What is to be done beside, in the order in which it was added."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def add(self, job: Callable[[], None]) -> threading.Event:
        """Have a job done; the event is set when that is over, even if it failed."""
        over = threading.Event()

        def do() -> None:
            try:
                job()
            finally:
                over.set()

        self._queue.put(do)
        return over

    def wait(self, over: threading.Event) -> None:
        """Wait until a job is over, and do jobs meanwhile."""
        while not over.is_set() and self.help():
            pass
        over.wait()

    def help(self) -> bool:
        """Do the next job, if there is one."""
        try:
            job = self._queue.get_nowait()
        except Empty:
            return False
        if job is not None:
            job()
        return job is not None

    def serve(self) -> None:
        """Do jobs until there will be no more."""
        while (job := self._queue.get()) is not None:
            job()

    def end(self, threads: int) -> None:
        """Let so many threads that serve end when all jobs are done."""
        for _ in range(threads):
            self._queue.put(None)


def beside(compute: Callable[[Jobs], None]) -> None:
    """Compute on one thread, and do the jobs that it adds on others, too; then all are done.

    Raises:
        BaseException: What the computation or a job raised.
    """
    jobs, threads = Jobs(), min(parallel.width(), MOST)

    def body(task: int) -> None:
        if task < threads - 1:  # the last one is the first that is begun
            jobs.serve()
            return
        try:
            compute(jobs)
            while jobs.help():
                pass
        finally:
            jobs.end(threads - 1)

    parallel.run(body, threads)
