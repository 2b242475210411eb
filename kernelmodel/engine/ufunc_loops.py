"""The loops over elements that are inside of NumPy's functions, by their addresses.

A function such as `np.add` looks at its arguments for a microsecond, then calls a C function: its
loop for their dtypes. Who knows shapes and dtypes beforehand can call that at once, to the same
bits.

Source: "Python Types and C-Structures" in NumPy's reference, `PyUFuncObject` and
`PyUFuncGenericFunction`.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

import numpy as np

HEAD = object.__basicsize__  # of what all objects begin with
# Which of a processor's floating point errors NumPy warns of, by the C library's numbers:
# invalid, division by zero, overflow.
X86, ARM = 1 | 4 | 8, 1 | 2 | 4
ERRORS = {"x86_64": X86, "aarch64": ARM, "arm64": ARM}


class NoLoop(Exception):
    """A NumPy function has no such loop, or not where it is expected."""


@cache
def loop_of(function: np.ufunc, kinds: str) -> tuple[int, int]:
    """The addresses of a loop and of what it is to be given as its data.

    Args:
        function: Such as `np.add`.
        kinds: As in the function's `types`, for example "ff->f".

    Raises:
        NoLoop: There is none.
    """
    if kinds not in function.types:
        raise NoLoop(f"numpy.{function.__name__} has no loop {kinds}")
    head = (ctypes.c_int * 3).from_address(id(function) + HEAD)
    if tuple(head) != (function.nin, function.nout, function.nargs):
        raise NoLoop("this NumPy has functions of another structure")
    after = id(function) + HEAD + 4 * ctypes.sizeof(ctypes.c_int)
    loops, data = (ctypes.c_ssize_t * 2).from_address(after)
    at, table = function.types.index(kinds), ctypes.c_ssize_t * function.ntypes
    return table.from_address(loops)[at], table.from_address(data)[at]


@cache
def error_flags() -> tuple[int, int, int] | None:
    """C's functions `feclearexcept` and `fetestexcept` by address, and the flags for them.

    None where they are not known.
    """
    if sys.platform not in ("linux", "darwin") or os.uname().machine not in ERRORS:
        return None
    flags = ERRORS[os.uname().machine]
    for name in (None, "libm.so.6"):
        try:
            library = ctypes.CDLL(name)
            found = [library.feclearexcept, library.fetestexcept]
        except (OSError, AttributeError):
            continue
        clear, test = (ctypes.cast(one, ctypes.c_void_p).value or 0 for one in found)
        return clear, test, flags
    return None


def product_words(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> np.ndarray | None:
    """What a call of the loop of `np.matmul(a, b, out=out)` needs: for matrices of one dtype.

    Returns:
        The loop and its data, room for the addresses of the three matrices, sizes and strides;
        None if this NumPy has no such loop where it is expected.
    """
    try:
        loop = loop_of(np.matmul, f"{a.dtype.char}{b.dtype.char}->{out.dtype.char}")
    except NoLoop:
        return None
    words = [*loop, 0, 0, 0, 1, *a.shape, b.shape[1], 0, 0, 0, *a.strides, *b.strides, *out.strides]
    return np.array(words, np.intp)
