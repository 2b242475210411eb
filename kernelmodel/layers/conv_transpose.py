"""Transposed convolutions: from a small map to a larger one.

A transposed convolution is the gradient of a convolution for its input. It equals a convolution of
the input with zeros put between its positions, by the mirrored kernel; it is computed this way.
"""

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
    refuse,
    resolve,
)
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.windowed import Windowed


def transposed_pads(
    size: int, stride: int, dilation: int, padding: str, extra: int | None
) -> tuple[int, int]:
    """Padding of the spread input before and after, for one axis.

    Args:
        size: Taps of the kernel.
        stride: Step of the convolution that is transposed.
        dilation: Step between taps.
        padding: "valid" or "same".
        extra: `output_padding`, or None.
    """
    span = (size - 1) * dilation + 1
    if padding == "valid":
        return span - 1, span - 1 + (max(stride - span, 0) if extra is None else extra)
    total = stride + span - 2 if extra is None else span + span % 2 - 2 + extra
    before = min((total + 1) // 2, span - 1)
    return before, total - before


class ConvTranspose(Windowed):
    """Base of transposed convolutions.

    Args:
        filters: Channels of the output.
        kernel_size: Extent of the kernel: an integer, or one for each spatial axis.
        strides: Factor by which the output is longer, likewise.
        padding: "valid" or "same" (the output is `strides` times as long as the input).
        output_padding: What is added to the end of the output, less than the stride; None for
            what `padding` says.
        data_format: "channels_last" or "channels_first"; None for the former.
        dilation_rate: Step between the taps of the kernel.
        activation: Activation function or its name; None for none.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of `kernel`, shape (*kernel_size, filters, channels).
        bias_initializer: Initializer of `bias`, shape (filters,).
        kernel_regularizer: Regularizer of `kernel`, or None.
        bias_regularizer: Regularizer of `bias`, or None.
        activity_regularizer: Regularizer of the output, or None.
        kernel_constraint: Constraint of `kernel`, or None.
        bias_constraint: Constraint of `bias`, or None.

    Raises:
        ValueError: An argument is none of these, or they don't fit each other.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._start(data_format, padding)
        self.filters = positive(self, "filters", filters)
        self.kernel_size = integers(self, "kernel_size", kernel_size, self.rank)
        self.strides = integers(self, "strides", strides, self.rank)
        self.dilation_rate = integers(self, "dilation_rate", dilation_rate, self.rank)
        self._check_strides(self.strides, self.dilation_rate)
        if output_padding is not None:
            output_padding = integers(self, "output_padding", output_padding, self.rank, least=0)
            if any(extra >= step for extra, step in zip(output_padding, self.strides)):
                refuse(self, "output_padding", output_padding, f"less than strides={self.strides}")
        self.output_padding = output_padding
        self.use_bias = bool(use_bias)
        resolve(
            self,
            activation=activation,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.bias: Any = None
        self._pads = tuple(
            transposed_pads(size, step, dilation, self.padding, extra)
            for size, step, dilation, extra in zip(
                self.kernel_size,
                self.strides,
                self.dilation_rate,
                self.output_padding or (None,) * self.rank,
            )
        )

    def build(self, input_shape: Any) -> None:
        """Make `kernel` and `bias`."""
        channels = self._channels_of(input_shape)
        self.kernel = make_weight(self, "kernel", (*self.kernel_size, self.filters, channels))
        if self.use_bias:
            self.bias = make_weight(self, "bias", (self.filters,))
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})

    def _spread(self, x: Any) -> Any:
        """Channels-last x with `strides - 1` zeros between its positions."""
        for axis, step in enumerate(self.strides, 1):
            if step > 1:
                shape = tuple(x.shape)
                borders = [(0, 0)] * (len(shape) + 1)
                borders[axis + 1] = (0, step - 1)
                x = ops.pad(ops.expand_dims(x, axis + 1), borders)
                x = ops.reshape(x, (*shape[:axis], shape[axis] * step, *shape[axis + 1 :]))
                last = slice(0, (shape[axis] - 1) * step + 1)
                x = ops.getitem(x, (slice(None),) * axis + (last,))
        return x

    def call(self, inputs: Any) -> Any:
        """Compute the output."""
        dtype = self.compute_dtype
        kernel = ops.flip(in_dtype(self.kernel, dtype), tuple(range(self.rank)))
        outputs = conv(
            self._spread(self._channels_last(inputs)),
            ops.swapaxes(kernel, -1, -2),
            in_dtype(self.bias, dtype),
            padding=self._pads,
            dilation=self.dilation_rate,
            activation=FUSED.get(self.activation),
        )
        return self._finished(outputs, self.activation)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        lengths = [
            None if n is None else (n - 1) * step + 1 + sum(pads) - (size - 1) * dilation
            for n, step, pads, size, dilation in zip(
                self._spatial(input_shape),
                self.strides,
                self._pads,
                self.kernel_size,
                self.dilation_rate,
            )
        ]
        return self._with_spatial(input_shape, lengths, self.filters)


@REGISTRY.register("Convolution1DTranspose")
class Conv1DTranspose(ConvTranspose):
    __doc__ = (
        (ConvTranspose.__doc__ or "").replace(
            "Base of transposed convolutions.", "Transposed convolution of sequences."
        )
        + """
    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Conv1DTranspose(8, 3, strides=2)(np.ones((1, 5, 3))).shape
        (1, 11, 8)
    """
    )

    rank = 1


@REGISTRY.register("Convolution2DTranspose")
class Conv2DTranspose(ConvTranspose):
    __doc__ = (
        (ConvTranspose.__doc__ or "").replace(
            "Base of transposed convolutions.", "Transposed convolution of images."
        )
        + """
    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.Conv2DTranspose(8, 3, strides=2, padding="same")
        >>> layer(np.ones((1, 5, 5, 3))).shape
        (1, 10, 10, 8)
    """
    )

    rank = 2


@REGISTRY.register("Convolution3DTranspose")
class Conv3DTranspose(ConvTranspose):
    __doc__ = (
        (ConvTranspose.__doc__ or "").replace(
            "Base of transposed convolutions.", "Transposed convolution of volumes."
        )
        + """
    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Conv3DTranspose(8, 3)(np.ones((1, 5, 5, 5, 3))).shape
        (1, 7, 7, 7, 8)
    """
    )

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        # In Keras, too, only this one takes these two the other way around.
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, *args, **kwargs
        )
