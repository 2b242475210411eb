"""Convolution of any number of spatial axes, channels last: gathered windows times kernel.

The windows of a block of the batch, small enough for a second-level cache, are copied into a
matrix ("im2col") and multiplied with the kernel. The gradient for the input goes the other way
("col2im"): a matrix product, then one strided addition for each tap of the kernel. Two cases
need no windows: a kernel of one tap is a matrix product, and a depthwise one is elementwise.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kernelmodel.engine import parallel, pool
from kernelmodel.engine.kernels import depthwise
from kernelmodel.engine.kernels.columns import add_columns, gather
from kernelmodel.engine.kernels.dense import as_rows
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.epilogue import finish, unfinish, xla_activate
from kernelmodel.engine.kernels.rows import column_sums
from kernelmodel.engine.kernels.windows import (
    TASKS,
    Block,
    Padding,
    Windows,
    hashable,
    per_axis,
    windows,
)
from kernelmodel.engine.primitive import fused

Ints = int | Sequence[int]

SHARES_BYTES = 1 << 26  # for the tasks' shares in a kernel's gradient


def layout(
    x: Any,
    kernel: Any,
    strides: Ints = 1,
    padding: Padding = "valid",
    dilation: Ints = 1,
    groups: int = 1,
) -> Windows:
    """Where the windows lie; checks that x and kernel fit each other."""
    axes = x.ndim - 2
    if kernel.ndim != x.ndim or x.shape[-1] != kernel.shape[-2] * groups:
        raise ValueError(
            f"conv: inputs of shape {tuple(x.shape)} don't fit a kernel of shape "
            f"{tuple(kernel.shape)} with groups={groups}: expected a kernel of "
            f"{axes} window axes, then input channels / groups, then filters."
        )
    if kernel.shape[-1] % groups:
        raise ValueError(
            f"conv: {kernel.shape[-1]} filters can't be shared out among groups={groups}. "
            "Use a multiple of the number of groups."
        )
    return windows(
        tuple(x.shape[1:-1]),
        tuple(kernel.shape[:-2]),
        per_axis(strides, axes),
        hashable(padding),
        per_axis(dilation, axes),
    )


def is_pointwise(w: Windows, groups: int) -> bool:
    """Whether each window is one input position."""
    return groups == 1 and math.prod(w.size) == 1 and not w.is_padded


def is_depthwise(kernel: np.ndarray, groups: int) -> bool:
    """Whether each filter sees one channel."""
    return groups > 1 and kernel.shape[-2] == 1


def thinned(w: Windows) -> tuple[slice, ...]:
    """The input positions that the windows of one tap see."""
    return next(w.taps())


def grouped_kernel(kernel: np.ndarray, groups: int) -> np.ndarray:
    """(*size, in/groups, filters) as (groups, taps * in/groups, filters/groups)."""
    filters = kernel.shape[-1]
    return kernel.reshape(-1, groups, filters // groups).transpose(1, 0, 2)


def by_group(rows: np.ndarray, groups: int) -> np.ndarray:
    """(n, filters) as (groups, n, filters/groups)."""
    return rows.reshape(len(rows), groups, rows.shape[1] // groups).transpose(1, 0, 2)


def position_bytes(kernel: np.ndarray, groups: int, itemsize: int) -> int:
    """Bytes of temporary arrays for each output position."""
    window = 0 if is_depthwise(kernel, groups) else math.prod(kernel.shape[:-1]) * groups
    return itemsize * (kernel.shape[-1] + window)


def convolve(
    x: np.ndarray,
    kernel: np.ndarray,
    w: Windows,
    groups: int,
    place: Callable[[Block], np.ndarray],
    use: Callable[[Block, np.ndarray], None],
) -> None:
    """Convolve block by block, on several threads.

    Args:
        x: (batch, *spatial, in).
        kernel: (*size, in / groups, filters).
        w: Where the windows lie.
        groups: Number of channel groups.
        place: Returns a C-contiguous array for the outputs of a block.
        use: Called with a block and its outputs, (samples, *rows, filters).
    """
    pointwise, separate = is_pointwise(w, groups), is_depthwise(kernel, groups)
    matrix = grouped_kernel(kernel, groups)
    itemsize = np.result_type(x, kernel).itemsize
    tasks = w.tasks(len(x), position_bytes(kernel, groups, itemsize))
    blocks = list(itertools.chain.from_iterable(tasks))

    def compute(i: int) -> None:
        samples, rows = blocks[i]
        seen, part = w.part(rows)
        inputs, block = x[samples, seen], place(blocks[i])
        flat = as_rows(block)
        if pointwise:
            np.matmul(as_rows(inputs[thinned(part)]), matrix[0], out=flat)
        elif separate:
            depthwise.multiply(part.pad(inputs), kernel, part, block)
        elif groups == 1:
            np.matmul(gather(part.pad(inputs), part, 1)[0], matrix[0], out=flat)
        else:
            by_group(flat, groups)[...] = gather(part.pad(inputs), part, groups) @ matrix
        use(blocks[i], block)

    parallel.run(compute, len(blocks))


def gradients(
    arrays: tuple[Any, ...],
    needed: Any,
    w: Windows,
    groups: int,
    gradient: Callable[[Block], np.ndarray],
) -> tuple[np.ndarray | None, ...]:
    """Gradients for x, kernel and bias, block by block, on several threads.

    Args:
        arrays: x, kernel and bias, or None for the last.
        needed: For each of them, whether its gradient is asked for.
        w: Where the windows lie.
        groups: Number of channel groups.
        gradient: Returns the gradient of a block's outputs before the activation, as a
            C-contiguous matrix (positions, filters), not to be written to.
    """
    x, kernel, bias = arrays
    need_x, need_kernel, need_bias = needed[0], needed[1], needed[2] and bias is not None
    pointwise, separate = is_pointwise(w, groups), is_depthwise(kernel, groups)
    matrix = grouped_kernel(kernel, groups)
    # Each task adds up its own share in the gradients of the weights.
    most = min(TASKS, max(2, SHARES_BYTES // max(1, kernel.nbytes)))
    itemsize = np.result_type(x, kernel).itemsize
    tasks = w.tasks(len(x), position_bytes(kernel, groups, itemsize), most)
    shared = kernel.shape if separate else matrix.shape
    dx = pool.empty(x.shape, x.dtype) if need_x else None
    dkernels = pool.zeros((len(tasks), *shared), kernel.dtype) if need_kernel else None
    dbiases = np.zeros((len(tasks), *bias.shape), bias.dtype) if need_bias else None

    def compute(i: int) -> None:
        for samples, rows in tasks[i]:
            seen, part = w.part(rows)
            inputs, flat = x[samples, seen], gradient((samples, rows))
            if dbiases is not None:
                dbiases[i] += column_sums(flat)
            if dkernels is not None:
                add_kernel_gradient(inputs, flat, part, dkernels[i])
            if dx is not None:
                if rows.start == 0:
                    dx[samples] = 0
                add_input_gradient(flat, part, dx[samples, seen])

    def add_kernel_gradient(
        inputs: np.ndarray, flat: np.ndarray, part: Windows, total: np.ndarray
    ) -> None:
        if pointwise:
            total[0] += as_rows(inputs[thinned(part)]).T @ flat
        elif separate:
            block = flat.reshape(len(inputs), *part.out, flat.shape[1])
            depthwise.add_kernel_gradient(part.pad(inputs), block, part, total)
        else:
            columns = gather(part.pad(inputs), part, groups)
            total += columns.transpose(0, 2, 1) @ by_group(flat, groups)

    def add_input_gradient(flat: np.ndarray, part: Windows, total: np.ndarray) -> None:
        if pointwise:
            spread = total[thinned(part)]
            spread += (flat @ matrix[0].T).reshape(spread.shape)
            return
        padded = total
        if part.is_padded:
            padded = pool.zeros((len(total), *part.padded, total.shape[-1]), total.dtype)
        if separate:
            block = flat.reshape(len(total), *part.out, flat.shape[1])
            depthwise.add_input_gradient(block, kernel, part, padded)
        else:
            split = by_group(flat, groups)
            columns = pool.empty((*split.shape[:2], matrix.shape[1]), total.dtype)
            add_columns(np.matmul(split, matrix.transpose(0, 2, 1), out=columns), padded, part)
        if part.is_padded:
            total += padded[part.interior]

    parallel.run(compute, len(tasks))
    dkernel = None
    if dkernels is not None:
        total = dkernels.sum(0)
        dkernel = total if separate else total.transpose(1, 0, 2).reshape(kernel.shape)
    return dx, dkernel, None if dbiases is None else dbiases.sum(0)


@forward_kernel
def forward(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None,
    *,
    strides: Ints = 1,
    padding: Padding = "valid",
    dilation: Ints = 1,
    groups: int = 1,
    activation: str | None = None,
) -> tuple[np.ndarray, None]:
    """`activation(conv(x, kernel) + bias)`.

    Args:
        x: (batch, *spatial, in).
        kernel: (*size, in / groups, filters).
        bias: (filters,) or None.
        strides: Step between windows, one int or one for each spatial axis.
        padding: "valid", "same", "causal" or (before, after) for each axis.
        dilation: Step between taps.
        groups: Number of channel groups, each with its own filters.
        activation: None, "linear", "relu", "tanh" or "sigmoid".

    Returns:
        (batch, *out, filters), and no residuals.
    """
    w = layout(x, kernel, strides, padding, dilation, groups)
    out = pool.empty((len(x), *w.out, kernel.shape[-1]), np.result_type(x, kernel))

    def use(block: Block, y: np.ndarray) -> None:
        finish(as_rows(y), bias, activation)

    convolve(x, kernel, w, groups, out.__getitem__, use)
    return out, None


@backward_kernel
def backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    strides: Ints = 1,
    padding: Padding = "valid",
    dilation: Ints = 1,
    groups: int = 1,
    activation: str | None = None,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for x, kernel and bias."""
    w = layout(arrays[0], arrays[1], strides, padding, dilation, groups)

    def gradient(block: Block) -> np.ndarray:
        return unfinish(as_rows(g[block]), as_rows(out[block]), activation)

    return gradients(arrays, needed, w, groups, gradient)


def xla(
    x: Any,
    kernel: Any,
    bias: Any,
    *,
    strides: Ints = 1,
    padding: Padding = "valid",
    dilation: Ints = 1,
    groups: int = 1,
    activation: str | None = None,
) -> Any:
    """The same in `jax.numpy`."""
    from jax import lax

    w = layout(x, kernel, strides, padding, dilation, groups)
    axes = "DHW"[3 - len(w.size) :] if len(w.size) <= 3 else "DHWXYZ"[: len(w.size)]
    x, pads = w.xla_padded(x)
    y = lax.conv_general_dilated(
        x,
        kernel,
        w.strides,
        pads[1:-1],
        rhs_dilation=w.dilation,
        dimension_numbers=(f"N{axes}C", f"{axes}IO", f"N{axes}C"),
        feature_group_count=groups,
    )
    return xla_activate(y if bias is None else y + bias, activation)


conv = fused("conv", forward, backward, xla)
