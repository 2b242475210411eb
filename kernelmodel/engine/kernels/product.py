"""The product of two matrices, by the threads of `parallel` when it is large.

NumPy's BLAS would use threads of its own, which go on waiting at full speed for some time after a
product and so take a processor from whatever comes next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.engine import parallel, pool
from kernelmodel.engine.plan import as_one
from kernelmodel.engine.plan_fusion import Line
from kernelmodel.engine.plan_programs import Group, translates
from kernelmodel.engine.program_memory import NoCommand, Value
from kernelmodel.engine.translators import SMALL_PRODUCT, matrix_product

SHARE = 1 << 21  # multiplications that are worth another thread
WAKE = 3 << 20  # multiplications that a thread does while another one wakes up
LANES = 16  # rows or columns that BLAS computes at a time


def product(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """`a @ b`.

    Args:
        a: (n, k).
        b: (k, m).
        out: (n, m) for the result; a new array if None.

    Returns:
        The result, in pooled memory if it is new and large.
    """
    small = a.shape[0] * a.shape[1] * b.shape[1] <= SMALL_PRODUCT
    return np.matmul(a, b, out=out) if small else as_one(shared_product, a, b, out)


def shared_product(a: np.ndarray, b: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    """The same for large matrices."""
    if threads_for(a.shape[0] * a.shape[1] * b.shape[1], 2) > 1:
        return shared_products([(a, b, out)])[0]
    if out is None:
        out = pool.empty((a.shape[0], b.shape[1]), np.result_type(a, b))
    with parallel.ONE_THREAD:
        return np.matmul(a, b, out=out)


def shared_products(
    factors: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray | None]],
) -> list[np.ndarray]:
    """Such products at the same time; to the bit what they are one by one.

    Args:
        factors: The arguments of `shared_product` for each.
    """
    tasks, results, work = [], [], 0
    for a, b, out in factors:
        n, m = a.shape[0], b.shape[1]
        work += n * m * a.shape[1]
        out = pool.empty((n, m), np.result_type(a, b)) if out is None else out
        results.append(out)
        down = n >= m
        for part in shares(n if down else m, n * m * a.shape[1], parallel.width()):
            if down:
                tasks.append((a[part], b, out[part]))
            else:
                tasks.append((a, b[:, part], out[:, part]))

    def compute(part: Sequence[Any]) -> None:
        for a, b, out in part:
            np.matmul(a, b, out=out)

    parts = [[task] for task in tasks] if threads_for(work, len(tasks)) > 1 else [tasks]
    parallel.run(lambda i: compute(parts[i]), len(parts))
    return results


def threads_for(work: int, threads: int) -> int:
    """How many of these threads so many multiplications are worth."""
    return min(threads, (work - WAKE) // SHARE)


def shares(length: int, work: int, threads: int) -> list[slice]:
    """Rows (or columns) cut so that all threads end at about the same time.

    With the number of threads the cut changes, and so can, on some processors, the last bits.

    The last slice is the first that `parallel.run` begins with, and the largest: a thread that is
    woken up begins later. If one came last, the caller would have to be woken up as well.

    Args:
        length: Number of rows.
        work: Multiplications for all of them.
        threads: How many threads there are.
    """
    threads = threads_for(work, threads)
    share = length * (work - WAKE) // (threads * work) // LANES * LANES if threads > 1 else 0
    if share == 0:
        return [slice(0, length)]
    starts = range(0, threads * share, share)
    return [*(slice(at, at + share) for at in starts[:-1]), slice(starts[-1], length)]


@translates(shared_product)
def as_command(group: Group, line: Line) -> Value:
    """A product in a program, unless threads share it."""
    a, b, out = line.args
    if out is not None:
        raise NoCommand("a product into an array that exists")
    return matrix_product(group, group.value(a), group.value(b), None)
