"""Bounding boxes beside others: how far they overlap, and the steps from one to another."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.engine.rules import where
from kernelmodel.ops import checks
from kernelmodel.ops.bounding_boxes import convert_format
from kernelmodel.ops.convert import _cast
from kernelmodel.ops.dispatch import _array_like, op

__all__ = ["compute_ciou", "compute_iou", "decode_deltas_to_boxes", "encode_box_to_deltas"]

CENTERED = ("center_yxhw", "center_xywh")


def _size(image_shape: Any) -> dict[str, Any]:
    if image_shape is None:
        return {}
    height, width = image_shape[:2]
    return {"height": height, "width": width}


def _sides(boxes: Any) -> tuple[Any, Any]:
    """Widths and heights of boxes "xyxy"."""
    extent = boxes[..., 2:] - boxes[..., :2]
    return extent[..., 0], extent[..., 1]


def _shared(one: Any, other: Any) -> Any:
    """The area that boxes "xyxy" have in common."""
    low = anp.maximum(one[..., :2], other[..., :2])
    extent = anp.maximum(anp.minimum(one[..., 2:], other[..., 2:]) - low, 0)
    return extent[..., 0] * extent[..., 1]


@op
def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Any = None,
) -> Any:
    """Area that two boxes share, over the area that they cover together, for all pairs.

    Args:
        boxes1: Boxes (n, 4) or (batch, n, 4).
        boxes2: Boxes (m, 4) or (batch, m, 4).
        bounding_box_format: Their format; see `convert_format`.
        use_masking: Whether pairs with a box whose numbers are all negative get `mask_val`.
        mask_val: What they get.
        image_shape: (height, width, channels); needed for relative formats.

    Returns:
        Shares (n, m) or (batch, n, m).

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.bounding_boxes.compute_iou([[0, 0, 2, 2]], [[1, 0, 3, 2]], "xyxy").round(3)
        array([[0.333]], dtype=float32)
    """
    one, other = (
        convert_format(boxes, bounding_box_format, "xyxy", **_size(image_shape))
        for boxes in (boxes1, boxes2)
    )
    for argument, boxes in (("boxes1", one), ("boxes2", other)):
        checks.rank("compute_iou", argument, boxes, (2, 3))
    one, other = anp.expand_dims(one, -2), anp.expand_dims(other, -3)
    shared = _shared(one, other)
    areas = [wide * tall for wide, tall in map(_sides, (one, other))]
    result = shared / (areas[0] + areas[1] - shared + DEFAULTS.epsilon)
    if not use_masking:
        return result
    absent = [np.less(np.max(getval(boxes), axis=-1), 0) for boxes in (one, other)]
    return where(absent[0] | absent[1], np.asarray(mask_val, "float32"), result)


@op
def compute_ciou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None
) -> Any:
    """Overlap of boxes, less a share for how far their centres and proportions differ.

    Args:
        boxes1: Boxes (..., 4).
        boxes2: Boxes (..., 4), one for each.
        bounding_box_format: Their format; see `convert_format`.
        image_shape: (height, width, channels); needed for relative formats.

    Returns:
        Numbers (...) up to 1.

    Raises:
        ValueError: An unknown format.

    Source: Zheng et al., *Distance-IoU loss*, AAAI 2020.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.bounding_boxes.compute_ciou([[0, 0, 2, 2]], [[1, 0, 3, 2]], "xyxy").round(3)
        array([0.256], dtype=float32)
    """
    one, other = (
        convert_format(boxes, bounding_box_format, "xyxy", **_size(image_shape))
        for boxes in (boxes1, boxes2)
    )
    tiny = DEFAULTS.epsilon
    (wide1, tall1), (wide2, tall2) = _sides(one), _sides(other)
    tall1, tall2 = tall1 + tiny, tall2 + tiny
    shared = _shared(one, other)
    iou = shared / (wide1 * tall1 + wide2 * tall2 - shared + 2 * tiny)
    around = anp.maximum(one[..., 2:], other[..., 2:]) - anp.minimum(one[..., :2], other[..., :2])
    apart = (one[..., :2] + one[..., 2:] - other[..., :2] - other[..., 2:]) / 2
    distance = anp.sum(apart**2, -1) / (anp.sum(around**2, -1) + tiny)
    shape = (4 / np.pi**2) * (anp.arctan(wide2 / tall2) - anp.arctan(wide1 / tall1)) ** 2
    return iou - distance - shape * shape / (shape - iou + (1 + tiny))


def _variance(name: str, variance: Any) -> Any:
    values = np.ones(4, "float32") if variance is None else np.asarray(variance, "float32")
    if values.shape[-1:] != (4,):
        checks.refuse(name, "variance", variance, "four numbers")
    return values


@op
def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """Steps from anchors to boxes: of the centres in sizes of the anchors, of sizes as logarithms.

    Args:
        anchors: Boxes (n, 4).
        boxes: Boxes (n, 4) or (batch, n, 4).
        anchor_format: Format of the anchors; see `convert_format`.
        box_format: Format of the boxes.
        encoding_format: "center_yxhw" or "center_xywh": the order of the steps.
        variance: Four numbers that the steps are divided by.
        image_shape: (height, width, channels); needed for relative formats.

    Returns:
        Steps, shaped like the boxes.

    Raises:
        ValueError: An argument is none of these.

    Source: Girshick et al., *Rich feature hierarchies for accurate object detection*, CVPR 2014.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.bounding_boxes.encode_box_to_deltas(
        ...     [[0, 0, 4, 4]], [[0, 2, 4, 6]], "xyxy", "xyxy"
        ... )
        array([[0.5, 0. , 0. , 0. ]], dtype=float32)
    """
    name = "encode_box_to_deltas"
    checks.choice(name, "encoding_format", encoding_format, CENTERED)
    size = _size(image_shape)
    start = convert_format(anchors, anchor_format, encoding_format, **size)
    end = convert_format(boxes, box_format, encoding_format, **size)
    old, new = (anp.maximum(part[..., 2:], DEFAULTS.epsilon) for part in (start, end))
    step = (end[..., :2] - start[..., :2]) / old
    return anp.concatenate([step, anp.log(new / old)], -1) / _variance(name, variance)


@op
def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """Boxes that steps from anchors lead to: the inverse of `encode_box_to_deltas`.

    Args:
        anchors: Boxes (n, 4), or a dict of them by levels.
        boxes_delta: Steps (n, 4) or (batch, n, 4), or a dict likewise.
        anchor_format: Format of the anchors; see `convert_format`.
        box_format: Format of the result.
        encoded_format: "center_yxhw" or "center_xywh": the order of the steps.
        variance: Four numbers that the steps are multiplied by.
        image_shape: (height, width, channels); needed for relative formats.

    Returns:
        Boxes shaped like the steps, or a dict of them.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.bounding_boxes.decode_deltas_to_boxes(
        ...     [[0, 0, 4, 4]], [[0.5, 0.0, 0.0, 0.0]], "xyxy", "xyxy"
        ... )
        array([[0., 2., 4., 6.]], dtype=float32)
    """
    name = "decode_deltas_to_boxes"
    checks.choice(name, "encoded_format", encoded_format, CENTERED)
    size, factors = _size(image_shape), _variance(name, variance)

    def decoded(some: Any, steps: Any) -> Any:
        start = convert_format(some, anchor_format, encoded_format, **size)
        steps = _cast(_array_like(steps), "float32") * factors
        middle = steps[..., :2] * start[..., 2:] + start[..., :2]
        extent = anp.exp(steps[..., 2:]) * start[..., 2:]
        boxes = anp.concatenate([middle, extent], -1)
        return convert_format(boxes, encoded_format, box_format, **size)

    if isinstance(anchors, dict):
        return {level: decoded(some, boxes_delta[level]) for level, some in anchors.items()}
    return decoded(anchors, boxes_delta)
