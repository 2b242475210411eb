"""Images with as many bounding boxes each."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.layers.arguments import positive
from kernelmodel.layers.preprocessing.image_transform import ImageTransform
from kernelmodel.layers.registry import REGISTRY


@REGISTRY.register()
class MaxNumBoundingBoxes(ImageTransform):
    """Gives every image the same number of bounding boxes, so that batches have one shape.

    Args:
        max_number: How many: those beyond are left out.
        fill_value: The numbers, and the label, of boxes that are added.
        bounding_box_format: Format of the boxes; see `km.utils.bounding_boxes.convert_format`.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.MaxNumBoundingBoxes(3, bounding_box_format="xyxy")
        >>> boxes = {"boxes": np.ones((1, 2, 4)), "labels": np.array([[5, 6]])}
        >>> layer({"images": np.ones((1, 8, 8, 3)), "bounding_boxes": boxes})[
        ...     "bounding_boxes"
        ... ]["labels"]
        array([[ 5,  6, -1]])
    """

    always = True
    _written_if_set = ("fill_value",)

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_number = positive(self, "max_number", max_number)
        self.fill_value = fill_value

    def transform(self, images: Any, drawn: Any) -> Any:
        """Leave them."""
        return images

    def transform_bounding_boxes(self, boxes: Any, drawn: Any, size: tuple[int, int]) -> Any:
        """Cut off or fill up."""
        missing = max(self.max_number - boxes["boxes"].shape[1], 0)

        def filled(part: Any) -> Any:
            rest = [(0, 0)] * (len(part.shape) - 2)
            around = [(0, 0), (0, missing), *rest]
            return ops.pad(part[:, : self.max_number], around, constant_values=self.fill_value)

        return {key: filled(part) for key, part in boxes.items()}

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the input, with that many boxes."""
        if not isinstance(input_shape, dict) or "bounding_boxes" not in input_shape:
            return super().compute_output_shape(input_shape)
        batched = len(input_shape["images"]) == 4
        boxes = {
            key: (*shape[:batched], self.max_number, *shape[batched + 1 :])
            for key, shape in input_shape["bounding_boxes"].items()
        }
        return {**input_shape, "bounding_boxes": boxes}
