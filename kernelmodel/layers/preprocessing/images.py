"""Resizing of images: each axis is multiplied with a matrix of interpolation weights.

The conventions are those of `jax.image.resize`, which Keras 3 uses: pixels are areas, the centre of
pixel i lies at i + 0.5, and what would reach over the border is left out of the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from kernelmodel import ops

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def triangle(x: np.ndarray) -> np.ndarray:
    """Linear interpolation."""
    return np.maximum(0, 1 - x)


def cubic(x: np.ndarray) -> np.ndarray:
    """Cubic convolution with a = -1/2 (Keys, 1981)."""
    near = ((1.5 * x - 2.5) * x) * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x >= 2, 0, np.where(x >= 1, far, near))


def lanczos(x: np.ndarray, radius: int) -> np.ndarray:
    """A sinc under the first lobe of a wider sinc (Duchon, 1979)."""
    return np.where(x <= radius, np.sinc(x) * np.sinc(x / radius), 0)


KERNELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bilinear": triangle,
    "bicubic": cubic,
    "lanczos3": lambda x: lanczos(x, 3),
    "lanczos5": lambda x: lanczos(x, 5),
}


@lru_cache(maxsize=256)
def weight_matrix(length: int, target: int, interpolation: str, antialias: bool) -> np.ndarray:
    """Weights of the old pixels (rows) in the new ones (columns), float64."""
    step = length / target
    centre = (np.arange(target) + 0.5) * step - 0.5
    distance = np.abs(centre[None] - np.arange(length)[:, None])
    weights = KERNELS[interpolation](distance / max(step, 1.0) if antialias else distance)
    total = weights.sum(0)
    safe = np.where(np.abs(total) > 1000 * np.finfo(np.float32).eps, total, 1)
    inside = (centre >= -0.5) & (centre <= length - 0.5)
    return np.where(inside, weights / safe, 0)


def nearest(length: int, target: int) -> np.ndarray:
    """The old pixel under the centre of each new one."""
    return np.floor((np.arange(target, dtype="float32") + 0.5) * (length / target)).astype("int32")


def height_axis(rank: int, data_format: str) -> int:
    """The axis of rows in an image (rank 3) or a batch of images (rank 4)."""
    return rank - 3 if data_format == "channels_last" else rank - 2


def resized(
    images: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
    antialias: bool = False,
) -> Any:
    """Images in another size.

    Args:
        images: Floats (..., rows, columns, channels), or channels before rows.
        size: New (rows, columns).
        interpolation: One of `INTERPOLATIONS`.
        data_format: Where the channels are.
        antialias: Whether a larger area is averaged when an image gets smaller.
    """
    first = height_axis(len(images.shape), data_format)
    for axis, target in enumerate(size, first):
        length = images.shape[axis]
        if length == target:
            continue
        if interpolation == "nearest":
            images = ops.take(images, nearest(length, target), axis=axis)
            continue
        weights = weight_matrix(length, target, interpolation, antialias).astype(images.dtype)
        images = ops.moveaxis(ops.matmul(ops.moveaxis(images, axis, -1), weights), -1, axis)
    return images


def cut(images: Any, starts: tuple[int, int], size: tuple[int, int], data_format: str) -> Any:
    """The part of the images from (row, column) `starts` on."""
    first = height_axis(len(images.shape), data_format)
    index: list[Any] = [slice(None)] * len(images.shape)
    for axis, (start, length) in enumerate(zip(starts, size), first):
        index[axis] = slice(start, start + length)
    return ops.getitem(images, tuple(index))


def largest_window(shape: tuple[int, int], size: tuple[int, int]) -> tuple[Any, Any]:
    """Start and size of the largest central window with the proportions of `size`."""
    (rows, columns), (height, width) = shape, size
    window = (
        max(min(rows, int(columns * height / width)), 1),
        max(min(columns, int(rows * width / height)), 1),
    )
    return ((rows - window[0]) // 2, (columns - window[1]) // 2), window


def fitted(images: Any, size: tuple[int, int], data_format: str, **options: Any) -> Any:
    """The largest central window with the proportions of `size`, resized to it."""
    first = height_axis(len(images.shape), data_format)
    starts, window = largest_window(tuple(images.shape[first : first + 2]), size)
    return resized(
        cut(images, starts, window, data_format), size, data_format=data_format, **options
    )
