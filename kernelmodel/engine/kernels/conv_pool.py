"""A convolution with relu and the max pooling after it as one, for plans.

The outputs of the convolution, the largest arrays of many networks, are never stored: each block
is pooled while it is in a near cache. What the gradient needs of them is which tap of a window
was its maximum. The bits are those of the two kernels one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.engine import pool
from kernelmodel.engine.kernels import loops
from kernelmodel.engine.kernels.conv import conv, convolve, gradients, position_bytes
from kernelmodel.engine.kernels.conv import layout as conv_layout
from kernelmodel.engine.kernels.dense import as_rows
from kernelmodel.engine.kernels.epilogue import finish
from kernelmodel.engine.kernels.pooling import image_windows, max_pool
from kernelmodel.engine.kernels.pooling import layout as pool_layout
from kernelmodel.engine.kernels.windows import Block, Windows
from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.plan_fusion import Line, Lines, Place, rule
from kernelmodel.engine.primitive import unwrap_kernel

NONE = 255  # the tap of a window whose gradient goes nowhere: relu's zero, or NaN

CONV, CONV_BACK = unwrap_kernel(conv.forward), unwrap_kernel(conv.backward)
POOL, POOL_BACK = unwrap_kernel(max_pool.forward), unwrap_kernel(max_pool.backward)


def plain_relu_max(
    y: np.ndarray, row: np.ndarray, pooled: np.ndarray, chosen: np.ndarray, *sizes: int
) -> None:
    """Write each window's maximum of relu(y + row), and the number of its first tap that has it.

    Args:
        y: (batch, rows, columns, channels); may be overwritten.
        row: (channels,).
        pooled: (batch, *out, channels), written to.
        chosen: The same of uint8; `NONE` where relu passes no gradient on.
        sizes: Of windows, and steps between them.
    """
    finish(as_rows(y), row, "relu")
    taps = [y[tap] for tap in image_windows(y, pooled, *sizes).taps()]
    pooled.fill(0)
    for seen in taps:
        np.maximum(pooled, seen, out=pooled)
    chosen.fill(0)
    before = np.ones(pooled.shape, bool)
    for seen in taps:  # those before the first maximum are counted
        before &= seen != pooled
        chosen += before
    np.copyto(chosen, NONE, where=~(pooled > 0))


def plain_spread_taps(g: np.ndarray, chosen: np.ndarray, dy: np.ndarray, *sizes: int) -> None:
    """Write each window's gradient `g` to the chosen tap in `dy`, and `g * 0` to its others."""
    for number, tap in enumerate(image_windows(dy, g, *sizes).taps()):
        np.multiply(g, chosen == number, out=dy[tap])


relu_max = Twin(plain_relu_max, loops.relu_max, minimum=1 << 10)
spread_taps = Twin(plain_spread_taps, loops.spread_taps, minimum=1 << 10)


def fitting(
    arrays: Any, convolution: dict[str, Any], pooling: dict[str, Any]
) -> tuple[Windows, Windows] | None:
    """Where the windows of both lie; None if they can't be one.

    Args:
        arrays: x, kernel and bias (or None) of the convolution, or what has their shapes and
            dtypes.
        convolution: The other arguments of `conv`.
        pooling: Those of `max_pool`.
    """
    x, kernel, bias = arrays
    options = dict(convolution)
    if options.pop("activation", None) != "relu" or options.get("groups", 1) != 1 or x.ndim != 4:
        return None
    dtype = np.result_type(x.dtype, kernel.dtype)
    if dtype.kind != "f" or (bias is not None and bias.dtype != dtype):
        return None
    w = conv_layout(x, kernel, **options)
    p = pool_layout(w.out, **pooling)
    if p.is_padded or not p.disjoint or p.size[0] * p.size[1] > NONE:
        return None
    # In blocks of whole samples, which the gradient's are then too, no window is cut in two.
    tasks = w.tasks(x.shape[0], position_bytes(kernel, 1, dtype.itemsize))
    return (w, p) if all(rows == slice(0, w.out[0]) for task in tasks for _, rows in task) else None


def forward(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None, w: Windows, p: Windows
) -> tuple[np.ndarray, np.ndarray]:
    """`max_pool(relu(conv(x, kernel) + bias))`.

    Args:
        x: (batch, *spatial, in).
        kernel: (*size, in, filters).
        bias: (filters,) or None.
        w: Windows of the convolution.
        p: Windows of the pooling.

    Returns:
        (batch, *out, filters), and for each of its numbers which tap of the window it was: the
        first one, row-major, or `NONE`.
    """
    filters, dtype = kernel.shape[-1], np.result_type(x, kernel)
    pooled = pool.empty((len(x), *p.out, filters), dtype)
    chosen = pool.empty(pooled.shape, np.uint8)
    row = np.zeros(filters, dtype) if bias is None else bias

    def place(block: Block) -> np.ndarray:
        samples, _ = block
        return pool.empty((samples.stop - samples.start, *w.out, filters), dtype)

    def use(block: Block, y: np.ndarray) -> None:
        samples, _ = block
        relu_max(y, row, pooled[samples], chosen[samples], *p.size, *p.strides)

    convolve(x, kernel, w, 1, place, use)
    return pooled, chosen


def backward(
    g: np.ndarray,
    chosen: np.ndarray,
    arrays: tuple[Any, ...],
    needed: Any,
    w: Windows,
    p: Windows,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for x, kernel and bias, from that of what `forward` returned."""
    x, kernel, _ = arrays
    make = pool.empty if p.tiles else pool.zeros

    def gradient(block: Block) -> np.ndarray:
        samples, _ = block
        part = g[samples]
        dy = make((len(part), *w.out, kernel.shape[-1]), np.result_type(x, kernel))
        spread_taps(part, chosen[samples], dy, *p.size, *p.strides)
        return as_rows(dy)

    return gradients(arrays, needed, w, 1, gradient)


@rule(CONV)
def fuse(lines: Lines, convolving: Line) -> None:
    """Make a convolution and a pooling one, and their gradients, if nobody else sees between."""
    (y,) = lines.users(convolving)
    pooling, *others = lines.users(y)
    if pooling.function is not POOL:
        return
    found = fitting(convolving.args, convolving.kwargs, pooling.kwargs)
    if found is None or (others and not are_back(lines, y, others)):
        return
    both = lines.write(forward, (*convolving.args, *found), {}, pooling.target, convolving.errors)
    new = [both]
    if others:
        spreading, gathering = others
        chosen = lines.part(both, 1)
        new.append(chosen)
        g, (arrays, needed) = spreading.args[0], gathering.args[3:]
        args = (g, Place(str(chosen.target)), arrays, needed, *found)
        line = lines.write(backward, args, {}, gathering.target, gathering.errors)
        lines.replace([spreading, *lines.users(spreading)], gathering, [line])
    lines.replace([y, pooling], convolving, new)


def are_back(lines: Lines, y: Line, others: Sequence[Line]) -> bool:
    """Whether lines are the gradients of a pooling of y and of the convolution that made it."""
    if [line.function for line in others] != [POOL_BACK, CONV_BACK]:
        return False
    spreading, gathering = others
    (dy,) = lines.users(spreading)
    return (
        gathering.args[1].name == y.target
        and lines.users(dy) == [gathering]
        and not lines.change_in_place(spreading, gathering)
    )
