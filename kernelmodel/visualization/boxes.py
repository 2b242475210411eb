"""Bounding boxes over images."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.ops.bounding_boxes import convert_format
from kernelmodel.utils.optional import require
from kernelmodel.visualization.images import batch_of, plot_image_gallery

NAMED = {"y_true": "Ground Truth", "y_pred": "Prediction"}


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: dict[str, Any],
    color: Any,
    bounding_box_format: str,
    class_mapping: dict[int, str] | None = None,
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with frames around what is in bounding boxes, and the names of their classes.

    Args:
        images: (images, rows, columns, channels) with 1, 3 or 4 channels, values from 0 to 255.
        bounding_boxes: A dict with "boxes" (images, boxes, 4), "labels" (images, boxes) and maybe
            "confidences" (images, boxes), which are written beside the names. A box with the label
            -1 is none. Lists of arrays, one an image, may hold another number of boxes for each.
        color: (red, green, blue) from 0 to 255; a number for images of one channel.
        bounding_box_format: Format of the boxes; see `km.utils.bounding_boxes.convert_format`.
        class_mapping: Names of the classes by label; boxes of others get no name.
        line_thickness: Width of the frames, in pixels; they are centred on the boxes' borders.
        text_thickness: How bold the names are, in pixels.
        font_scale: Size of the names; 1 for letters of about 20 pixels.
        data_format: "channels_last" or "channels_first"; None for the former.

    Returns:
        Images (images, rows, columns, channels), uint8.

    Raises:
        ValueError: Another shape, an unknown format, or no "boxes" and "labels".
        TypeError: `bounding_boxes` isn't a dict.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> boxes = {"boxes": [[[1, 1, 3, 3]]], "labels": [[0]]}
        >>> km.visualization.draw_bounding_boxes(
        ...     np.zeros((1, 5, 5, 1)), boxes, 9, "xyxy", line_thickness=1
        ... )[0, ..., 0]
        array([[0, 0, 0, 0, 0],
               [0, 9, 9, 9, 0],
               [0, 9, 0, 9, 0],
               [0, 9, 9, 9, 0],
               [0, 0, 0, 0, 0]], dtype=uint8)
    """
    # A copy: the caller's images stay without frames.
    drawn = np.clip(batch_of(images, data_format), 0, 255).astype("uint8", order="C")
    if not isinstance(bounding_boxes, dict):
        raise TypeError(
            "`bounding_boxes` must be a dict with 'boxes' and 'labels', got "
            f"{type(bounding_boxes).__name__}."
        )
    if missing := {"boxes", "labels"} - set(bounding_boxes):
        raise ValueError(
            f"`bounding_boxes` must have {sorted(missing)}, has {sorted(bounding_boxes)}."
        )
    parts = [bounding_boxes["boxes"], bounding_boxes["labels"]]
    if bounding_boxes.get("confidences") is not None:
        parts.append(bounding_boxes["confidences"])
    if any(len(part) != len(drawn) for part in parts):
        raise ValueError(
            f"`bounding_boxes` must have an entry for each of the {len(drawn)} images, got "
            f"{[len(part) for part in parts]}."
        )
    names, size = class_mapping or {}, drawn.shape[1:3]
    for image, boxes, labels, *confidences in zip(drawn, *parts):
        if not len(boxes):
            continue
        corners = np.asarray(convert_format(boxes, bounding_box_format, "xyxy", *size))
        for number, (box, label) in enumerate(zip(corners.astype(int), map(int, labels))):
            if label == -1:
                continue
            _frame(image, box, color, line_thickness)
            if label in names:
                shares = [f" | {float(part[number]):.2f}" for part in confidences]
                text = "".join([names[label], *shares])
                _write(image, text, box, color, round(20 * font_scale), text_thickness)
    return drawn


def _frame(image: np.ndarray, box: Any, color: Any, thickness: int) -> None:
    """Draw the borders of a box "xyxy" into an image."""
    before, after = (thickness - 1) // 2, thickness // 2
    height, width = image.shape[:2]

    def span(first: int, last: int, length: int) -> slice:
        return slice(*np.clip((first - before, last + after + 1), 0, length))

    left, top, right, bottom = box
    for row in (top, bottom):
        image[span(row, row, height), span(left, right, width)] = color
    for column in (left, right):
        image[span(top, bottom, height), span(column, column, width)] = color


