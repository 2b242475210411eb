"""A whole LSTM sequence as one primitive.

The input's product with its kernel is computed ahead of the steps; a step adds one small product
with the state and a few in-place operations. Backward, all that doesn't depend on later steps is
computed for the whole sequence at once, and the gradients of the weights behind the steps.

Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from kernelmodel.engine import pool
from kernelmodel.engine.kernels import loops
from kernelmodel.engine.kernels.beside_steps import Sums, back_in_time, in_time
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.gates import check_gates, gate, slope, xla_gate
from kernelmodel.engine.kernels.lstm_steps import (
    CALLS,
    cell_of,
    mix,
    usual_back,
    usual_cell,
    usual_step_back,
    usual_steps,
)
from kernelmodel.engine.kernels.sequences import (
    NO_ROWS,
    batch_major,
    in_order,
    inputs_and_ones,
    run_steps,
    sample_slices,
    skipped_rows,
    states,
    time_major,
    with_bias,
)
from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.primitive import fused

Residuals = tuple[np.ndarray, ...]


@forward_kernel
def forward(
    x: np.ndarray,
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias: np.ndarray | None,
    h0: np.ndarray | None,
    c0: np.ndarray | None,
    mask: np.ndarray | None,
    *,
    activation: str | None = "tanh",
    recurrent_activation: str | None = "sigmoid",
    go_backwards: bool = False,
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], Residuals]:
    """Run an LSTM over a sequence.

    Args:
        x: (batch, steps, in).
        kernel: (in, 4 * units): input, forget, cell and output gate.
        recurrent_kernel: (units, 4 * units).
        bias: (4 * units,) or None.
        h0: First output (batch, units), zeros if None.
        c0: First cell state (batch, units), zeros if None.
        mask: (batch, steps), False where a step is skipped: states stay and the output repeats
            the one before.
        activation: Of the cell and its output: a name in `FUSED_GATES`.
        recurrent_activation: Of the three gates.
        go_backwards: Process the last step first; outputs are in the order of processing.

    Returns:
        (sequence (batch, steps, units), last h, last c), and residuals.
    """
    check_gates("lstm", activation, recurrent_activation)
    batch, steps, _ = x.shape
    units = recurrent_kernel.shape[0]
    dtype = x.dtype
    h = states(h0, steps, batch, units, dtype)
    c = states(c0, steps, batch, units, dtype)
    cell = pool.empty((steps, batch, units), dtype)  # activation(c)

    # sigmoid(z) = tanh(z / 2) / 2 + 1 / 2: one tanh does all gates, with the halves of the
    # sigmoid gates put into the weights.
    activations = activation, recurrent_activation
    usual = activations == ("tanh", "sigmoid")
    stretch = np.full(4 * units, 0.5 if usual else 1, dtype)
    stretch[2 * units : 3 * units] = 1
    recurrent = recurrent_kernel * stretch
    inputs = inputs_and_ones(x, go_backwards)
    weights = with_bias(kernel, bias) * stretch
    gates = pool.empty((steps, batch, 4 * units), dtype)

    def project(part: slice) -> None:
        rows = inputs[part.start * batch : part.stop * batch]
        np.matmul(rows, weights, out=gates[part].reshape(len(rows), 4 * units))

    def steps_of(samples: slice) -> Callable[[slice], None]:
        """What computes some steps for some samples."""
        skipped = skipped_rows(mask, samples, go_backwards)
        z_all, h_all, c_all, cell_all = (a[:, samples] for a in (gates, h, c, cell))
        # Whole matrices: NumPy's inner loop over a row that is repeated is short.
        scale = np.tile(stretch, (z_all.shape[1], 1))
        offset = 1 - scale
        share = np.empty(scale.shape, dtype)
        usual_one = usual and dtype == np.float32

        def compute(part: slice) -> None:
            states_of = slice(part.start, part.stop + 1)
            if usual_one and not skipped:
                usual_steps(
                    z_all[part], share, scale, offset, c_all[states_of], cell_all[part],
                    h_all[states_of], recurrent,
                )  # fmt: skip
                return
            step: Any = cell_of if usual else partial(other_cell, activations=activations)
            if usual_one:
                some = z_all[0], share, scale, offset, c_all[0], c_all[1], cell_all[0], h_all[1]
                step = usual_cell.choose(*some, calls=CALLS * steps)
            for t in range(part.start, part.stop):
                np.matmul(h_all[t], recurrent, out=share)
                step(
                    z_all[t], share, scale, offset, c_all[t], c_all[t + 1], cell_all[t],
                    h_all[t + 1],
                )  # fmt: skip
                idle = skipped[t] if skipped else NO_ROWS
                if len(idle):
                    c_all[t + 1][idle], h_all[t + 1][idle] = c_all[t][idle], h_all[t][idle]

        return compute

    if steps:
        work = inputs.size * 4 * units
        in_time(project, steps_of, steps, sample_slices(batch, 4 * units), work)
    return (h[1:].transpose(1, 0, 2), h[-1].copy(), c[-1].copy()), (inputs, gates, h, c, cell)


def other_cell(
    z: np.ndarray,
    share: np.ndarray,
    scale: np.ndarray,
    offset: np.ndarray,
    old: np.ndarray,
    new: np.ndarray,
    activated: np.ndarray,
    out: np.ndarray,
    activations: tuple[str | None, str | None],
) -> None:
    """The same with any activations: of the cell, and of the gates."""
    units = old.shape[1]
    z += share
    gate(z[:, : 2 * units], activations[1])
    gate(z[:, 2 * units : 3 * units], activations[0])
    gate(z[:, 3 * units :], activations[1])
    mix(z, old, new, activated)
    gate(activated, activations[0])
    np.multiply(z[:, 3 * units :], activated, out=out)


def slopes_of(
    gates: np.ndarray,
    before: np.ndarray,
    cell: np.ndarray,
    dz: np.ndarray,
    h_to_c: np.ndarray,
    activation: str | None = "tanh",
    recurrent_activation: str | None = "sigmoid",
) -> None:
    """The slopes of each gate's share in c or h, and of c's share in h.

    Args:
        gates: (steps, batch, 4, units).
        before: Cell states before the steps, (steps, batch, units).
        cell: Activated cell states, likewise.
        dz: Like gates, written to.
        h_to_c: Like cell, written to.
        activation: Of the candidate and the cell state.
        recurrent_activation: Of the three gates.
    """
    i, f, candidate, o = (gates[:, :, n] for n in range(4))
    np.multiply(slope(i, recurrent_activation), candidate, out=dz[:, :, 0])
    np.multiply(slope(f, recurrent_activation), before, out=dz[:, :, 1])
    np.multiply(slope(candidate, activation), i, out=dz[:, :, 2])
    np.multiply(slope(o, recurrent_activation), cell, out=dz[:, :, 3])
    np.multiply(o, slope(cell, activation), out=h_to_c)


usual_slopes = Twin(slopes_of, loops.lstm_slopes, minimum=1 << 12)


@backward_kernel
def backward(
    g: Any,
    out: Any,
    residuals: Residuals,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    activation: str | None = "tanh",
    recurrent_activation: str | None = "sigmoid",
    go_backwards: bool = False,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for x, the weights and the first states."""
    inputs, gates, h, c, cell = residuals
    _, kernel, recurrent_kernel, bias, h0, c0, mask = arrays
    g_sequence, g_h, g_c = g
    steps, batch, units = cell.shape
    dtype = cell.dtype
    outer = None if g_sequence is None else time_major(g_sequence)
    split = gates.reshape(steps, batch, 4, units)
    dz = pool.empty(split.shape, dtype)
    h_to_c = pool.empty(cell.shape, dtype)
    dh0 = np.zeros((batch, units), dtype)
    dc0 = np.zeros((batch, units), dtype)
    if g_h is not None:
        dh0[...] = g_h
    if g_c is not None:
        dc0[...] = g_c

    transposed = np.ascontiguousarray(recurrent_kernel.T)  # BLAS is faster so

    def compute_slopes(part: slice) -> None:
        those = split[part], c[:-1][part], cell[part], dz[part], h_to_c[part]
        if (activation, recurrent_activation) == ("tanh", "sigmoid"):
            usual_slopes(*those)
        else:
            slopes_of(*those, activation, recurrent_activation)

    def steps_of(samples: slice) -> Callable[[slice], None]:
        """What goes back some steps for some samples."""
        skipped = skipped_rows(mask, samples, go_backwards)
        dz_all, slopes, gates_all = (a[:, samples] for a in (dz, h_to_c, split))
        # dh and dc go from step to step, first as the gradients of the last states.
        dh, dc = dh0[samples], dc0[samples]

        def compute(part: slice) -> None:
            if not skipped:
                later = None if outer is None else outer[part, samples]
                usual_back(dz_all[part], dh, dc, slopes[part], gates_all[part], later, transposed)
                return
            some = dz_all[0], dh, dc, slopes[0], gates_all[0]
            back = usual_step_back.choose(*some, calls=CALLS * steps)
            for t in reversed(range(part.start, part.stop)):
                step = dz_all[t]
                if outer is not None:
                    np.add(dh, outer[t, samples], out=dh)
                idle = skipped[t]
                if len(idle):
                    kept_h, kept_c = dh[idle], dc[idle]
                back(step, dh, dc, slopes[t], gates_all[t])
                if len(idle):
                    step[idle], dc[idle] = 0, kept_c
                np.matmul(step.reshape(len(dh), 4 * units), transposed, out=dh)
                if len(idle):
                    dh[idle] = kept_h

        return compute

    run_steps(compute_slopes, steps, 4 * units * batch)
    rows = dz.reshape(steps * batch, 4 * units)
    need_bias = needed[3] and bias is not None
    sums = Sums(rows, {
        "weights": inputs if needed[1] or need_bias else None,
        "recurrent": h[:-1].reshape(steps * batch, units) if needed[2] else None,
    })  # fmt: skip
    dx = pool.empty((steps * batch, len(kernel)), dtype) if needed[0] else None

    def jobs_of(part: slice) -> list[Callable[[], None]]:
        """What can be computed once the steps of a part are done."""
        at = slice(part.start * batch, part.stop * batch)
        jobs = sums.jobs_of(at)
        if dx is not None:
            jobs.append(partial(np.matmul, rows[at], kernel.T, out=dx[at]))
        return jobs

    if steps:
        work = rows.size * (inputs.shape[1] + units)
        back_in_time(steps_of, jobs_of, steps, sample_slices(batch, 4 * units), work)
    dweights = sums.of("weights")
    if dx is not None:
        dx = batch_major(dx.reshape(steps, batch, len(kernel)), go_backwards)
    return (
        dx,
        dweights[:-1] if dweights is not None and needed[1] else None,
        sums.of("recurrent"),
        dweights[-1] if dweights is not None and need_bias else None,
        dh0 if needed[4] and h0 is not None else None,
        dc0 if needed[5] and c0 is not None else None,
        None,
    )


