"""The embedding kernel: rows of a table by their number."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine import pool
from kernelmodel.engine.kernels import loops
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.primitive import fused

CHUNK = 1 << 16  # table entries added to at a time; their indices stay in the cache
WIDE = 32  # columns from which adding whole rows is the faster way


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
    out = pool.empty((*ids.shape, table.shape[1]), table.dtype)
    # The ids are within the table: "clip" only spares NumPy a copy.
    return np.take(table, ids, axis=0, out=out, mode="clip"), None


@backward_kernel
def backward(
    g: np.ndarray, out: np.ndarray, residuals: None, arrays: tuple[Any, ...], needed: Any
) -> tuple[np.ndarray, None]:
    """Add each output row's gradient to the table row it came from, in the order of the ids."""
    table, ids = arrays
    dtable = pool.zeros(table.shape, table.dtype)
    places = ids.reshape(-1).astype(np.intp)
    add_rows(dtable, places, g.reshape(len(places), table.shape[1]))
    return dtable, None


def plain_add_rows(target: np.ndarray, places: np.ndarray, rows: np.ndarray) -> None:
    """`np.add.at(target, places, rows)` for an array of (n, m).

    Rows whose places all differ are added at once, first those that come first at their place.
    Where most rows share few places, such as that of a padding, it ends with one entry at a time.
    """
    at = np.arange(len(places))
    if target.shape[1] >= WIDE:
        first_at = np.empty(len(target), np.intp)
        before = 2 * len(at)
        while len(at) and 2 * len(at) <= before:
            before = len(at)
            first_at[places[::-1]] = at[::-1]
            first = first_at[places] == at
            target[places[first]] += rows[at[first]]
            places, at = places[~first], at[~first]
    add_entries(target, places, rows[at])


add_rows = Twin(plain_add_rows, loops.add_rows, minimum=1 << 12)


def add_entries(target: np.ndarray, places: np.ndarray, rows: np.ndarray) -> None:
    """The same, entry by entry: only for one-dimensional arrays is `add.at` fast."""
    dim = target.shape[1]
    offsets = np.arange(dim)
    step = max(1, CHUNK // max(dim, 1))
    flat = target.reshape(-1)
    for begin in range(0, len(places), step):
        chunk = slice(begin, begin + step)
        entries = places[chunk, None] * dim + offsets
        np.add.at(flat, entries.reshape(-1), rows[chunk].reshape(-1))


def xla(table: Any, ids: Any) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    return jnp.take(table, ids, axis=0)


embedding = fused("embedding", forward, backward, xla)
