"""Attention of several heads as one primitive: scores, mask, softmax, dropout, mixed values.

Threads share out blocks of samples and heads. A block is small enough for a cache, and large enough
for threads to seldom wait for one another, as each call of a NumPy function may. Queries, keys and
values are read, and outputs written, where they lie: no axis is moved.

Source: Vaswani et al. 2017 (arXiv:1706.03762); that the softmax's gradient needs only the outputs:
Dao et al. 2022 (arXiv:2205.14135).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine import parallel, pool
from kernelmodel.engine.kernels import loops
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.polynomials import exp_below
from kernelmodel.engine.kernels.rows import last_axis_max, last_axis_sums
from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.primitive import fused

BLOCK_BYTES = 1 << 20  # of weights

Block = tuple[slice, slice]


def blocks_of(batch: int, heads: int, bytes_a_head: int) -> list[Block]:
    """Slices of the batch with all heads, or single samples with slices of their heads."""
    sample = max(1, heads * bytes_a_head)
    if sample <= BLOCK_BYTES:
        slices = parallel.even_slices(batch, -(-batch * sample // BLOCK_BYTES))
        return [(samples, slice(0, heads)) for samples in slices]
    parts = parallel.even_slices(heads, -(-sample // BLOCK_BYTES))
    return [(slice(b, b + 1), part) for b in range(batch) for part in parts]


def by_head(x: np.ndarray, block: Block) -> np.ndarray:
    """A block of (batch, positions, heads, n) as a view (samples, heads, positions, n)."""
    return x[block[0], :, block[1]].transpose(0, 2, 1, 3)


def part_of(x: np.ndarray | None, block: Block) -> Any:
    """A block of what broadcasts to (batch, heads, t, s); None stays None."""
    if x is None:
        return None
    return x[tuple(b if n > 1 else slice(None) for b, n in zip(block, x.shape))]


def softmax_in_place(scores: np.ndarray, hidden: np.ndarray | None) -> None:
    """Softmax over the last axis; `hidden` is added, and has -inf where the result must be 0."""
    if not scores.size:
        return
    if hidden is not None:
        scores += hidden
    top = last_axis_max(scores)
    if hidden is not None:
        top[np.isneginf(top)] = 0  # everything is hidden
    exp_below(scores.reshape(-1, scores.shape[-1]), top.reshape(-1))
    total = last_axis_sums(scores)
    if hidden is not None:
        total[total == 0] = 1
    scores *= np.reciprocal(total, out=total)


@forward_kernel
def forward(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    mask: np.ndarray | None,
    keep: np.ndarray | None,
    *,
    scale: float,
    rate: float = 0,
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Means of values, weighted with the softmax of scaled products of queries and keys.

    Args:
        q: (batch, t, heads, length).
        k: (batch, s, heads, length).
        v: (batch, s, heads, width).
        mask: bool that broadcasts to (batch, heads, t, s), with four axes: False where a query
            doesn't see a key; or None. One that sees none gets zeros.
        keep: bool (batch, heads, t, s), False for weights that are dropped; or None.
        scale: Factor of the products.
        rate: Share that is dropped.

    Returns:
        (means (batch, t, heads, width), weights (batch, heads, t, s) before dropout), and
        residuals.
    """
    (batch, t, heads, _), s = q.shape, k.shape[1]
    out = pool.empty((batch, t, heads, v.shape[-1]), v.dtype)
    weights = pool.empty((batch, heads, t, s), q.dtype)
    hidden = None
    if mask is not None:
        hidden = np.where(mask, q.dtype.type(0), q.dtype.type(-np.inf))
    blocks = blocks_of(batch, heads, t * s * weights.itemsize)

    def compute(i: int) -> None:
        block = blocks[i]
        scores = weights[block]
        np.matmul(by_head(q, block) * q.dtype.type(scale), by_head(k, block).mT, out=scores)
        softmax_in_place(scores, part_of(hidden, block))
        np.matmul(dropped(scores, keep, block, rate), by_head(v, block), out=by_head(out, block))

    parallel.run(compute, len(blocks))
    return (out, weights), weights


def dropped(weights: np.ndarray, keep: np.ndarray | None, block: Block, rate: float) -> np.ndarray:
    """A block of weights, or of their gradients, after dropout."""
    if keep is None:
        return weights
    factor = weights.dtype.type(1 / (1 - rate) if rate < 1 else 0)
    return weights * np.multiply(keep[block].view(np.uint8), factor, dtype=weights.dtype)


def plain_softmax_gradient(g: np.ndarray, weights: np.ndarray, delta: np.ndarray) -> None:
    """g = (g - delta) * weights, in place: (n, m), (n, m) and (n,)."""
    g -= delta[:, None]
    g *= weights


softmax_gradient = Twin(plain_softmax_gradient, loops.softmax_gradient, minimum=1 << 9)


@backward_kernel
def backward(
    g: Any,
    out: Any,
    residuals: np.ndarray,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    scale: float,
    rate: float = 0,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for q, k and v."""
    q, k, v, _, keep = arrays
    weights, (g_out, g_weights) = residuals, g
    dq, dk, dv = (
        pool.empty(a.shape, a.dtype) if need else None for a, need in zip((q, k, v), needed)
    )
    batch, heads, t, s = weights.shape
    blocks = blocks_of(batch, heads, t * s * weights.itemsize)

    def compute(i: int) -> None:
        block = blocks[i]
        w = weights[block]
        dw = pool.empty(w.shape, w.dtype)
        delta = np.zeros(w.shape[:-1], w.dtype)  # of each row: sum(weights * their gradients)
        if g_out is None:
            dw.fill(0)
        else:
            g_block = by_head(g_out, block)
            if dv is not None:
                mixed = dropped(w, keep, block, rate)
                np.matmul(mixed.mT, g_block, out=by_head(dv, block))
            np.matmul(g_block, by_head(v, block).mT, out=dw)
            if keep is not None:
                dw = dropped(dw, keep, block, rate)
            delta = np.einsum("bhtn,bhtn->bht", g_block, by_head(out[0], block))
        if g_weights is not None:
            dw += g_weights[block]
            delta = delta + np.einsum("bhts,bhts->bht", g_weights[block], w)
        by_row = (delta.size, s)  # -1 would not do where there are no keys
        softmax_gradient(dw.reshape(by_row), w.reshape(by_row), delta.reshape(-1))
        if dq is not None:
            np.matmul(dw, by_head(k, block) * k.dtype.type(scale), out=by_head(dq, block))
        if dk is not None:
            np.matmul(dw.mT, by_head(q, block) * q.dtype.type(scale), out=by_head(dk, block))

    if dv is not None and g_out is None:
        dv.fill(0)
    parallel.run(compute, len(blocks))
    return dq, dk, dv, None, None


def xla(
    q: Any, k: Any, v: Any, mask: Any, keep: Any, *, scale: float, rate: float = 0
) -> tuple[Any, Any]:
    """The same in `jax.numpy`."""
    import jax
    import jax.numpy as jnp

    scores = jnp.einsum("bthn,bshn->bhts", q * scale, k)
    if mask is None:
        weights = jax.nn.softmax(scores, -1)
    else:
        weights = jax.nn.softmax(jnp.where(mask, scores, jnp.finfo(scores.dtype).min / 2), -1)
        weights = jnp.where(mask, weights, 0)
    mixed = weights
    if keep is not None:
        mixed = weights * (keep.astype(weights.dtype) * (1 / (1 - rate) if rate < 1 else 0.0))
    return jnp.einsum("bhts,bshn->bthn", mixed, v), weights


attention = fused("attention", forward, backward, xla)
"""(means, weights) of several heads."""
