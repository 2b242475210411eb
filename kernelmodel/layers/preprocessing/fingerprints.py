"""Hash functions of many byte strings at once, with the numbers that TensorFlow's have.

Sources: FarmHash (Pike, 2014), whose `Fingerprint64` TensorFlow uses for fast buckets; SipHash-2-4
(Aumasson and Bernstein, *SipHash: a fast short-input PRF*, 2012) for strong ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

K0, K1, K2 = (np.uint64(k) for k in (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))
CAT = np.uint64(0xC6A4A7935BD1E995)


class Strings:
    """Byte strings in one buffer, read at places that differ from string to string.

    Args:
        strings: The byte strings.
    """

    def __init__(self, strings: Iterable[bytes]) -> None:
        strings = list(strings)
        self.lengths = np.fromiter(map(len, strings), np.int64, len(strings))
        self.starts = np.cumsum(self.lengths) - self.lengths
        self._bytes = np.frombuffer(b"".join(strings) + bytes(16), np.uint8)

    def take(self, which: np.ndarray) -> Strings:
        """Some of the strings."""
        part = object.__new__(Strings)
        part.lengths, part.starts = self.lengths[which], self.starts[which]
        part._bytes = self._bytes
        return part

    @property
    def sizes(self) -> np.ndarray:
        """Their lengths, uint64."""
        return self.lengths.astype(np.uint64)

    def read(self, offset: Any, size: int = 8) -> np.ndarray:
        """Little-endian numbers of some bytes at an offset in each string, uint64."""
        places = (self.starts + offset)[:, None] + np.arange(size)
        raw = np.zeros((len(places), 8), np.uint8)
        raw[:, :size] = self._bytes[places]
        return raw.view("<u8")[:, 0]


def _right(value: np.ndarray, bits: int) -> np.ndarray:
    return (value >> np.uint64(bits)) | (value << np.uint64(64 - bits))


def _left(value: np.ndarray, bits: int) -> np.ndarray:
    return _right(value, 64 - bits)


def _shift_mix(value: np.ndarray) -> np.ndarray:
    return value ^ (value >> np.uint64(47))


def _two(u: np.ndarray, v: np.ndarray, factor: Any) -> np.ndarray:
    a = _shift_mix((u ^ v) * factor)
    return _shift_mix((v ^ a) * factor) * factor


def _to_3(s: Strings) -> np.ndarray:
    first, middle, last = s.read(0, 1), s.read(s.lengths >> 1, 1), s.read(s.lengths - 1, 1)
    y = first + (middle << np.uint64(8))
    z = s.sizes + (last << np.uint64(2))
    return _shift_mix(y * K2 ^ z * K0) * K2


def _to_7(s: Strings) -> np.ndarray:
    factor = K2 + s.sizes * np.uint64(2)
    return _two(s.sizes + (s.read(0, 4) << np.uint64(3)), s.read(s.lengths - 4, 4), factor)


def _to_16(s: Strings) -> np.ndarray:
    factor = K2 + s.sizes * np.uint64(2)
    a, b = s.read(0) + K2, s.read(s.lengths - 8)
    return _two(_right(b, 37) * factor + a, (_right(a, 25) + b) * factor, factor)


def _half(s: Strings, factor: Any, c: Any) -> tuple[np.ndarray, ...]:
    a, b, d = s.read(0) * c, s.read(8), s.read(s.lengths - 16) * K2
    last = s.read(s.lengths - 8) * factor
    y = _right(a + b, 43) + _right(last, 30) + d
    return a, y, a + _right(b + K2, 18) + last


def _to_32(s: Strings) -> np.ndarray:
    factor = K2 + s.sizes * np.uint64(2)
    _, y, z = _half(s, factor, K1)
    return _two(y, z, factor)


def _to_64(s: Strings) -> np.ndarray:
    factor = K2 + s.sizes * np.uint64(2)
    a, y, z = _half(s, factor, K2)
    z = _two(y, z, factor)
    e, f = s.read(16) * factor, s.read(24)
    g = (y + s.read(s.lengths - 32)) * factor
    h = (z + s.read(s.lengths - 24)) * factor
    return _two(_right(e + f, 43) + _right(g, 30) + h, e + _right(f + a, 18) + g, factor)


def _weak(s: Strings, at: Any, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    w, x, y, z = (s.read(at + step) for step in (0, 8, 16, 24))
    a = a + w
    b = _right(b + a + z, 21)
    c = a
    a = a + x + y
    b = b + _right(a, 44)
    return a + z, b + c


def _round(s: Strings, at: Any, state: Any, factor: Any, nine: Any) -> Any:
    """64 bytes go into the state."""
    x, y, z, v, w = state
    x = _right(x + y + v[0] + s.read(at + 8), 37) * factor
    y = _right(y + v[1] + s.read(at + 48), 42) * factor
    x = x ^ (w[1] * nine)
    y = y + v[0] * nine + s.read(at + 40)
    z = _right(z + w[0], 33) * factor
    v = _weak(s, at, v[1] * factor, x + w[0])
    w = _weak(s, at + 32, z + w[1], y + s.read(at + 16))
    return z, y, x, v, w


def _long(s: Strings) -> np.ndarray:
    zero = np.zeros(len(s.lengths), np.uint64)
    y = zero + np.uint64(81) * K1 + np.uint64(113)
    z = _shift_mix(y * K2 + np.uint64(113)) * K2
    state = ((zero + np.uint64(81)) * K2 + s.read(0), y, z, (zero, zero), (zero, zero))
    blocks, rest = (s.lengths - 1) // 64, ((s.lengths - 1) & 63).astype(np.uint64)
    one = np.uint64(1)
    for block in range(int(blocks.max())):
        more = blocks > block
        new = _round(s, np.where(more, block * 64, 0), state, K1, one)
        state = _chosen(more, new, state)
    x, y, z, v, w = state
    factor = K1 + ((z & np.uint64(0xFF)) << one)
    first = w[0] + rest
    v = (v[0] + first, v[1])
    w = (first + v[0], w[1])
    x, y, z, v, w = _round(s, s.lengths - 64, (x, y, z, v, w), factor, np.uint64(9))
    return _two(
        _two(v[0], w[0], factor) + _shift_mix(y) * K0 + z, _two(v[1], w[1], factor) + x, factor
    )


def _chosen(which: np.ndarray, new: Any, old: Any) -> Any:
    if isinstance(new, tuple):
        return tuple(_chosen(which, a, b) for a, b in zip(new, old))
    return np.where(which, new, old)


# The functions for strings of up to so many bytes.
_BY_LENGTH: list[tuple[float, Any]] = [
    (3, _to_3), (7, _to_7), (16, _to_16), (32, _to_32), (64, _to_64), (float("inf"), _long),
]  # fmt: skip


def fingerprint64(strings: Iterable[bytes]) -> np.ndarray:
    """FarmHash's 64-bit fingerprints of byte strings, uint64.

    Examples:
        >>> fingerprint64([b"", b"abc"]).tolist()
        [11160318154034397263, 2640714258260161385]
    """
    every = Strings(strings)
    result = np.full(len(every.lengths), K2)
    least = 1.0
    with np.errstate(over="ignore"):
        for most, function in _BY_LENGTH:
            which = np.flatnonzero((every.lengths >= least) & (every.lengths <= most))
            if which.size:
                result[which] = function(every.take(which))
            least = most + 1
    return result


def fingerprint_cat64(one: Any, two: np.ndarray) -> np.ndarray:
    """One fingerprint of two, uint64."""
    with np.errstate(over="ignore"):
        result = (one ^ CAT) ^ (_shift_mix(two * CAT) * CAT)
        return _shift_mix(_shift_mix(result * CAT) * CAT)


def siphash24(strings: Iterable[bytes], key: Sequence[int]) -> np.ndarray:
    """SipHash-2-4 of byte strings under a key of two 64-bit words, uint64."""
    strings = list(strings)
    s = Strings([*(part + bytes(8) for part in strings)])
    lengths = s.lengths - 8
    k0, k1 = (np.uint64(word % 2**64) for word in key)
    zero = np.zeros(len(lengths), np.uint64)
    v: Any = tuple(
        zero + (k ^ np.uint64(word))
        for k, word in (
            (k0, 0x736F6D6570736575), (k1, 0x646F72616E646F6D),
            (k0, 0x6C7967656E657261), (k1, 0x7465646279746573),
        )
    )  # fmt: skip
    blocks = lengths // 8
    with np.errstate(over="ignore"):
        for block in range(int(blocks.max(initial=-1)) + 1):
            inside, last = block < blocks, block == blocks
            word = s.read(np.minimum(block, blocks) * 8)
            word = np.where(last, word | (lengths.astype(np.uint64) << np.uint64(56)), word)
            v = _chosen(inside | last, _compress(v, word), v)
        v = (v[0], v[1], v[2] ^ np.uint64(0xFF), v[3])
        for _ in range(4):
            v = _sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _compress(v: Any, word: np.ndarray) -> Any:
    v = (v[0], v[1], v[2], v[3] ^ word)
    v = _sip_round(_sip_round(v))
    return v[0] ^ word, v[1], v[2], v[3]


def _sip_round(v: Any) -> Any:
    v0, v1, v2, v3 = v
    v0 = v0 + v1
    v1 = _left(v1, 13) ^ v0
    v0 = _left(v0, 32)
    v2 = v2 + v3
    v3 = _left(v3, 16) ^ v2
    v0 = v0 + v3
    v3 = _left(v3, 21) ^ v0
    v2 = v2 + v1
    v1 = _left(v1, 17) ^ v2
    return v0, v1, _left(v2, 32), v3
