"""Where a program's arrays lie."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

ALIGNED = 64  # bytes to whose multiples arrays in scratch memory begin
# A command is its kind and its words; a buffer with bytes from its beginning stands for two words.
Command = tuple[int, list[Any]]


class NoCommand(Exception):
    """No command does that."""


class Buffer:
    """Memory of a program: an argument, a result, or scratch memory while commands use it.

    Args:
        size: Bytes.
        slot: Among the arguments; None for what the program makes.
    """

    def __init__(self, size: int, slot: int | None = None) -> None:
        self.size, self.slot = size, slot
        self.offset = 0
        self.constant: np.ndarray | None = None


@dataclass(frozen=True)
class Value:
    """An array in a buffer.

    Attributes:
        buffer: Where it lies.
        shape: Its shape.
        dtype: Its dtype.
        strides: In bytes.
    """

    buffer: Buffer
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def is_in_order(self) -> bool:
        """Whether its axes follow one another as in a contiguous array, but for repeated ones."""
        steps = [step for size, step in zip(self.shape, self.strides) if size > 1 and step]
        return steps == sorted(steps, reverse=True)

    def whole(self) -> Value:
        """Itself.

        Raises:
            NoCommand: Its elements don't lie one after the other.
        """
        if self.strides != packed(self.shape, self.dtype):
            raise NoCommand("an array that isn't contiguous")
        return self

    def reshape(self, shape: Sequence[int]) -> Value:
        """The same elements in another shape, one of whose sizes may be -1."""
        left = math.prod(size for size in shape if size != -1)
        shape = tuple(self.size // left if size == -1 else size for size in shape)
        return replace(self.whole(), shape=shape, strides=packed(shape, self.dtype))


def packed(shape: Sequence[int], dtype: np.dtype[Any]) -> tuple[int, ...]:
    """Strides of a contiguous array."""
    steps = [dtype.itemsize]
    for size in shape[:0:-1]:
        steps.insert(0, steps[0] * size)
    return tuple(steps[: len(shape)])


def axes_of(values: Iterable[Value], shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Each axis's length and each value's stride along it; axes that can be one are one."""
    axes: list[tuple[int, ...]] = []
    strides = [broadcast_strides(value, shape) for value in values]
    for size, *steps in zip(shape, *strides):
        if size == 1:
            continue
        if axes and all(before == step * size for before, step in zip(axes[-1][1:], steps)):
            axes[-1] = (axes[-1][0] * size, *steps)
        else:
            axes.append((size, *steps))
    return axes or [(1, *[0] * len(strides))]


def broadcast_strides(value: Value, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of a value that is broadcast to a shape."""
    own = [0 if size == 1 else step for size, step in zip(value.shape, value.strides)]
    return (*[0] * (len(shape) - len(own)), *own)


def buffers_of(commands: Sequence[Command]) -> list[Buffer]:
    """All buffers that commands use, in the order of their first use."""
    found: dict[Buffer, None] = {}
    for _, parts in commands:
        found.update(dict.fromkeys(part[0] for part in parts if isinstance(part, tuple)))
    return list(found)


def lay_out(commands: Sequence[Command]) -> int:
    """Give buffers their places in scratch memory, one after the other's last use in the same.

    Returns:
        How many bytes are needed.
    """
    last: dict[Buffer, int] = {}
    for at, (_, parts) in enumerate(commands):
        for part in parts:
            if isinstance(part, tuple):
                last[part[0]] = at
    size = 0
    free: dict[int, list[int]] = {}  # places by their size
    placed: set[Buffer] = set()
    for at, (_, parts) in enumerate(commands):
        used = dict.fromkeys(part[0] for part in parts if isinstance(part, tuple))
        for buffer in used:
            if buffer.slot is None and buffer not in placed:
                placed.add(buffer)
                room = -(-buffer.size // ALIGNED) * ALIGNED
                if buffer.constant is None and free.get(room):
                    buffer.offset = free[room].pop()
                else:
                    buffer.offset, size = size, size + room
        for buffer in used:
            if buffer.slot is None and buffer.constant is None and last[buffer] == at:
                room = -(-buffer.size // ALIGNED) * ALIGNED
                free.setdefault(room, []).append(buffer.offset)
    return size


def aligned(size: int) -> np.ndarray:
    """Bytes that begin at a multiple of `ALIGNED`."""
    memory = np.zeros(size + ALIGNED, np.uint8)
    start = -memory.ctypes.data % ALIGNED
    return memory[start : start + size]
