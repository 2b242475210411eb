"""Images rotated, moved, zoomed and sheared at random: affine maps, a random one for each image."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelmodel.layers.arguments import choice, refuse
from kernelmodel.layers.preprocessing.image_transform import RandomTransform, signs
from kernelmodel.layers.preprocessing.ranges import is_number, span
from kernelmodel.layers.preprocessing.warp import (
    FILL_MODES,
    INTERPOLATIONS,
    affine_places,
    inverse,
    sample,
)
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops import random
from kernelmodel.ops.bounding_boxes import hull


class AffineTransform(RandomTransform):
    """Base of layers that draw an affine map for each image.

    A subclass overrides `matrix`.
    """

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.fill_mode = choice(self, "fill_mode", fill_mode, FILL_MODES)
        self.interpolation = choice(self, "interpolation", interpolation, INTERPOLATIONS)
        if not is_number(fill_value):
            refuse(self, "fill_value", fill_value, "a number")
        self.fill_value = fill_value

    def matrix(self, count: int, height: int, width: int, seeds: Any) -> Any:
        """Six numbers or arrays (batch, 1, 1); see `affine_places`."""
        raise NotImplementedError

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """Where each pixel's value comes from, and the map that says so."""
        count, height, width, _ = shape
        matrix = self.matrix(count, height, width, seeds)
        rows, columns = affine_places(matrix, height, width)
        full = (count, height, width)
        return np.broadcast_to(rows, full), np.broadcast_to(columns, full), matrix

    def transform(self, images: Any, drawn: Any) -> Any:
        """Read the images there."""
        return self._read(images, drawn, self.interpolation)

    def transform_masks(self, masks: Any, drawn: Any) -> Any:
        """Masks hold classes, which have no means: the nearest one is taken."""
        return self._read(masks, drawn, "nearest")

    def transform_bounding_boxes(self, boxes: Any, drawn: Any, size: tuple[int, int]) -> Any:
        """The upright boxes around the moved ones."""
        forth = inverse(drawn[2])
        return self._moved_boxes(boxes, size, size, lambda corners: hull(corners, forth))

    def _read(self, images: Any, drawn: Any, interpolation: str) -> Any:
        rows, columns, _ = drawn
        return sample(images, rows, columns, interpolation, self.fill_mode, self.fill_value)


def numbers(count: int, limits: tuple[Any, Any], seeds: Any) -> Any:
    """A number between limits for each image, float32 (batch, 1, 1)."""
    return random.uniform((count, 1, 1), *limits, dtype="float32", seed=seeds)


@REGISTRY.register()
class RandomRotation(AffineTransform):
    """In training rotates each image by an angle of its own.

    Args:
        factor: Least and greatest angle as shares of a whole turn, from -1 to 1; positive is
            counter-clockwise. One number f stands for (-f, f).
        fill_mode: What lies beyond the border: "reflect", "wrap", "constant" or "nearest".
        interpolation: "nearest" or "bilinear".
        seed: Integer, or None for other numbers in each run.
        fill_value: Value beyond the border, for "constant".
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.RandomRotation((0.25, 0.25))(np.array([[[1.0], [2.0]], [[3.0], [4.0]]]),
        ...     training=True)[..., 0].round()
        array([[2., 4.],
               [1., 3.]], dtype=float32)
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = span(self, "factor", factor, -1, 1)

    def matrix(self, count: int, height: int, width: int, seeds: Any) -> Any:
        """A rotation about the centre."""
        lower, upper = (f * 360.0 for f in self.factor)
        angle = numbers(count, (lower, upper), seeds) * np.float32(math.pi / 180)
        cos, sin = np.cos(angle), np.sin(angle)
        x, y = np.float32(0.5 * (width - 1)), np.float32(0.5 * (height - 1))
        return cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos


@REGISTRY.register()
class RandomTranslation(AffineTransform):
    """In training moves each image by a distance of its own.

    Args:
        height_factor: Least and greatest shift down, as shares of the height, from -1 to 1. One
            number f stands for (-f, f).
        width_factor: Likewise to the right, as shares of the width.
        fill_mode: What lies beyond the border: "reflect", "wrap", "constant" or "nearest".
        interpolation: "nearest" or "bilinear".
        seed: Integer, or None for other numbers in each run.
        fill_value: Value beyond the border, for "constant".
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> move = km.layers.RandomTranslation((0.5, 0.5), 0, fill_mode="constant")
        >>> move(np.array([[[1.0], [2.0]], [[3.0], [4.0]]]), training=True)[..., 0]
        array([[0., 0.],
               [1., 2.]], dtype=float32)
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._down = span(self, "height_factor", height_factor, -1, 1)
        self._right = span(self, "width_factor", width_factor, -1, 1)

    def matrix(self, count: int, height: int, width: int, seeds: Any) -> Any:
        """A translation."""
        down = numbers(count, self._down, seeds) * np.float32(height)
        right = numbers(count, self._right, seeds) * np.float32(width)
        one, zero = np.float32(1), np.float32(0)
        return one, zero, -right, zero, one, -down