def _write(image: np.ndarray, text: str, box: Any, color: Any, size: int, bold: int) -> None:
    """Write into an image: above a box, or within it where there is no room above."""
    pillow, fonts, drawing = (
        require(f"PIL.{name}", "pillow", "draw_bounding_boxes")
        for name in ("Image", "ImageFont", "ImageDraw")
    )
    font = fonts.load_default(size)
    paper = pillow.new("L", image.shape[1::-1])
    pen, width = drawing.Draw(paper), (bold - 1) / 2
    high = pen.textbbox((0, 0), text, font, stroke_width=width)[3] + 4
    left, top = int(box[0]), int(box[1])
    place = (left, top - high) if top >= high else (left + 4, top + 4)
    pen.text(place, text, 255, font, stroke_width=width)
    share = np.asarray(paper)[..., None] / 255
    image[:] = np.round(image * (1 - share) + np.asarray(color) * share)


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: dict[str, Any] | None = None,
    y_pred: dict[str, Any] | None = None,
    value_range: tuple[float, float] = (0, 255),
    true_color: Any = (0, 188, 212),
    pred_color: Any = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: dict[int, str] | None = None,
    ground_truth_mapping: dict[int, str] | None = None,
    prediction_mapping: dict[int, str] | None = None,
    legend: bool = False,
    legend_handles: Any = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> Any:
    """Images with the bounding boxes that they have, and those that a model says.

    Args:
        images: (images, rows, columns, 3).
        bounding_box_format: Format of the boxes; see `km.utils.bounding_boxes.convert_format`.
        y_true: The boxes that are there, a dict as for `draw_bounding_boxes`; or None.
        y_pred: Those that are predicted, likewise.
        value_range: The values of black and white.
        true_color: (red, green, blue) from 0 to 255.
        pred_color: Likewise.
        line_thickness: Width of the frames, in pixels.
        font_scale: Size of the names; 1 for letters of about 20 pixels.
        text_thickness: How bold the names are, in pixels; None for `line_thickness`.
        class_mapping: Names of the classes by label.
        ground_truth_mapping: Those of `y_true`; None for `class_mapping`.
        prediction_mapping: Those of `y_pred`; None for `class_mapping`.
        legend: Whether the colours are explained below.
        legend_handles: Patches of matplotlib for another legend, or None.
        rows: Rows of the gallery; None for as many as needed.
        cols: Columns of the gallery; None for as many as needed.
        data_format: "channels_last" or "channels_first"; None for the former.
        kwargs: Arguments of `plot_image_gallery`, such as `path` and `show`.

    Returns:
        The figure of matplotlib.

    Raises:
        ImportError: Matplotlib isn't installed.
        ValueError: Another shape, or both `legend` and `legend_handles`.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> boxes = {"boxes": np.array([[[1, 2, 6, 6]]] * 4), "labels": np.zeros((4, 1), int)}
        >>> figure = km.visualization.plot_bounding_box_gallery(
        ...     np.ones((4, 8, 8, 3)), "xyxy", y_true=boxes, show=False
        ... )
        >>> len(figure.axes)
        4
    """
    patches = require("matplotlib.patches", "matplotlib", "plot_bounding_box_gallery")
    if legend and legend_handles is not None:
        raise ValueError("Give `legend` or `legend_handles`, not both.")
    low, high = value_range
    shown = (batch_of(images, data_format).astype("float32") - low) / (high - low) * 255
    colors = {"y_true": true_color, "y_pred": pred_color}
    given = {"y_true": (y_true, ground_truth_mapping), "y_pred": (y_pred, prediction_mapping)}
    for name, (boxes, mapping) in given.items():
        if boxes is not None:
            shown = draw_bounding_boxes(
                shown,
                boxes,
                colors[name],
                bounding_box_format,
                mapping or class_mapping,
                line_thickness,
                text_thickness or line_thickness,
                font_scale,
            )
    if legend:
        legend_handles = [
            patches.Patch(color=np.asarray(color) / 255, label=NAMED[name])
            for name, color in colors.items()
        ]
    return plot_image_gallery(shown, rows=rows, cols=cols, legend_handles=legend_handles, **kwargs)
