"""Layers that change images and leave their shape: what they have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.seed import SeedGenerator
from kernelmodel.layers.arguments import choice, omit_none, refuse
from kernelmodel.layers.preprocessing.image_layer import ImageLayer
from kernelmodel.ops import random
from kernelmodel.ops.bounding_boxes import FORMATS, clip_to_image_size, convert_format
from kernelmodel.ops.convert import _cast

PARTS = ("images", "labels", "segmentation_masks", "bounding_boxes")


class ImageTransform(ImageLayer):
    """Base of layers that change images, and what belongs to them.

    A subclass overrides `transform(images, drawn)`, and `draw(shape, seeds)` if it is random. Both
    see a batch (batch, rows, columns, channels) in the layer's compute dtype, whatever was passed.

    The input is an image, a batch of images, or a dict with "images" and maybe "labels",
    "segmentation_masks" and "bounding_boxes", which get the same treatment: masks and boxes are
    moved as their images are, labels are mixed as their images are. Bounding boxes are a dict with
    "boxes" (batch, boxes, 4) and "labels" (batch, boxes); a box of zeros or of -1 stands for none.
    Lists with another number of boxes for each image are filled up with boxes of zeros and labels
    of -1.

    Args:
        data_format: "channels_last" or "channels_first"; None for the former.
        bounding_box_format: Format of bounding boxes; see `km.utils.bounding_boxes.convert_format`.
    """

    # Whether images are changed outside of training too; then nothing is drawn.
    always = False
    # Whether it can tell where bounding boxes go.
    _knows_boxes = True

    def __init__(
        self,
        data_format: str | None = None,
        bounding_box_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        if bounding_box_format is not None:
            choice(self, "bounding_box_format", bounding_box_format, FORMATS)
        self.bounding_box_format = bounding_box_format

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

    def transform_bounding_boxes(self, boxes: Any, drawn: Any, size: tuple[int, int]) -> Any:
        """Bounding boxes of images of a size, a dict; as they are, unless pixels move."""
        return boxes

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
            if "bounding_boxes" in parts:
                boxes = self._batch_of_boxes(parts["bounding_boxes"], single)
                boxes = self.transform_bounding_boxes(boxes, drawn, tuple(batch.shape[1:3]))
                result["bounding_boxes"] = (
                    {key: ops.squeeze(part, 0) for key, part in boxes.items()} if single else boxes
                )
        return result if isinstance(inputs, dict) else result["images"]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape if isinstance(input_shape, dict) else tuple(input_shape)

    def _convert(self, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("bounding_boxes"), dict):
            value = {**value, "bounding_boxes": self._filled_boxes(value["bounding_boxes"])}
        return super()._convert(value)

    def _filled_boxes(self, boxes: dict[str, Any]) -> dict[str, Any]:
        """Boxes as they are, but lists of unequal lengths as arrays."""
        corners, labels = boxes.get("boxes"), boxes.get("labels")
        if not isinstance(corners, (list, tuple)) or len(set(map(len, corners))) < 2:
            return boxes
        counts = list(map(len, corners))
        if not isinstance(labels, (list, tuple)) or list(map(len, labels)) != counts:
            refuse(self, "'labels'", labels, f"lists of {counts} labels, as there are 'boxes'")
        full = np.zeros((len(counts), max(counts), 4), "float32")
        classes = np.full(full.shape[:2], -1, "int32")
        for number, count in enumerate(counts):
            full[number, :count] = np.reshape(corners[number], (count, 4))
            classes[number, :count] = labels[number]
        return {**boxes, "boxes": full, "labels": classes}

    def _check_parts(self, parts: dict[str, Any]) -> None:
        unknown = sorted(set(parts) - set(PARTS))
        if unknown or "images" not in parts:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) expects images, or a dict with "
                f"'images' and any of {list(PARTS[1:])}, got a dict with {sorted(parts)}."
            )

    def _batch_of_boxes(self, boxes: Any, single: bool) -> dict[str, Any]:
        if not self._knows_boxes:
            raise NotImplementedError(
                f"Layer {self.name!r} ({type(self).__name__}) can't tell where bounding boxes go. "
                "Leave 'bounding_boxes' out of its input."
            )
        if not isinstance(boxes, dict) or set(boxes) != {"boxes", "labels"}:
            found = sorted(boxes) if isinstance(boxes, dict) else type(boxes).__name__
            refuse(self, "'bounding_boxes'", found, "a dict with 'boxes' and 'labels'")
        if self.bounding_box_format is None:
            refuse(self, "bounding_box_format", None, f"given for bounding boxes: {FORMATS}")
        corners, labels = _cast(boxes["boxes"], "float32"), boxes["labels"]
        if single:
            corners, labels = ops.expand_dims(corners, 0), ops.expand_dims(labels, 0)
        if len(corners.shape) != 3 or corners.shape[-1] != 4:
            refuse(self, "'boxes'", tuple(corners.shape), "of shape (batch, boxes, 4)")
        return {"boxes": corners, "labels": labels}

    def _moved_boxes(
        self,
        boxes: dict[str, Any],
        before: tuple[int, int],
        after: tuple[int, int],
        move: Callable[[Any], Any],
    ) -> dict[str, Any]:
        """Boxes moved, and cut off at the borders.

        Args:
            boxes: Of images of the size `before`.
            before: Rows and columns that the images had.
            after: Those that they have now.
            move: From corners to corners, as "xyxy".
        """
        given = boxes["boxes"]
        kind: Any = self.bounding_box_format  # `_batch_of_boxes` saw that there is one
        none = np.all(given == 0, axis=-1) | np.all(given == -1, axis=-1)
        corners = move(convert_format(given, kind, "xyxy", *before))
        corners = ops.where(np.expand_dims(none, -1), np.float32(0), corners)
        clipped = clip_to_image_size({**boxes, "boxes": corners}, *after)
        return convert_format(clipped, "xyxy", kind, *after)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, in a form that JSON can hold."""
        return omit_none(super().get_config(), "bounding_box_format")

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
