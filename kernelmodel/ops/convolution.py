"""Convolutions of any number of spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp

from kernelmodel.engine import kernels
from kernelmodel.ops import checks
from kernelmodel.ops.convert import extents
from kernelmodel.ops.dispatch import _array_like, op
from kernelmodel.ops.families import both_floating

__all__ = ["conv", "conv_transpose", "depthwise_conv", "separable_conv"]

Ints = int | Sequence[int]


def channels_last(x: Any, data_format: str) -> Any:
    """x with its channels behind the spatial axes."""
    return x if data_format == "channels_last" else anp.moveaxis(x, 1, -1)


def as_given(x: Any, data_format: str) -> Any:
    """The way back."""
    return x if data_format == "channels_last" else anp.moveaxis(x, -1, 1)


def _operands(name: str, inputs: Any, kernel: Any, data_format: str | None) -> tuple[Any, Any, str]:
    """Inputs with channels last, the kernel, and where the channels were."""
    data_format = checks.data_format(name, data_format)
    inputs, kernel = both_floating(inputs, _array_like(kernel))
    checks.rank(name, "inputs", inputs, (3, 4, 5))
    checks.rank(name, "kernel", kernel, (len(extents(inputs)),))
    return channels_last(inputs, data_format), kernel, data_format


def _padding(name: str, padding: str) -> str:
    return checks.choice(name, "padding", str(padding).lower(), ("valid", "same"))


def _settings(name: str, axes: int, strides: Ints, padding: str, dilation_rate: Ints) -> Any:
    return {
        "strides": checks.per_axis(name, "strides", strides, axes),
        "padding": _padding(name, padding),
        "dilation": checks.per_axis(name, "dilation_rate", dilation_rate, axes),
    }


@op
def conv(
    inputs: Any,
    kernel: Any,
    strides: Ints = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> Any:
    """Convolution of one, two or three spatial axes.

    Args:
        inputs: (batch, *spatial, channels), or channels before spatial axes.
        kernel: (*size, channels / groups, filters). Fewer channels than the inputs have make as
            many groups, each of which has its own filters.
        strides: Step between windows, one integer or one for each axis.
        padding: "valid", or "same" for ceil(extent / stride) windows.
        data_format: "channels_last" or "channels_first"; None for the former.
        dilation_rate: Step between the entries of a window.

    Returns:
        (batch, *out, filters), with the channels where the inputs have them.

    Raises:
        ValueError: Inputs and kernel don't fit, or an argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.conv(np.ones((1, 4, 1)), np.ones((2, 1, 3))).shape
        (1, 3, 3)
    """
    x, kernel, data_format = _operands("conv", inputs, kernel, data_format)
    channels, inner, filters = extents(x)[-1], *extents(kernel)[-2:]
    if channels % inner or filters % (channels // inner):
        allowed = f"of (*size, channels / groups, filters) for inputs with {channels} channels"
        checks.refuse("conv", "kernel", f"shape {extents(kernel)}", allowed)
    settings = _settings("conv", len(extents(x)) - 2, strides, padding, dilation_rate)
    y = kernels.conv(x, kernel, None, groups=channels // inner, **settings)
    return as_given(y, data_format)


@op
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Ints = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> Any:
    """Convolution of each channel for itself.

    Args:
        inputs: (batch, *spatial, channels), or channels before spatial axes.
        kernel: (*size, channels, multiplier).
        strides: Step between windows, one integer or one for each axis.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None for the former.
        dilation_rate: Step between the entries of a window.

    Returns:
        (batch, *out, channels * multiplier).

    Raises:
        ValueError: Inputs and kernel don't fit, or an argument is none of these.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.depthwise_conv(km.ops.ones((1, 5, 5, 3)), km.ops.ones((2, 2, 3, 1))).shape
        (1, 4, 4, 3)
    """
    name = "depthwise_conv"
    x, kernel, data_format = _operands(name, inputs, kernel, data_format)
    channels = extents(x)[-1]
    *size, inner, multiplier = extents(kernel)
    if inner != channels:
        allowed = f"of (*size, {channels}, multiplier) for inputs with {channels} channels"
        checks.refuse(name, "kernel", f"shape {extents(kernel)}", allowed)
    settings = _settings(name, len(size), strides, padding, dilation_rate)
    each = anp.reshape(kernel, (*size, 1, channels * multiplier))
    return as_given(kernels.conv(x, each, None, groups=channels, **settings), data_format)


@op
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Ints = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> Any:
    """A depthwise convolution, then one of single positions that mixes the channels.

    Args:
        inputs: (batch, *spatial, channels), or channels before spatial axes.
        depthwise_kernel: (*size, channels, multiplier).
        pointwise_kernel: (*ones, channels * multiplier, filters).
        strides: Step between windows, one integer or one for each axis.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None for the former.
        dilation_rate: Step between the entries of a window.

    Returns:
        (batch, *out, filters).

    Examples:
        >>> import kernelmodel as km
        >>> ones = km.ops.ones
        >>> km.ops.separable_conv(
        ...     ones((1, 5, 5, 3)), ones((2, 2, 3, 1)), ones((1, 1, 3, 8))
        ... ).shape
        (1, 4, 4, 8)
    """
    between = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(between, pointwise_kernel, data_format=data_format)


@op
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Ints = 1,
    padding: str = "valid",
    output_padding: Ints | None = None,
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> Any:
    """Transposed convolution: the gradient of a convolution as a function of its own.

    Args:
        inputs: (batch, *spatial, channels), or channels before spatial axes.
        kernel: (*size, filters, channels).
        strides: Step between the windows that each input is spread over.
        padding: "valid" or "same".
        output_padding: Added to the output's extents, less than the strides; None for those that
            fit them.
        data_format: "channels_last" or "channels_first"; None for the former.
        dilation_rate: Step between the entries of a window.

    Returns:
        (batch, *out, filters).

    Raises:
        ValueError: Inputs and kernel don't fit, or an argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.conv_transpose(np.ones((1, 4, 1)), np.ones((3, 2, 1)), 2, "same").shape
        (1, 8, 2)
    """
    name = "conv_transpose"
    x, kernel, data_format = _operands(name, inputs, kernel, data_format)
    axes = len(extents(x)) - 2
    if extents(kernel)[-1] != extents(x)[-1]:
        allowed = f"of (*size, filters, {extents(x)[-1]}) for inputs with {extents(x)[-1]} channels"
        checks.refuse(name, "kernel", f"shape {extents(kernel)}", allowed)
    extra = output_padding
    if extra is not None:
        extra = checks.per_axis(name, "output_padding", extra, axes)
    settings = _settings(name, axes, strides, padding, dilation_rate)
    y = kernels.conv_transpose(x, kernel, None, output_padding=extra, **settings)
    return as_given(y, data_format)
