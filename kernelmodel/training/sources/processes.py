"""Loading in processes: each holds a copy of the data source and answers over a pipe."""

from __future__ import annotations

import pickle
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import numpy as np

from kernelmodel.engine.random import fresh_seed, reset_global_seed

_THREADS = "Pass use_multiprocessing=False to load in threads instead."


class WorkerTraceback(Exception):
    """Where in a worker process an error came up; the cause of the error that a user sees."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


class Processes:
    """Processes that compute a function; call it from as many threads as there are processes.

    On Linux they are forks, so what a notebook defines works in them. Each task starts Python's,
    NumPy's and kernelmodel's random numbers anew, from the task's own seed: two workers never draw
    the same augmentation, and after `set_random_seed` a second run draws what the first one drew.

    Args:
        function: Computes the result for a task.
        count: Number of processes.
        start_method: How processes start; None for the best one here.

    Raises:
        ValueError: The function can't be sent to a process.
    """

    def __init__(
        self, function: Callable[[Any], Any], count: int, start_method: str | None = None
    ) -> None:
        import multiprocessing  # takes as long to import as all of this package's data handling

        if start_method is None and sys.platform == "linux":
            start_method = "fork"
        context: Any = multiprocessing.get_context(start_method)
        forks = context.get_start_method() == "fork"
        self._idle: SimpleQueue[int] = SimpleQueue()
        self._processes: list[Any] = []
        self._pipes: list[Any] = []
        seed = fresh_seed()
        for number in range(count):
            ours, theirs = context.Pipe()
            # A fork inherits our ends of the pipes; open there, they would hide our end here.
            inherited = [*self._pipes, ours] if forks else []
            process = context.Process(
                target=_serve, args=(theirs, inherited, function, seed), daemon=True,
                name=f"kernelmodel-data-{number}",
            )  # fmt: skip
            self._pipes.append(ours)
            try:
                process.start()
            except (TypeError, AttributeError, pickle.PicklingError) as error:
                self.close()
                raise ValueError(
                    f"The data source can't be sent to a worker process ({error}). {_THREADS}"
                ) from error
            finally:
                theirs.close()
            self._processes.append(process)
            self._idle.put(number)

    def __call__(self, task: Any) -> Any:
        """The result for a task.

        Raises:
            Exception: What the function raised, with its traceback as the cause.
            RuntimeError: The process died.
        """
        number = self._idle.get()
        pipe = self._pipes[number]
        try:
            pipe.send(task)
            result, error, trace = pipe.recv()
        except (EOFError, OSError):
            process = self._processes[number]
            process.join(1)
            raise RuntimeError(
                f"A data worker process died (exit code {process.exitcode}) while loading batch "
                f"{task}: out of memory, or its class is defined where a new process can't import "
                f"it. {_THREADS}"
            ) from None
        finally:
            self._idle.put(number)
        if error is not None:
            raise error from WorkerTraceback(trace)
        return result

    def close(self) -> None:
        """End the processes, whatever they do."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()
            # `join` returns early where another thread, such as one that starts a process, waits
            # for the same one: the end is known a moment later.
            waited_until = time.monotonic() + 1
            while process.exitcode is None and time.monotonic() < waited_until:
                time.sleep(0.001)
            if process.exitcode is not None:
                process.close()
        for pipe in self._pipes:
            pipe.close()
        self._processes = []


def _serve(pipe: Any, inherited: list[Any], function: Callable[[Any], Any], seed: int) -> None:
    """What a worker process does: answer tasks until the pipe closes."""
    import traceback

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whatever handler a fork inherits
    for other in inherited:
        other.close()
    count = 0
    with suppress(EOFError, BrokenPipeError):
        while True:
            task = pipe.recv()
            _start_random(seed, count if task is None else task)
            count += 1
            try:
                answer = (function(task), None, "")
                message = pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
            except Exception as error:  # noqa: BLE001 - it is raised in the parent
                message = _as_message(error, traceback.format_exc())
            pipe.send_bytes(message)


def _start_random(seed: int, task: int) -> None:
    own = (seed + task) % 2**32
    random.seed(own)
    np.random.seed(own)
    reset_global_seed(own)


def _as_message(error: Exception, trace: str) -> bytes:
    """An answer with an error, or with its text if the error itself can't be sent."""
    try:
        message = pickle.dumps((None, error, trace))
        pickle.loads(message)
    except Exception:  # noqa: BLE001 - an error of any class, with any arguments
        message = pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}"), trace))
    return message
