"""Images in other sizes: each axis is multiplied with a matrix of interpolation weights.

Pixels are areas: the centre of pixel i lies at i + 0.5, and what would reach over the border is
left out of the mean. These are the conventions of `jax.image.resize`, which Keras 3 uses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.indexing import getitem
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, dtype_of, extents
from kernelmodel.ops.dispatch import _array_like, op
from kernelmodel.ops.families import floating
from kernelmodel.ops.image.axes import rows_axis
from kernelmodel.ops.interpolations import INTERPOLATIONS
from kernelmodel.ops.shaping import pad

__all__ = ["resize", "scale_and_translate"]


def triangle(x: Any) -> Any:
    """Linear interpolation."""
    return np.maximum(0, 1 - x)


def cubic(x: Any) -> Any:
    """Cubic convolution with a = -1/2 (Keys, 1981)."""
    near = ((1.5 * x - 2.5) * x) * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x >= 2, 0, np.where(x >= 1, far, near))


def lanczos(radius: int) -> Callable[[Any], Any]:
    """A sinc under the first lobe of a wider sinc (Duchon, 1979)."""
    return lambda x: np.where(x <= radius, np.sinc(x) * np.sinc(x / radius), 0)


KERNELS: dict[str, Callable[[Any], Any]] = {
    "linear": triangle,
    "bilinear": triangle,
    "trilinear": triangle,
    "cubic": cubic,
    "bicubic": cubic,
    "tricubic": cubic,
    "lanczos3": lanczos(3),
    "lanczos5": lanczos(5),
}


def weight_matrix(
    length: int, target: int, scale: Any, translation: Any, method: str, antialias: bool
) -> Any:
    """Weights of the old pixels (rows) in the new ones (columns).

    Args:
        length: Number of old pixels.
        target: Number of new ones.
        scale: Size of an old pixel in new ones.
        translation: Where the old axis begins in the new one.
        method: A key of `KERNELS`.
        antialias: Whether the kernel grows with the old pixels that a new one covers.
    """
    step = 1 / scale
    centre = (np.arange(target) + 0.5 - translation) * step - 0.5
    distance = np.abs(centre - np.arange(length)[:, None])
    weights = KERNELS[method](distance / np.maximum(step, 1.0) if antialias else distance)
    total = np.sum(weights, axis=0)
    tiny = np.less_equal(np.abs(getval(total)), 1000 * np.finfo(np.float32).eps)
    places = getval(centre)
    inside = np.greater_equal(places, -0.5) & np.less_equal(places, length - 0.5)
    return np.where(inside & ~tiny, weights / np.where(tiny, 1, total), 0)


def resampled(x: Any, axis: int, weights: Any) -> Any:
    """An axis multiplied with a matrix."""
    weights = _cast(weights, dtype_of(x))
    # Not matmul: it has no BLAS for an axis whose values don't lie side by side.
    return anp.moveaxis(anp.tensordot(x, weights, ((axis,), (0,))), -1, axis)


def nearest(length: int, target: int) -> np.ndarray:
    """The old pixel under the centre of each new one."""
    return np.floor((np.arange(target, dtype="float32") + 0.5) * (length / target)).astype("int32")


def _cropped(images: Any, first: int, size: tuple[int, int]) -> Any:
    """The largest central window with the proportions of the size."""
    rows, columns = extents(images)[first : first + 2]
    height = max(min(rows, int(columns * size[0] / size[1])), 1)
    width = max(min(columns, int(rows * size[1] / size[0])), 1)
    top, left = (rows - height) // 2, (columns - width) // 2
    index = [slice(None)] * first
    return getitem(images, (*index, slice(top, top + height), slice(left, left + width)))


def _bordered(images: Any, first: int, size: tuple[int, int], fill_value: float) -> Any:
    """With a border that gives it the proportions of the size."""
    rows, columns = extents(images)[first : first + 2]
    around = [(0, 0)] * len(extents(images))
    for axis, length, wanted in (
        (first, rows, max(rows, int(columns * size[0] / size[1]))),
        (first + 1, columns, max(columns, int(rows * size[1] / size[0]))),
    ):
        around[axis] = ((wanted - length) // 2,) * 2
    return pad(images, around, constant_values=fill_value)


@op
def resize(
    images: Any,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Images in another size.

    Args:
        images: Images; integers are rounded afterwards.
        size: New (height, width).
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        antialias: Whether a larger area is averaged when an image gets smaller.
        crop_to_aspect_ratio: Cut off what has other proportions, instead of distorting.
        pad_to_aspect_ratio: Add a border instead of distorting.
        fill_mode: How to fill the border: "constant".
        fill_value: Value of the border.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.image.resize(np.zeros((2, 64, 80, 3)), (16, 20)).shape
        (2, 16, 20, 3)
    """
    checks.choice("resize", "interpolation", interpolation, INTERPOLATIONS)
    checks.choice("resize", "fill_mode", fill_mode, ("constant",))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        checks.refuse("resize", "pad_to_aspect_ratio", True, "False with crop_to_aspect_ratio")
    first = rows_axis("resize", images, data_format)
    size = checks.per_axis("resize", "size", list(size) if hasattr(size, "__len__") else None, 2)
    x = images
    if crop_to_aspect_ratio:
        x = _cropped(x, first, size)
    elif pad_to_aspect_ratio:
        x = _bordered(x, first, size, fill_value)
    if interpolation == "nearest":
        for axis, target in enumerate(size, first):
            order = nearest(extents(x)[axis], target)
            x = getitem(x, (*[slice(None)] * axis, order))
        return x
    x = floating(x)
    for axis, target in enumerate(size, first):
        length = extents(x)[axis]
        if length != target:
            scale = target / length
            weights = weight_matrix(length, target, scale, 0.0, interpolation, antialias)
            x = resampled(x, axis, weights)
    return _as_dtype(x, dtype_of(images))


