"""Images brought to one size, whole or in part."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.layers.arguments import choice, refuse
from kernelmodel.layers.preprocessing.image_layer import SizedImageLayer
from kernelmodel.layers.preprocessing.images import INTERPOLATIONS, cut, fitted, resized
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import _cast, dtype_of


@REGISTRY.register()
class Resizing(SizedImageLayer):
    """Images in another size; whole numbers stay whole numbers.

    Args:
        height: Rows of the output.
        width: Columns of the output.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: Cut off what has other proportions, instead of distorting.
        pad_to_aspect_ratio: Add a border instead of distorting.
        fill_mode: How to fill the border: "constant".
        fill_value: Value of the border.
        antialias: Whether a larger area is averaged when an image gets smaller.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Resizing(2, 3)(np.ones((1, 8, 8, 1))).shape
        (1, 2, 3, 1)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(height, width, data_format, **kwargs)
        self.interpolation = choice(self, "interpolation", interpolation, INTERPOLATIONS)
        self.fill_mode = choice(self, "fill_mode", fill_mode, ("constant",))
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            refuse(self, "pad_to_aspect_ratio", True, "False when crop_to_aspect_ratio is True")
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_value = fill_value
        self.antialias = bool(antialias)

    def call(self, inputs: Any) -> Any:
        """Resize."""
        dtype = np.dtype(dtype_of(inputs))
        images = inputs if kind_of(dtype) == "f" else self._floats(inputs)
        options = {"interpolation": self.interpolation, "antialias": self.antialias}
        if self.crop_to_aspect_ratio:
            images = fitted(images, self._size, self.data_format, **options)
        else:
            if self.pad_to_aspect_ratio:
                images = self._bordered(images)
            images = resized(images, self._size, data_format=self.data_format, **options)
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            images = ops.clip(ops.round(images), limits.min, limits.max)
        return _cast(images, dtype.name)

    def _bordered(self, images: Any) -> Any:
        first = self._first_axis(images.shape)
        rows, columns = images.shape[first : first + 2]
        height, width = self._size
        spare = (int(columns * height / width) - rows, int(rows * width / height) - columns)
        borders = [(0, 0)] * len(images.shape)
        for axis, extra in enumerate(spare, first):
            borders[axis] = (max(extra, 0) // 2,) * 2
        return ops.pad(images, borders, constant_values=self.fill_value)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """A symbolic tensor like what a call on these arguments gives."""
        dtype = dtype_of(args[0])
        dtype = self.compute_dtype if "float" in dtype else dtype
        return KerasTensor(self.compute_output_shape(tuple(args[0].shape)), dtype)


@REGISTRY.register()
class CenterCrop(SizedImageLayer):
    """The centre of images.

    If an image is smaller than the crop, its largest window with the crop's proportions is resized.

    Args:
        height: Rows of the output.
        width: Columns of the output.
        data_format: "channels_last" or "channels_first"; None for the former.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.CenterCrop(2, 2)(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
        array([[ 5.,  6.],
               [ 9., 10.]], dtype=float32)
    """

    def call(self, inputs: Any) -> Any:
        """Crop."""
        images = self._floats(inputs)
        first = self._first_axis(images.shape)
        spare = [n - m for n, m in zip(images.shape[first : first + 2], self._size)]
        if min(spare) < 0:
            return fitted(images, self._size, self.data_format)
        return cut(images, (spare[0] // 2, spare[1] // 2), self._size, self.data_format)
