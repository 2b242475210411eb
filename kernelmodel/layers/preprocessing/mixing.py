"""Images with rectangles erased or pasted in from others, and images laid over each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.layers.arguments import refuse
from kernelmodel.layers.preprocessing.image_transform import RandomTransform, chances, draws, like
from kernelmodel.layers.preprocessing.ranges import is_number, span
from kernelmodel.layers.preprocessing.ranges import value_range as checked_range
from kernelmodel.layers.preprocessing.warp import grid
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops import random


def rectangles(shape: tuple[int, ...], tall: Any, wide: Any, seeds: Any) -> Any:
    """A rectangle somewhere in each image.

    Args:
        shape: Of the images: (batch, rows, columns, channels).
        tall: Heights as shares of the rows, float32 (batch, 1, 1, 1).
        wide: Widths as shares of the columns, likewise.
        seeds: Where places are drawn from.

    Returns:
        Booleans (batch, rows, columns, 1), true inside.
    """
    count, height, width, _ = shape
    inside: Any = True
    for places, length, share in zip(grid(height, width), (height, width), (tall, wide)):
        size = share * np.float32(length)
        start = draws(count, (0.0, 1.0), seeds) * (np.float32(length) - size)
        places = np.expand_dims(places, -1)
        inside = inside & (places >= start) & (places < start + size)
    return inside


def partners(count: int, seeds: Any) -> Any:
    """For each image the number of another, each once."""
    return np.argsort(random.uniform((count,), dtype="float32", seed=seeds))


def mixed(one: Any, other: Any, share: Any) -> Any:
    """A share of one and the rest of the other, along the first axis."""
    share = ops.reshape(like(share, one), (-1,) + (1,) * (len(one.shape) - 1))
    return share * one + (1 - share) * other


@REGISTRY.register()
class RandomErasing(RandomTransform):
    """In training fills a rectangle of each image, with a chance.

    Args:
        factor: Least and greatest chance of an image, from 0 to 1; a chance is drawn for each. One
            number f stands for (0, f).
        scale: Least and greatest area, as shares of the image: height and width are the roots of
            two such numbers.
        fill_value: A number, one for each channel, or None for noise.
        value_range: Least and greatest value of a pixel; the fill is kept within.
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these; later, images with another number of channels.

    Source: Zhong et al., *Random erasing data augmentation*, AAAI 2020.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> erase = km.layers.RandomErasing((1.0, 1.0), scale=(1.0, 1.0), fill_value=7)
        >>> erase(np.ones((1, 1, 2, 1)), training=True)[..., 0]
        array([[[7., 7.]]], dtype=float32)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = span(self, "factor", factor, 0, 1)
        self.scale = span(self, "scale", scale, 0, 1)
        several = fill_value if isinstance(fill_value, (list, tuple)) else (fill_value,)
        if fill_value is not None and not (several and all(map(is_number, several))):
            refuse(self, "fill_value", fill_value, "a number, one for each channel, or None")
        self.fill_value = fill_value
        self.value_range = checked_range(self, value_range)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """The pixels that are filled, and what with."""
        tall, wide = (np.sqrt(draws(shape[0], self.scale, seeds)) for _ in range(2))
        erased = rectangles(shape, tall, wide, seeds) & chances(shape[0], self.factor, seeds)
        low, high = self.value_range
        if self.fill_value is None:
            fill = random.normal(shape, dtype="float32", seed=seeds) * np.float32(high)
        else:
            fill = np.array(self.fill_value, "float32")
            if fill.size not in (1, shape[-1]):
                refuse(self, "fill_value", self.fill_value, f"one number or {shape[-1]} of them")
        return erased, np.clip(fill, np.float32(low), np.float32(high))

    def transform(self, images: Any, drawn: Any) -> Any:
        """Fill."""
        erased, fill = drawn
        return ops.where(erased, like(fill, images), images)


@REGISTRY.register()
class CutMix(RandomTransform):
    """In training pastes a rectangle of another image of the batch into each.

    In a dict with "labels" (batch, classes) these are mixed by the areas.

    Args:
        factor: Least and greatest parameter of the beta distribution that the areas are drawn
            from, from 0 to 1. One number f stands for (0, f).
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Source: Yun et al., *CutMix*, ICCV 2019.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> batch = {"images": np.ones((5, 8, 8, 3)), "labels": np.eye(5)}
        >>> km.layers.CutMix()(batch, training=True)["labels"].sum(-1).round(6)
        array([1., 1., 1., 1., 1.], dtype=float32)
    """

    _knows_boxes = False  # a box may be covered in part

    def __init__(
        self,
        factor: Any = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = span(self, "factor", factor, 0, 1)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """The pixels that are pasted, from which image, and the share that stays."""
        alpha = draws(shape[0], self.factor, seeds) + np.float32(1e-6)
        size = np.sqrt(1 - random.beta((shape[0], 1, 1, 1), alpha, alpha, seed=seeds))
        pasted = rectangles(shape, size, size, seeds)
        return pasted, partners(shape[0], seeds), 1 - np.square(size)

    def transform(self, images: Any, drawn: Any) -> Any:
        """Paste."""
        pasted, order, _ = drawn
        return ops.where(pasted, ops.take(images, order, axis=0), images)

    def transform_masks(self, masks: Any, drawn: Any) -> Any:
        """Masks are treated as images are."""
        return self.transform(masks, drawn)

    def transform_labels(self, labels: Any, drawn: Any) -> Any:
        """Mix the labels by the areas."""
        _, order, share = drawn
        labels = like(labels, share) if kind_of(labels.dtype) != "f" else labels
        return mixed(labels, ops.take(labels, order, axis=0), share)


@REGISTRY.register()
class MixUp(RandomTransform):
    """In training lays another image of the batch over each.

    In a dict with "labels" (batch, classes) these are mixed likewise.

    Args:
        alpha: Parameter of the beta distribution that the shares are drawn from, above 0.
        data_format: "channels_last" or "channels_first"; None for the former.
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: An argument is none of these.

    Source: Zhang et al., *mixup: beyond empirical risk minimization*, ICLR 2018.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> batch = {"images": np.ones((5, 8, 8, 3)), "labels": np.eye(5)}
        >>> km.layers.MixUp()(batch, training=True)["labels"].sum(-1).round(6)
        array([1., 1., 1., 1., 1.], dtype=float32)
    """

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        if not is_number(alpha) or alpha <= 0:
            refuse(self, "alpha", alpha, "a number above 0")
        self.alpha = alpha

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """Which image is laid over each, and the share that stays."""
        share = random.beta((shape[0], 1, 1, 1), self.alpha, self.alpha, seed=seeds)
        return partners(shape[0], seeds), share

    def transform(self, images: Any, drawn: Any) -> Any:
        """Mix."""
        order, share = drawn
        return mixed(images, ops.take(images, order, axis=0), share)

    def transform_masks(self, masks: Any, drawn: Any) -> Any:
        """Masks are treated as images are."""
        return self.transform(masks, drawn)

    def transform_bounding_boxes(self, boxes: Any, drawn: Any, size: tuple[int, int]) -> Any:
        """The boxes of both images."""
        order, _ = drawn
        return {
            key: ops.concatenate([part, ops.take(part, order, axis=0)], 1)
            for key, part in boxes.items()
        }

    def transform_labels(self, labels: Any, drawn: Any) -> Any:
        """Mix the labels likewise."""
        labels = like(labels, drawn[1]) if kind_of(labels.dtype) != "f" else labels
        return self.transform(labels, drawn)
