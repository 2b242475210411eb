"""Memory of large arrays, used again: fresh pages cost as much as the arithmetic on them.

An array from here is a view of a block that the pool keeps. As long as that array, a view of it, or
anything that holds one of them is alive, the block has more references than the pool's own. It is
given out again when only that one is left, so nobody has to give anything back.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

SMALLEST = 1 << 16  # bytes; memory of smaller arrays is kept by the C library
LIMIT = 1 << 28  # bytes of blocks that are remembered
EACH = 16  # blocks of one size that are remembered
ALIGNMENT = 64  # bytes: a cache line, and the widest vector


def references(blocks: Sequence[np.ndarray], i: int) -> int:
    """How often a block is referred to, in a number that only compares with `ALONE`."""
    return sys.getrefcount(blocks[i])


ALONE = references([np.empty(0)], 0)
# Without the global interpreter lock, a count says nothing about what other threads hold.
COUNTS_ARE_EXACT = getattr(sys, "_is_gil_enabled", lambda: True)()


class Pool:
    """Blocks of memory by their size.

    Args:
        limit: Bytes of blocks to remember; blocks of the size that was asked for least lately are
            forgotten first. A forgotten block lives as long as its arrays.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit, self.held, self.paused = limit, 0, 0
        self.blocks: dict[int, list[np.ndarray]] = {}  # the size asked for last comes last
        self.offsets: dict[int, int] = {}  # of the first aligned byte, by the block's id
        self.lock = threading.Lock()

    def block(self, size: int) -> tuple[np.ndarray, int]:
        """A block that nobody uses, of so many bytes, and where its first aligned one is."""
        with self.lock:
            blocks = self.blocks.pop(size, [])
            self.blocks[size] = blocks
            for i in range(len(blocks)):
                if references(blocks, i) == ALONE:
                    return blocks[i], self.offsets[id(blocks[i])]
            if len(blocks) == EACH:
                self.forget(size)
            while self.held + size > self.limit:
                other = next(iter(self.blocks))
                if self.blocks[other]:
                    self.forget(other)
                else:
                    del self.blocks[other]
            block = np.empty(size, np.uint8)
            offset = self.offsets[id(block)] = -block.ctypes.data % ALIGNMENT
            blocks.append(block)
            self.blocks[size] = blocks
            self.held += size
            return block, offset

    def forget(self, size: int) -> None:
        """Forget the oldest block of a size."""
        del self.offsets[id(self.blocks[size].pop(0))]
        self.held -= size

    def clear(self) -> None:
        """Forget all blocks."""
        with self.lock:
            self.blocks.clear()
            self.offsets.clear()
            self.held = 0


_pool = Pool()


@contextmanager
def memory_of_their_own() -> Iterator[None]:
    """In a `with` block no block is used again: what is allocated can be measured."""
    _pool.paused += 1
    try:
        yield
    finally:
        _pool.paused -= 1


def empty(shape: int | Sequence[int], dtype: Any) -> np.ndarray:
    """`np.empty` for arrays that a kernel makes and drops in every step.

    Args:
        shape: Extents.
        dtype: Type of the elements.

    Returns:
        A C-contiguous array with any values in it.
    """
    dtype = np.dtype(dtype)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    size = math.prod(shape) * dtype.itemsize
    if not SMALLEST <= size <= LIMIT // 4 or not COUNTS_ARE_EXACT or _pool.paused:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, *_pool.block(size + ALIGNMENT))


def empty_like(array: np.ndarray) -> np.ndarray:
    """Such an array of the shape and dtype of another one."""
    return empty(array.shape, array.dtype)


def zeros(shape: int | Sequence[int], dtype: Any) -> np.ndarray:
    """`np.zeros` in such memory."""
    array = empty(shape, dtype)
    array.fill(0)
    return array
