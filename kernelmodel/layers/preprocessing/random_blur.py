"""Images blurred and sharpened at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.layers.arguments import is_integer, refuse
from kernelmodel.layers.preprocessing.filters import blurred, neighbours, separable
from kernelmodel.layers.preprocessing.image_transform import RandomTransform, chances, draws, like
from kernelmodel.layers.preprocessing.random_geometric import numbers
from kernelmodel.layers.preprocessing.ranges import span
from kernelmodel.layers.preprocessing.ranges import value_range as checked_range
from kernelmodel.layers.registry import REGISTRY


@REGISTRY.register()
class RandomGaussianBlur(RandomTransform):
    """In training blurs each image, with a chance, under a Gaussian window.

    Args:
        factor: Least and greatest chance of an image, from 0 to 1; a chance is drawn for each. One
            number f stands for (0, f).
        kernel_size: Odd width of the window in pixels, or (width, height).
        sigma: Least and greatest standard deviation in pixels, from 0 to 1; one is drawn for each
            image and axis.
        value_range: Least and greatest value of a pixel.
        data_format: "channels_last" or "channels_first"; None for the former.
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.RandomGaussianBlur()(np.ones((5, 8, 8, 1)), training=True).shape
        (5, 8, 8, 1)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = span(self, "factor", factor, 0, 1)
        sizes = kernel_size if isinstance(kernel_size, (list, tuple)) else (kernel_size,) * 2
        if len(sizes) != 2 or not all(is_integer(n) and n > 0 and n % 2 for n in sizes):
            refuse(self, "kernel_size", kernel_size, "an odd integer >= 1, or two of them")
        self.kernel_size = tuple(map(int, sizes))
        self.sigma = span(self, "sigma", sigma, 0, 1)
        self.value_range = checked_range(self, value_range)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """Which images change, and their deviations across and down."""
        chosen = chances(shape[0], self.factor, seeds)
        across, down = (numbers(shape[0], self.sigma, seeds) + np.float32(1e-6) for _ in range(2))
        return chosen, across, down

    def transform(self, images: Any, drawn: Any) -> Any:
        """Blur."""
        chosen, across, down = drawn
        wide, tall = (size // 2 for size in self.kernel_size)
        changed = ops.where(chosen, blurred(images, (tall, wide), (down, across)), images)
        return ops.clip(changed, *map(images.dtype.type, self.value_range))


@REGISTRY.register()
class RandomSharpness(RandomTransform):
    """In training blurs or sharpens each image by an amount of its own.

    Args:
        factor: Least and greatest amount, from 0 (blurred) over 0.5 (as it is) to 1 (sharpened).
            One number f stands for (0, f).
        value_range: Least and greatest value of a pixel.
        data_format: "channels_last" or "channels_first"; None for the former.
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.RandomSharpness(0.5)(np.ones((5, 8, 8, 1)), training=True).shape
        (5, 8, 8, 1)
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = span(self, "factor", factor, 0, 1)
        self.value_range = checked_range(self, value_range)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """How much of the image, and not of the blurred one, to take."""
        return draws(shape[0], self.factor, seeds) * np.float32(2)

    def transform(self, images: Any, drawn: Any) -> Any:
        """Mix the image and its mean over 3 x 3 pixels, of which the central one counts five."""
        _, height, width, _ = images.shape
        around = separable(images, neighbours(height, 1), neighbours(width, 1))
        kind = images.dtype.type
        smooth = around * kind(1 / 13) + images * kind(4 / 13)
        mixed = images + (1 - like(drawn, images)) * (smooth - images)
        return ops.clip(mixed, *map(kind, self.value_range))
