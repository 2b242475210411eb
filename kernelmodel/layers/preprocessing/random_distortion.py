"""Images in random perspectives and under random elastic shifts."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.layers.arguments import choice, number
from kernelmodel.layers.preprocessing.filters import blurred
from kernelmodel.layers.preprocessing.image_transform import RandomTransform, chances
from kernelmodel.layers.preprocessing.random_geometric import numbers
from kernelmodel.layers.preprocessing.ranges import span
from kernelmodel.layers.preprocessing.ranges import value_range as checked_range
from kernelmodel.layers.preprocessing.warp import (
    FOLDS,
    INTERPOLATIONS,
    grid,
    perspective,
    perspective_places,
    sample,
)
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops import random
from kernelmodel.ops.bounding_boxes import around, vertices


@REGISTRY.register()
class RandomPerspective(RandomTransform):
    """In training shows each image, with a chance, from another point of view.

    Each corner moves by up to half of `scale` times its coordinates.

    Args:
        factor: Least and greatest chance of an image, from 0 to 1; a chance is drawn for each. One
            number f stands for (0, f).
        scale: How far corners move, from 0 to 1.
        interpolation: "nearest" or "bilinear".
        fill_value: Value beyond the border.
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.RandomPerspective(scale=0.3)(np.ones((5, 8, 8, 1)), training=True).shape
        (5, 8, 8, 1)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = span(self, "factor", factor, 0, 1)
        self.scale = number(self, "scale", scale, 0, 1)
        self.interpolation = choice(self, "interpolation", interpolation, INTERPOLATIONS)
        self.fill_value = fill_value

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """Which images change, and where their pixels' values come from."""
        count, height, width, _ = shape
        chosen = chances(count, self.factor, seeds)
        half = 0.5 * self.scale
        moves = random.uniform((count, 4, 2), -half, half, dtype="float32", seed=seeds)
        right, bottom = max(width - 1, 1), max(height - 1, 1)
        corners = np.array([[[0, 0], [right, 0], [0, bottom], [right, bottom]]], "float32")
        end = corners + corners * moves
        start = np.broadcast_to(corners, end.shape)
        y, x = grid(height, width)
        columns, rows = perspective_places(perspective(end, start), x, y)
        return chosen, rows, columns, (start, end)

    def transform(self, images: Any, drawn: Any) -> Any:
        """Read the images there."""
        return self._read(images, drawn, self.interpolation)

    def transform_masks(self, masks: Any, drawn: Any) -> Any:
        """Masks hold classes, which have no means: the nearest one is taken."""
        return self._read(masks, drawn, "nearest")

    def transform_bounding_boxes(self, boxes: Any, drawn: Any, size: tuple[int, int]) -> Any:
        """The upright boxes around the moved ones."""
        chosen, _, _, ends = drawn
        forth = perspective(*ends)

        def move(corners: Any) -> Any:
            moved = around(*perspective_places(forth, *vertices(corners)))
            return ops.where(chosen[..., 0], moved, corners)

        return self._moved_boxes(boxes, size, size, move)

    def _read(self, images: Any, drawn: Any, interpolation: str) -> Any:
        chosen, rows, columns, _ = drawn
        moved = sample(images, rows, columns, interpolation, "constant", self.fill_value)
        return ops.where(chosen, moved, images)


@REGISTRY.register()
class RandomElasticTransform(RandomTransform):
    """In training distorts each image, with a chance, as if it lay on rubber.

    Every pixel moves by smoothed noise. With a scale s the noise is smoothed over 0.05 s times the
    shorter side, which is also its standard deviation before, and multiplied with 0.1 s times the
    longer side.

    Args:
        factor: Least and greatest chance of an image, from 0 to 1; a chance is drawn for each. One
            number f stands for (0, f).
        scale: Least and greatest strength, from 0 to 1; one is drawn for each image.
        interpolation: "nearest" or "bilinear".
        fill_mode: What lies beyond the border: "reflect", "wrap", "constant", "nearest" or
            "mirror".
        fill_value: Value beyond the border, for "constant".
        value_range: Least and greatest value of a pixel.
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Source: Simard et al., *Best practices for convolutional neural networks applied to visual
    document analysis*, ICDAR 2003.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.RandomElasticTransform()(np.ones((5, 8, 8, 1)), training=True).shape
        (5, 8, 8, 1)
    """

    _knows_boxes = False  # the map is known from new places to old ones only

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = span(self, "factor", factor, 0, 1)
        self.scale = span(self, "scale", scale, 0, 1)
        self.interpolation = choice(self, "interpolation", interpolation, INTERPOLATIONS)
        self.fill_mode = choice(self, "fill_mode", fill_mode, tuple(FOLDS))
        self.fill_value = fill_value
        self.value_range = checked_range(self, value_range)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """Which images change, and where their pixels' values come from."""
        count, height, width, _ = shape
        chosen = chances(count, self.factor, seeds)
        scale = numbers(count, self.scale, seeds)
        short, long = min(height, width), max(height, width)
        sigma = np.maximum(scale * np.float32(0.05 * short), np.float32(1e-6))
        radius = int(6 * 0.05 * short * self.scale[1]) // 2
        noise = random.normal((count, height, width, 2), dtype="float32", seed=seeds)
        noise = noise * np.expand_dims(sigma, -1)
        smooth = blurred(noise, (radius, radius), (sigma, sigma))
        moves = smooth * np.expand_dims(scale * np.float32(0.1 * long), -1)
        rows, columns = grid(height, width)
        return chosen, rows + moves[..., 0], columns + moves[..., 1]

    def transform(self, images: Any, drawn: Any) -> Any:
        """Read the images there."""
        low, high = map(images.dtype.type, self.value_range)
        return ops.clip(self._read(images, drawn, self.interpolation), low, high)

    def transform_masks(self, masks: Any, drawn: Any) -> Any:
        """Masks hold classes, which have no means: the nearest one is taken."""
        return self._read(masks, drawn, "nearest")

    def _read(self, images: Any, drawn: Any, interpolation: str) -> Any:
        chosen, rows, columns = drawn
        moved = sample(images, rows, columns, interpolation, self.fill_mode, self.fill_value)
        return ops.where(chosen, moved, images)
