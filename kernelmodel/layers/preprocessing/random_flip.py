"""Images mirrored at random."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.layers.arguments import choice
from kernelmodel.layers.preprocessing.image_transform import RandomTransform, draws
from kernelmodel.layers.registry import REGISTRY

MODES = ("horizontal_and_vertical", "horizontal", "vertical")


@REGISTRY.register()
class RandomFlip(RandomTransform):
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
        super().__init__(seed, data_format, **kwargs)
        self.mode = choice(self, "mode", mode, MODES)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """Which images are mirrored, along each axis of the mode."""
        return [
            (axis, draws(shape[0], (0.0, 1.0), seeds) <= 0.5)
            for axis, word in ((2, "horizontal"), (1, "vertical"))
            if word in self.mode
        ]

    def transform(self, images: Any, drawn: Any) -> Any:
        """Flip."""
        for axis, chosen in drawn:
            images = ops.where(chosen, ops.flip(images, axis), images)
        return images

    def transform_masks(self, masks: Any, drawn: Any) -> Any:
        """Flip them likewise."""
        return self.transform(masks, drawn)

    def transform_bounding_boxes(self, boxes: Any, drawn: Any, size: tuple[int, int]) -> Any:
        """Flip them likewise."""

        def flipped(corners: Any) -> Any:
            for axis, chosen in drawn:
                far = (0, *size)[axis]
                first, second = (axis % 2, 2 + axis % 2)
                sides = [corners[..., i] for i in range(4)]
                sides[first], sides[second] = far - sides[second], far - sides[first]
                corners = ops.where(chosen[..., 0], ops.stack(sides, -1), corners)
            return corners

        return self._moved_boxes(boxes, size, size, flipped)
