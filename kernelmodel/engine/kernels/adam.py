"""Adam's step for one flat piece of weights, with a twin that makes one pass over memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.adam_loops import step_loops
from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.plan_fusion import Line
from kernelmodel.engine.plan_programs import Group, translates

# Elements of a piece: the half dozen arrays of a step fit into the second level of cache.
PIECE = 1 << 15


def plain_step(
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
    """Write what a step makes of a weight and its two averages: flat arrays of one length.

    Args:
        gradient: Of the weight.
        value: The weight.
        momentum: Average gradient.
        velocity: Average square of the gradient.
        new_value: Written to.
        new_momentum: Written to.
        new_velocity: Written to.
        share_1: How far the average gradient goes towards the new one.
        share_2: How far the average square does.
        rate: Learning rate, corrected for the bias of the averages.
        epsilon: Added to the root.
    """
    scratch = np.empty(min(PIECE, value.size), value.dtype)
    for start in range(0, value.size, PIECE):
        at = slice(start, start + PIECE)
        g, m, v, change = gradient[at], new_momentum[at], new_velocity[at], new_value[at]
        work = scratch[: g.size]
        np.subtract(g, momentum[at], out=m)
        np.multiply(m, share_1, out=m)
        np.add(momentum[at], m, out=m)
        np.multiply(g, g, out=v)
        np.subtract(v, velocity[at], out=v)
        np.multiply(v, share_2, out=v)
        np.add(velocity[at], v, out=v)
        np.sqrt(v, out=work)
        np.add(work, epsilon, out=work)
        np.multiply(m, rate, out=change)
        np.divide(change, work, out=change)
        np.subtract(value[at], change, out=change)


step = Twin(plain_step, step_loops, minimum=1024)


def step_of_any_shape(*arguments: Any) -> None:
    """The same for contiguous arrays of any shape."""
    step(*(array.reshape(-1) for array in arguments[:7]), *arguments[7:])


@translates(step_of_any_shape)
def as_command(group: Group, line: Line) -> None:
    """A step in a program: four arrays, three that are written to, and four numbers."""
    arrays = [group.value(arg) for arg in line.args[:4]]
    targets = [group.target(arg) for arg in line.args[4:7]]
    numbers = [group.operand(arg) for arg in line.args[7:]]
    group.assembler.adam([*arrays, *targets], numbers)
