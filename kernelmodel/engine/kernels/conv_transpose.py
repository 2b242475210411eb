"""Transposed convolution: the input gradient of a convolution, run forward.

Source: Zeiler et al. 2010, "Deconvolutional networks"; Dumoulin and Visin 2016
(arXiv:1603.07285).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.engine.kernels.conv import backward as conv_backward
from kernelmodel.engine.kernels.conv import forward as conv_forward
from kernelmodel.engine.kernels.conv import xla as conv_xla
from kernelmodel.engine.kernels.dense import as_rows
from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.epilogue import finish, unfinish, xla_activate
from kernelmodel.engine.kernels.rows import column_sums
from kernelmodel.engine.kernels.windows import Pads, per_axis
from kernelmodel.engine.primitive import fused

Ints = int | Sequence[int]


def transposed_extent(
    n: int, span: int, stride: int, padding: str, extra: int | None
) -> tuple[int, tuple[int, int]]:
    """The output extent along one axis, and the padding of the convolution that undoes it.

    Args:
        n: Input extent.
        span: Extent of the dilated window.
        stride: Step between windows in the output.
        padding: "valid" or "same".
        extra: Output padding; None for an extent of n * stride with "same", and for one that
            whole windows and strides fill with "valid".
    """
    if padding == "valid":
        extent = (n - 1) * stride + span + (max(stride - span, 0) if extra is None else extra)
        before = 0
    elif padding == "same":
        extent = n * stride if extra is None else (n - 1) * stride + span % 2 + extra
        around = extent + span - 2 - (n - 1) * stride
        before = span - 1 - min(-(-around // 2), span - 1)
    else:
        raise ValueError(f'conv_transpose: padding is "valid" or "same", got {padding!r}.')
    return extent, (before, max((n - 1) * stride + span - extent - before, 0))


def target(
    x: Any, kernel: Any, strides: Ints, padding: str, dilation: Ints, output_padding: Ints | None
) -> tuple[tuple[int, ...], dict[str, Any]]:
    """The output's shape, and the settings of the convolution that leads from it to x."""
    axes = x.ndim - 2
    if kernel.ndim != x.ndim or x.shape[-1] != kernel.shape[-1]:
        raise ValueError(
            f"conv_transpose: inputs of shape {tuple(x.shape)} don't fit a kernel of shape "
            f"{tuple(kernel.shape)}: expected {axes} window axes, filters, input channels."
        )
    steps, dilations = per_axis(strides, axes), per_axis(dilation, axes)
    extras = (None,) * axes if output_padding is None else per_axis(output_padding, axes)
    extents: list[int] = []
    pads: list[tuple[int, int]] = []
    for n, size, step, gap, extra in zip(
        x.shape[1:-1], kernel.shape, steps, dilations, extras, strict=False
    ):
        extent, pad = transposed_extent(n, (size - 1) * gap + 1, step, padding.lower(), extra)
        extents.append(extent)
        pads.append(pad)
    pairs: Pads = tuple(pads)
    static = {"strides": steps, "padding": pairs, "dilation": dilations}
    return (x.shape[0], *extents, kernel.shape[-2]), static


@forward_kernel
def forward(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None,
    *,
    strides: Ints = 1,
    padding: str = "valid",
    dilation: Ints = 1,
    output_padding: Ints | None = None,
    activation: str | None = None,
) -> tuple[np.ndarray, None]:
    """`activation(conv_transpose(x, kernel) + bias)`.

    Args:
        x: (batch, *spatial, in).
        kernel: (*size, filters, in).
        bias: (filters,) or None.
        strides: Step between the windows that the inputs are spread over.
        padding: "valid" or "same".
        dilation: Step between taps.
        output_padding: Added to the output's extents; None for those that fit the strides.
        activation: None, "linear", "relu", "tanh" or "sigmoid".

    Returns:
        (batch, *out, filters), and no residuals.
    """
    shape, static = target(x, kernel, strides, padding, dilation, output_padding)
    like = np.broadcast_to(np.zeros((), np.result_type(x, kernel)), shape)
    need = (True, False, False)
    out, _, _ = conv_backward(x, x, None, (like, kernel, None), need, **static)
    finish(as_rows(out), bias, activation)
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
    padding: str = "valid",
    dilation: Ints = 1,
    output_padding: Ints | None = None,
    activation: str | None = None,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for x, kernel and bias."""
    x, kernel, bias = arrays
    _, static = target(x, kernel, strides, padding, dilation, output_padding)
    rows = unfinish(as_rows(g), as_rows(out), activation)
    g = rows.reshape(g.shape)
    dx = conv_forward(g, kernel, None, **static)[0] if needed[0] else None
    dkernel = None
    if needed[1]:
        need = (False, True, False)
        dkernel = conv_backward(x, x, None, (g, kernel, None), need, **static)[1]
    return dx, dkernel, column_sums(rows) if needed[2] and bias is not None else None


def xla(
    x: Any,
    kernel: Any,
    bias: Any,
    *,
    strides: Ints = 1,
    padding: str = "valid",
    dilation: Ints = 1,
    output_padding: Ints | None = None,
    activation: str | None = None,
) -> Any:
    """The same in `jax.numpy`."""
    import jax

    shape, static = target(x, kernel, strides, padding, dilation, output_padding)
    transpose = jax.linear_transpose(
        lambda y: conv_xla(y, kernel, None, **static), jax.ShapeDtypeStruct(shape, x.dtype)
    )
    (y,) = transpose(x)
    return xla_activate(y if bias is None else y + bias, activation)


conv_transpose = fused("conv_transpose", forward, backward, xla)