def _as_dtype(x: Any, dtype: str) -> Any:
    """In a dtype: rounded, and kept within its range, if it holds integers."""
    if np.dtype(dtype).kind not in "iu":
        return _cast(x, dtype)
    limits = np.iinfo(dtype)
    return _cast(np.clip(np.round(getval(x)), limits.min, limits.max), dtype)


@op
def scale_and_translate(
    images: Any,
    output_shape: Sequence[int],
    scale: Any,
    translation: Any,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Any:
    """Arrays scaled and moved along some axes.

    Args:
        images: Array of any rank.
        output_shape: Shape of the result.
        scale: Factor for each of the spatial axes.
        translation: How far each of them is moved, in new pixels.
        spatial_dims: The spatial axes.
        method: "linear", "cubic", "lanczos3" or "lanczos5" (or "bilinear", "tricubic", ...).
        antialias: Whether a larger area is averaged when an image gets smaller.

    Returns:
        Array of shape `output_shape`, zero where nothing lies.

    Raises:
        ValueError: An unknown method, or lengths that differ.

    Examples:
        >>> import kernelmodel as km
        >>> x = [1.0, 2.0, 3.0, 4.0]
        >>> km.ops.image.scale_and_translate(x, (4,), [1.0], [1.0], (0,), "linear")
        array([0., 1., 2., 3.], dtype=float32)
    """
    name = "scale_and_translate"
    checks.choice(name, "method", method, KERNELS)
    scale, translation = (_array_like(x) for x in (scale, translation))
    for argument, x in (("scale", scale), ("translation", translation)):
        if extents(x) != (len(spatial_dims),):
            allowed = f"of shape ({len(spatial_dims)},): a number for each of spatial_dims"
            checks.refuse(name, argument, f"shape {extents(x)}", allowed)
    x = floating(images)
    for i, axis in enumerate(spatial_dims):
        axis %= len(extents(x))
        lengths = extents(x)[axis], output_shape[axis]
        weights = weight_matrix(*lengths, scale[i], translation[i], method, antialias)
        x = resampled(x, axis, weights)
    return x
