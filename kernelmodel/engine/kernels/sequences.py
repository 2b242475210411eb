"""What recurrent kernels have in common: sequences in the order of processing, step by step.

A bias is the last row of its kernel, for an input that is always 1; so it takes no pass of its own.
Samples don't see each other, so a batch is shared out among threads, each of which runs all steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel.engine import parallel, pool

NO_ROWS = np.empty(0, np.intp)
BLOCK = 1 << 16  # values that stay in a processor's nearer caches
WORTH_A_THREAD = 1 << 13  # values of gates in a step
CHUNK = 16  # steps, at least, after which work beside them may begin
MOST_CHUNKS = 6  # as each has its own share in the weights' gradients


def in_order(value: Any, backwards: bool) -> Any:
    """(batch, steps, ...) as the steps are processed."""
    return value[:, ::-1] if backwards else value


def time_major(value: np.ndarray, backwards: bool = False) -> np.ndarray:
    """(batch, steps, n) as contiguous (steps, batch, n), in the order of processing."""
    return np.ascontiguousarray(in_order(value, backwards).transpose(1, 0, 2))


def batch_major(value: np.ndarray, backwards: bool = False) -> np.ndarray:
    """The inverse of `time_major`."""
    return np.ascontiguousarray(in_order(value.transpose(1, 0, 2), backwards))


def inputs_and_ones(x: np.ndarray, backwards: bool) -> np.ndarray:
    """(batch, steps, n) as (steps * batch, n + 1), in the order of processing; the last are 1."""
    batch, steps, features = x.shape
    rows = pool.empty((steps, batch, features + 1), x.dtype)
    rows[..., :features] = in_order(x, backwards).transpose(1, 0, 2)
    rows[..., features] = 1
    return rows.reshape(steps * batch, features + 1)


def with_bias(kernel: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    """A kernel with the bias, or zeros, as its last row."""
    last = np.zeros(kernel.shape[1], kernel.dtype) if bias is None else bias
    return np.concatenate([kernel, last[None]])


def states(first: np.ndarray | None, steps: int, batch: int, units: int, dtype: Any) -> np.ndarray:
    """(steps + 1, batch, units) for the states before and after each step; the first is set."""
    array = pool.empty((steps + 1, batch, units), dtype)
    array[0] = 0 if first is None else first
    return array


def skipped_rows(mask: np.ndarray | None, samples: slice, backwards: bool) -> list[np.ndarray]:
    """For each step, which of some samples skip it; an empty list if none ever does."""
    if mask is None or np.all(mask[samples]):
        return []
    return [np.flatnonzero(row == 0) for row in in_order(mask[samples], backwards).T]


def sample_slices(batch: int, gates: int) -> list[slice]:
    """Slices of the batch for threads: a single one unless a step of `gates` values pays."""
    return parallel.even_slices(batch, min(batch // 16, batch * gates // WORTH_A_THREAD, 16))


def run_samples(compute: Callable[[slice], None], batch: int, gates: int) -> None:
    """Call `compute` with slices of the batch, on threads if a step of `gates` values pays."""
    slices = sample_slices(batch, gates)
    parallel.run(lambda i: compute(slices[i]), len(slices))


def step_slices(steps: int) -> list[slice]:
    """Slices of the steps, for work beside them that begins before the last one is done."""
    return parallel.even_slices(steps, min(steps // CHUNK, MOST_CHUNKS))


def run_steps(compute: Callable[[slice], None], steps: int, size: int) -> None:
    """Call `compute` with slices of the steps, of which each has `size` values, on threads."""
    slices = parallel.even_slices(steps, steps * size // BLOCK)
    parallel.run(lambda i: compute(slices[i]), len(slices))
