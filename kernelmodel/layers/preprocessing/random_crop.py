"""Random parts of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.seed import SeedGenerator
from kernelmodel.engine.indexing import getitem
from kernelmodel.layers.preprocessing.image_layer import SizedImageLayer
from kernelmodel.layers.preprocessing.images import fitted
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops import random


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

    def call(self, inputs: Any, training: Any = True) -> Any:
        """Crop."""
        images = self._floats(inputs)
        first = self._first_axis(images.shape)
        spare = [n - m for n, m in zip(images.shape[first : first + 2], self._size)]
        if not training or min(spare) < 0:
            return fitted(images, self._size, self.data_format)
        single = len(images.shape) == 3
        if single:
            images, first = ops.expand_dims(images, 0), first + 1
        if first == 2:
            images = ops.moveaxis(images, 1, -1)
        count = images.shape[0]
        top = random.randint((count, 1), 0, spare[0] + 1, seed=self.generator)
        left = random.randint((count, 1), 0, spare[1] + 1, seed=self.generator)
        rows = ops.expand_dims(top + np.arange(self.height, dtype="int32"), 2)
        columns = ops.expand_dims(left + np.arange(self.width, dtype="int32"), 1)
        images = getitem(images, (np.arange(count)[:, None, None], rows, columns))
        if first == 2:
            images = ops.moveaxis(images, -1, 1)
        return ops.squeeze(images, 0) if single else images
