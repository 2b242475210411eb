"""Max and average pooling of any number of spatial axes, channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.kernels import loops
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.windows import Padding, Windows, hashable, per_axis, windows
from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.primitive import fused

Ints = int | Sequence[int]


def layout(x: Any, pool_size: Ints, strides: Ints | None, padding: Padding) -> Windows:
    """Where the windows lie; `strides` None means `pool_size`."""
    axes = x.ndim - 2
    size = per_axis(pool_size, axes)
    steps = size if strides is None else per_axis(strides, axes)
    return windows(tuple(x.shape[1:-1]), size, steps, hashable(padding), (1,) * axes)


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


def add_max_gradient(
    g: np.ndarray, out: np.ndarray, padded: np.ndarray, dx: np.ndarray, w: Windows, rows: slice
) -> None:
    """Add a block's gradient `g` to its windows' first maxima in `dx`, padded like `padded`."""
    free = np.ones(out.shape, bool)
    for tap in w.taps(rows):
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
) -> None:
    """The same for whole images."""
    w = Windows(
        (height, width),
        (down, across),
        (1, 1),
        ((0, 0), (0, 0)),
        padded.shape[1:3],
        out.shape[1:3],
    )
    add_max_gradient(g, out, padded, dx, w, slice(0, out.shape[1]))


max_gradient_2d = Twin(
    plain_max_gradient_2d, loops.max_pool_gradient, minimum=1 << 13, patience=1 << 26
)


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
    w = layout(x, pool_size, strides, padding)
    out = np.empty((len(x), *w.out, x.shape[-1]), x.dtype)
    for samples, rows in w.blocks(len(x), 4 * x.itemsize * x.shape[-1]):
        padded = w.pad(x[samples], lowest(x.dtype))
        block = out[samples, rows]
        first, *others = w.taps(rows)
        block[...] = padded[first]
        for tap in others:
            np.maximum(block, padded[tap], out=block)
    return out, None


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
    w = layout(x, pool_size, strides, padding)
    dx = np.zeros(x.shape, x.dtype)
    padded_dx = dx
    for samples, rows in w.blocks(len(x), 4 * x.itemsize * x.shape[-1]):
        padded = w.pad(x[samples], lowest(x.dtype))
        if rows.start == 0:
            padded_dx = np.zeros(padded.shape, x.dtype) if w.is_padded else dx[samples]
        block, g_block = out[samples, rows], g[samples, rows]
        if len(w.size) == 2 and rows.stop - rows.start == w.out[0]:
            max_gradient_2d(g_block, block, padded, padded_dx, *w.size, *w.strides, w.disjoint)
        else:
            add_max_gradient(g_block, block, padded, padded_dx, w, rows)
        if w.is_padded and rows.stop == w.out[0]:
            dx[samples] = padded_dx[w.interior]
    return (dx,)


def max_xla(
    x: Any, *, pool_size: Ints, strides: Ints | None = None, padding: Padding = "valid"
) -> Any:
    """The same in `jax.numpy`."""
    from jax import lax

    w = layout(x, pool_size, strides, padding)
    return lax.reduce_window(
        x,
        lowest(x.dtype),
        lax.max,
        (1, *w.size, 1),
        (1, *w.strides, 1),
        ((0, 0), *w.pads, (0, 0)),
    )


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
    w = layout(x, pool_size, strides, padding)
    out = np.empty((len(x), *w.out, x.shape[-1]), x.dtype)
    for samples, rows in w.blocks(len(x), 4 * x.itemsize * x.shape[-1]):
        padded = w.pad(x[samples])
        block = out[samples, rows]
        first, *others = w.taps(rows)
        block[...] = padded[first]
        for tap in others:
            block += padded[tap]
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
    w = layout(x, pool_size, strides, padding)
    dx = np.zeros(x.shape, x.dtype)
    share = g / counts(w, x.dtype)
    padded_dx = dx
    for samples, rows in w.blocks(len(x), 4 * x.itemsize * x.shape[-1]):
        if rows.start == 0:
            shape = (samples.stop - samples.start, *w.padded, x.shape[-1])
            padded_dx = np.zeros(shape, x.dtype) if w.is_padded else dx[samples]
        for tap in w.taps(rows):
            if w.disjoint:
                padded_dx[tap] = share[samples, rows]
            else:
                padded_dx[tap] += share[samples, rows]
        if w.is_padded and rows.stop == w.out[0]:
            dx[samples] = padded_dx[w.interior]
    return (dx,)


def average_xla(
    x: Any, *, pool_size: Ints, strides: Ints | None = None, padding: Padding = "valid"
) -> Any:
    """The same in `jax.numpy`."""
    from jax import lax

    w = layout(x, pool_size, strides, padding)
    total = lax.reduce_window(
        x, 0.0, lax.add, (1, *w.size, 1), (1, *w.strides, 1), ((0, 0), *w.pads, (0, 0))
    )
    return total / counts(w, x.dtype)


max_pool = fused("max_pool", max_forward, max_backward, max_xla)
average_pool = fused("average_pool", average_forward, average_backward, average_xla)
