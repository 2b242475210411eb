"""The product of two matrices, by the threads of `parallel` when it is large.

NumPy's BLAS would use threads of its own, which go on waiting at full speed for some time after a
product and so take a processor from whatever comes next.
"""

from __future__ import annotations

import numpy as np

from kernelmodel.engine import parallel, pool

SMALL = 1 << 18  # multiplications that BLAS does on one thread anyway
SHARE = 1 << 21  # multiplications that are worth another thread


def product(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """`a @ b`.

    Args:
        a: (n, k).
        b: (k, m).
        out: (n, m) for the result; a new array if None.

    Returns:
        The result, in pooled memory if it is new.
    """
    (n, k), m = a.shape, b.shape[1]
    work = n * k * m
    if work <= SMALL:
        return np.matmul(a, b, out=out)
    if out is None:
        out = pool.empty((n, m), np.result_type(a, b))
    if work < 2 * SHARE:

        def compute_all(_: int) -> None:
            np.matmul(a, b, out=out)

        parallel.run(compute_all, 1)
        return out
    count = min(work // SHARE, 2 * parallel.width())
    down = n >= m
    slices = parallel.even_slices(n if down else m, count)

    def compute(i: int) -> None:
        part = slices[i]
        if down:
            np.matmul(a[part], b, out=out[part])
        else:
            np.matmul(a, b[:, part], out=out[:, part])

    parallel.run(compute, len(slices))
    return out
