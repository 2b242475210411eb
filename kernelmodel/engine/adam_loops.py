"""Adam's step as a loop over elements, for Numba."""

from __future__ import annotations

import numpy as np


def step_loops(
    gradient: np.ndarray,
    value: np.ndarray,
    momentum: np.ndarray,
    velocity: np.ndarray,
    new_value: np.ndarray,
    new_momentum: np.ndarray,
    new_velocity: np.ndarray,
    share_1: np.floating,
    share_2: np.floating,
    rate: np.floating,
    epsilon: np.floating,
) -> None:
    """`plain_step` of `kernels.adam` for one element after the other."""
    for i in range(value.size):
        g, m, v = gradient[i], momentum[i], velocity[i]
        m = m + (g - m) * share_1
        v = v + (g * g - v) * share_2
        new_momentum[i] = m
        new_velocity[i] = v
        new_value[i] = value[i] - m * rate / (np.sqrt(v) + epsilon)
