"""What convolution and pooling layers have in common: windows over spatial axes."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.layer import Layer
from kernelmodel.layers.arguments import activated, refuse
from kernelmodel.layers.arguments import data_format as checked_format
from kernelmodel.layers.arguments import padding as checked_padding


def window_count(
    length: int | None, size: int, stride: int, padding: str, dilation: int = 1
) -> int | None:
    """How many windows fit along an axis, None if its length is unknown."""
    if length is None:
        return None
    if padding != "valid":
        return -(-length // stride)
    return (length - (size - 1) * dilation - 1) // stride + 1


class Windowed(Layer):
    """Base of layers that slide windows over `rank` spatial axes."""

    casts_integers = True

    rank = 0
    data_format: str
    padding: str

    def _start(
        self, data_format: Any, padding: Any, paddings: tuple[str, ...] = ("valid", "same")
    ) -> None:
        self.data_format = checked_format(self, data_format)
        self.padding = checked_padding(self, padding, paddings)

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def _channels_of(self, shape: Any) -> int:
        channels = shape[self._channel_axis]
        if channels is None:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) needs to know how many channels its "
                f"input has, got an input of shape {tuple(shape)}."
            )
        return channels

    def _channels_last(self, inputs: Any) -> Any:
        if self.data_format == "channels_last":
            return inputs
        return ops.transpose(inputs, (0, *range(2, self.rank + 2), 1))

    def _from_channels_last(self, outputs: Any) -> Any:
        if self.data_format == "channels_last":
            return outputs
        return ops.transpose(outputs, (0, self.rank + 1, *range(1, self.rank + 1)))

    def _finished(self, outputs: Any, activation: Any) -> Any:
        """Channels-last outputs of a kernel in the layer's format, activated."""
        return activated(self._from_channels_last(outputs), activation)

    def _spatial(self, shape: Any) -> tuple[int | None, ...]:
        return tuple(shape[1 : self.rank + 1] if self.data_format == "channels_last" else shape[2:])

    def _with_spatial(self, shape: Any, lengths: Any, channels: int | None) -> tuple[Any, ...]:
        if any(n is not None and n < 1 for n in lengths):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}): the window doesn't fit into an "
                f"input of shape {tuple(shape)}: the output would be {tuple(lengths)} long. Use a "
                'smaller window or padding="same".'
            )
        if self.data_format == "channels_last":
            return (shape[0], *lengths, channels)
        return (shape[0], channels, *lengths)

    def _check_strides(self, strides: Any, dilation: Any) -> None:
        if max(strides) > 1 and max(dilation) > 1:
            refuse(self, "strides", strides, f"1 when dilation_rate is {dilation}, or the reverse")
