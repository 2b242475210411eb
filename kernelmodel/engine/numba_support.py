"""Twins of NumPy kernels: compiled by Numba in the background, used from when they are ready.

A twin computes the very bits of its NumPy function (data movement and elementwise work, never a
sum in another order). So it makes no difference to a result when the switch happens, and two
runs with one seed agree. Without Numba, or with the environment variable `KERNELMODEL_NUMBA=0`,
the NumPy functions do all the work.
"""

from __future__ import annotations

import atexit
import inspect
import os
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from kernelmodel.engine import memory
from kernelmodel.engine.machine_code import Compiler, file_name, load, read, write
from kernelmodel.engine.plan import plan_of, values

DTYPES = tuple(map(np.dtype, (np.float32, np.float64, np.intp, np.uint8)))
# Elements of calls of a twin after which it is looked for on disk: to load LLVM takes 0.1 s, once.
LOADING, LOADED = 1 << 23, 1 << 20
CALL = 1 << 13  # elements that cost as much as a call of the NumPy function for few of them
IDLE_SECONDS = 5.0  # after which the process that compiles is not kept any longer
Key = tuple[Any, ...]


def enabled() -> bool:
    """Whether twins may be asked for: `KERNELMODEL_NUMBA` is not 0, and there are threads."""
    return os.environ.get("KERNELMODEL_NUMBA", "1") != "0" and sys.platform != "emscripten"


class Background:
    """One thread that gets twins ready, one after the other."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.stopping = False
        self.compiler = Compiler()
        self.thread = threading.Thread(target=self.work, name="kernelmodel-numba", daemon=True)
        self.thread.start()
        # LLVM must not be running when the interpreter goes away.
        atexit.register(self.stop)

    def work(self) -> None:
        """Run jobs until told to stop."""
        while (job := self.next()) is not None:
            if not self.stopping:
                job()
        self.compiler.end()

    def next(self) -> Callable[[], None] | None:
        """The next job, or None to stop; the compiler isn't kept while there is none for long."""
        with_compiler = self.compiler.process is not None
        try:
            return self.queue.get(timeout=IDLE_SECONDS if with_compiler else None)
        except Empty:
            self.compiler.end()
            return self.queue.get()

    def stop(self) -> None:
        """Drop what is waiting, and don't wait for what is being compiled."""
        self.stopping = True
        self.queue.put(None)
        while self.thread.is_alive():
            self.compiler.kill()
            self.thread.join(0.05)


@cache
def background() -> Background:
    """The process's thread for twins, started when first asked for."""
    return Background()


