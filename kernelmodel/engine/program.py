"""Programs: many small NumPy calls of a plan as one call of machine code."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from kernelmodel.engine import commands as c
from kernelmodel.engine.assembler import Assembler
from kernelmodel.engine.commands import run
from kernelmodel.engine.numba_support import enabled, layout
from kernelmodel.engine.parallel import ONE_THREAD
from kernelmodel.engine.program_memory import Value, aligned, buffers_of, lay_out
from kernelmodel.engine.ufunc_loops import error_flags

MOST_FAILURES = 16  # in a row, after which it isn't tried any more
WORDS = np.empty(0, np.intp)
KEY = layout(WORDS, WORDS, ())


def can_run() -> bool:
    """Whether programs may run here: NumPy's warnings are those that they look out for."""
    return enabled() and error_flags() is not None and np.geterr()["under"] == "ignore"


class Program:
    """Commands that compute some values from others, to the bits of the lines that they stand for.

    Until the machine code that runs them is there, and whenever something is not as it was when
    they were written (a label is out of range, a number too large), the lines run instead: they
    know what to say.

    Args:
        assembler: Has the commands, and the values that the program will be given.
        results: What it returns, each with whether it is a NumPy scalar.
        calls: How many calls of NumPy functions it spares.
        threads: Whether a product in it would be shared out among threads by BLAS.
    """

    plain: Callable[..., list[Any]]  # the lines, as a function

    def __init__(
        self,
        assembler: Assembler,
        results: Sequence[tuple[Value, bool]],
        calls: int,
        threads: bool,
    ) -> None:
        self.calls = calls
        self.results = [(value.shape, value.dtype) for value, _ in results]
        self.scalars = [i for i, (_, scalar) in enumerate(results) if scalar]
        self.block = ONE_THREAD if threads else nullcontext()
        self.lock = threading.Lock()  # of the scratch memory
        self.function: Callable[..., None] | None = None
        self.failures = 0  # since the last time that it did all
        given = [value for _, value in assembler.inputs]
        for slot, (value, _) in enumerate(results, 1 + len(given)):
            value.buffer.slot = slot
        self.memory = aligned(lay_out(assembler.commands))
        for buffer in buffers_of(assembler.commands):
            if buffer.constant is not None:
                begin = buffer.offset
                self.memory[begin : begin + buffer.size] = np.frombuffer(buffer.constant, np.uint8)
        slots = [(self.memory.shape, self.memory.dtype), *((v.shape, v.dtype) for v in given)]
        self.words = words_of(assembler, [*slots, *self.results])
        self.scratch = np.zeros(c.BASES + len(slots) + len(results), np.intp)

    def __call__(self, *inputs: Any) -> list[Any]:
        if self.function is None:
            self.function = run.ready.get(KEY)
            if self.function is None:
                run.choose(self.words, self.scratch, inputs, calls=self.calls)
                return self.plain(*inputs)
        if self.failures < MOST_FAILURES and self.lock.acquire(blocking=False):
            try:  # the lock is taken while another thread is in it
                results = [np.empty(shape, dtype) for shape, dtype in self.results]
                with self.block:
                    self.function(self.words, self.scratch, (self.memory, *inputs, *results))
                done = self.scratch[c.DONE]
            finally:
                self.lock.release()
            if done:
                self.failures = 0
                for i in self.scalars:
                    results[i] = results[i][()]
                return results
            self.failures += 1
        return self.plain(*inputs)


def words_of(assembler: Assembler, slots: Sequence[tuple[tuple[int, ...], Any]]) -> np.ndarray:
    """The list of commands as `run_commands` reads it."""
    clear, test, flags = error_flags() or (0, 0, 0)
    words = [len(slots), len(assembler.commands), id(np.ndarray), clear, test, flags]
    for shape, dtype in slots:
        words += [id(dtype.type), id(dtype), len(shape), *shape]
    for kind, parts in assembler.commands:
        code: list[int] = []
        for part in parts:
            if isinstance(part, tuple):
                buffer, start = part
                code += [buffer.slot or 0, start + (buffer.offset if buffer.slot is None else 0)]
            else:
                code.append(part)
        words += [kind, 2 + len(code), *code]
    return np.array(words, np.intp)
