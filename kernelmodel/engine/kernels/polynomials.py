"""exp and tanh of float32, in NumPy's elementary operations: the same bits in loops of Numba's.

NumPy's own take 3 to 5 ns an element without AVX-512, the loops less than 1, and no other bits come
of them. The polynomials are fitted for the least relative error: 1e-7 for exp, 2e-8 for tanh; with
rounding it is 2e-7 (and that of an argument's last bit) and 4e-7.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from kernelmodel.engine.kernels import loops
from kernelmodel.engine.numba_support import Twin

# Elements of a piece. Larger ones don't fit into the nearer caches; with smaller ones, threads wait
# for one another: each call of a NumPy function takes the interpreter's lock.
PIECE = 1 << 17

# exp(x) = 2**k * polynomial(x - k * log(2)) for the k nearest to x / log(2).
EXP = (
    0.008312503356254289, 0.04189033460956113, 0.1666711537574057, 0.4999923028013842, 1.0, 1.0,
)  # fmt: skip
LEAST = -88.0  # here k is -127, which makes 0; down to -87.3 exp is a normal number
LOG2_E, LOG_2 = 1.4426950408889634, 0.6931471805599453
# 1.5 * 2**23 and a float's bias: added to a small k, it has the exponent of 2**k in its last bits.
ROUND = 12583039.0
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
