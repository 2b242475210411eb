"""Layers that give images of a fixed size: what they have in common."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.layers.arguments import positive
from kernelmodel.layers.preprocessing.image_transform import ImageTransform


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

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        if isinstance(input_shape, dict):
            return {
                part: shape if part == "labels" else self.compute_output_shape(shape)
                for part, shape in input_shape.items()
            }
        first = self._first_axis(input_shape)
        return (*input_shape[:first], *self._size, *input_shape[first + 2 :])
