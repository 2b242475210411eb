"""Colours: grey, and hue, saturation and value. All on images with channels last."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops

# Shares of red, green and blue in the perceived brightness (ITU-R BT.601).
GREY = (0.2989, 0.5870, 0.1140)


def check_rgb(layer: Any, images: Any) -> None:
    """Check that images have three channels.

    Raises:
        ValueError: Another number of them.
    """
    if images.shape[-1] != 3:
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) expects images with 3 channels (red, "
            f"green, blue), got {images.shape[-1]}. Repeat the channel of grey images, and see "
            f"data_format (now {layer.data_format!r})."
        )


def grey(images: Any) -> Any:
    """The brightness of RGB images, as one channel."""
    shares = np.array(GREY, images.dtype)
    return ops.sum(images * shares, axis=-1, keepdims=True)


def rgb_to_hsv(images: Any) -> tuple[Any, Any, Any]:
    """Hue, saturation and value, from 0 to 1 each, of RGB images from 0 to 1.

    Source: Smith, *Color gamut transform pairs*, SIGGRAPH 1978.
    """
    red, green, blue = images[..., 0], images[..., 1], images[..., 2]
    value = ops.maximum(ops.maximum(red, green), blue)
    reach = value - ops.minimum(ops.minimum(red, green), blue)
    colourful = reach > 0
    bright = ops.where(value > 0, value, 1)
    saturation = ops.where(value > 0, reach / bright, 0)
    sixth = 1 / (6 * ops.where(colourful, reach, 1))
    hue = ops.where(
        value == green,
        sixth * (blue - red) + 1 / 3,
        sixth * (red - green) + 2 / 3,
    )
    hue = ops.where(value == red, sixth * (green - blue), hue)
    hue = ops.where(colourful, hue, 0)
    return ops.where(hue < 0, hue + 1, hue), saturation, value


def hsv_to_rgb(hue: Any, saturation: Any, value: Any) -> Any:
    """RGB images of hue, saturation and value; the inverse of `rgb_to_hsv`."""
    turn = (hue % 1) * 6
    red = ops.clip(ops.abs(turn - 3) - 1, 0, 1)
    green = ops.clip(2 - ops.abs(turn - 2), 0, 1)
    blue = ops.clip(2 - ops.abs(turn - 4), 0, 1)
    return ops.stack([value * (1 - saturation + saturation * c) for c in (red, green, blue)], -1)
