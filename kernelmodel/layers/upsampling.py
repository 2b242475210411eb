"""Layers that make inputs longer by repeating or interpolating."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.layers.arguments import choice, integers, positive
from kernelmodel.layers.arguments import data_format as checked_format
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.shape_layer import ShapeLayer
from kernelmodel.ops.interpolations import INTERPOLATIONS


@REGISTRY.register()
class UpSampling1D(ShapeLayer):
    """Each step of (batch, steps, channels) repeated.

    Args:
        size: How many times.

    Raises:
        ValueError: `size` is no positive integer.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.UpSampling1D(3)(np.ones((1, 2, 4))).shape
        (1, 6, 4)
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = positive(self, "size", size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        """Repeat."""
        return ops.repeat(inputs, self.size, 1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        batch, steps, channels = input_shape
        return (batch, None if steps is None else steps * self.size, channels)


class _UpSampling(ShapeLayer):
    rank = 0
    interpolation = "nearest"

    def __init__(self, size: Any = 2, data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = integers(self, "size", size, self.rank)
        self.data_format = checked_format(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _first(self) -> int:
        return 1 if self.data_format == "channels_last" else 2

    def call(self, inputs: Any) -> Any:
        """Repeat or interpolate."""
        if self.interpolation != "nearest":
            first = self._first()
            target = tuple(n * s for n, s in zip(inputs.shape[first : first + 2], self.size))
            options = {"data_format": self.data_format}
            return ops.image.resize(inputs, target, self.interpolation, **options)
        for axis, times in enumerate(self.size, self._first()):
            if times != 1:
                inputs = ops.repeat(inputs, times, axis)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        shape = list(input_shape)
        for axis, times in enumerate(self.size, self._first()):
            shape[axis] = None if shape[axis] is None else shape[axis] * times
        return tuple(shape)


@REGISTRY.register()
class UpSampling2D(_UpSampling):
    """Images (batch, rows, columns, channels) made larger.

    Args:
        size: Factor, or (factor of rows, factor of columns).
        data_format: "channels_last" or "channels_first"; None for the former.
        interpolation: "nearest" repeats pixels; "bilinear", "bicubic", "lanczos3", "lanczos5".

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.UpSampling2D()(np.ones((1, 2, 3, 4))).shape
        (1, 4, 6, 4)
    """

    rank = 2

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: Any = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        self.interpolation = choice(self, "interpolation", interpolation, INTERPOLATIONS)


@REGISTRY.register()
class UpSampling3D(_UpSampling):
    """Volumes (batch, d, h, w, channels) made larger by repeating.

    Args:
        size: Factor, or one for each of the three axes.
        data_format: "channels_last" or "channels_first"; None for the former.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.UpSampling3D(2)(km.ops.ones((1, 2, 3, 4, 1))).shape
        (1, 4, 6, 8, 1)
    """

    rank = 3
