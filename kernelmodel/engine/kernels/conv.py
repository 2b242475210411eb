"""Convolution of any number of spatial axes, channels last: gathered windows times kernel.

The windows of a block of the batch, small enough for a second-level cache, are copied into a
matrix ("im2col") and multiplied with the kernel. The gradient for the input goes the other way
("col2im"): a matrix product, then one strided addition for each tap of the kernel. Two cases
need no windows: a kernel of one tap is a matrix product, and a depthwise one is elementwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.engine.kernels import depthwise
from kernelmodel.engine.kernels.columns import add_columns, gather
from kernelmodel.engine.kernels.dense import as_rows
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.epilogue import finish, unfinish, xla_activate
from kernelmodel.engine.kernels.rows import column_sums
from kernelmodel.engine.kernels.windows import Padding, Windows, hashable, per_axis, windows
from kernelmodel.engine.primitive import fused

Ints = int | Sequence[int]


def layout(
    x: Any, kernel: Any, strides: Ints, padding: Padding, dilation: Ints, groups: int
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
    return rows.reshape(len(rows), groups, -1).transpose(1, 0, 2)


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
    filters = kernel.shape[-1]
    out = np.empty((len(x), *w.out, filters), np.result_type(x, kernel))
    pointwise, separate = is_pointwise(w, groups), is_depthwise(kernel, groups)
    matrix = grouped_kernel(kernel, groups)
    position = out.itemsize * (filters + (0 if separate else math.prod(kernel.shape[:-1]) * groups))
    for samples, rows in w.blocks(len(x), position):
        block = out[samples, rows]
        flat = as_rows(block)
        if pointwise:
            np.matmul(as_rows(x[samples][thinned(w)][:, rows]), matrix[0], out=flat)
        elif separate:
            depthwise.multiply(w.pad(x[samples]), kernel, w, rows, block)
        elif groups == 1:
            np.matmul(gather(w.pad(x[samples]), w, rows, 1)[0], matrix[0], out=flat)
        else:
            columns = gather(w.pad(x[samples]), w, rows, groups)
            by_group(flat, groups)[...] = columns @ matrix
        finish(flat, bias, activation)
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
    x, kernel, bias = arrays
    w = layout(x, kernel, strides, padding, dilation, groups)
    need_x, need_kernel, need_bias = needed[0], needed[1], needed[2] and bias is not None
    dx = np.zeros_like(x, subok=False, order="C") if need_x else None
    dkernel = np.zeros(kernel.shape, kernel.dtype) if need_kernel else None
    dbias = np.zeros(bias.shape, bias.dtype) if need_bias else None
    pointwise, separate = is_pointwise(w, groups), is_depthwise(kernel, groups)
    matrix = grouped_kernel(kernel, groups)
    dmatrix = np.zeros(matrix.shape, matrix.dtype) if need_kernel else None
    filters = kernel.shape[-1]
    position = out.itemsize * (filters + (0 if separate else math.prod(kernel.shape[:-1]) * groups))
    padded: Any = None
    for samples, rows in w.blocks(len(x), position):
        flat = unfinish(as_rows(g[samples, rows]), as_rows(out[samples, rows]), activation)
        block = flat.reshape(out[samples, rows].shape)
        if dbias is not None:
            dbias += column_sums(flat)
        if pointwise:
            seen = (samples, *thinned(w)[1:])
            if dmatrix is not None:
                dmatrix[0] += as_rows(x[seen][:, rows]).T @ flat
            if dx is not None:
                spread = dx[seen][:, rows]
                spread[...] = (flat @ matrix[0].T).reshape(spread.shape)
            continue
        if dx is not None and rows.start == 0:
            shape = (samples.stop - samples.start, *w.padded, x.shape[-1])
            padded = np.zeros(shape, x.dtype) if w.is_padded else dx[samples]
        if separate:
            if dkernel is not None:
                depthwise.add_kernel_gradient(w.pad(x[samples]), block, w, rows, dkernel)
            if dx is not None:
                depthwise.add_input_gradient(block, kernel, w, rows, padded)
        else:
            split = by_group(flat, groups)
            if dmatrix is not None:
                columns = gather(w.pad(x[samples]), w, rows, groups)
                dmatrix += columns.transpose(0, 2, 1) @ split
            if dx is not None:
                add_columns(split @ matrix.transpose(0, 2, 1), padded, w, rows)
        if dx is not None and w.is_padded and rows.stop == w.out[0]:
            dx[samples] = padded[w.interior]
    if dkernel is not None and dmatrix is not None and not separate:
        dkernel[...] = dmatrix.transpose(1, 0, 2).reshape(kernel.shape)
    return dx, dkernel, dbias


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
