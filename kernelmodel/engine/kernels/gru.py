"""A whole GRU sequence as one primitive; see `lstm.py` for how.

Source: Cho et al. 2014 (arXiv:1406.1078); with `reset_after` the gate comes after the product, as
in cuDNN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine import pool
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.gates import check_gates, gate, slope, xla_gate
from kernelmodel.engine.kernels.gru_steps import cell_of, usual_cell, usual_step_back
from kernelmodel.engine.kernels.product import product, shared_products
from kernelmodel.engine.kernels.rows import column_sums
from kernelmodel.engine.kernels.sequences import (
    NO_ROWS,
    batch_major,
    in_order,
    inputs_and_ones,
    run_samples,
    skipped_rows,
    states,
    time_major,
    with_bias,
)
from kernelmodel.engine.primitive import fused

Residuals = tuple[np.ndarray, ...]

CALLS = 12  # NumPy functions that a twin of a step spares, each of them on few elements


def biases(bias: Any, reset_after: bool) -> tuple[Any, Any]:
    """The bias of the input's share, and that of the state's share."""
    return (bias, None) if bias is None or not reset_after else (bias[0], bias[1])


def is_usual(activation: str | None, recurrent_activation: str | None, reset_after: bool) -> bool:
    """Whether `gru_steps` knows such cells."""
    return reset_after and (activation, recurrent_activation) == ("tanh", "sigmoid")


@forward_kernel
def forward(
    x: np.ndarray,
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias: np.ndarray | None,
    h0: np.ndarray | None,
    mask: np.ndarray | None,
    *,
    activation: str | None = "tanh",
    recurrent_activation: str | None = "sigmoid",
    reset_after: bool = True,
    go_backwards: bool = False,
) -> tuple[tuple[np.ndarray, np.ndarray], Residuals]:
    """Run a GRU over a sequence.

    Args:
        x: (batch, steps, in).
        kernel: (in, 3 * units): update gate, reset gate, candidate.
        recurrent_kernel: (units, 3 * units).
        bias: (2, 3 * units) with `reset_after`: of the input's and of the state's share; else
            (3 * units,); or None.
        h0: First output (batch, units), zeros if None.
        mask: (batch, steps), False where a step is skipped: the state stays and the output repeats
            the one before.
        activation: Of the candidate: a name in `FUSED_GATES`.
        recurrent_activation: Of the two gates.
        reset_after: Whether the reset gate multiplies the state's share in the candidate, or the
            state itself.
        go_backwards: Process the last step first; outputs are in the order of processing.

    Returns:
        (sequence (batch, steps, units), last h), and residuals.
    """
    check_gates("gru", activation, recurrent_activation)
    batch, steps, _ = x.shape
    units = recurrent_kernel.shape[0]
    of_input, of_state = biases(bias, reset_after)
    usual = is_usual(activation, recurrent_activation, reset_after)
    stretch = np.ones(3 * units, x.dtype)
    if usual:  # the halves of the gates' sigmoids, see `gru_steps`
        stretch[: 2 * units] = 0.5
    h = states(h0, steps, batch, units, x.dtype)
    inputs = inputs_and_ones(x, go_backwards)
    gates = product(inputs, with_bias(kernel, of_input) * stretch).reshape(steps, batch, 3 * units)
    # What the reset gate multiplies (`reset_after`), or its product with the state.
    remembered = pool.empty((steps, batch, units), x.dtype)
    weights = recurrent_kernel * stretch
    row = np.zeros(3 * units, x.dtype) if of_state is None else of_state * stretch

    def compute(samples: slice) -> None:
        skipped = skipped_rows(mask, samples, go_backwards)
        z_all, h_all, kept_all = (a[:, samples] for a in (gates, h, remembered))
        share = np.empty(z_all.shape[1:], x.dtype)
        own = np.tile(row, (len(share), 1))
        cell: Any = cell_of
        if usual and x.dtype == np.float32:
            some = z_all[0], share, own, h_all[0], kept_all[0], h_all[1]
            cell = usual_cell.choose(*some, calls=CALLS * steps)
        for t in range(steps):
            before, after = h_all[t], h_all[t + 1]
            if usual:
                np.matmul(before, weights, out=share)
                cell(z_all[t], share, own, before, kept_all[t], after)
            else:
                other_step(z_all[t], before, kept_all[t], after)
            idle = skipped[t] if skipped else NO_ROWS
            if len(idle):
                after[idle] = before[idle]

    def other_step(z: np.ndarray, before: np.ndarray, kept: np.ndarray, after: np.ndarray) -> None:
        both, candidate = z[:, : 2 * units], z[:, 2 * units :]
        update, reset = both[:, :units], both[:, units:]
        if reset_after:
            share = before @ recurrent_kernel
            share += row
            both += share[:, : 2 * units]
            kept[...] = share[:, 2 * units :]
        else:
            both += before @ recurrent_kernel[:, : 2 * units]
        gate(both, recurrent_activation)
        if reset_after:
            candidate += reset * kept
        else:
            np.multiply(reset, before, out=kept)
            candidate += kept @ recurrent_kernel[:, 2 * units :]
        gate(candidate, activation)
        # update * before + (1 - update) * candidate
        np.subtract(before, candidate, out=after)
        after *= update
        after += candidate

    if steps:
        run_samples(compute, batch, 3 * units)
    return (h[1:].transpose(1, 0, 2), h[-1].copy()), (inputs, gates, h, remembered)


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
    reset_after: bool = True,
    go_backwards: bool = False,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for x, the weights and the first state."""
    inputs, gates, h, remembered = residuals
    _, kernel, recurrent_kernel, bias, h0, mask = arrays
    g_sequence, g_h = g
    steps, batch, units = remembered.shape
    dtype = remembered.dtype
    outer = None if g_sequence is None else time_major(g_sequence)
    dz = pool.empty(gates.shape, dtype)  # of the input's share in the gates
    dshare = pool.empty(gates.shape, dtype) if reset_after else dz  # of the state's share
    dh0 = np.zeros((batch, units), dtype)
    if g_h is not None:
        dh0[...] = g_h
    first, last = slice(0, 2 * units), slice(2 * units, None)
    # BLAS is faster with small contiguous ones.
    transposed = np.ascontiguousarray(recurrent_kernel.T)
    to_gates = np.ascontiguousarray(recurrent_kernel[:, first].T)
    to_candidate = np.ascontiguousarray(recurrent_kernel[:, last].T)

    usual = is_usual(activation, recurrent_activation, reset_after)

    def compute(samples: slice) -> None:
        skipped = skipped_rows(mask, samples, go_backwards)
        dh = dh0[samples]  # from step to step
        rest = np.empty_like(dh)  # what passes all gates
        some = dh, gates[0, samples], h[0, samples], remembered[0, samples]
        parts = *some, dz[0, samples], dshare[0, samples], rest
        back: Any = usual_step_back.choose(*parts, calls=CALLS * steps) if usual else other_step
        for t in reversed(range(steps)):
            before, kept, z = h[t, samples], remembered[t, samples], gates[t, samples]
            step, state = dz[t, samples], dshare[t, samples]
            if outer is not None:
                dh += outer[t, samples]
            idle = skipped[t] if skipped else NO_ROWS
            through = dh[idle] if len(idle) else None
            back(dh, z, before, kept, step, state, rest)
            if len(idle):
                step[idle] = 0
                state[idle] = 0
            if reset_after:
                np.matmul(state, transposed, out=dh)
            else:
                np.matmul(step[:, first], to_gates, out=dh)
            dh += rest
            if len(idle):
                dh[idle] = through

    def other_step(
        dh: np.ndarray, z: np.ndarray, before: np.ndarray, kept: np.ndarray,
        step: np.ndarray, state: np.ndarray, rest: np.ndarray,
    ) -> None:  # fmt: skip
        update, reset, candidate = (z[:, n * units : (n + 1) * units] for n in range(3))
        d_update, d_reset, d_candidate = (step[:, n * units : (n + 1) * units] for n in range(3))
        np.multiply(dh, update, out=rest)
        np.subtract(dh, rest, out=d_candidate)
        d_candidate *= slope(candidate, activation)
        np.subtract(before, candidate, out=d_update)
        d_update *= dh
        if reset_after:
            np.multiply(d_candidate, kept, out=d_reset)
            state[:, last] = d_candidate * reset
        else:
            d_kept = d_candidate @ to_candidate
            np.multiply(d_kept, before, out=d_reset)
            rest += d_kept * reset
        step[:, first] *= slope(z[:, first], recurrent_activation)
        if reset_after:
            state[:, first] = step[:, first]

    if steps:
        run_samples(compute, batch, 3 * units)
    rows = dz.reshape(steps * batch, 3 * units)
    share_rows = dshare.reshape(rows.shape)
    need_bias = needed[3] and bias is not None
    states_before = h[:-1].reshape(steps * batch, units).T
    factors: dict[str, Any] = {}
    if needed[1] or need_bias:
        factors["weights"] = inputs.T, rows, None
    if needed[0]:
        factors["x"] = rows, kernel.T, None
    if needed[2] and reset_after:
        factors["recurrent"] = states_before, share_rows, None
    elif needed[2]:
        seen = remembered.reshape(steps * batch, units).T
        factors["recurrent"] = states_before, rows[:, first], None
        factors["candidate"] = seen, rows[:, last], None
    found = dict(zip(factors, shared_products(list(factors.values()))))
    dx, dweights, drecurrent = found.get("x"), found.get("weights"), found.get("recurrent")
    dbias = None
    if dx is not None:
        dx = batch_major(dx.reshape(steps, batch, len(kernel)), go_backwards)
    if "candidate" in found and drecurrent is not None:
        drecurrent = np.concatenate([drecurrent, found["candidate"]], 1)
    if need_bias and dweights is not None:
        dbias = dweights[-1]
        if reset_after:
            dbias = np.stack([dbias, column_sums(share_rows)])
    return (
        dx,
        dweights[:-1] if dweights is not None and needed[1] else None,
        drecurrent,
        dbias,
        dh0 if needed[4] and h0 is not None else None,
        None,
    )


