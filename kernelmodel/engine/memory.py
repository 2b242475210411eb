"""Memory and C functions by their addresses: what loops need that don't get arrays.

In machine code these functions are a few instructions each (see `compiled_memory`); here they are
slow, and for tests.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

Word = ctypes.c_ssize_t
Loop = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)
Flags = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)


def word(address: int) -> int:
    """The word of memory at an address."""
    return Word.from_address(int(address)).value


def call_loop(function: int, operands: int, sizes: int, strides: int, data: int) -> None:
    """Call the loop of a NumPy function: all arguments are addresses."""
    Loop(int(function))(int(operands), int(sizes), int(strides), int(data))


def call_flags(function: int, flags: int) -> int:
    """Call a C function that takes and returns an int."""
    return Flags(int(function))(int(flags))


def plus(a: int, b: int) -> int:
    """The sum of two words, without what doesn't fit into one."""
    return Word(int(a) + int(b)).value


def low(a: int, b: int) -> int:
    """The lower word of the product of two words."""
    return Word(int(a) * int(b)).value


def high(a: int, b: int) -> int:
    """The upper word of the product of two words that count as unsigned."""
    bits = 8 * ctypes.sizeof(Word)
    return Word((int(a) % (1 << bits)) * (int(b) % (1 << bits)) >> bits).value


def octets(address: int, count: int) -> np.ndarray:
    """Memory as uint8."""
    return array(address, count, ctypes.c_uint8)


def ints(address: int, count: int) -> np.ndarray:
    """Memory as int32."""
    return array(address, count, ctypes.c_int32)


def longs(address: int, count: int) -> np.ndarray:
    """Memory as int64."""
    return array(address, count, ctypes.c_int64)


def floats(address: int, count: int) -> np.ndarray:
    """Memory as float32."""
    return array(address, count, ctypes.c_float)


def doubles(address: int, count: int) -> np.ndarray:
    """Memory as float64."""
    return array(address, count, ctypes.c_double)


def array(address: int, count: int, kind: Any) -> np.ndarray:
    """Memory as an array of one axis."""
    return np.ctypeslib.as_array((kind * int(count)).from_address(int(address)))
