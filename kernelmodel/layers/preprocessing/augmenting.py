"""Augmentation policies: random changes chosen among many, one after the other or mixed."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.engine.indexing import getitem
from kernelmodel.engine.xla_array import XlaArray
from kernelmodel.layers.arguments import choice, positive, refuse
from kernelmodel.layers.preprocessing.histograms import AutoContrast, Equalization
from kernelmodel.layers.preprocessing.image_transform import ImageTransform, RandomTransform, like
from kernelmodel.layers.preprocessing.random_blur import RandomSharpness
from kernelmodel.layers.preprocessing.random_color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
)
from kernelmodel.layers.preprocessing.random_geometric import (
    RandomRotation,
    RandomShear,
    RandomTranslation,
)
from kernelmodel.layers.preprocessing.random_tone import RandomPosterization, Solarization
from kernelmodel.layers.preprocessing.ranges import is_number, span
from kernelmodel.layers.preprocessing.ranges import value_range as checked_range
from kernelmodel.layers.preprocessing.warp import INTERPOLATIONS
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops import random


class Policy(RandomTransform):
    """Base of layers that choose among other layers for each image.

    The layers are attributes, named as in Keras. They all draw from the policy's stream.

    Args:
        value_range: Least and greatest value of a pixel.
        factor: Least and greatest strength of each change, from 0 to 1.
        interpolation: "nearest" or "bilinear", for changes that move pixels.
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.
    """

    _knows_boxes = False  # images go different ways, which aren't known afterwards

    def __init__(
        self,
        value_range: Any,
        factor: Any,
        interpolation: str,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.value_range = checked_range(self, value_range)
        self.factor = factor = span(self, "factor", factor, 0, 1)
        self.interpolation = choice(self, "interpolation", interpolation, INTERPOLATIONS)
        common: dict[str, Any] = {"data_format": data_format, "dtype": self.dtype_policy}
        toned: dict[str, Any] = {**common, "value_range": self.value_range}
        moving: dict[str, Any] = {**common, "seed": seed, "interpolation": interpolation}
        bits = max(1, int(8 * factor[1]))
        self.random_shear = RandomShear(factor, factor, **moving)
        self.random_translation = RandomTranslation(factor, factor, **moving)
        self.random_rotation = RandomRotation(factor, **moving)
        self.random_posterization = RandomPosterization(bits, seed=seed, **toned)
        self.solarization = Solarization(factor, factor, seed=seed, **toned)
        self.auto_contrast = AutoContrast(**toned)
        self.equalization = Equalization(**toned)
        self._choices: list[ImageTransform] = [
            self.random_shear,
            self.random_translation,
            self.random_rotation,
            self.random_posterization,
            self.solarization,
            self.auto_contrast,
            self.equalization,
        ]
        self._coloring: dict[str, Any] = {"factor": factor, "seed": seed, **toned}

    def _add_colors(self) -> None:
        self.random_brightness = RandomBrightness(**self._coloring)
        self.random_color_degeneration = RandomColorDegeneration(**self._coloring)
        self.random_contrast = RandomContrast(**self._coloring)
        self.random_sharpness = RandomSharpness(**self._coloring)
        self._choices = [
            *self._choices,
            self.random_brightness,
            self.random_color_degeneration,
            self.random_contrast,
            self.random_sharpness,
        ]

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """The stream that everything is drawn from."""
        return seeds

    def _chosen(self, images: Any, most: int, seeds: Any) -> Any:
        """Each image changed by a layer of its own; by none, for a number beyond the layers."""
        numbers = random.randint((images.shape[0],), 0, most, seed=seeds)
        if isinstance(numbers, XlaArray):
            result = images
            for number, layer in enumerate(self._choices):
                mine = np.reshape(numbers == number, (-1, 1, 1, 1))
                result = ops.where(mine, layer.transformed(images, seeds), result)
            return result
        groups = [np.flatnonzero(numbers == number) for number in range(most)]
        parts = [
            self._changed(number, getitem(images, (rows,)), seeds)
            for number, rows in enumerate(groups)
        ]
        back = np.argsort(np.concatenate(groups))
        return getitem(ops.concatenate(parts), (back,))

    def _changed(self, number: int, images: Any, seeds: Any) -> Any:
        if number >= len(self._choices) or not images.shape[0]:
            return images
        return self._choices[number].transformed(images, seeds)


@REGISTRY.register()
class RandAugment(Policy):
    """In training changes each image by a few random layers, one after the other.

    Args:
        value_range: Least and greatest value of a pixel.
        num_ops: How many changes an image gets.
        factor: Least and greatest strength of each change, from 0 to 1. One number f stands for
            (0, f).
        interpolation: "nearest" or "bilinear", for changes that move pixels.
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these; later, images without three channels.

    Source: Cubuk et al., *RandAugment*, CVPR workshops 2020.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.RandAugment()(np.ones((5, 8, 8, 3)), training=True).shape
        (5, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, factor, interpolation, seed, data_format, **kwargs)
        self.num_ops = positive(self, "num_ops", num_ops)
        self._add_colors()

    def transform(self, images: Any, drawn: Any) -> Any:
        """One change after the other."""
        for _ in range(self.num_ops):
            images = self._chosen(images, len(self._choices), drawn)
        return images


@REGISTRY.register()
class AugMix(Policy):
    """In training mixes each image with several others that random layers made of it.

    Args:
        value_range: Least and greatest value of a pixel.
        num_chains: How many others are made of an image.
        chain_depth: How many changes, one after the other, make one; each may be none.
        factor: Least and greatest strength of each change, from 0 to 1. One number f stands for
            (0, f).
        alpha: Parameter of the Dirichlet and beta distributions that the shares are drawn from.
        all_ops: Whether brightness, colour, contrast and sharpness are changed, too.
        interpolation: "nearest" or "bilinear", for changes that move pixels.
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these; later, images without three channels.

    Source: Hendrycks et al., *AugMix*, ICLR 2020.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.AugMix()(np.ones((5, 8, 8, 3)), training=True).shape
        (5, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, factor, interpolation, seed, data_format, **kwargs)
        self.num_chains = positive(self, "num_chains", num_chains)
        self.chain_depth = positive(self, "chain_depth", chain_depth)
        if not is_number(alpha) or alpha <= 0:
            refuse(self, "alpha", alpha, "a number above 0")
        self.alpha = alpha
        self.all_ops = choice(self, "all_ops", all_ops, (True, False))
        if all_ops:
            self._add_colors()

    def transform(self, images: Any, drawn: Any) -> Any:
        """Mix each image with its chains."""
        count, chains = images.shape[0], self.num_chains
        # Gamma draws divided by their sum are a draw from a Dirichlet distribution.
        parts = random.gamma((chains, count, 1, 1, 1), self.alpha, seed=drawn)
        parts = parts + np.float32(1e-30)
        shares = like(parts / np.sum(parts, axis=0, keepdims=True), images)
        kept = like(random.beta((count, 1, 1, 1), self.alpha, self.alpha, seed=drawn), images)
        others = ops.concatenate([images] * chains)  # at once: XLA compiles each change once a step
        for _ in range(self.chain_depth):
            others = self._chosen(others, len(self._choices) + 1, drawn)
        total = np.sum(np.reshape(others, (chains, *images.shape)) * shares, axis=0)
        mixed = kept * images + (1 - kept) * total
        return ops.clip(mixed, *map(images.dtype.type, self.value_range))