@REGISTRY.register()
class RandomZoom(AffineTransform):
    """In training zooms each image by a factor of its own.

    Args:
        height_factor: Least and greatest zoom of the height, above -1 and up to 1: -0.2 shows 80%
            of the height (zoomed in), 0.2 shows 120% (zoomed out). One number f stands for (-f, f).
        width_factor: Likewise of the width; None to zoom it as the height.
        fill_mode: What lies beyond the border: "reflect", "wrap", "constant" or "nearest".
        interpolation: "nearest" or "bilinear".
        seed: Integer, or None for other numbers in each run.
        fill_value: Value beyond the border, for "constant".
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.RandomZoom(0.2)(np.ones((5, 8, 8, 1)), training=True).shape
        (5, 8, 8, 1)
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = self._zooms("height_factor", height_factor)
        self._width = None if width_factor is None else self._zooms("width_factor", width_factor)

    def _zooms(self, argument: str, factor: Any) -> tuple[float, float]:
        lower, upper = span(self, argument, factor, -1, 1)
        if lower == -1:
            refuse(self, argument, factor, "above -1: an image of no height can't be shown")
        return 1.0 + lower, 1.0 + upper

    def matrix(self, count: int, height: int, width: int, seeds: Any) -> Any:
        """A scaling about the centre."""
        tall = numbers(count, self._height, seeds)
        wide = tall if self._width is None else numbers(count, self._width, seeds)
        x, y = np.float32((width - 1) / 2), np.float32((height - 1) / 2)
        return wide, np.float32(0), x * (1 - wide), np.float32(0), tall, y * (1 - tall)


@REGISTRY.register()
class RandomShear(AffineTransform):
    """In training shears each image by factors of its own, to either side.

    Args:
        x_factor: Least and greatest shear along the rows: columns moved a row. One number f stands
            for (0, f); the direction is drawn.
        y_factor: Likewise along the columns.
        interpolation: "nearest" or "bilinear".
        fill_mode: What lies beyond the border: "reflect", "wrap", "constant" or "nearest".
        fill_value: Value beyond the border, for "constant".
        data_format: "channels_last" or "channels_first"; None for the former.
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.RandomShear(x_factor=0.3)(np.ones((5, 8, 8, 1)), training=True).shape
        (5, 8, 8, 1)
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.x_factor = self._shears("x_factor", x_factor)
        self.y_factor = self._shears("y_factor", y_factor)

    def _shears(self, argument: str, factor: Any) -> tuple[Any, Any]:
        # Keras writes (-f, f) for f to files. The sign is drawn anyway, so (0, f) is the same.
        lower, upper = span(self, argument, factor, -1, 1)
        return (0.0 if lower == -upper else lower), upper

    def matrix(self, count: int, height: int, width: int, seeds: Any) -> Any:
        """A shear from the first pixel on."""
        sign = signs(count, seeds)[..., 0]
        y = numbers(count, self.y_factor, seeds) * sign
        x = numbers(count, self.x_factor, seeds) * sign
        one, zero = np.float32(1), np.float32(0)
        return one, x, zero, y, one, zero
