"""Max and average pooling of any number of spatial axes, channels last."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kernelmodel.engine import parallel, pool
from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.kernels import loops
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.windows import (
    Block,
    Padding,
    Windows,
    hashable,
    per_axis,
    windows,
)
from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.primitive import fused

Ints = int | Sequence[int]


def layout(
    spatial: Sequence[int],
    pool_size: Ints,
    strides: Ints | None = None,
    padding: Padding = "valid",
) -> Windows:
    """Where the windows lie; `strides` None means `pool_size`."""
    axes = len(spatial)
    size = per_axis(pool_size, axes)
    steps = size if strides is None else per_axis(strides, axes)
    return windows(tuple(spatial), size, steps, hashable(padding), (1,) * axes)


def image_windows(
    padded: np.ndarray, out: np.ndarray, height: int, width: int, down: int, across: int
) -> Windows:
    """Where the windows lie in images that have their padding."""
    extents = padded.shape[1:3], out.shape[1:3]
    return Windows((height, width), (down, across), (1, 1), ((0, 0), (0, 0)), *extents)


def lowest(dtype: Any) -> Any:
    """The value that no maximum takes."""
    return -np.inf if kind_of(dtype) == "f" else np.iinfo(dtype).min


def counts(w: Windows, dtype: Any) -> np.ndarray | int:
    """How many taps of each window lie on the input: (*out, 1), or an int if all do."""
    if not w.is_padded:
        return math.prod(w.size)
    padded = w.pad(np.ones((1, *w.spatial, 1), dtype))
    total = np.zeros((1, *w.out, 1), dtype)
    for tap in w.taps():
        total += padded[tap]
    return total[0]


def plain_max_gradient(
    g: np.ndarray, out: np.ndarray, padded: np.ndarray, dx: np.ndarray, w: Windows
) -> None:
    """Add each window's gradient `g` to its first maximum in `dx`, padded like `padded`."""
    free = np.ones(out.shape, bool)
    for tap in w.taps():
        chosen = padded[tap] == out
        chosen &= free
        free ^= chosen
        if w.disjoint:
            np.multiply(g, chosen, out=dx[tap])
        else:
            dx[tap] += g * chosen


def plain_max_gradient_2d(
    g: np.ndarray,
    out: np.ndarray,
    padded: np.ndarray,
    dx: np.ndarray,
    height: int,
    width: int,
    down: int,
    across: int,
    disjoint: bool,
    free: np.ndarray,
) -> None:
    """The same for images; `free` is for its twin."""
    w = image_windows(padded, out, height, width, down, across)
    plain_max_gradient(g, out, padded, dx, w)


max_gradient_2d = Twin(plain_max_gradient_2d, loops.max_pool_gradient, minimum=1 << 10)


def max_gradient(
    g: np.ndarray, out: np.ndarray, padded: np.ndarray, dx: np.ndarray, w: Windows
) -> None:
    """See `plain_max_gradient`."""
    if len(w.size) == 2:
        free = np.empty(out.shape[2:], out.dtype)
        max_gradient_2d(g, out, padded, dx, *w.size, *w.strides, w.disjoint, free)
    else:
        plain_max_gradient(g, out, padded, dx, w)


def reduce_windows(x: np.ndarray, w: Windows, operation: np.ufunc, fill: Any) -> np.ndarray:
    """Combine the values of each window; padding has the value `fill`."""
    out = pool.empty((len(x), *w.out, x.shape[-1]), x.dtype)
    tasks = w.tasks(len(x), 4 * x.itemsize * x.shape[-1])
    blocks = list(itertools.chain.from_iterable(tasks))

    def compute(i: int) -> None:
        samples, rows = blocks[i]
        seen, part = w.part(rows)
        padded, block = part.pad(x[samples, seen], fill), out[samples, rows]
        first, *others = part.taps()
        if not others:
            block[...] = padded[first]
            return
        operation(padded[first], padded[others[0]], out=block)
        for tap in others[1:]:
            operation(block, padded[tap], out=block)

    parallel.run(compute, len(blocks))
    return out


