"""Layers that give images of a fixed size: what they have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.layers.arguments import positive
from kernelmodel.layers.preprocessing.image_transform import ImageTransform
from kernelmodel.ops.bounding_boxes import crop

MOVED = ("images", "segmentation_masks")


class SizedImageLayer(ImageTransform):
    """Base of layers that give images, and the masks that belong to them, a fixed size.

    Args:
        height: Rows of the output.
        width: Columns of the output.
        data_format: "channels_last" or "channels_first"; None for the former.
    """

    always = True

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.height = positive(self, "height", height)
        self.width = positive(self, "width", width)

    @property
    def _size(self) -> tuple[int, int]:
        return self.height, self.width

    def _spare(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Rows and columns that images (channels last) have too many; below 0, too few."""
        return shape[-3] - self.height, shape[-2] - self.width

    def _fitted(self, images: Any, interpolation: str = "bilinear") -> Any:
        """The largest central window with the right proportions, resized."""
        return ops.image.resize(images, self._size, interpolation, crop_to_aspect_ratio=True)

    def _boxes_in_window(
        self, boxes: Any, size: tuple[int, int], corner: tuple[Any, Any], window: tuple[int, int]
    ) -> Any:
        """Bounding boxes in a window of images, which is resized.

        Args:
            boxes: Of the whole images.
            size: Their rows and columns.
            corner: First row and column of the window, numbers or arrays (batch, 1, 1).
            window: Its rows and columns.
        """
        scale = self.width / window[1], self.height / window[0]

        def moved(corners: Any) -> Any:
            cut = crop(corners, *corner, *window)
            return cut * np.array([*scale, *scale], "float32")

        return self._moved_boxes(boxes, size, self._size, moved)

    def _boxes_fitted(self, boxes: Any, size: tuple[int, int]) -> Any:
        """Bounding boxes in what `_fitted` gives."""
        rows, columns = size
        window = (
            max(min(rows, int(columns * self.height / self.width)), 1),
            max(min(columns, int(rows * self.width / self.height)), 1),
        )
        corner = int((rows - window[0]) / 2), int((columns - window[1]) / 2)
        return self._boxes_in_window(boxes, size, corner, window)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        if isinstance(input_shape, dict):
            return {
                part: self.compute_output_shape(shape) if part in MOVED else shape
                for part, shape in input_shape.items()
            }
        first = self._first_axis(input_shape)
        return (*input_shape[:first], *self._size, *input_shape[first + 2 :])
