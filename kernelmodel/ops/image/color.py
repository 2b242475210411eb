"""Colors in other systems."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.rules import where
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, dtype_of, extents
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import floating
from kernelmodel.ops.image.axes import rows_axis

__all__ = ["hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv"]


def _planes(name: str, images: Any, data_format: str | None) -> tuple[list[Any], int]:
    """The three channels, each with an axis of length one, and their axis."""
    first = rows_axis(name, images, data_format)
    axis = len(extents(images)) - (1 if first == len(extents(images)) - 3 else 3)
    if extents(images)[axis] != 3:
        checks.refuse(name, "images", f"{extents(images)[axis]} channels", "images of 3 channels")
    return list(anp.split(images, 3, axis)), axis


def _floats(name: str, images: Any) -> Any:
    if kind_of(dtype_of(images)) != "f":
        checks.refuse(name, "images", f"dtype {dtype_of(images)}", "floats")
    return images


@op
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """Brightness of colors: 0.2989 red + 0.587 green + 0.114 blue, in the dtype of the images.

    Args:
        images: Images of 3 channels; those of one channel stay as they are.
        data_format: "channels_last" or "channels_first"; None for the former.

    Returns:
        Images of one channel.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.image.rgb_to_grayscale(np.ones((2, 4, 4, 3))).shape
        (2, 4, 4, 1)
    """
    name = "rgb_to_grayscale"
    first = rows_axis(name, images, data_format)
    channels = -1 if first == len(extents(images)) - 3 else -3
    if extents(images)[channels] == 1:
        return images
    red, green, blue = _planes(name, floating(images), data_format)[0]
    return _cast(red * 0.2989 + green * 0.587 + blue * 0.114, dtype_of(images))


@op
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Any:
    """Hue, saturation and value of colors.

    Args:
        images: Float images of 3 channels with values from 0 to 1.
        data_format: "channels_last" or "channels_first"; None for the former.

    Returns:
        Images of the same shape, with values from 0 to 1; a hue of 0 is red, 1/3 green, 2/3 blue.

    Raises:
        ValueError: The images have another dtype or number of channels.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.image.rgb_to_hsv([[[0.0, 0.5, 0.0]]]).round(3)
        array([[[0.333, 1.   , 0.5  ]]], dtype=float32)
    """
    (red, green, blue), axis = _planes("rgb_to_hsv", _floats("rgb_to_hsv", images), data_format)
    zero = np.zeros((), dtype_of(images))
    r, g, b = map(getval, (red, green, blue))
    of_red = np.greater_equal(r, np.maximum(g, b))
    of_green = ~of_red & np.greater_equal(g, b)
    value = where(of_red, red, where(of_green, green, blue))
    least_red, least_green = np.less_equal(r, np.minimum(g, b)), np.less_equal(g, b)
    span = value - where(least_red, red, where(least_green, green, blue))
    gray, black = np.equal(getval(span), 0), np.equal(getval(value), 0)
    part = 1 / (6 * where(gray, zero + 1, span))
    saturation = where(black, zero, span / where(black, zero + 1, value))
    hue = where(
        of_red,
        (green - blue) * part,
        where(of_green, (blue - red) * part + 2 / 6, (red - green) * part + 4 / 6),
    )
    hue = where(gray, zero, hue)
    hue = hue + _cast(np.less(getval(hue), 0), dtype_of(images))
    return anp.concatenate([hue, saturation, value], axis)


@op
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Any:
    """Red, green and blue of colors given by hue, saturation and value. See `rgb_to_hsv`.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.image.hsv_to_rgb([[[0.0, 1.0, 0.5]]])
        array([[[0.5, 0. , 0. ]]], dtype=float32)
    """
    name = "hsv_to_rgb"
    (hue, saturation, value), axis = _planes(name, _floats(name, images), data_format)
    turned = (hue - np.floor(getval(hue))) * 6
    shares = (
        anp.clip(anp.abs(turned - 3) - 1, 0, 1),
        anp.clip(2 - anp.abs(turned - 2), 0, 1),
        anp.clip(2 - anp.abs(turned - 4), 0, 1),
    )
    return anp.concatenate([value * (1 - saturation + saturation * s) for s in shares], axis)
