"""A whole sequence of a plain recurrent layer as one primitive; see `lstm.py` for how.

Source: Elman 1990, "Finding structure in time".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine import pool
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.gates import check_gates, gate, slope, xla_gate
from kernelmodel.engine.kernels.product import product
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
    go_backwards: bool = False,
) -> tuple[tuple[np.ndarray, np.ndarray], Residuals]:
    """`h = activation(x @ kernel + h @ recurrent_kernel + bias)` for each step.

    Args:
        x: (batch, steps, in).
        kernel: (in, units).
        recurrent_kernel: (units, units).
        bias: (units,) or None.
        h0: First state (batch, units), zeros if None.
        mask: (batch, steps), False where a step is skipped: the state stays.
        activation: A name in `FUSED_GATES`.
        go_backwards: Process the last step first; outputs are in the order of processing.

    Returns:
        (sequence (batch, steps, units), last h), and residuals.
    """
    check_gates("simple_rnn", activation)
    batch, steps, _ = x.shape
    units = recurrent_kernel.shape[0]
    h = states(h0, steps, batch, units, x.dtype)
    inputs = inputs_and_ones(x, go_backwards)
    product(inputs, with_bias(kernel, bias), h[1:].reshape(steps * batch, units))
    # A relu's or a linear activation's output may be any number, so no slope needs more than h,
    # but a skipped step has the output of another one.
    activated = h[1:] if mask is None else pool.empty((steps, batch, units), x.dtype)

    def compute(samples: slice) -> None:
        skipped = skipped_rows(mask, samples, go_backwards)
        h_all, y_all = h[:, samples], activated[:, samples]
        share = np.empty(h_all.shape[1:], x.dtype)
        for t in range(steps):
            before, after, y = h_all[t], h_all[t + 1], y_all[t]
            np.add(after, np.matmul(before, recurrent_kernel, out=share), out=y)
            gate(y, activation)
            if mask is not None:
                after[...] = y
            idle = skipped[t] if skipped else NO_ROWS
            if len(idle):
                after[idle] = before[idle]

    run_samples(compute, batch, units)
    return (h[1:].transpose(1, 0, 2), h[-1].copy()), (inputs, h, activated)


@backward_kernel
def backward(
    g: Any,
    out: Any,
    residuals: Residuals,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    activation: str | None = "tanh",
    go_backwards: bool = False,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for x, the weights and the first state."""
    inputs, h, activated = residuals
    _, kernel, recurrent_kernel, bias, h0, mask = arrays
    g_sequence, g_h = g
    steps, batch, units = activated.shape
    outer = None if g_sequence is None else time_major(g_sequence)
    dz = pool.empty(activated.shape, activated.dtype)
    dh0 = np.zeros((batch, units), activated.dtype)
    if g_h is not None:
        dh0[...] = g_h

    transposed = np.ascontiguousarray(recurrent_kernel.T)  # BLAS is faster so

    def compute(samples: slice) -> None:
        skipped = skipped_rows(mask, samples, go_backwards)
        dh = dh0[samples]  # from step to step
        for t in reversed(range(steps)):
            step = dz[t, samples]
            if outer is not None:
                dh += outer[t, samples]
            np.multiply(dh, slope(activated[t, samples], activation), out=step)
            idle = skipped[t] if skipped else NO_ROWS
            through = dh[idle]
            step[idle] = 0
            np.matmul(step, transposed, out=dh)
            dh[idle] = through

    run_samples(compute, batch, units)
    rows = dz.reshape(steps * batch, units)
    dweights = product(inputs.T, rows) if needed[1] or (needed[3] and bias is not None) else None
    dx = None
    if needed[0]:
        dx = product(rows, kernel.T).reshape(steps, batch, len(kernel))
        dx = batch_major(dx, go_backwards)
    return (
        dx,
        dweights[:-1] if dweights is not None and needed[1] else None,
        product(h[:-1].reshape(steps * batch, units).T, rows) if needed[2] else None,
        dweights[-1] if dweights is not None and needed[3] and bias is not None else None,
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
    go_backwards: bool = False,
) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp
    from jax import lax

    z = in_order(x, go_backwards).transpose(1, 0, 2) @ kernel
    z = z if bias is None else z + bias
    keep = jnp.ones(x.shape[:2], bool) if mask is None else in_order(mask, go_backwards) != 0

    def step(h: Any, now: Any) -> Any:
        z_t, keep_t = now
        h = jnp.where(keep_t, xla_gate(z_t + h @ recurrent_kernel, activation), h)
        return h, h

    start = jnp.zeros((x.shape[0], recurrent_kernel.shape[0]), x.dtype) if h0 is None else h0
    h, sequence = lax.scan(step, start, (z, keep.T[..., None]))
    return sequence.transpose(1, 0, 2), h


simple_rnn = fused("simple_rnn", forward, backward, xla)
