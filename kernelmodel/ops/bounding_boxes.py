"""Bounding boxes: four numbers a box, in one of nine formats.

A box is two corners ("xyxy", "yxyx"), a corner and an extent ("xywh"), or a centre and an extent
("center_xywh", "center_yxhw"), in pixels from the top left; with "rel_" in front it is in shares
of the image's width and height.
"""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.rules import where
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, extents
from kernelmodel.ops.dispatch import _array_like, op

__all__ = ["affine_transform", "clip_to_image_size", "convert_format", "crop", "pad"]

FORMATS = (
    "xyxy",
    "yxyx",
    "xywh",
    "center_xywh",
    "center_yxhw",
    "rel_xyxy",
    "rel_yxyx",
    "rel_xywh",
    "rel_center_xywh",
)


def _checked(name: str, boxes: Any) -> Any:
    boxes = _array_like(boxes)
    if not extents(boxes) or extents(boxes)[-1] != 4:
        checks.refuse(name, "boxes", f"shape {extents(boxes)}", "arrays (..., 4)")
    return boxes


def _scaled(boxes: Any, width: Any, height: Any) -> Any:
    """Numbers along x and y times factors: numbers, or arrays that broadcast to (..., 1)."""
    factors = (width, height, width, height)
    return anp.concatenate([boxes[..., i : i + 1] * f for i, f in enumerate(factors)], -1)


def _is_transposed(layout: str) -> bool:
    """Whether the numbers along y come first."""
    return layout.removeprefix("center_").startswith("y")


def _corners(boxes: Any, layout: str) -> Any:
    """Boxes of a layout (a format without "rel_") as left, top, right, bottom."""
    first, second = boxes[..., :2], boxes[..., 2:]
    if _is_transposed(layout):
        first, second = first[..., ::-1], second[..., ::-1]
    if "center" in layout:
        first, second = first - second / 2, first + second / 2
    elif layout == "xywh":
        second = first + second
    return anp.concatenate([first, second], -1)


def _laid_out(corners: Any, layout: str) -> Any:
    """The other way round."""
    first, second = corners[..., :2], corners[..., 2:]
    if layout not in ("xyxy", "yxyx"):
        extent = second - first
        first, second = (first + extent / 2 if "center" in layout else first), extent
    if _is_transposed(layout):
        first, second = first[..., ::-1], second[..., ::-1]
    return anp.concatenate([first, second], -1)


@op
def convert_format(
    boxes: Any,
    source: str,
    target: str,
    height: Any = None,
    width: Any = None,
    dtype: Any = "float32",
) -> Any:
    """Boxes in another format.

    Args:
        boxes: Boxes (..., 4), or a dict with them as "boxes".
        source: Their format: "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy",
            "rel_yxyx", "rel_xywh" or "rel_center_xywh", in any case.
        target: The new format.
        height: Rows of the image; needed between relative and absolute formats.
        width: Its columns.
        dtype: Dtype of the result.

    Returns:
        Boxes of the same shape; for a dict another one.

    Raises:
        ValueError: An unknown format, boxes of not four numbers, or no height and width.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.bounding_boxes.convert_format([[10, 20, 30, 50]], "xyxy", "xywh")
        array([[10., 20., 20., 30.]], dtype=float32)
    """
    name = "convert_format"
    if isinstance(boxes, dict):
        moved = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": moved}
    source = checks.choice(name, "source", str(source).lower(), FORMATS)
    target = checks.choice(name, "target", str(target).lower(), FORMATS)
    boxes = _cast(_checked(name, boxes), dtype)
    if source == target:
        return boxes
    relative = source.startswith("rel_"), target.startswith("rel_")
    if relative[0] != relative[1] and (height is None or width is None):
        checks.refuse(name, "height and width", f"{height} and {width}", "the image's size, "
                      f"to get from {source!r} to {target!r}")  # fmt: skip
    corners = _corners(boxes, source.removeprefix("rel_"))
    if relative == (True, False):
        corners = _scaled(corners, _cast(width, dtype), _cast(height, dtype))
    elif relative == (False, True):
        corners = _scaled(corners, 1 / _cast(width, dtype), 1 / _cast(height, dtype))
    return _laid_out(corners, target.removeprefix("rel_"))


