"""A whole LSTM sequence as one primitive.

The input's product with its kernel is one matrix product over all steps; a step adds one small
product with the state and a few in-place operations. Backward, all that doesn't depend on later
steps is computed for the whole sequence at once, and so are the gradients of the weights.

Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.gates import check_gates, gate, slope, xla_gate
from kernelmodel.engine.kernels.rows import apply_row, column_sums
from kernelmodel.engine.primitive import fused

NO_ROWS = np.empty(0, np.intp)
Residuals = tuple[np.ndarray, ...]


def in_order(value: Any, backwards: bool) -> Any:
    """(batch, steps, ...) as the steps are processed."""
    return value[:, ::-1] if backwards else value


def time_major(value: np.ndarray, backwards: bool) -> np.ndarray:
    """(batch, steps, n) as contiguous (steps, batch, n), in the order of processing."""
    return np.ascontiguousarray(in_order(value, backwards).transpose(1, 0, 2))


def batch_major(value: np.ndarray, backwards: bool = False) -> np.ndarray:
    """The inverse of `time_major`."""
    return np.ascontiguousarray(in_order(value.transpose(1, 0, 2), backwards))


def skipped_rows(mask: np.ndarray | None, backwards: bool) -> list[np.ndarray] | None:
    """For each step, which samples of the batch skip it; None if none ever does."""
    if mask is None or np.all(mask):
        return None
    return [np.flatnonzero(row == 0) for row in in_order(mask, backwards).T]


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
    skipped = skipped_rows(mask, go_backwards)
    h = np.zeros((steps + 1, batch, units), dtype)
    c = np.zeros((steps + 1, batch, units), dtype)
    cell = np.empty((steps, batch, units), dtype)  # activation(c)
    if h0 is not None:
        h[0] = h0
    if c0 is not None:
        c[0] = c0

    # sigmoid(z) = tanh(z / 2) / 2 + 1 / 2: one tanh does all gates, with the halves of the
    # sigmoid gates put into the weights.
    one_tanh = (activation, recurrent_activation) == ("tanh", "sigmoid")
    stretch = np.full(4 * units, 0.5 if one_tanh else 1, dtype)
    stretch[2 * units : 3 * units] = 1
    offset = 1 - stretch
    weights, recurrent = kernel * stretch, recurrent_kernel * stretch

    inputs = time_major(x, go_backwards).reshape(steps * batch, x.shape[2])
    gates = inputs @ weights
    if bias is not None:
        apply_row(np.add, gates, bias * stretch, gates)
    gates = gates.reshape(steps, batch, 4 * units)
    product = np.empty((batch, 4 * units), dtype)
    for t in range(steps):
        z, c_new, h_new = gates[t], c[t + 1], h[t + 1]
        np.matmul(h[t], recurrent, out=product)
        z += product
        if one_tanh:
            np.tanh(z, out=z)
            z *= stretch
            z += offset
        else:
            gate(z[:, : 2 * units], recurrent_activation)
            gate(z[:, 2 * units : 3 * units], activation)
            gate(z[:, 3 * units :], recurrent_activation)
        np.multiply(z[:, :units], z[:, 2 * units : 3 * units], out=c_new)
        np.multiply(z[:, units : 2 * units], c[t], out=h_new)
        c_new += h_new
        cell[t] = c_new
        gate(cell[t], activation)
        np.multiply(z[:, 3 * units :], cell[t], out=h_new)
        idle = skipped[t] if skipped else NO_ROWS
        if len(idle):
            c_new[idle], h_new[idle] = c[t][idle], h[t][idle]
    return (batch_major(h[1:]), h[-1].copy(), c[-1].copy()), (inputs, gates, h, c, cell)


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
    outer = None if g_sequence is None else time_major(g_sequence, False)
    skipped = skipped_rows(mask, go_backwards)

    # The slopes of each gate's share in c or h, for all steps; the loop turns them into dz.
    split = gates.reshape(steps, batch, 4, units)
    i, f, candidate, o = (split[:, :, k] for k in range(4))
    dz = np.empty(split.shape, dtype)
    np.multiply(slope(i, recurrent_activation), candidate, out=dz[:, :, 0])
    np.multiply(slope(f, recurrent_activation), c[:-1], out=dz[:, :, 1])
    np.multiply(slope(candidate, activation), i, out=dz[:, :, 2])
    np.multiply(slope(o, recurrent_activation), cell, out=dz[:, :, 3])
    h_to_c = o * slope(cell, activation)

    dh = np.zeros((batch, units), dtype) if g_h is None else g_h
    dc = np.zeros((batch, units), dtype) if g_c is None else g_c
    for t in reversed(range(steps)):
        if outer is not None:
            dh = dh + outer[t]
        dc_now = dh * h_to_c[t]
        dc_now += dc
        step = dz[t]
        step[:, :3] *= dc_now[:, None]
        step[:, 3] *= dh
        idle = skipped[t] if skipped else NO_ROWS
        if len(idle):
            step[idle] = 0
        dh_before = step.reshape(batch, 4 * units) @ recurrent_kernel.T
        dc_now *= f[t]
        if len(idle):
            dh_before[idle], dc_now[idle] = dh[idle], dc[idle]
        dh, dc = dh_before, dc_now

    rows = dz.reshape(steps * batch, 4 * units)
    dx = None
    if needed[0]:
        dx = batch_major((rows @ kernel.T).reshape(steps, batch, kernel.shape[0]), go_backwards)
    return (
        dx,
        inputs.T @ rows if needed[1] else None,
        h[:-1].reshape(steps * batch, units).T @ rows if needed[2] else None,
        column_sums(rows) if needed[3] and bias is not None else None,
        dh if needed[4] and h0 is not None else None,
        dc if needed[5] and c0 is not None else None,
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
