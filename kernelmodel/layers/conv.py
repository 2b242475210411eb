"""Convolution layers of one, two and three spatial axes."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.input_spec import InputSpec
from kernelmodel.engine.kernels.conv import conv
from kernelmodel.layers.arguments import (
    FUSED,
    in_dtype,
    integers,
    make_weight,
    only_default,
    positive,
    refuse,
    resolve,
)
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.windowed import Windowed, window_count


class Conv(Windowed):
    """Base of convolutions: windows of the input times a kernel.

    Args:
        filters: Channels of the output.
        kernel_size: Extent of the window: an integer, or one for each spatial axis.
        strides: Step between windows, likewise.
        padding: "valid" (whole windows only), "same" (as many windows as positions, divided by the
            stride) or, with one axis, "causal" (a window sees only what came before).
        data_format: "channels_last" or "channels_first"; None for the former.
        dilation_rate: Step between the positions that a window sees.
        groups: Into how many groups the channels are split, each with its own filters.
        activation: Activation function or its name; None for none.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of `kernel`, shape (*kernel_size, channels / groups,
            filters).
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
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        only_default(type(self).__name__, kwargs, lora_rank=None, lora_alpha=None)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        causal = ("causal",) if self.rank == 1 else ()
        self._start(data_format, padding, ("valid", "same", *causal))
        self.filters = positive(self, "filters", filters)
        self.kernel_size = integers(self, "kernel_size", kernel_size, self.rank)
        self.strides = integers(self, "strides", strides, self.rank)
        self.dilation_rate = integers(self, "dilation_rate", dilation_rate, self.rank)
        self._check_strides(self.strides, self.dilation_rate)
        self.groups = positive(self, "groups", groups)
        if self.filters % self.groups:
            refuse(self, "filters", filters, f"a multiple of groups={groups}")
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

    def build(self, input_shape: Any) -> None:
        """Make `kernel` and `bias`."""
        channels = self._channels_of(input_shape)
        if channels % self.groups:
            refuse(self, "groups", self.groups, f"a divisor of the input's {channels} channels")
        self.compute_output_shape(input_shape)
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = make_weight(self, "kernel", shape)
        if self.use_bias:
            self.bias = make_weight(self, "bias", (self.filters,))
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})

    def call(self, inputs: Any) -> Any:
        """Compute the output."""
        dtype = self.compute_dtype
        outputs = conv(
            self._channels_last(inputs),
            in_dtype(self.kernel, dtype),
            in_dtype(self.bias, dtype),
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
            groups=self.groups,
            activation=FUSED.get(self.activation),
        )
        return self._finished(outputs, self.activation)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        lengths = [
            window_count(n, size, stride, self.padding, dilation)
            for n, size, stride, dilation in zip(
                self._spatial(input_shape), self.kernel_size, self.strides, self.dilation_rate
            )
        ]
        return self._with_spatial(input_shape, lengths, self.filters)


@REGISTRY.register("Convolution1D")
class Conv1D(Conv):
    __doc__ = (
        (Conv.__doc__ or "").replace(
            "Base of convolutions: windows of the input times a kernel.",
            "Convolution of sequences (batch, steps, channels).",
        )
        + """
    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Conv1D(4, 3, padding="causal")(np.ones((2, 8, 3))).shape
        (2, 8, 4)
    """
    )

    rank = 1


@REGISTRY.register("Convolution2D")
class Conv2D(Conv):
    __doc__ = (
        (Conv.__doc__ or "").replace(
            "Base of convolutions: windows of the input times a kernel.",
            "Convolution of images (batch, rows, columns, channels).",
        )
        + """
    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Conv2D(4, 3, strides=2, padding="same")(np.ones((2, 9, 9, 3))).shape
        (2, 5, 5, 4)
    """
    )

    rank = 2


@REGISTRY.register("Convolution3D")
class Conv3D(Conv):
    __doc__ = (
        (Conv.__doc__ or "").replace(
            "Base of convolutions: windows of the input times a kernel.",
            "Convolution of volumes (batch, d, h, w, channels).",
        )
        + """
    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Conv3D(4, 2)(np.ones((2, 5, 5, 5, 1))).shape
        (2, 4, 4, 4, 4)
    """
    )

    rank = 3
