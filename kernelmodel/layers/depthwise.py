"""Convolutions that treat each channel for itself."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.engine.kernels.conv import conv
from kernelmodel.layers.arguments import (
    FUSED,
    in_dtype,
    integers,
    make_weight,
    positive,
    resolve,
)
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.windowed import Windowed, window_count


class _Depthwise(Windowed):
    """What depthwise and separable convolutions have in common."""

    depth_multiplier: int
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]

    def _windows(
        self,
        kernel_size: Any,
        strides: Any,
        padding: Any,
        data_format: Any,
        dilation_rate: Any,
        depth_multiplier: Any,
    ) -> None:
        self._start(data_format, padding)
        self.kernel_size = integers(self, "kernel_size", kernel_size, self.rank)
        self.strides = integers(self, "strides", strides, self.rank)
        self.dilation_rate = integers(self, "dilation_rate", dilation_rate, self.rank)
        self._check_strides(self.strides, self.dilation_rate)
        self.depth_multiplier = positive(self, "depth_multiplier", depth_multiplier)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _channelwise(self, inputs: Any, kernel: Any, bias: Any, activation: Any) -> Any:
        """The convolution; `kernel` is (*kernel_size, channels, depth_multiplier)."""
        channels = inputs.shape[-1]
        shape = (*self.kernel_size, 1, channels * self.depth_multiplier)
        return conv(
            inputs,
            ops.reshape(in_dtype(kernel, self.compute_dtype), shape),
            bias,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
            groups=channels,
            activation=activation,
        )

    def _shape_for(self, shape: Any, filters: int) -> Any:
        lengths = [
            window_count(n, size, stride, self.padding, dilation)
            for n, size, stride, dilation in zip(
                self._spatial(shape), self.kernel_size, self.strides, self.dilation_rate
            )
        ]
        return self._with_spatial(shape, lengths, filters)


class DepthwiseConv(_Depthwise):
    """Base of depthwise convolutions: each channel has its own filters.

    Args:
        kernel_size: Extent of the window: an integer, or one for each spatial axis.
        strides: Step between windows, likewise.
        padding: "valid" or "same".
        depth_multiplier: Filters of each channel.
        data_format: "channels_last" or "channels_first"; None for the former.
        dilation_rate: Step between the positions that a window sees.
        activation: Activation function or its name; None for none.
        use_bias: Whether there is a bias.
        depthwise_initializer: Initializer of `kernel`, shape (*kernel_size, channels,
            depth_multiplier).
        bias_initializer: Initializer of `bias`, shape (channels * depth_multiplier,).
        depthwise_regularizer: Regularizer of `kernel`, or None.
        bias_regularizer: Regularizer of `bias`, or None.
        activity_regularizer: Regularizer of the output, or None.
        depthwise_constraint: Constraint of `kernel`, or None.
        bias_constraint: Constraint of `bias`, or None.

    Raises:
        ValueError: An argument is none of these.
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._windows(kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier)
        self.use_bias = bool(use_bias)
        resolve(
            self,
            activation=activation,
            depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
        )
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        """Make `kernel` and `bias`."""
        channels = self._channels_of(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = make_weight(self, "kernel", shape, "depthwise")
        if self.use_bias:
            self.bias = make_weight(self, "bias", (channels * self.depth_multiplier,))
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})

    def call(self, inputs: Any) -> Any:
        """Compute the output."""
        bias = in_dtype(self.bias, self.compute_dtype)
        outputs = self._channelwise(
            self._channels_last(inputs), self.kernel, bias, FUSED.get(self.activation)
        )
        return self._finished(outputs, self.activation)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        return self._shape_for(input_shape, self._channels_of(input_shape) * self.depth_multiplier)


@REGISTRY.register()
class DepthwiseConv1D(DepthwiseConv):
    __doc__ = (
        (DepthwiseConv.__doc__ or "").replace(
            "Base of depthwise convolutions:", "Depthwise convolution of sequences:"
        )
        + """
    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.DepthwiseConv1D(3, depth_multiplier=2)(np.ones((1, 5, 3))).shape
        (1, 3, 6)
    """
    )

    rank = 1


