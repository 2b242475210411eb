"""Segmentation masks over images."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.visualization.images import batch_of, plot_image_gallery


def palette(count: int) -> np.ndarray:
    """Colours (count, 3) that are far from each other; the first is black."""
    steps = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])
    return np.arange(count)[:, None] * steps % 255


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: dict[int, Any] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with each pixel in the colour of its class.

    Args:
        images: (images, rows, columns, 3), values from 0 to 255.
        segmentation_masks: Class indices (images, rows, columns) or with a last axis of one.
        num_classes: Number of classes; None for the largest index plus one.
        color_mapping: (red, green, blue) from 0 to 255 by class index; None for colours that are
            far from each other.
        alpha: How much of the colour is seen, from 0 to 1.
        blend: Whether the image shows through; else the colour covers it.
        ignore_index: Pixels of this class stay as they are.
        data_format: "channels_last" or "channels_first"; None for the former.

    Returns:
        Images (images, rows, columns, 3), uint8.

    Raises:
        ValueError: Another shape, a class without a colour, or `alpha` isn't between 0 and 1.
        TypeError: The masks aren't integers.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> masks = np.array([[[0, 1]]])
        >>> km.visualization.draw_segmentation_masks(
        ...     np.zeros((1, 1, 2, 3)), masks, color_mapping={0: (0, 0, 0), 1: (100, 0, 50)}
        ... )[0, 0, 1]
        array([80,  0, 40], dtype=uint8)
    """
    array = batch_of(images, data_format).astype("float32")
    masks = np.asarray(segmentation_masks)
    if masks.dtype.kind not in "iu":
        raise TypeError(f"`segmentation_masks` must be integers, got dtype {masks.dtype}.")
    if masks.ndim == 4:
        masks = masks[:, 0] if data_format == "channels_first" else masks[..., 0]
    if masks.shape != array.shape[:3] or array.shape[-1] != 3:
        raise ValueError(
            "`images` (images, rows, columns, 3) and `segmentation_masks` (images, rows, columns) "
            f"don't fit each other, got shapes {array.shape} and {masks.shape}."
        )
    if not 0 <= alpha <= 1:
        raise ValueError(f"`alpha` must be between 0 and 1, got {alpha!r}.")
    drawn = masks != ignore_index
    highest = int(masks[drawn].max(initial=0))
    count = highest + 1 if num_classes is None else num_classes
    if masks[drawn].min(initial=0) < 0 or highest >= count:
        raise ValueError(
            f"`segmentation_masks` must hold class indices from 0 to {count - 1}, got values from "
            f"{masks[drawn].min(initial=0)} to {highest}."
        )
    colors = palette(count).astype("float32")
    for index, color in (color_mapping or {}).items():
        if 0 <= index < count:
            colors[index] = color
    painted = colors[np.where(drawn, masks, 0)]
    if blend:
        painted = array * (1 - np.float32(alpha)) + painted * np.float32(alpha)
    return np.where(drawn[..., None], painted, array).astype("uint8")


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: tuple[float, float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: dict[int, Any] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> Any:
    """Images, their masks, and those that a model says, side by side.

    Args:
        images: (images, rows, columns, 3).
        num_classes: Number of classes.
        value_range: The values of black and white.
        y_true: Class indices (images, rows, columns), or None.
        y_pred: Predicted class indices, or None.
        color_mapping: (red, green, blue) from 0 to 255 by class index, or None.
        blend: Whether the images show through.
        alpha: How much of the colours is seen, from 0 to 1.
        ignore_index: Pixels of this class stay as they are.
        data_format: "channels_last" or "channels_first"; None for the former.
        kwargs: Arguments of `plot_image_gallery`, such as `path` and `show`.

    Returns:
        The figure of matplotlib.

    Raises:
        ImportError: Matplotlib isn't installed.
        ValueError: Another shape.

    Examples:
        >>> import kernelmodel as km
        >>> masks = km.ops.zeros((2, 8, 8), "int32")
        >>> figure = km.visualization.plot_segmentation_mask_gallery(
        ...     km.ops.ones((2, 8, 8, 3)), num_classes=2, y_true=masks, show=False
        ... )
        >>> len(figure.axes) > 0
        True
    """
    array = batch_of(images, data_format).astype("float32")
    low, high = value_range
    array = np.clip((array - low) / (high - low), 0, 1) * 255
    columns = [array]
    for masks in (y_true, y_pred):
        if masks is not None:
            masks = np.asarray(masks).astype("int32")
            if masks.ndim == 4:
                masks = masks[:, 0] if data_format == "channels_first" else masks[..., 0]
            columns.append(
                draw_segmentation_masks(
                    array, masks, num_classes, color_mapping, alpha, blend, ignore_index
                )
            )
    side_by_side = np.stack(columns, 1).reshape(-1, *array.shape[1:])
    return plot_image_gallery(side_by_side, rows=len(array), cols=len(columns), **kwargs)
