"""exp and tanh of float32, in NumPy's elementary operations: the same bits in loops of Numba's.

NumPy's own take 3 to 5 ns an element without AVX-512, the loops less than 1, and no other bits come
of them. The polynomials are fitted for the least relative error: 3e-9 for exp, 2e-8 for tanh;
rounding makes that 1e-7 and 3e-7.

Source: the reduction of exp's argument by two parts of log(2) is that of Cody and Waite, *Software
Manual for the Elementary Functions*, 1980.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from kernelmodel.engine.kernels import loops
from kernelmodel.engine.numba_support import Twin

PIECE = 1 << 13  # elements: half a dozen arrays of them stay in the first or second level of cache

# exp(x) = 2**k * polynomial(x - k * log(2)) for the k nearest to x / log(2).
EXP = (
    0.0013814475824891529, 0.008368750897812492, 0.041668392114831865, 0.16666520336718693,
    0.49999993425572975, 1.0, 1.0,
)  # fmt: skip
LEAST = -87.3  # exp is a normal number from here on
LOG2_E, LOG_2, LOG_2_REST = 1.4426950408889634, 0.693359375, -2.1219444005469057e-4
ROUND = 12582912.0  # 1.5 * 2**23: a small number added to it is rounded to an integer
# tanh(x) = x * P(x**2) / Q(x**2) up to LIMIT, where it is 1.
LIMIT = 9.1
TANH_P = (
    1.3174616142218335e-08, 2.0479116073372527e-05, 0.003487688802034212, 0.13374374312282172,
    0.9999999776039717,
)  # fmt: skip
TANH_Q = (
    7.70286078720394e-07, 0.0003272717213272783, 0.025846929394548603, 0.467076882617908, 1.0,
)  # fmt: skip


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
        vanishes = y < np.float32(LEAST)
        np.maximum(y, np.float32(LEAST), out=y)
        k = y * np.float32(LOG2_E)
        k += np.float32(ROUND)
        power = k.view(np.int32) + np.int32(127)
        power <<= np.int32(23)
        k -= np.float32(ROUND)
        y -= k * np.float32(LOG_2)
        k *= np.float32(LOG_2_REST)
        y -= k
        np.multiply(horner(EXP, y), power.view(np.float32), out=y)
        y[vanishes] = 0


tanh_twin = Twin(plain_tanh, loops.tanh, minimum=1 << 9)
exp_of_less = Twin(plain_exp_of_less, loops.exp_of_less, minimum=1 << 9)


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
