"""Images seen through a transformation of the plane."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.ops import checks, random
from kernelmodel.ops.convert import _cast, dtype_of, extents
from kernelmodel.ops.dispatch import _array_like, op
from kernelmodel.ops.families import floating
from kernelmodel.ops.image.axes import as_batch, as_given
from kernelmodel.ops.image.filters import gaussian_blur
from kernelmodel.ops.image.sampling import MODES, ORDERS, sampled
from kernelmodel.ops.solving import solve

__all__ = ["affine_transform", "elastic_transform", "perspective_transform"]


def _grid(batch: Any) -> tuple[Any, Any]:
    """Coordinates of the pixels: columns (1, width) and rows (height, 1)."""
    height, width = extents(batch)[1:3]
    kind = "float64" if dtype_of(batch) == "float64" else "float32"
    return np.arange(width, dtype=kind)[None], np.arange(height, dtype=kind)[:, None]


def _at(batch: Any, rows: Any, columns: Any, order: int, mode: str, fill_value: float) -> Any:
    which = np.arange(extents(batch)[0])[:, None, None]
    return sampled(batch, (rows, columns), order, mode, fill_value, (which,))


def _matrices(name: str, argument: str, x: Any, row: tuple[int, ...], count: int) -> Any:
    """One for all images, or one for each, as (1 or batch, *row)."""
    x = floating(_array_like(x))
    if extents(x)[-len(row) :] != row or len(extents(x)) > len(row) + 1:
        allowed = f"of shape {row} or (batch, {', '.join(map(str, row))})"
        checks.refuse(name, argument, f"shape {extents(x)}", allowed)
    x = anp.reshape(x, (-1, *row))
    if extents(x)[0] not in (1, count):
        allowed = f"one for all, or one for each of the {count} images"
        checks.refuse(name, argument, f"{extents(x)[0]} of them", allowed)
    return x


@op
def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Any:
    """Images turned, scaled, sheared and moved.

    Args:
        images: Images.
        transform: `[a0, a1, a2, b0, b1, b2, 0, 0]` for all, or one (batch, 8) for each: the pixel
            (x, y) of the output is that at (a0 x + a1 y + a2, b0 x + b1 y + b2) of the input. The
            last two numbers are without effect.
        interpolation: "bilinear" or "nearest".
        fill_mode: What lies outside: "constant", "nearest" (the last pixel), "wrap", "mirror"
            (mirrored at the last pixel) or "reflect" (mirrored behind it).
        fill_value: Value of the mode "constant".
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> image = np.arange(4.0).reshape(2, 2, 1)
        >>> km.ops.image.affine_transform(image, [1, 0, 1, 0, 1, 0, 0, 0])[..., 0]
        array([[1., 0.],
               [3., 0.]])
    """
    name = "affine_transform"
    checks.choice(name, "interpolation", interpolation, ORDERS)
    checks.choice(name, "fill_mode", fill_mode, MODES)
    batch = as_batch(name, images, data_format)
    transform = _matrices(name, "transform", transform, (8,), extents(batch)[0])
    a0, a1, a2, b0, b1, b2 = (anp.reshape(transform[:, i], (-1, 1, 1)) for i in range(6))
    x, y = _grid(batch)
    columns, rows = a0 * x + a1 * y + a2, b0 * x + b1 * y + b2
    found = _at(batch, rows, columns, ORDERS[interpolation], fill_mode, fill_value)
    return as_given(found, images, data_format)


def _homography(start: Any, end: Any) -> Any:
    """The eight numbers (batch, 8) of the map that takes each end point to its start point."""
    sx, sy, ex, ey = start[..., 0], start[..., 1], end[..., 0], end[..., 1]
    one, zero = np.ones_like(getval(ex)), np.zeros_like(getval(ex))
    rows = [
        [ex, ey, one, zero, zero, zero, -sx * ex, -sx * ey],
        [zero, zero, zero, ex, ey, one, -sy * ex, -sy * ey],
    ]
    equations = anp.concatenate(
        [anp.concatenate([anp.expand_dims(c, -1) for c in row], -1) for row in rows], 1
    )
    return solve(equations, anp.concatenate([sx, sy], -1))


@op
def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Any:
    """Images as if seen from elsewhere: four points are moved to four others.

    Args:
        images: Images.
        start_points: Four points (4, 2) as (x, y) for all, or (batch, 4, 2).
        end_points: Where they come to lie, in the same shape.
        interpolation: "bilinear" or "nearest".
        fill_value: Value of what lies outside.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
        >>> image = np.arange(4.0).reshape(2, 2, 1)
        >>> km.ops.image.perspective_transform(image, corners, corners)[..., 0].round(4)
        array([[0., 1.],
               [2., 3.]])
    """
    name = "perspective_transform"
    checks.choice(name, "interpolation", interpolation, ORDERS)
    batch = as_batch(name, images, data_format)
    count = extents(batch)[0]
    start = _matrices(name, "start_points", start_points, (4, 2), count)
    end = _matrices(name, "end_points", end_points, (4, 2), count)
    if extents(start) != extents(end):
        allowed = f"of start_points' shape {extents(start_points)}"
        checks.refuse(name, "end_points", f"shape {extents(end_points)}", allowed)
    numbers = _homography(start, end)
    h = [anp.reshape(numbers[:, i], (-1, 1, 1)) for i in range(8)]
    x, y = _grid(batch)
    depth = h[6] * x + h[7] * y + 1
    columns = (h[0] * x + h[1] * y + h[2]) / depth
    rows = (h[3] * x + h[4] * y + h[5]) / depth
    found = _at(batch, rows, columns, ORDERS[interpolation], "constant", fill_value)
    return as_given(found, images, data_format)


@op
def elastic_transform(
    images: Any,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Any:
    """Images distorted by smooth random shifts (Simard et al., 2003).

    Args:
        images: Images.
        alpha: How strong the shifts are.
        sigma: How smooth: the standard deviation of the blur, in pixels. The unblurred shifts have
            it as theirs too.
        interpolation: "bilinear" or "nearest".
        fill_mode: What lies outside; see `affine_transform`.
        fill_value: Value of the mode "constant".
        seed: Integer, `km.random.SeedGenerator`, or None.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.image.elastic_transform(np.ones((2, 16, 16, 3)), seed=1).shape
        (2, 16, 16, 3)
    """
    name = "elastic_transform"
    checks.choice(name, "interpolation", interpolation, ORDERS)
    checks.choice(name, "fill_mode", fill_mode, MODES)
    batch = as_batch(name, images, data_format)
    count, height, width, _ = extents(batch)
    x, y = _grid(batch)
    size = int(6 * sigma) | 1
    shifts = random.normal((count, height, width, 2), 0.0, sigma, dtype=x.dtype.name, seed=seed)
    shifts = gaussian_blur(shifts, (size, size), (sigma, sigma)) * np.asarray(alpha, x.dtype)
    columns, rows = x + shifts[..., 0], y + shifts[..., 1]
    found = _at(batch, rows, columns, ORDERS[interpolation], fill_mode, fill_value)
    return _cast(as_given(found, images, data_format), dtype_of(images))
