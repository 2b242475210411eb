"""Random parts of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.seed import SeedGenerator
from kernelmodel.engine.indexing import getitem
from kernelmodel.layers.preprocessing.sized import SizedImageLayer
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops import random
from kernelmodel.ops.convert import _cast


@REGISTRY.register()
class RandomCrop(SizedImageLayer):
    """In training a random part of each image; else the largest central window, resized.

    Images smaller than the crop are treated in training as they are outside of it. Every image of a
    batch is cut at its own place.

    Args:
        height: Rows of the output.
        width: Columns of the output.
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: `height` or `width` is no positive integer.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.RandomCrop(2, 3)(np.ones((5, 8, 8, 1))).shape
        (5, 2, 3, 1)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(height, width, data_format, **kwargs)
        self.seed = seed
        self.generator = SeedGenerator(seed)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """Rows and columns of each image's part; None if the images are too small."""
        rows, columns = self._spare(shape)
        if min(rows, columns) < 0:
            return None
        top = random.randint((shape[0], 1), 0, rows + 1, seed=seeds)
        left = random.randint((shape[0], 1), 0, columns + 1, seed=seeds)
        return (
            ops.expand_dims(top + np.arange(self.height, dtype="int32"), 2),
            ops.expand_dims(left + np.arange(self.width, dtype="int32"), 1),
        )

    def transform(self, images: Any, drawn: Any) -> Any:
        """Crop."""
        return self._cropped(images, drawn, "bilinear")

    def transform_masks(self, masks: Any, drawn: Any) -> Any:
        """The same part; of resized masks the nearest pixels."""
        return self._cropped(masks, drawn, "nearest")

    def transform_bounding_boxes(self, boxes: Any, drawn: Any, size: tuple[int, int]) -> Any:
        """Move them as the pixels are, and cut them off at the borders."""
        if drawn is None:
            return self._boxes_fitted(boxes, size)
        corner = tuple(_cast(places[:, :1, :1], "float32") for places in drawn)
        return self._boxes_in_window(boxes, size, corner, self._size)

    def _cropped(self, images: Any, drawn: Any, interpolation: str) -> Any:
        if drawn is None:
            return self._fitted(images, interpolation)
        return getitem(images, (np.arange(images.shape[0])[:, None, None], *drawn))