def xla(
    x: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    h0: Any,
    c0: Any,
    mask: Any,
    *,
    activation: str | None = "tanh",
    recurrent_activation: str | None = "sigmoid",
    go_backwards: bool = False,
) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp
    from jax import lax

    zeros = jnp.zeros((x.shape[0], recurrent_kernel.shape[0]), x.dtype)
    z = in_order(x, go_backwards).transpose(1, 0, 2) @ kernel
    z = z if bias is None else z + bias
    keep = jnp.ones(x.shape[:2], bool) if mask is None else in_order(mask, go_backwards) != 0

    def step(state: Any, now: Any) -> Any:
        h, c = state
        z_t, keep_t = now
        i, f, candidate, o = jnp.split(z_t + h @ recurrent_kernel, 4, axis=-1)
        i, f, o = (xla_gate(part, recurrent_activation) for part in (i, f, o))
        c_new = f * c + i * xla_gate(candidate, activation)
        h_new = o * xla_gate(c_new, activation)
        state = jnp.where(keep_t, h_new, h), jnp.where(keep_t, c_new, c)
        return state, state[0]

    start = (zeros if h0 is None else h0, zeros if c0 is None else c0)
    (h, c), sequence = lax.scan(step, start, (z, keep.T[..., None]))
    return sequence.transpose(1, 0, 2), h, c


lstm = fused("lstm", forward, backward, xla)
