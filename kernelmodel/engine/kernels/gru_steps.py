"""One step of a GRU with the usual activations and the reset gate after the product, and back.

Its parts are few and small, so a step is hardly more than the overhead of NumPy's calls: the twins
make one call of each.
"""

from __future__ import annotations

import numpy as np

from kernelmodel.engine.kernels import loops
from kernelmodel.engine.kernels.polynomials import SOON, tanh
from kernelmodel.engine.numba_support import Twin


def cell_of(
    z: np.ndarray,
    share: np.ndarray,
    bias: np.ndarray,
    before: np.ndarray,
    kept: np.ndarray,
    after: np.ndarray,
) -> None:
    """A step. A sigmoid gate is tanh(z / 2) / 2 + 1 / 2: it comes halved, and so does its share.

    Args:
        z: The inputs' share in update gate, reset gate and candidate (batch, 3 * units); becomes
            their values.
        share: The state's share, without its bias.
        bias: That bias (batch, 3 * units).
        before: State (batch, units).
        kept: Written to: the state's share in the candidate, before the reset gate.
        after: Written to: the next state.
    """
    units = before.shape[1]
    gates, candidate = z[:, : 2 * units], z[:, 2 * units :]
    share += bias
    gates += share[:, : 2 * units]
    tanh(gates)
    gates *= 0.5
    gates += 0.5
    kept[...] = share[:, 2 * units :]
    candidate += gates[:, units:] * kept
    tanh(candidate)
    # update * before + (1 - update) * candidate
    np.subtract(before, candidate, out=after)
    after *= gates[:, :units]
    after += candidate


def step_back(
    dh: np.ndarray,
    z: np.ndarray,
    before: np.ndarray,
    kept: np.ndarray,
    dz: np.ndarray,
    dshare: np.ndarray,
    rest: np.ndarray,
) -> None:
    """The gradients of a step's gates.

    Args:
        dh: Gradient of the state after the step (batch, units).
        z: Gates, as `cell_of` made them.
        before: As given to `cell_of`.
        kept: As `cell_of` made it.
        dz: Written to: the gradient of z.
        dshare: Written to: the gradient of share.
        rest: Written to: the part of dh that goes to the state before the step past all gates.
    """
    units = dh.shape[1]
    update, reset, candidate = (z[:, n * units : (n + 1) * units] for n in range(3))
    d_update, d_reset, d_candidate = (dz[:, n * units : (n + 1) * units] for n in range(3))
    np.multiply(dh, update, out=rest)
    np.subtract(dh, rest, out=d_candidate)
    d_candidate *= 1 - candidate * candidate
    np.subtract(before, candidate, out=d_update)
    d_update *= dh
    d_update *= update * (1 - update)
    np.multiply(d_candidate, kept, out=d_reset)
    d_reset *= reset * (1 - reset)
    dshare[:, : 2 * units] = dz[:, : 2 * units]
    np.multiply(d_candidate, reset, out=dshare[:, 2 * units :])


usual_cell = Twin(cell_of, loops.gru_cell, minimum=0, patience=SOON)
usual_step_back = Twin(step_back, loops.gru_step_back, minimum=0)
