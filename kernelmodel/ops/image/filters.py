"""Filters: blurs, edges, likeness."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import kernels
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, dtype_of, extents
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import both_floating, floating
from kernelmodel.ops.image.axes import as_batch, as_given

__all__ = ["gaussian_blur", "sobel_edges", "ssim"]


def bell(size: int, sigma: Any, dtype: str) -> Any:
    """Weights of a normal distribution around the middle, which sum to one."""
    places = (np.arange(size) - (size - 1) / 2).astype(dtype)
    weights = anp.exp(-0.5 * (places / sigma) ** 2)
    return weights / anp.sum(weights)


def filtered(batch: Any, weights: Any, padding: str) -> Any:
    """Every channel of a batch of images correlated with the same weights (height, width)."""
    channels = extents(batch)[-1]
    each = anp.reshape(weights, (*extents(weights), 1, 1))
    each = each * np.ones((1, 1, 1, channels), dtype_of(batch))
    return kernels.conv(batch, each, None, groups=channels, padding=padding)


@op
def gaussian_blur(
    images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Any:
    """Images blurred with the weights of a normal distribution; outside lies zero.

    Args:
        images: Images.
        kernel_size: Width and height of the weights, in pixels.
        sigma: Standard deviations along width and height, in pixels.
        data_format: "channels_last" or "channels_first"; None for the former.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.image.gaussian_blur(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """
    name = "gaussian_blur"
    width, height = checks.per_axis(name, "kernel_size", kernel_size, 2)
    images = floating(images)
    dtype = dtype_of(images)
    sigma = np.asarray(sigma, dtype) if isinstance(sigma, (tuple, list)) else sigma
    if extents(sigma) != (2,):
        checks.refuse(name, "sigma", sigma, "two numbers")
    across, down = bell(width, sigma[0], dtype), bell(height, sigma[1], dtype)
    batch = as_batch(name, images, data_format)
    blurred = filtered(batch, anp.expand_dims(down, 1) * across, "same")
    return as_given(blurred, images, data_format)


SLOPE = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])


@op
def sobel_edges(images: Any, data_format: str | None = None) -> Any:
    """Slopes of the brightness (Sobel & Feldman, 1968); outside lies zero.

    Args:
        images: (batch, height, width, channels), or channels before the height.
        data_format: "channels_last" or "channels_first"; None for the former.

    Returns:
        The shape of the images, and a last axis of the slope downwards and that to the right.

    Raises:
        ValueError: The images have another rank.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.image.sobel_edges(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3, 2)
    """
    checks.rank("sobel_edges", "images", images, (4,))
    images = floating(images)
    batch = as_batch("sobel_edges", images, data_format)
    slopes = [
        as_given(filtered(batch, kernel.astype(dtype_of(images)), "same"), images, data_format)
        for kernel in (SLOPE.T, SLOPE)
    ]
    return anp.concatenate([anp.expand_dims(slope, -1) for slope in slopes], -1)


@op
def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Any:
    """How alike images look, by their means and variances in small windows (Wang et al., 2004).

    Args:
        image1: Images.
        image2: Images of the same shape.
        max_val: The largest value that a pixel can have.
        filter_size: Side of a window; at most the height and width.
        filter_sigma: Standard deviation of a window's weights.
        k1: Keeps the quotient of means stable.
        k2: Keeps the quotient of variances stable.
        data_format: "channels_last" or "channels_first"; None for the former.

    Returns:
        A number up to 1 (the same) for each image: (batch,), or a scalar for a single image.

    Raises:
        ValueError: The shapes differ, or a window is larger than the images.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.image.ssim(np.ones((2, 16, 16, 3)), np.ones((2, 16, 16, 3)))
        array([1., 1.])
    """
    image1, image2 = both_floating(image1, image2)
    if extents(image1) != extents(image2):
        allowed = f"of image1's shape {extents(image1)}"
        checks.refuse("ssim", "image2", f"shape {extents(image2)}", allowed)
    x, y = (as_batch("ssim", image, data_format) for image in (image1, image2))
    given = dtype_of(x)
    if given in ("bfloat16", "float16"):  # variances are differences of nearly equal numbers
        x, y = _cast(x, "float32"), _cast(y, "float32")
    if filter_size > min(extents(x)[1:3]):
        allowed = f"at most the height and width {extents(x)[1:3]}"
        checks.refuse("ssim", "filter_size", filter_size, allowed)
    line = bell(filter_size, filter_sigma, dtype_of(x))
    weights = np.outer(line, line)

    def mean(values: Any) -> Any:
        return filtered(values, weights, "valid")

    c1, c2 = (np.asarray((k * max_val) ** 2, dtype_of(x)) for k in (k1, k2))
    mean_x, mean_y = mean(x), mean(y)
    luminance = (2 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    both = mean(x * y) - mean_x * mean_y
    each = mean(x * x + y * y) - mean_x * mean_x - mean_y * mean_y
    likeness = _cast(anp.mean(luminance * (2 * both + c2) / (each + c2), axis=(1, 2, 3)), given)
    return likeness if len(extents(image1)) == 4 else likeness[0]
