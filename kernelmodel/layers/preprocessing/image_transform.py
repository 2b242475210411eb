"""Layers that change images and leave their shape: what they have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.seed import SeedGenerator
from kernelmodel.layers.arguments import only_default
from kernelmodel.layers.preprocessing.image_layer import ImageLayer
from kernelmodel.ops import random
from kernelmodel.ops.convert import _cast

PARTS = ("images", "labels", "segmentation_masks")


class ImageTransform(ImageLayer):
    """Base of layers that change images, and what belongs to them.

    A subclass overrides `transform(images, drawn)`, and `draw(shape, seeds)` if it is random. Both
    see a batch (batch, rows, columns, channels) in the layer's compute dtype, whatever was passed.

    The input is an image, a batch of images, or a dict with "images" and maybe "labels" and
    "segmentation_masks", which get the same treatment: a mask is moved as its image is, labels are
    mixed as their images are.

    Args:
        data_format: "channels_last" or "channels_first"; None for the former.
    """

    # Whether images are changed outside of training too; then nothing is drawn.
    always = False

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        only_default(type(self).__name__, kwargs, bounding_box_format=None)
        super().__init__(data_format, **kwargs)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """What happens to each image of a batch of a shape (channels last)."""

    def transform(self, images: Any, drawn: Any) -> Any:
        """The images changed."""
        raise NotImplementedError

    def transform_masks(self, masks: Any, drawn: Any) -> Any:
        """Segmentation masks of the images; as they are, unless pixels move."""
        return masks

    def transform_labels(self, labels: Any, drawn: Any) -> Any:
        """Labels of the images; as they are, unless images are mixed."""
        return labels

    def transformed(self, images: Any, seeds: Any) -> Any:
        """Draw and transform a batch with channels last."""
        return self.transform(images, self.draw(tuple(images.shape), seeds))

    def call(self, inputs: Any, training: Any = True) -> Any:
        """Change the images, if in training."""
        parts = inputs if isinstance(inputs, dict) else {"images": inputs}
        self._check_parts(parts)
        images = self._floats(parts["images"])
        result = {**parts, "images": images}
        if training or self.always:
            single = len(images.shape) == 3
            batch = self._channels_last(images)
            seeds = getattr(self, "generator", None)
            drawn = self.draw(tuple(batch.shape), seeds) if training else None
            result["images"] = self._as_given(self.transform(batch, drawn), single)
            if "labels" in parts:
                labels = parts["labels"]
                labels = ops.expand_dims(labels, 0) if single else labels
                labels = self.transform_labels(labels, drawn)
                result["labels"] = ops.squeeze(labels, 0) if single else labels
            if "segmentation_masks" in parts:
                masks = self._floats(parts["segmentation_masks"])
                masks = self.transform_masks(self._channels_last(masks), drawn)
                result["segmentation_masks"] = self._as_given(masks, single)
        return result if isinstance(inputs, dict) else result["images"]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape if isinstance(input_shape, dict) else tuple(input_shape)

    def _check_parts(self, parts: dict[str, Any]) -> None:
        unknown = sorted(set(parts) - set(PARTS))
        if unknown or "images" not in parts:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) expects images, or a dict with "
                f"'images' and any of {list(PARTS[1:])}, got a dict with {sorted(parts)}."
            )

    def _channels_last(self, images: Any) -> Any:
        first = self._first_axis(images.shape)
        if len(images.shape) == 3:
            images, first = ops.expand_dims(images, 0), first + 1
        return ops.moveaxis(images, 1, -1) if first == 2 else images

    def _as_given(self, images: Any, single: bool) -> Any:
        if self.data_format == "channels_first":
            images = ops.moveaxis(images, -1, 1)
        return ops.squeeze(images, 0) if single else images


class RandomTransform(ImageTransform):
    """Base of layers that do something else to each image, in training only.

    Args:
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.
    """

    def __init__(
        self, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.seed = seed
        self.generator = SeedGenerator(seed)


def draws(count: int, limits: tuple[Any, Any], seeds: Any, dtype: str = "float32") -> Any:
    """A number between limits for each image, to go with (batch, rows, columns, channels)."""
    return random.uniform((count, 1, 1, 1), *limits, dtype=dtype, seed=seeds)


def chances(count: int, limits: tuple[Any, Any], seeds: Any) -> Any:
    """Whether something happens to each image, with a chance that is itself drawn for it."""
    chance = draws(count, limits, seeds)
    return draws(count, (0.0, 1.0), seeds) < chance


def signs(count: int, seeds: Any) -> Any:
    """1 or -1 for each image."""
    return np.where(draws(count, (0.0, 1.0), seeds) > 0.5, np.float32(-1), np.float32(1))


def like(value: Any, images: Any) -> Any:
    """A number or array in the dtype of the images."""
    return _cast(value, images.dtype)