def spread_windows(
    x: np.ndarray, w: Windows, fill: Any, add: Callable[[Block, np.ndarray, Windows, Any], None]
) -> np.ndarray:
    """Collect what windows send back to their positions.

    Args:
        x: (batch, *spatial, channels): the result is like it.
        w: Where the windows lie.
        fill: Value of the padding; None if `add` needs no padded input.
        add: Called with a block, its padded positions to add to, its windows and its padded input.
    """
    dx = pool.empty(x.shape, x.dtype)
    tasks = w.tasks(len(x), 4 * x.itemsize * x.shape[-1])
    covered = w.tiles and not w.is_padded

    def compute(i: int) -> None:
        for samples, rows in tasks[i]:
            seen, part = w.part(rows)
            if rows.start == 0 and not covered:
                dx[samples] = 0
            total = padded_dx = dx[samples, seen]
            if part.is_padded:
                padded_dx = pool.zeros((len(total), *part.padded, x.shape[-1]), x.dtype)
            padded = None if fill is None else part.pad(x[samples, seen], fill)
            add((samples, rows), padded_dx, part, padded)
            if part.is_padded:
                total += padded_dx[part.interior]

    parallel.run(compute, len(tasks))
    return dx


@forward_kernel
def max_forward(
    x: np.ndarray, *, pool_size: Ints, strides: Ints | None = None, padding: Padding = "valid"
) -> tuple[np.ndarray, None]:
    """Take each window's maximum.

    Args:
        x: (batch, *spatial, channels).
        pool_size: Window extents, one int or one for each spatial axis.
        strides: Step between windows; None for `pool_size`.
        padding: "valid", "same" or (before, after) for each axis; padding is never a maximum.

    Returns:
        (batch, *out, channels), and no residuals.
    """
    w = layout(x.shape[1:-1], pool_size, strides, padding)
    return reduce_windows(x, w, np.maximum, lowest(x.dtype)), None


@backward_kernel
def max_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    pool_size: Ints,
    strides: Ints | None = None,
    padding: Padding = "valid",
) -> tuple[np.ndarray]:
    """Give each window's gradient to its first maximum, in row-major order."""
    (x,) = arrays

    def add(block: Block, dx: np.ndarray, w: Windows, padded: Any) -> None:
        max_gradient(g[block], out[block], padded, dx, w)

    w = layout(x.shape[1:-1], pool_size, strides, padding)
    return (spread_windows(x, w, lowest(x.dtype), add),)


def max_xla(
    x: Any, *, pool_size: Ints, strides: Ints | None = None, padding: Padding = "valid"
) -> Any:
    """The same in `jax.numpy`."""
    from jax import lax

    w = layout(x.shape[1:-1], pool_size, strides, padding)
    x, pads = w.xla_padded(x, lowest(x.dtype))
    return lax.reduce_window(x, lowest(x.dtype), lax.max, (1, *w.size, 1), (1, *w.strides, 1), pads)


@forward_kernel
def average_forward(
    x: np.ndarray, *, pool_size: Ints, strides: Ints | None = None, padding: Padding = "valid"
) -> tuple[np.ndarray, None]:
    """Take each window's mean; padding does not count.

    Args:
        x: (batch, *spatial, channels).
        pool_size: Window extents, one int or one for each spatial axis.
        strides: Step between windows; None for `pool_size`.
        padding: "valid", "same" or (before, after) for each axis.

    Returns:
        (batch, *out, channels), and no residuals.
    """
    w = layout(x.shape[1:-1], pool_size, strides, padding)
    out = reduce_windows(x, w, np.add, 0)
    out /= counts(w, x.dtype)
    return out, None


@backward_kernel
def average_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    pool_size: Ints,
    strides: Ints | None = None,
    padding: Padding = "valid",
) -> tuple[np.ndarray]:
    """Share each window's gradient out among its input positions."""
    (x,) = arrays
    w = layout(x.shape[1:-1], pool_size, strides, padding)
    share = g / counts(w, x.dtype)

    def add(block: Block, dx: np.ndarray, w: Windows, padded: None) -> None:
        for tap in w.taps():
            if w.disjoint:
                dx[tap] = share[block]
            else:
                dx[tap] += share[block]

    return (spread_windows(x, w, None, add),)


def average_xla(
    x: Any, *, pool_size: Ints, strides: Ints | None = None, padding: Padding = "valid"
) -> Any:
    """The same in `jax.numpy`."""
    from jax import lax

    w = layout(x.shape[1:-1], pool_size, strides, padding)

    def total(values: Any) -> Any:
        values, pads = w.xla_padded(values)
        return lax.reduce_window(values, 0.0, lax.add, (1, *w.size, 1), (1, *w.strides, 1), pads)

    if all(isinstance(n, int) for n in w.spatial):
        return total(x) / counts(w, x.dtype)
    return total(x) / total(lax.full((1, *w.spatial, 1), 1, x.dtype))


max_pool = fused("max_pool", max_forward, max_backward, max_xla)
average_pool = fused("average_pool", average_forward, average_backward, average_xla)
