"""Images as columns of their windows, and space exchanged for channels."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp

from kernelmodel.engine.kernels import patches as kernel
from kernelmodel.ops import checks
from kernelmodel.ops.convert import extents
from kernelmodel.ops.dispatch import op

__all__ = ["depth_to_space", "fold", "space_to_depth", "unfold"]

Pair = int | tuple[int, int]


def _settings(name: str, kernel_size: Pair, dilation: Pair, padding: Pair, stride: Pair) -> Any:
    around = checks.per_axis(name, "padding", padding, 2)
    return {
        "size": checks.per_axis(name, "kernel_size", kernel_size, 2),
        "strides": checks.per_axis(name, "stride", stride, 2),
        "dilation": checks.per_axis(name, "dilation", dilation, 2),
        "padding": tuple((n, n) for n in around),
    }


@op
def unfold(
    x: Any, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1
) -> Any:
    """The windows of images as columns ("im2col").

    Args:
        x: (batch, channels, height, width).
        kernel_size: Extents of a window, one integer or two.
        dilation: Step between the entries of a window.
        padding: Zeros around the image.
        stride: Step between windows.

    Returns:
        (batch, channels * window entries, windows).

    Raises:
        ValueError: x has another rank, or a window is larger than it.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.unfold(np.zeros((1, 3, 5, 5)), 2).shape
        (1, 12, 16)
    """
    checks.rank("unfold", "x", x, (4,))
    settings = _settings("unfold", kernel_size, dilation, padding, stride)
    windows = kernel.patches(anp.transpose(x, (0, 2, 3, 1)), **settings)
    batch, rows, columns, taps, channels = extents(windows)
    ordered = anp.transpose(windows, (0, 4, 3, 1, 2))
    return anp.reshape(ordered, (batch, channels * taps, rows * columns))


@op
def fold(
    x: Any,
    output_size: Pair,
    kernel_size: Pair,
    dilation: Pair = 1,
    padding: Pair = 0,
    stride: Pair = 1,
) -> Any:
    """Columns added up to images ("col2im"); overlapping windows add.

    Args:
        x: (batch, channels * window entries, windows).
        output_size: Height and width of the images.
        kernel_size: Extents of a window, one integer or two.
        dilation: Step between the entries of a window.
        padding: Zeros that were around the image.
        stride: Step between windows.

    Returns:
        (batch, channels, height, width).

    Raises:
        ValueError: The columns don't fit the settings.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.fold(np.ones((1, 4, 4)), 3, 2)[0, 0]
        array([[1., 2., 1.],
               [2., 4., 2.],
               [1., 2., 1.]])
    """
    checks.rank("fold", "x", x, (3,))
    spatial = checks.per_axis("fold", "output_size", output_size, 2)
    settings = _settings("fold", kernel_size, dilation, padding, stride)
    w = kernel.layout(spatial, **settings)
    taps, (batch, rows, count) = w.size[0] * w.size[1], extents(x)
    if rows % taps or count != w.out[0] * w.out[1]:
        allowed = f"of shape (batch, channels * {taps}, {w.out[0] * w.out[1]})"
        checks.refuse("fold", "x", f"shape {extents(x)}", allowed)
    parts = anp.reshape(x, (batch, rows // taps, taps, *w.out))
    images = kernel.fold(anp.transpose(parts, (0, 3, 4, 2, 1)), spatial=spatial, **settings)
    return anp.transpose(images, (0, 3, 1, 2))


def _block(name: str, x: Any, block_size: int, data_format: str) -> tuple[int, ...]:
    """Checked extents: batch, height, width, channels."""
    checks.rank(name, "x", x, (4,))
    data_format = checks.data_format(name, data_format)
    if not isinstance(block_size, int) or block_size < 1:
        checks.refuse(name, "block_size", repr(block_size), "a positive integer")
    found = extents(x)
    return found if data_format == "channels_last" else (found[0], *found[2:], found[1])


@op
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Channels as blocks of pixels (Shi et al., *Sub-pixel CNN*, 2016).

    Args:
        x: (batch, height, width, channels), or channels before the height.
        block_size: Side of a block; its square divides the channels.
        data_format: "channels_last" or "channels_first".

    Returns:
        (batch, height * block_size, width * block_size, channels / block_size**2).

    Raises:
        ValueError: The channels can't be shared out.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.depth_to_space([[[[1, 2, 3, 4]]]], 2).squeeze()
        array([[1, 2],
               [3, 4]])
    """
    b = block_size
    batch, rows, columns, channels = _block("depth_to_space", x, b, data_format)
    if channels % b**2:
        checks.refuse("depth_to_space", "block_size", b, f"a side whose square divides {channels}")
    inner = channels // b**2
    if data_format == "channels_last":
        parts = anp.reshape(x, (batch, rows, columns, b, b, inner))
        moved = anp.transpose(parts, (0, 1, 3, 2, 4, 5))
        return anp.reshape(moved, (batch, rows * b, columns * b, inner))
    parts = anp.reshape(x, (batch, inner, b, b, rows, columns))
    moved = anp.transpose(parts, (0, 1, 4, 2, 5, 3))
    return anp.reshape(moved, (batch, inner, rows * b, columns * b))


@op
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Blocks of pixels as channels: the inverse of `depth_to_space`.

    Args:
        x: (batch, height, width, channels), or channels before the height.
        block_size: Side of a block, which divides height and width.
        data_format: "channels_last" or "channels_first".

    Returns:
        (batch, height / block_size, width / block_size, channels * block_size**2).

    Raises:
        ValueError: Height or width can't be shared out.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.space_to_depth(km.ops.ones((1, 4, 4, 1)), 2).shape
        (1, 2, 2, 4)
    """
    b = block_size
    batch, rows, columns, channels = _block("space_to_depth", x, b, data_format)
    if rows % b or columns % b:
        checks.refuse("space_to_depth", "block_size", b, f"a divisor of {rows} and {columns}")
    high, wide = rows // b, columns // b
    if data_format == "channels_last":
        parts = anp.reshape(x, (batch, high, b, wide, b, channels))
        moved = anp.transpose(parts, (0, 1, 3, 2, 4, 5))
        return anp.reshape(moved, (batch, high, wide, channels * b**2))
    parts = anp.reshape(x, (batch, channels, high, b, wide, b))
    moved = anp.transpose(parts, (0, 1, 3, 5, 2, 4))
    return anp.reshape(moved, (batch, channels * b**2, high, wide))
