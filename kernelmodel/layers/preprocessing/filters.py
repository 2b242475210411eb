"""Images filtered along rows and columns: a filter is a matrix for each of the two axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.ops.convert import _cast


def separable(images: Any, down: Any, across: Any) -> Any:
    """Images multiplied with a matrix along the rows' axis and one along the columns'.

    Args:
        images: Floats (batch, rows, columns, channels).
        down: Weights (new row, row), maybe one such matrix for each image.
        across: Weights (new column, column), likewise.
    """
    planes = ops.moveaxis(images, -1, 1)
    down, across = _cast(down, images.dtype), _cast(across, images.dtype)
    if len(down.shape) == 3:
        down, across = np.expand_dims(down, 1), np.expand_dims(across, 1)
    planes = ops.matmul(ops.matmul(down, planes), np.swapaxes(across, -1, -2))
    return ops.moveaxis(planes, 1, -1)


def distances(length: int) -> np.ndarray:
    """How far each pixel of an axis is from each other one, float32."""
    places = np.arange(length, dtype="float32")
    return places[None, :] - places[:, None]


def neighbours(length: int, radius: int) -> np.ndarray:
    """Ones for the pixels of a neighbourhood, zeros for others; (length, length)."""
    return (np.abs(distances(length)) <= radius).astype("float32")


def gaussian(length: int, radius: int, sigma: Any) -> Any:
    """Weights of a Gaussian window, zeros beyond the border.

    Args:
        length: Pixels of the axis.
        radius: Pixels of the window to either side.
        sigma: Standard deviation in pixels, float32 (batch, 1, 1).

    Returns:
        Weights (batch, length, length).
    """
    window = np.arange(-radius, radius + 1, dtype="float32")[None, None]
    total = np.sum(np.exp(-0.5 * np.square(window / sigma)), -1, keepdims=True)
    weights = np.exp(-0.5 * np.square(distances(length)[None] / sigma)) / total
    return weights * neighbours(length, radius)


def blurred(images: Any, radii: tuple[int, int], sigmas: tuple[Any, Any]) -> Any:
    """Images under Gaussian windows; (down, across) each."""
    _, height, width, _ = images.shape
    down = gaussian(height, radii[0], sigmas[0])
    return separable(images, down, gaussian(width, radii[1], sigmas[1]))