class Twin:
    """A NumPy function with a compiled twin for large arrays.

    Args:
        plain: The NumPy function.
        loops: The same as loops over elements, with the same arguments; returns nothing, uses
            nothing but `np`, and makes no arrays.
        minimum: Elements of the first argument from which the twin is the faster one.
        patience: Elements of such calls after which the twin is compiled, if it isn't on disk:
            that takes seconds of a processor.
        planned: Elements from which it is a line of a plan; for fewer the NumPy function is
            written down, whose calls a program makes at no cost.

    Calling it runs one of the two, and never waits for the compiler.
    """

    def __init__(
        self,
        plain: Callable[..., None],
        loops: Callable[..., None],
        minimum: int,
        patience: int = 1 << 26,
        planned: int = 0,
    ) -> None:
        self.plain, self.loops = plain, loops
        self.minimum, self.patience, self.planned = minimum, patience, planned
        self.ready: dict[Key, Callable[..., None]] = {}
        self.asked: dict[Key, bool] = {}  # and whether it may be compiled
        self.elements = 0

    def __call__(self, first: np.ndarray, *others: Any) -> None:
        if first.size < self.minimum:
            return self.plain(first, *others)
        plan = plan_of((first, *others))
        if plan is not None:
            if not enabled() or first.size < self.planned:
                return self.plain(first, *others)
            key = layout(*values((first, *others)))
            return plan.in_place(PlannedTwin(self, key), (first, *others), {})
        return self.choose(first, *others)(first, *others)

    def choose(self, first: np.ndarray, *others: Any, calls: int = 1) -> Callable[..., None]:
        """The one of the two for arrays like these, which are of the minimum's size at least.

        Args:
            first: An argument of the function.
            others: The other ones.
            calls: How often it will be called; more if it spares many calls of NumPy functions.
        """
        key = layout(first, *others)
        function = self.ready.get(key)
        if function is not None:
            return function
        self.elements += max(CALL, first.size) * calls
        loading = LOADED if "llvmlite" in sys.modules else LOADING
        if self.elements >= min(loading, self.patience) and enabled():
            self.ask(key, self.elements >= self.patience, (first, *others))
        return self.plain

    def ask(self, key: Key, may_compile: bool, arguments: tuple[Any, ...]) -> None:
        """Have the twin for such arguments made ready, unless that was asked for before."""
        if self.asked.get(key, -1) < may_compile:
            self.asked[key] = may_compile
            kinds = [kind_of(argument) for argument in arguments]
            if all(kinds):
                background().queue.put(lambda: self.prepare(key, kinds, may_compile))

    def prepare(self, key: Key, kinds: list[str], may_compile: bool = True) -> None:
        """Load the twin for such arguments, or compile it; if neither works, NumPy's stays."""
        if key in self.ready:
            return
        try:
            function = compiled(self.loops, kinds, background().compiler if may_compile else None)
        except ImportError:
            return
        except Exception as error:  # noqa: BLE001 - of any kind: the result is the same without
            if not background().stopping:
                warnings.warn(
                    f"Numba could not compile {self.loops.__name__} ({error}). NumPy is used "
                    "instead, somewhat slower; KERNELMODEL_NUMBA=0 stops the attempt.",
                    RuntimeWarning,
                    stacklevel=2,
                )
            return
        if function is None:
            return
        plain = self.plain

        def run(*arguments: Any) -> None:
            if function(*arguments):  # an array isn't contiguous
                plain(*arguments)

        self.ready[key] = run


class PlannedTwin:
    """A twin in a plan, where the kinds of its arguments are always the same."""

    def __init__(self, twin: Twin, key: Key) -> None:
        self.twin, self.key = twin, key
        self.ready: Callable[..., None] | None = None

    def __call__(self, *arguments: Any) -> None:
        if self.ready is None:
            self.ready = self.twin.ready.get(self.key)
        function = self.ready or self.twin.choose(*arguments)
        function(*arguments)


def compiled(
    loops: Callable[..., None], kinds: list[str], compiler: Compiler | None
) -> Callable[..., int] | None:
    """Load the machine code of loops, or have it made.

    Args:
        loops: As in `Twin`.
        kinds: As in `compile_loops.machine_code`.
        compiler: Makes what is not on disk.

    Returns:
        What `machine_code.load` returns; None without a compiler and anything on disk.

    Raises:
        ImportError: There is no Numba.
        CannotCompile: Numba doesn't compile such loops.
    """
    source, name = source_of(loops), loops.__name__
    file = file_name(source, name, kinds)
    found = read(file)
    if found is None:
        if compiler is None:
            return None
        found = compiler.compile(source, name, kinds)
        write(file, *found)
    return load(*found, kinds)


def source_of(loops: Callable[..., None]) -> str:
    """The source of a function, after that of the functions and numbers of ours that it uses."""
    found: dict[str, str] = {}

    def add(function: Any) -> None:
        for name in function.__code__.co_names:
            value = function.__globals__.get(name)
            if inspect.isfunction(value):
                if value.__module__ != memory.__name__:
                    add(value)
            elif isinstance(value, (int, float, tuple)):
                found[name] = f"{name} = {value!r}"
        found[function.__name__] = textwrap.dedent(inspect.getsource(function))

    add(loops)
    return "\n".join(found.values())


def layout(*arguments: Any) -> Key:
    """What a compiled function depends on; that arrays are contiguous it finds out itself."""
    return tuple([(a.dtype, a.ndim) if type(a) is np.ndarray else type(a) for a in arguments])


def kind_of(argument: Any) -> str:
    """What `compile_loops.machine_code` calls the argument; empty for those it doesn't know."""
    kind = type(argument)
    if kind is np.ndarray and argument.dtype in DTYPES and argument.ndim:
        return f"{argument.dtype.name} {argument.ndim}"
    if kind in (np.float32, np.float64):
        return kind.__name__
    return {int: "int", bool: "int", tuple: "tuple"}.get(kind, "")
