"""The embedding kernel: rows of a table by their number."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.primitive import fused

CHUNK = 1 << 16  # table entries added to at a time; their indices stay in the cache


@forward_kernel
def forward(table: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, None]:
    """Look up rows.

    Args:
        table: (rows, dim).
        ids: Integers in [0, rows), any shape.

    Returns:
        (*ids.shape, dim), and no residuals.

    Raises:
        ValueError: An id is outside the table.
    """
    if ids.size:
        low, high = ids.min(), ids.max()
        if low < 0 or high >= len(table):
            raise ValueError(
                f"embedding: ids must lie in [0, {len(table)}), the rows of the table; got ids "
                f"from {low} to {high}. Make input_dim larger, or map the ids to the range."
            )
    return table[ids], None


@backward_kernel
def backward(
    g: np.ndarray, out: np.ndarray, residuals: None, arrays: tuple[Any, ...], needed: Any
) -> tuple[np.ndarray, None]:
    """Add each output row's gradient to the table row it came from, in the order of the ids."""
    table, ids = arrays
    dtable = np.zeros(table.shape, table.dtype)
    dim = table.shape[1]
    starts = ids.reshape(-1).astype(np.intp) * dim
    rows = g.reshape(len(starts), dim)
    offsets = np.arange(dim)
    step = max(1, CHUNK // max(dim, 1))
    flat = dtable.reshape(-1)
    for first in range(0, len(starts), step):
        chunk = slice(first, first + step)
        # One-dimensional add.at is the only fast one.
        np.add.at(flat, (starts[chunk, None] + offsets).reshape(-1), rows[chunk].reshape(-1))
    return dtable, None


def xla(table: Any, ids: Any) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    return jnp.take(table, ids, axis=0)


embedding = fused("embedding", forward, backward, xla)