@REGISTRY.register()
class DepthwiseConv2D(DepthwiseConv):
    __doc__ = (
        (DepthwiseConv.__doc__ or "").replace(
            "Base of depthwise convolutions:", "Depthwise convolution of images:"
        )
        + """
    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.DepthwiseConv2D(3, depth_multiplier=2)(np.ones((1, 5, 5, 3))).shape
        (1, 3, 3, 6)
    """
    )

    rank = 2


class SeparableConv(_Depthwise):
    """Base of separable convolutions: a depthwise one, then a mixture of its channels.

    Args:
        filters: Channels of the output.
        kernel_size: Extent of the window: an integer, or one for each spatial axis.
        strides: Step between windows, likewise.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None for the former.
        dilation_rate: Step between the positions that a window sees.
        depth_multiplier: Filters of each channel in the depthwise part.
        activation: Activation function or its name; None for none.
        use_bias: Whether there is a bias.
        depthwise_initializer: Initializer of `depthwise_kernel`, shape (*kernel_size, channels,
            depth_multiplier).
        pointwise_initializer: Initializer of `pointwise_kernel`, shape (1, ..., channels *
            depth_multiplier, filters).
        bias_initializer: Initializer of `bias`, shape (filters,).
        depthwise_regularizer: Regularizer of `depthwise_kernel`, or None.
        pointwise_regularizer: Regularizer of `pointwise_kernel`, or None.
        bias_regularizer: Regularizer of `bias`, or None.
        activity_regularizer: Regularizer of the output, or None.
        depthwise_constraint: Constraint of `depthwise_kernel`, or None.
        pointwise_constraint: Constraint of `pointwise_kernel`, or None.
        bias_constraint: Constraint of `bias`, or None.

    Raises:
        ValueError: An argument is none of these.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._windows(kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier)
        self.filters = positive(self, "filters", filters)
        self.use_bias = bool(use_bias)
        resolve(
            self,
            activation=activation,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
        )
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        """Make `depthwise_kernel`, `pointwise_kernel` and `bias`."""
        channels, multiplier = self._channels_of(input_shape), self.depth_multiplier
        depthwise = (*self.kernel_size, channels, multiplier)
        pointwise = (*(1,) * self.rank, channels * multiplier, self.filters)
        self.depthwise_kernel = make_weight(self, "depthwise_kernel", depthwise, "depthwise")
        self.pointwise_kernel = make_weight(self, "pointwise_kernel", pointwise, "pointwise")
        if self.use_bias:
            self.bias = make_weight(self, "bias", (self.filters,))
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})

    def call(self, inputs: Any) -> Any:
        """Compute the output."""
        dtype = self.compute_dtype
        inputs = self._channels_last(inputs)
        between = self._channelwise(inputs, self.depthwise_kernel, None, None)
        outputs = conv(
            between,
            in_dtype(self.pointwise_kernel, dtype),
            in_dtype(self.bias, dtype),
            activation=FUSED.get(self.activation),
        )
        return self._finished(outputs, self.activation)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        return self._shape_for(input_shape, self.filters)


@REGISTRY.register("SeparableConvolution1D")
class SeparableConv1D(SeparableConv):
    __doc__ = (
        (SeparableConv.__doc__ or "").replace(
            "Base of separable convolutions:", "Separable convolution of sequences:"
        )
        + """
    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.SeparableConv1D(8, 3)(np.ones((1, 5, 3))).shape
        (1, 3, 8)
    """
    )

    rank = 1


@REGISTRY.register("SeparableConvolution2D")
class SeparableConv2D(SeparableConv):
    __doc__ = (
        (SeparableConv.__doc__ or "").replace(
            "Base of separable convolutions:", "Separable convolution of images:"
        )
        + """
    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.SeparableConv2D(8, 3)(np.ones((1, 5, 5, 3))).shape
        (1, 3, 3, 8)
    """
    )

    rank = 2
