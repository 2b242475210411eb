"""Images brought to one size, whole or in part."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tree import shapes_of
from kernelmodel.layers.arguments import choice, refuse
from kernelmodel.layers.preprocessing.sized import SizedImageLayer
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.bounding_boxes import pad
from kernelmodel.ops.convert import dtype_of
from kernelmodel.ops.interpolations import INTERPOLATIONS


@REGISTRY.register()
class Resizing(SizedImageLayer):
    """Images in another size; whole numbers stay whole numbers.

    Of a dict with "images", "labels" and "segmentation_masks" the masks are resized too, by their
    nearest pixels.

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

    def _floats(self, inputs: Any) -> Any:
        """The images as they are: whole numbers stay whole numbers."""
        self._first_axis(inputs.shape)
        return inputs

    def transform(self, images: Any, drawn: Any) -> Any:
        """Resize."""
        return self._resized(images, self.interpolation)

    def transform_masks(self, masks: Any, drawn: Any) -> Any:
        """Masks hold classes, which have no means: the nearest one is taken."""
        return self._resized(masks, "nearest")

    def transform_bounding_boxes(self, boxes: Any, drawn: Any, size: tuple[int, int]) -> Any:
        """Move them as the pixels are."""
        down, across = (new / old for new, old in zip(self._size, size))
        if self.pad_to_aspect_ratio:
            down = across = min(down, across)
        elif self.crop_to_aspect_ratio:
            down = across = max(down, across)
        # The border, below zero where something is cut off.
        top, left = (
            abs(spare) // 2 * (1 if spare > 0 else -1)
            for spare in (self.height - size[0] * down, self.width - size[1] * across)
        )
        scale = np.array([across, down, across, down], "float32")
        return self._moved_boxes(boxes, size, self._size, lambda x: pad(x * scale, top, left))

    def _resized(self, images: Any, interpolation: str) -> Any:
        return ops.image.resize(
            images,
            self._size,
            interpolation,
            self.antialias,
            self.crop_to_aspect_ratio,
            self.pad_to_aspect_ratio,
            self.fill_mode,
            self.fill_value,
        )

    def compute_output_spec(self, inputs: Any, training: Any = True) -> Any:
        """Symbolic tensors like what a call on these arguments gives."""
        shapes = self.compute_output_shape(shapes_of(inputs))

        def part(tensor: Any, shape: Any) -> KerasTensor:
            dtype = dtype_of(tensor)
            return KerasTensor(shape, self.compute_dtype if "float" in dtype else dtype)

        def of(given: Any, shape: Any) -> Any:
            if isinstance(given, dict):
                return {key: of(tensor, shape[key]) for key, tensor in given.items()}
            return part(given, shape)

        return of(inputs, shapes)


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

    def transform(self, images: Any, drawn: Any) -> Any:
        """Crop."""
        return self._cropped(images, "bilinear")

    def transform_masks(self, masks: Any, drawn: Any) -> Any:
        """Masks hold classes, which have no means: the nearest one is taken."""
        return self._cropped(masks, "nearest")

    def transform_bounding_boxes(self, boxes: Any, drawn: Any, size: tuple[int, int]) -> Any:
        """Move them as the pixels are, and cut them off at the borders."""
        spare = self._spare((*size, 1))
        if min(spare) < 0:
            return self._boxes_fitted(boxes, size)
        return self._boxes_in_window(boxes, size, (spare[0] // 2, spare[1] // 2), self._size)

    def _cropped(self, images: Any, interpolation: str) -> Any:
        spare = self._spare(tuple(images.shape))
        if min(spare) < 0:
            return self._fitted(images, interpolation)
        top, left = spare[0] // 2, spare[1] // 2
        rows, columns = slice(top, top + self.height), slice(left, left + self.width)
        return ops.getitem(images, (slice(None), rows, columns))
