"""exp and tanh of float32, in NumPy's elementary operations: the same bits in loops of Numba's.

NumPy's own take 3 to 5 ns an element without AVX-512, the loops less than 1, and no other bits come
of them. The polynomials are fitted for the least relative error: 1e-7 for exp, 2e-8 for tanh; with
rounding it is 2e-7 (and that of an argument's last bit) and 4e-7.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from kernelmodel.engine.kernels import polynomial_loops as loops
from kernelmodel.engine.kernels.polynomial_loops import (
    EXP,
    LEAST,
    LIMIT,
    LOG2_E,
    LOG_2,
    ROUND,
    TANH_P,
    TANH_Q,
)
from kernelmodel.engine.numba_support import Twin

# Elements of a piece. Larger ones don't fit into the nearer caches; with smaller ones, threads wait
# for one another: each call of a NumPy function takes the interpreter's lock.
PIECE = 1 << 17


def horner(coefficients: Sequence[float], x: np.ndarray) -> np.ndarray:
    """A polynomial of float32, by Horner's rule; the highest power comes first."""
    first, second, *others = map(np.float32, coefficients)
    y = x * first
    y += second
    for coefficient in others:
        y *= x
        y += coefficient
    return y


def pieces(x: np.ndarray) -> Iterator[slice]:
    """Slices of the first axis with about `PIECE` elements each."""
    rows = max(1, PIECE * len(x) // max(1, x.size))
    return (slice(start, start + rows) for start in range(0, len(x), rows))


def plain_tanh(x: np.ndarray) -> None:
    """x = tanh(x), in place: an array of two axes."""
    for at in pieces(x):
        y = x[at]
        np.maximum(y, np.float32(-LIMIT), out=y)
        np.minimum(y, np.float32(LIMIT), out=y)
        square = y * y
        y *= horner(TANH_P, square)
        y /= horner(TANH_Q, square)
        np.maximum(y, np.float32(-1), out=y)
        np.minimum(y, np.float32(1), out=y)


def plain_exp_of_less(x: np.ndarray, top: np.ndarray) -> None:
    """x = exp(x - top), in place: (n, m) and (n,), which no element of its row exceeds."""
    for at in pieces(x):
        y = x[at]
        y -= top[at, None]
        np.maximum(y, np.float32(LEAST), out=y)
        k = y * np.float32(LOG2_E)
        k += np.float32(ROUND)
        power = k.view(np.int32) << np.int32(23)
        k -= np.float32(ROUND)
        k *= np.float32(LOG_2)
        y -= k
        np.multiply(horner(EXP, y), power.view(np.float32), out=y)


SOON = 1 << 25  # elements after which it pays to compile: NumPy's way is much slower

tanh_twin = Twin(plain_tanh, loops.tanh, minimum=1 << 9, patience=SOON)
exp_of_less = Twin(plain_exp_of_less, loops.exp_of_less, minimum=1 << 9, patience=SOON)


def tanh(x: np.ndarray) -> None:
    """x = tanh(x), in place: an array of two axes, of any floating dtype."""
    if x.dtype == np.float32:
        tanh_twin(x)
    else:
        np.tanh(x, out=x)


def exp_below(x: np.ndarray, top: np.ndarray) -> None:
    """x = exp(x - top), in place.

    Args:
        x: (n, m), of any floating dtype, contiguous.
        top: (n,): no element of a row of x exceeds it.
    """
    if x.dtype == np.float32:
        exp_of_less(x, top)
    else:
        x -= top[:, None]
        np.exp(x, out=x)
