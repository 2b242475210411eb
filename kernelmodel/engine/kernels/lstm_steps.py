"""The steps of an LSTM with the usual activations, one and all of them, and back.

A step is hardly more than the overhead of its calls: the twins of one step make one call of each
but the product, the twins of all steps call the product's loop inside of NumPy as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels import loops
from kernelmodel.engine.kernels.polynomials import SOON, tanh
from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.ufunc_loops import product_words

CALLS = 8  # NumPy functions that a twin of a step spares, each of them on few elements


def cell_of(
    z: np.ndarray,
    share: np.ndarray,
    scale: np.ndarray,
    offset: np.ndarray,
    old: np.ndarray,
    new: np.ndarray,
    activated: np.ndarray,
    out: np.ndarray,
) -> None:
    """A step of cells with the usual activations.

    Args:
        z: The inputs' share in the gates (batch, 4 * units); becomes the gates.
        share: The states' share, likewise.
        scale: Like z: what the tanh of a gate is multiplied by.
        offset: Like z: what is added then.
        old: Cell state before the step (batch, units).
        new: Written to: the one after it.
        activated: Written to: its tanh.
        out: Written to: the output.
    """
    units = old.shape[1]
    z += share
    tanh(z)
    z *= scale
    z += offset
    mix(z, old, new, activated)
    tanh(activated)
    np.multiply(z[:, 3 * units :], activated, out=out)


def mix(z: np.ndarray, old: np.ndarray, new: np.ndarray, copy: np.ndarray) -> None:
    """The new cell state, from the gates and the old one, twice."""
    units = old.shape[1]
    np.multiply(z[:, :units], z[:, 2 * units : 3 * units], out=new)
    np.multiply(z[:, units : 2 * units], old, out=copy)
    new += copy
    copy[...] = new


def step_back(
    dz: np.ndarray, dh: np.ndarray, dc: np.ndarray, h_to_c: np.ndarray, gates: np.ndarray
) -> None:
    """The gradients of a step's gates, and of the cell state before it.

    Args:
        dz: Slopes of the gates' shares (batch, 4, units), multiplied by the gradients of c and h.
        dh: Gradient of h after the step (batch, units).
        dc: Gradient of c after the step, written to: that before it.
        h_to_c: The slope of c's share in h, likewise.
        gates: Like dz.
    """
    c = dh * h_to_c
    c += dc
    dz[:, :3] *= c[:, None]
    dz[:, 3] *= dh
    np.multiply(c, gates[:, 1], out=dc)


usual_cell = Twin(cell_of, loops.lstm_cell, minimum=0, patience=SOON)
usual_step_back = Twin(step_back, loops.lstm_step_back, minimum=0)


def steps_one_by_one(cell_step: Any, *arrays: np.ndarray) -> None:
    """All steps by calls of a function for one: `cell_of` or its twin.

    Args:
        cell_step: The function.
        arrays: z (steps, batch, 4 * units), share, scale and offset (batch, 4 * units), the cell
            states c (steps + 1, batch, units) of which the first is given, their tanh (steps,
            batch, units), the outputs h like c, and the recurrent kernel (units, 4 * units).
    """
    z, share, scale, offset, c, cell, h, recurrent = arrays
    for t in range(len(z)):
        np.matmul(h[t], recurrent, out=share)
        cell_step(z[t], share, scale, offset, c[t], c[t + 1], cell[t], h[t + 1])


def plain_steps(*arrays: np.ndarray) -> None:
    """The same by NumPy; the last argument is that of its twin."""
    steps_one_by_one(cell_of, *arrays[:-1])


def usual_steps(*arrays: np.ndarray) -> None:
    """The same in the fastest way that there is by now: the arrays of `steps_one_by_one`."""
    z, share, scale, offset, c, cell, h, recurrent = arrays
    words = product_words(h[0], recurrent, share)
    if words is not None and h.flags.c_contiguous:
        all_steps.choose(*arrays, words, calls=CALLS)(*arrays, words)
    else:
        some = z[0], share, scale, offset, c[0], c[1], cell[0], h[1]
        steps_one_by_one(usual_cell.choose(*some, calls=CALLS * len(z)), *arrays)


def back_one_by_one(
    back: Any,
    dz: np.ndarray,
    dh: np.ndarray,
    dc: np.ndarray,
    h_to_c: np.ndarray,
    gates: np.ndarray,
    later: np.ndarray | None,
    transposed: np.ndarray,
) -> None:
    """All steps back by calls of a function for one: `step_back` or its twin.

    Args:
        back: The function.
        dz: As in `step_back`, with an axis of steps before that of the batch.
        dh: Gradient of the last output; becomes that of the first state.
        dc: Gradient of the last cell state; becomes that of the first one.
        h_to_c: Like dz.
        gates: Like dz.
        later: Gradients of the outputs of all steps, if they have any of their own.
        transposed: The recurrent kernel (4 * units, units).
    """
    for t in reversed(range(len(dz))):
        if later is not None:
            dh += later[t]
        back(dz[t], dh, dc, h_to_c[t], gates[t])
        np.matmul(dz[t].reshape(len(dh), len(transposed)), transposed, out=dh)


def plain_back(
    dz: np.ndarray,
    dh: np.ndarray,
    dc: np.ndarray,
    h_to_c: np.ndarray,
    gates: np.ndarray,
    later: np.ndarray,
    transposed: np.ndarray,
    words: np.ndarray,
    has_later: bool,
) -> None:
    """The same by NumPy, with the arguments of its twin."""
    back_one_by_one(step_back, dz, dh, dc, h_to_c, gates, later if has_later else None, transposed)


def usual_back(*arrays: Any) -> None:
    """The same in the fastest way that there is by now: the arrays of `back_one_by_one`."""
    dz, dh, dc, h_to_c, gates, later, transposed = arrays
    words = product_words(dz[0].reshape(len(dh), len(transposed)), transposed, dh)
    if words is not None and dz.flags.c_contiguous:
        has_later = later is not None
        given = dz, dh, dc, h_to_c, gates, later if has_later else h_to_c, transposed, words
        all_back.choose(*given, has_later, calls=CALLS)(*given, has_later)
    else:
        some = dz[0], dh, dc, h_to_c[0], gates[0]
        back_one_by_one(usual_step_back.choose(*some, calls=CALLS * len(dz)), *arrays)


all_steps = Twin(plain_steps, loops.lstm_steps, minimum=0, patience=SOON)
all_back = Twin(plain_back, loops.lstm_back, minimum=0)