def xla(
    x: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    h0: Any,
    mask: Any,
    *,
    activation: str | None = "tanh",
    recurrent_activation: str | None = "sigmoid",
    reset_after: bool = True,
    go_backwards: bool = False,
) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp
    from jax import lax

    units = recurrent_kernel.shape[0]
    of_input, of_state = biases(bias, reset_after)
    z = in_order(x, go_backwards).transpose(1, 0, 2) @ kernel
    z = z if of_input is None else z + of_input
    keep = jnp.ones(x.shape[:2], bool) if mask is None else in_order(mask, go_backwards) != 0

    def step(h: Any, now: Any) -> Any:
        z_t, keep_t = now
        share = h @ (recurrent_kernel if reset_after else recurrent_kernel[:, : 2 * units])
        share = share if of_state is None else share + of_state
        both = xla_gate(z_t[:, : 2 * units] + share[:, : 2 * units], recurrent_activation)
        update, reset = both[:, :units], both[:, units:]
        if reset_after:
            remembered = reset * share[:, 2 * units :]
        else:
            remembered = (reset * h) @ recurrent_kernel[:, 2 * units :]
        candidate = xla_gate(z_t[:, 2 * units :] + remembered, activation)
        h = jnp.where(keep_t, update * h + (1 - update) * candidate, h)
        return h, h

    start = jnp.zeros((x.shape[0], units), x.dtype) if h0 is None else h0
    h, sequence = lax.scan(step, start, (z, keep.T[..., None]))
    return sequence.transpose(1, 0, 2), h


gru = fused("gru", forward, backward, xla)
