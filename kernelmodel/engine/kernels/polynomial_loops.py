"""exp and tanh of one number of float32 after the other, for Numba: twins of `polynomials`.

Nothing here is called uncompiled, except by the tests. See `kernelmodel.engine.numba_support`.
"""

from __future__ import annotations

import numpy as np

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


def tanh_of(x: np.float32) -> np.float32:
    """tanh(x)."""
    y = np.float32(-LIMIT) if x < np.float32(-LIMIT) else x  # a NaN stays
    y = np.float32(LIMIT) if y > np.float32(LIMIT) else y
    s = y * y
    p = s * np.float32(TANH_P[0]) + np.float32(TANH_P[1])
    p = p * s + np.float32(TANH_P[2])
    p = p * s + np.float32(TANH_P[3])
    p = p * s + np.float32(TANH_P[4])
    q = s * np.float32(TANH_Q[0]) + np.float32(TANH_Q[1])
    q = q * s + np.float32(TANH_Q[2])
    q = q * s + np.float32(TANH_Q[3])
    q = q * s + np.float32(TANH_Q[4])
    y = y * p / q
    y = np.float32(-1) if y < np.float32(-1) else y
    return np.float32(1) if y > np.float32(1) else y


def exp_of(x: np.float32) -> np.float32:
    """exp(x) for x <= 0, or 0 where that is no normal number."""
    y = np.float32(LEAST) if x < np.float32(LEAST) else x  # a NaN stays
    k = y * np.float32(LOG2_E) + np.float32(ROUND)
    power = np.int32(np.float32(k).view(np.int32) << np.int32(23))
    k = k - np.float32(ROUND)
    y = y - k * np.float32(LOG_2)
    p = y * np.float32(EXP[0]) + np.float32(EXP[1])
    p = p * y + np.float32(EXP[2])
    p = p * y + np.float32(EXP[3])
    p = p * y + np.float32(EXP[4])
    p = p * y + np.float32(EXP[5])
    return p * power.view(np.float32)


def tanh(x: np.ndarray) -> None:
    """x = tanh(x), in place: `polynomials.plain_tanh`."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] = tanh_of(x[i, j])


def exp_of_less(x: np.ndarray, top: np.ndarray) -> None:
    """x = exp(x - top), in place: `polynomials.plain_exp_of_less`."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] = exp_of(x[i, j] - top[i])
