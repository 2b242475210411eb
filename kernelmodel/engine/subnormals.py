"""Subnormal numbers count as zero while a step runs.

A processor takes a hundred times as long for a number below the smallest normal one (1.2e-38 in
float32), and training makes many: the first moment of a weight without a gradient (of a dead unit,
of a rare word) shrinks by a tenth a step, and then stays at the smallest of them for ever. So
TensorFlow and XLA leave them out, too. The rule is one of the thread that computes; no code outside
of a step, a callback's for example, meets it. Processors of ARM need no such rule.

Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, section 10.2.3
(MXCSR: flush to zero, denormals are zeros).
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

FLAGS = 1 << 15 | 1 << 6
# Where x86-64 Linux keeps MXCSR in a thread's floating point environment of 32 bytes.
WORDS, MXCSR = 8, 7


@cache
def environment() -> tuple[Callable[[Any], int], Callable[[Any], int]] | None:
    """C's `fegetenv` and `fesetenv`, where the place of MXCSR is known; else None."""
    if sys.platform != "linux" or os.uname().machine != "x86_64" or sys.maxsize < 2**32:
        return None
    for dtype in ("float32", "float64"):
        np.finfo(dtype)  # older versions of NumPy find out once, and warn of subnormals of zero
    for name in (None, "libm.so.6"):
        try:
            library = ctypes.CDLL(name)
            return library.fegetenv, library.fesetenv
        except (OSError, AttributeError):
            continue
    return None


def are_zeros() -> bool:
    """Whether subnormal numbers count as zero on this thread."""
    functions = environment()
    if functions is None:
        return False
    words = (ctypes.c_uint32 * WORDS)()
    functions[0](words)
    return words[MXCSR] & FLAGS == FLAGS


def count_as_zeros(yes: bool) -> None:
    """Let subnormal numbers count as zero on this thread, or as what they are."""
    functions = environment()
    if functions is not None:
        get, change = functions
        words = (ctypes.c_uint32 * WORDS)()
        get(words)
        words[MXCSR] = words[MXCSR] | FLAGS if yes else words[MXCSR] & ~FLAGS
        change(words)


class SubnormalsAsZeros:
    """In a `with` block, the thread reads and writes zero in place of a subnormal number.

    The end of a block ends the rule whatever was before, so that one which an interrupt kept from
    ending (between two of its instructions) lasts until the next block's end at most.
    """

    def __enter__(self) -> None:
        count_as_zeros(True)

    def __exit__(self, *_: object) -> None:
        count_as_zeros(False)


def as_caller(job: Callable[[], None]) -> Callable[[], None]:
    """A job for another thread that counts subnormal numbers there as this thread does now."""
    yes = are_zeros()

    def same() -> None:
        count_as_zeros(yes)
        job()

    return same
