"""Random words by Philox 4x64-10, for Numba: the stream of NumPy's `Philox`.

Source: Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3*, 2011.
"""

from __future__ import annotations

import numpy as np

from kernelmodel.engine.memory import high, low, plus

SIGNED = 1 << 64  # what is taken off a number whose first bit is set: words have signs here
FACTOR_0, FACTOR_1 = 0xD2E7470EE14C6C93 - SIGNED, 0xCA5A826395121157 - SIGNED
STEP_0, STEP_1 = 0x9E3779B97F4A7C15 - SIGNED, 0xBB67AE8584CAA73B - SIGNED
OURS = 0x6B6D  # the second word of the key: a stream of a seed that is ours


def philox(words: np.ndarray, seed: int, counter: int) -> None:
    """Fill an int64 array with what `random_raw` gives for the key (seed << 32 | counter, OURS)."""
    key = low(seed, 1 << 32) | counter
    for block in range((words.size + 3) // 4):
        a, b, c, d = block + 1, 0, 0, 0
        key_0, key_1 = key, OURS
        for _ in range(10):
            high_0, low_0, high_1, low_1 = (
                high(FACTOR_0, a), low(FACTOR_0, a), high(FACTOR_1, c), low(FACTOR_1, c)
            )  # fmt: skip
            a, b, c, d = high_1 ^ b ^ key_0, low_1, high_0 ^ d ^ key_1, low_0
            key_0, key_1 = plus(key_0, STEP_0), plus(key_1, STEP_1)
        at = 4 * block
        words[at] = a
        if at + 1 < words.size:
            words[at + 1] = b
        if at + 2 < words.size:
            words[at + 2] = c
        if at + 3 < words.size:
            words[at + 3] = d


def kept(words: np.ndarray, least: int, size: int, keep: np.ndarray) -> None:
    """Which of the parts of words, of one or two bytes each, reach a number: 1, else 0."""
    parts, bits = 8 // size, 8 * size
    for i in range(keep.size):
        part = (words[i // parts] >> (i % parts * bits)) & ((1 << bits) - 1)
        keep[i] = part >= least