@op
def clip_to_image_size(
    bounding_boxes: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes cut off at the image's borders; labels of boxes that vanish become -1.

    Args:
        bounding_boxes: A dict with "boxes" (..., 4), and maybe "labels" (...).
        height: Rows of the image; not needed for "rel_xyxy".
        width: Its columns.
        bounding_box_format: "xyxy" or "rel_xyxy".

    Returns:
        Another dict.

    Raises:
        ValueError: Another format, or no height and width.

    Examples:
        >>> import kernelmodel as km
        >>> boxes = {"boxes": [[-10.0, 5.0, 30.0, 20.0]], "labels": [7]}
        >>> km.utils.bounding_boxes.clip_to_image_size(boxes, height=15, width=20)["boxes"]
        array([[ 0.,  5., 20., 15.]], dtype=float32)
    """
    name = "clip_to_image_size"
    checks.choice(name, "bounding_box_format", bounding_box_format, ("xyxy", "rel_xyxy"))
    if bounding_box_format == "rel_xyxy":
        height = width = 1
    elif height is None or width is None:
        checks.refuse(name, "height and width", f"{height} and {width}", "the image's size")
    boxes = _checked(name, bounding_boxes["boxes"])
    clipped = _clipped(boxes, height, width)
    result = {**bounding_boxes, "boxes": clipped}
    if bounding_boxes.get("labels") is not None:
        labels = _array_like(bounding_boxes["labels"])
        extent = getval(clipped)[..., 2:] - getval(clipped)[..., :2]
        there = np.greater(extent[..., 0] * extent[..., 1], 0)
        if len(extents(labels)) > len(extents(there)):  # classes one-hot
            there = np.expand_dims(there, -1)
        result["labels"] = where(there, labels, np.asarray(-1, labels.dtype))
    return result


def _clipped(boxes: Any, height: Any, width: Any) -> Any:
    sides = [anp.clip(boxes[..., i : i + 1], 0, (width, height)[i % 2]) for i in range(4)]
    return anp.concatenate(sides, -1)


def hull(boxes: Any, matrix: Any) -> Any:
    """The smallest upright boxes around boxes that an affine map moves.

    Args:
        boxes: Corners (batch, boxes, 4) as left, top, right, bottom.
        matrix: Six numbers or arrays (batch, 1, 1): what is at (x, y) goes to
            (a0 x + a1 y + a2, b0 x + b1 y + b2).
    """
    a0, a1, a2, b0, b1, b2 = matrix
    x, y = vertices(boxes)
    return around(a0 * x + a1 * y + a2, b0 * x + b1 * y + b2)


def vertices(boxes: Any) -> tuple[Any, Any]:
    """Columns and rows (..., 4) of the vertices of boxes "xyxy", in turn."""
    x = anp.stack([boxes[..., i] for i in (0, 2, 2, 0)], -1)
    y = anp.stack([boxes[..., i] for i in (1, 1, 3, 3)], -1)
    return x, y


def around(x: Any, y: Any) -> Any:
    """The smallest upright boxes around points (..., points), as "xyxy"."""
    return anp.stack([anp.min(x, -1), anp.min(y, -1), anp.max(x, -1), anp.max(y, -1)], -1)


@op
def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """Upright boxes around boxes that are sheared, scaled, turned and moved.

    Args:
        boxes: Boxes (batch, boxes, 4) as "xyxy".
        angle: Degrees (batch,), counter-clockwise.
        translate_x: Shifts to the right as shares of the width less one, (batch,).
        translate_y: Shifts down, likewise.
        scale: Factors (batch,).
        shear_x: Degrees (batch,).
        shear_y: Degrees (batch,).
        height: Rows of the image.
        width: Its columns.
        center_x: Fixed point as a share of the width less one; None for 0.5.
        center_y: Likewise of the height.
        bounding_box_format: "xyxy".

    Returns:
        Boxes (batch, boxes, 4); they may reach over the borders.

    Raises:
        ValueError: Another format.

    Examples:
        >>> import kernelmodel as km
        >>> turned = km.utils.bounding_boxes.affine_transform(
        ...     [[[0.0, 1.0, 4.0, 2.0]]], [90.0], [0.0], [0.0], [1.0], [0.0], [0.0], 9, 9
        ... )
        >>> turned.round(3)
        array([[[1., 4., 2., 8.]]], dtype=float32)
    """
    name = "affine_transform"
    checks.choice(name, "bounding_box_format", bounding_box_format, ("xyxy",))
    boxes = _cast(_checked(name, boxes), "float32")
    checks.rank(name, "boxes", boxes, (3,))
    given = (angle, translate_x, translate_y, scale, shear_x, shear_y)
    turn, right, down, factor, tilt_x, tilt_y = (
        anp.reshape(_cast(_array_like(part), "float32"), (-1, 1, 1)) for part in given
    )
    radians = np.float32(np.pi / 180)
    turn, tilt_x, tilt_y = -turn * radians, -tilt_x * radians, -tilt_y * radians
    # Upright axes after the shears, turned: columns of the map without its factor.
    a = anp.cos(turn - tilt_y) / anp.cos(tilt_y)
    c = -anp.sin(turn - tilt_y) / anp.cos(tilt_y)
    b, d = a * anp.tan(tilt_x) + anp.sin(turn), anp.cos(turn) - c * anp.tan(tilt_x)
    a0, a1, b0, b1 = d * factor, -b * factor, -c * factor, a * factor
    x = (0.5 if center_x is None else center_x) * (width - 1)
    y = (0.5 if center_y is None else center_y) * (height - 1)
    u, v = x - right * (width - 1), y - down * (height - 1)
    return hull(boxes, (a0, a1, x - a0 * u - a1 * v, b0, b1, y - b0 * u - b1 * v))


@op
def crop(
    boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes as they lie in a part of the image, cut off at its borders.

    Args:
        boxes: Boxes (..., 4) as "xyxy".
        top: First row of the part.
        left: First column.
        height: Rows of the part.
        width: Its columns.
        bounding_box_format: "xyxy".

    Raises:
        ValueError: Another format.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.bounding_boxes.crop([[10.0, 20.0, 50.0, 60.0]], 10, 20, 40, 20)
        array([[ 0., 10., 20., 40.]], dtype=float32)
    """
    checks.choice("crop", "bounding_box_format", bounding_box_format, ("xyxy",))
    return _clipped(_moved(_checked("crop", boxes), -left, -top), height, width)


@op
def pad(
    boxes: Any,
    top: Any,
    left: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """Boxes as they lie in an image that got a border.

    Args:
        boxes: Boxes (..., 4) as "xyxy".
        top: Rows of the border at the top.
        left: Its columns on the left.
        height: Rows of the image; not needed.
        width: Its columns; not needed.
        bounding_box_format: "xyxy".

    Raises:
        ValueError: Another format.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.bounding_boxes.pad([[10.0, 20.0, 50.0, 60.0]], 1, 2)
        array([[12., 21., 52., 61.]], dtype=float32)
    """
    checks.choice("pad", "bounding_box_format", bounding_box_format, ("xyxy",))
    return _moved(_checked("pad", boxes), left, top)


def _moved(boxes: Any, right: Any, down: Any) -> Any:
    sides = [boxes[..., i : i + 1] + (right, down)[i % 2] for i in range(4)]
    return anp.concatenate(sides, -1)
