"""Layers that add or cut borders: padding with zeros and cropping."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.layers.arguments import data_format as checked_format
from kernelmodel.layers.arguments import integers, is_integer, refuse
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.shape_layer import ShapeLayer

Pairs = tuple[tuple[int, int], ...]


def pairs(layer: ShapeLayer, argument: str, value: Any, rank: int) -> Pairs:
    """(before, after) for each axis of: one number, one for each axis, or one pair for each."""
    if is_integer(value):
        value = (value,) * rank
    if not isinstance(value, (list, tuple)) or len(value) != rank:
        refuse(layer, argument, value, f"an integer >= 0, {rank} of them, or {rank} pairs of them")
    return tuple(integers(layer, argument, part, 2, least=0) for part in value)  # type: ignore[misc]


class _Borders(ShapeLayer):
    """Base: borders of the spatial axes of an input of rank `rank + 2`."""

    rank = 0

    def _start(self, data_format: Any) -> None:
        self.data_format = checked_format(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _all_axes(self, spatial: Pairs) -> Pairs:
        none = (0, 0)
        return (
            (none, *spatial, none)
            if self.data_format == "channels_last"
            else (none, none, *spatial)
        )


class _ZeroPadding(_Borders):
    def __init__(self, padding: Any = 1, data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._start(data_format)
        self.padding: Any = pairs(self, "padding", padding, self.rank)

    def call(self, inputs: Any) -> Any:
        """Pad."""
        return ops.pad(inputs, self._all_axes(self.padding))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        borders = self._all_axes(self.padding)
        return tuple(None if n is None else n + a + b for n, (a, b) in zip(input_shape, borders))


class _Cropping(_Borders):
    def __init__(self, cropping: Any = 0, data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._start(data_format)
        self.cropping: Any = pairs(self, "cropping", cropping, self.rank)

    def call(self, inputs: Any) -> Any:
        """Crop."""
        self.compute_output_shape(tuple(inputs.shape))
        borders = self._all_axes(self.cropping)
        parts = tuple(slice(a, n - b) for n, (a, b) in zip(inputs.shape, borders))
        return ops.getitem(inputs, parts)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        borders = self._all_axes(self.cropping)
        shape = tuple(None if n is None else n - a - b for n, (a, b) in zip(input_shape, borders))
        if any(n is not None and n < 1 and old != n for n, old in zip(shape, input_shape)):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}): cropping={self.cropping} leaves "
                f"nothing of an input of shape {tuple(input_shape)}. Crop less."
            )
        return shape


@REGISTRY.register()
class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after the steps of (batch, steps, channels).

    Args:
        padding: How many: an integer for both ends, or (before, after).
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: `padding` is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.ZeroPadding1D((2, 0))(np.ones((1, 3, 4))).shape
        (1, 5, 4)
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(0, data_format, **kwargs)
        self.padding = integers(self, "padding", padding, 2, least=0)

    def _all_axes(self, spatial: Any) -> Pairs:
        return super()._all_axes(spatial if isinstance(spatial[0], tuple) else (spatial,))


@REGISTRY.register()
class ZeroPadding2D(_ZeroPadding):
    """Rows and columns of zeros around images (batch, rows, columns, channels).

    Args:
        padding: An integer for all sides, (rows, columns), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: `padding` is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.ZeroPadding2D(((1, 0), (2, 2)))(np.ones((1, 3, 4, 1))).shape
        (1, 4, 8, 1)
    """

    rank = 2


@REGISTRY.register()
class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes (batch, d, h, w, channels).

    Args:
        padding: An integer for all sides, three of them, or three pairs (before, after).
        data_format: "channels_last" or "channels_first"; None for the former.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.ZeroPadding3D(1)(km.ops.ones((1, 4, 5, 6, 2))).shape
        (1, 6, 7, 8, 2)
    """

    rank = 3


@REGISTRY.register()
class Cropping1D(_Cropping):
    """Steps cut off both ends of (batch, steps, channels).

    Args:
        cropping: How many: an integer for both ends, or (before, after).

    Raises:
        ValueError: `cropping` is none of these, or nothing would be left.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Cropping1D((2, 0))(np.ones((1, 3, 4))).shape
        (1, 1, 4)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(0, **kwargs)
        self.cropping = integers(self, "cropping", cropping, 2, least=0)

    def _all_axes(self, spatial: Any) -> Pairs:
        return super()._all_axes(spatial if isinstance(spatial[0], tuple) else (spatial,))

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        config = super().get_config()
        del config["data_format"]
        return config


@REGISTRY.register()
class Cropping2D(_Cropping):
    """Rows and columns cut off images (batch, rows, columns, channels).

    Args:
        cropping: An integer for all sides, (rows, columns), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: `cropping` is none of these, or nothing would be left.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Cropping2D(1)(np.ones((1, 5, 4, 1))).shape
        (1, 3, 2, 1)
    """

    rank = 2


@REGISTRY.register()
class Cropping3D(_Cropping):
    """Borders cut off volumes (batch, d, h, w, channels).

    Args:
        cropping: An integer for all sides, three of them, or three pairs (before, after).
        data_format: "channels_last" or "channels_first"; None for the former.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.Cropping3D(1)(km.ops.ones((1, 4, 5, 6, 2))).shape
        (1, 2, 3, 4, 2)
    """

    rank = 3

    def __init__(self, cropping: Any = 1, data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)
