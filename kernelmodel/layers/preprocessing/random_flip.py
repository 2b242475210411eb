"""Images mirrored at random."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.seed import SeedGenerator
from kernelmodel.layers.arguments import choice
from kernelmodel.layers.preprocessing.image_layer import ImageLayer
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops import random

MODES = ("horizontal_and_vertical", "horizontal", "vertical")


@REGISTRY.register()
class RandomFlip(ImageLayer):
    """In training mirrors each image with a chance of one half.

    Args:
        mode: "horizontal" (left to right), "vertical" (top to bottom) or
            "horizontal_and_vertical" (each by its own chance).
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: `mode` is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.RandomFlip("horizontal")(np.ones((5, 8, 8, 1))).shape
        (5, 8, 8, 1)
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.mode = choice(self, "mode", mode, MODES)
        self.seed = seed
        self.generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: Any = True) -> Any:
        """Flip."""
        images = self._floats(inputs)
        if not training:
            return images
        first = self._first_axis(images.shape)
        shape = (1, 1, 1) if len(images.shape) == 3 else (images.shape[0], 1, 1, 1)
        for axis, word in ((first + 1, "horizontal"), (first, "vertical")):
            if word in self.mode:
                chosen = random.uniform(shape, seed=self.generator) <= 0.5
                images = ops.where(chosen, ops.flip(images, axis), images)
        return images

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return tuple(input_shape)
