"""Random masks: one or two random bytes an element decide whether it is kept."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.philox_loops import philox
from kernelmodel.engine.plan_fusion import Line
from kernelmodel.engine.plan_programs import Group, translates
from kernelmodel.engine.program_memory import NoCommand, Value
from kernelmodel.engine.random import numpy_generator


def plain_random_words(words: np.ndarray, seed: int, counter: int) -> None:
    """Fill an int64 array with the first words of the stream of a state."""
    words[:] = numpy_generator((seed, counter)).bit_generator.random_raw(words.size).view(np.int64)


random_words = Twin(plain_random_words, philox, minimum=1)


class KeepMask:
    """Draws masks.

    Args:
        shape: Their shape.
        rate: The chance of an element to be False: exact if it is a whole number of 256ths, else
            to a 65536th.
    """

    def __init__(self, shape: tuple[int, ...], rate: float) -> None:
        self.shape, self.count = shape, math.prod(shape)
        whole = rate * 256 == int(rate * 256)
        self.part = np.dtype(np.uint8 if whole else np.uint16)
        self.words = -(-self.count * self.part.itemsize // 8)
        self.least = int(np.round(rate * 256**self.part.itemsize))

    def __call__(self, state: np.ndarray) -> np.ndarray:
        words = np.empty(self.words, np.int64)
        random_words(words, int(state[0]), int(state[1]))
        parts = words.view(self.part)[: self.count]
        return (parts >= self.least).reshape(self.shape)


@translates(KeepMask)
def as_command(group: Group, line: Line) -> Value:
    """A mask in a program."""
    mask: Any = line.function
    if sys.byteorder != "little":
        raise NoCommand("parts of words in another order")
    state = group.value(line.args[0])
    return group.assembler.keep(state, mask.shape, mask.words, mask.least, mask.part.itemsize)
