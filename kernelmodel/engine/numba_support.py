"""Numba twins of NumPy kernels: compiled in the background, used from when they are ready.

A twin computes the very bits of its NumPy function (data movement and elementwise work, never a
sum in another order). So it makes no difference to a result when the switch happens, and two
runs with one seed agree. Without Numba, or with the environment variable `KERNELMODEL_NUMBA=0`,
the NumPy functions do all the work.
"""

from __future__ import annotations

import atexit
import os
import threading
import warnings
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue
from typing import Any

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
Key = tuple[Any, ...]
# A division by zero gives infinity, as in NumPy: the check for an error would keep a loop from
# being turned into one over vectors, which is 10 times as fast.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def enabled() -> bool:
    """Whether twins may be used: `KERNELMODEL_NUMBA` is not 0."""
    return os.environ.get("KERNELMODEL_NUMBA", "1") != "0"


def compiled(loops: Callable[..., None], arguments: tuple[Any, ...]) -> Callable[..., None]:
    """Compile `loops` for arguments of these types, or load it from Numba's cache on disk.

    Args:
        loops: A function of arrays and ints in the subset of Python that Numba compiles.
        arguments: Only their types count.

    Returns:
        The compiled function. Where no cache can be written it is compiled in every process.

    Raises:
        ImportError: There is no Numba.
    """
    import numba

    types = tuple(numba.typeof(argument) for argument in arguments)
    try:
        dispatcher = numba.njit(loops, cache=True, **OPTIONS)
        dispatcher.compile(types)
    except (OSError, RuntimeError):
        # "No locator available", a full disk, a read-only folder: do without the cache.
        dispatcher = numba.njit(loops, **OPTIONS)
        dispatcher.compile(types)
    return dispatcher


class Compiler:
    """One background thread that compiles twins one after the other."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.stopping = False
        self.thread = threading.Thread(target=self.work, name="kernelmodel-numba", daemon=True)
        self.thread.start()
        # LLVM must not be running when the interpreter goes away.
        atexit.register(self.stop)

    def work(self) -> None:
        """Run jobs until told to stop."""
        while (job := self.queue.get()) is not None:
            if not self.stopping:
                job()

    def stop(self) -> None:
        """Drop what is waiting and let the running job end."""
        self.stopping = True
        self.queue.put(None)
        self.thread.join()


@cache
def compiler() -> Compiler:
    """The process's compiler, started when first asked for."""
    return Compiler()


class Twin:
    """A NumPy function with a compiled twin for large arrays.

    Args:
        plain: The NumPy function.
        loops: The same as loops over elements, with the same arguments; returns nothing.
        minimum: Elements of the first argument from which the twin is the faster one.
        patience: Elements of such calls after which the twin is asked for. Loading Numba costs
            about half a second of a processor, which a short run never earns back.

    Calling it runs one of the two, and never waits for the compiler.
    """

    def __init__(
        self,
        plain: Callable[..., None],
        loops: Callable[..., None],
        minimum: int,
        patience: int = 1 << 28,
    ) -> None:
        self.plain, self.loops = plain, loops
        self.minimum, self.patience = minimum, patience
        self.ready: dict[Key, Callable[..., None]] = {}
        self.asked: set[Key] = set()
        self.elements = 0

    def __call__(self, first: np.ndarray, *others: Any) -> None:
        if first.size < self.minimum:
            return self.plain(first, *others)
        self.elements += first.size
        if self.elements < self.patience or not enabled():
            return self.plain(first, *others)
        key = layout(first, *others)
        function = self.ready.get(key)
        if function is not None:
            return function(first, *others)
        if key and key not in self.asked:
            self.asked.add(key)
            samples = tuple(map(sample, (first, *others)))
            compiler().queue.put(lambda: self.prepare(key, samples))
        return self.plain(first, *others)

    def prepare(self, key: Key, arguments: tuple[Any, ...]) -> None:
        """Compile the twin for such arguments; on failure the NumPy function stays."""
        try:
            self.ready[key] = compiled(self.loops, arguments)
        except ImportError:
            return
        except Exception as error:  # noqa: BLE001 - of any kind: the result is the same without
            warnings.warn(
                f"Numba could not compile {self.loops.__name__} ({type(error).__name__}: {error}). "
                "NumPy is used instead, somewhat slower; KERNELMODEL_NUMBA=0 stops the attempt.",
                RuntimeWarning,
                stacklevel=2,
            )


def layout(*arguments: Any) -> Key:
    """What a compiled function depends on; empty for arrays that twins don't take."""
    key: list[Any] = []
    for a in arguments:
        if isinstance(a, np.ndarray):
            flags = a.flags
            if type(a) is not np.ndarray or a.dtype not in FLOATS or not flags.c_contiguous:
                return ()
            key.append((a.dtype.char, a.ndim, flags.writeable))
        else:
            key.append(type(a))
    return tuple(key)


def sample(argument: Any) -> Any:
    """A small value of the argument's type, so that a waiting job keeps no large array alive."""
    if not isinstance(argument, np.ndarray):
        return argument
    small = np.zeros((1,) * argument.ndim, argument.dtype)
    small.flags.writeable = argument.flags.writeable
    return small
