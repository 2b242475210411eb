"""Images with inverted and with fewer tones, at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.engine.boxes import getval
from kernelmodel.layers.arguments import refuse
from kernelmodel.layers.preprocessing.image_transform import RandomTransform, chances, draws, like
from kernelmodel.layers.preprocessing.ranges import rescaled, span
from kernelmodel.layers.preprocessing.ranges import value_range as checked_range
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops import random

BYTE = (0, 255)


@REGISTRY.register()
class RandomInvert(RandomTransform):
    """In training inverts each image, with a chance: light becomes dark.

    Args:
        factor: Least and greatest chance of an image, from 0 to 1; a chance is drawn for each. One
            number f stands for (0, f).
        value_range: Least and greatest value of a pixel; the greatest minus a value is its inverse.
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> invert = km.layers.RandomInvert((1.0, 1.0))
        >>> invert(np.array([[[[0.0, 55.0]]]]), training=True)
        array([[[[255., 200.]]]], dtype=float32)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = BYTE,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = span(self, "factor", factor, 0, 1)
        self.value_range = checked_range(self, value_range)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """Which images change."""
        return chances(shape[0], self.factor, seeds)

    def transform(self, images: Any, drawn: Any) -> Any:
        """Invert them."""
        return ops.where(drawn, images.dtype.type(self.value_range[1]) - images, images)


@REGISTRY.register()
class RandomPosterization(RandomTransform):
    """In training takes bits from the pixels of each image, so that few tones remain.

    Args:
        factor: Least number of bits that remain, and the number that they stay below, from 1 to 8;
            two equal ones for exactly so many. One number n stands for (1, n).
        value_range: Least and greatest value of a pixel.
        data_format: "channels_last" or "channels_first"; None for the former.
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> poster = km.layers.RandomPosterization((2, 2))
        >>> poster(np.array([[[[10.0, 100.0, 200.0]]]]), training=True)
        array([[[[  0.,  64., 192.]]]], dtype=float32)
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = BYTE,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = span(self, "factor", factor, 1, 8)
        if any(n != int(n) for n in self.factor):
            refuse(self, "factor", factor, "an integer from 1 to 8, or two of them")
        self.value_range = checked_range(self, value_range)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """The distance between two tones of each image, in 256ths of the range."""
        low, high = self.factor
        bits = random.randint((shape[0], 1, 1, 1), low, max(high, low + 1), seed=seeds)
        return np.exp2((8 - bits).astype("float32"))

    def transform(self, images: Any, drawn: Any) -> Any:
        """Round the pixels down to such tones."""
        step = like(drawn, images)
        pixels = np.floor(np.clip(rescaled(getval(images), self.value_range, BYTE), *BYTE))
        return rescaled(np.floor(pixels / step) * step, BYTE, self.value_range)


@REGISTRY.register()
class Solarization(RandomTransform):
    """In training inverts the light pixels of each image: those above a threshold of its own.

    Args:
        addition_factor: Least and greatest number, from 0 to 1, that is added before, as a share
            of the range. One number f stands for (0, f).
        threshold_factor: Least and greatest threshold, likewise.
        value_range: Least and greatest value of a pixel.
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Solarization()(np.array([[[[0.0, 55.0]]]]), training=True)
        array([[[[255., 200.]]]], dtype=float32)
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = BYTE,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, **kwargs)
        self.addition_factor = span(self, "addition_factor", addition_factor, 0, 1)
        self.threshold_factor = span(self, "threshold_factor", threshold_factor, 0, 1)
        self.value_range = checked_range(self, value_range)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """What is added to each image, and its threshold."""
        limits = self.addition_factor, self.threshold_factor
        return [draws(shape[0], pair, seeds) * np.float32(255) for pair in limits]

    def transform(self, images: Any, drawn: Any) -> Any:
        """Add, and invert what is light."""
        addition, threshold = (like(number, images) for number in drawn)
        light = ops.clip(rescaled(images, self.value_range, BYTE) + addition, *BYTE)
        turned = ops.where(light < threshold, light, 255 - light)
        return rescaled(turned, BYTE, self.value_range)
