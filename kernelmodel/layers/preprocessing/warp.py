"""Images read at other places: what rotation, zoom, shear, perspective and elastic shifts share.

The conventions are those of `scipy.ndimage.map_coordinates`, which Keras' JAX backend follows:
pixel i lies at the coordinate i, and the fill modes go by SciPy's names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.engine.indexing import getitem
from kernelmodel.ops.convert import _cast

INTERPOLATIONS = ("nearest", "bilinear")


def _mirror(index: Any, length: int) -> Any:
    """Reflected at the centres of the outermost pixels: d c b | a b c d | c b a."""
    last = max(length - 1, 1)
    return np.abs((index + last) % (2 * last) - last)


# Where each mode finds the pixel of an index beyond the border, with the length of the axis.
# "reflect" reflects at the edges of the outermost pixels: b a | a b c d | d c b a.
FOLDS: dict[str, Callable[[Any, int], Any]] = {
    "constant": lambda index, length: np.clip(index, 0, length - 1),
    "nearest": lambda index, length: np.clip(index, 0, length - 1),
    "wrap": lambda index, length: index % length,
    "mirror": _mirror,
    "reflect": lambda index, length: (_mirror(2 * index + 1, 2 * length + 1) - 1) // 2,
}
FILL_MODES = ("reflect", "wrap", "constant", "nearest")


def sample(
    images: Any,
    rows: Any,
    columns: Any,
    interpolation: str,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
) -> Any:
    """Images read at the given places, all at once.

    Args:
        images: Floats (batch, rows, columns, channels).
        rows: Float32 coordinates (batch, new rows, new columns).
        columns: Likewise.
        interpolation: "nearest" or "bilinear".
        fill_mode: One of `FOLDS`: what lies beyond the border.
        fill_value: Value there, for "constant".

    Returns:
        Images (batch, new rows, new columns, channels).
    """
    count, height, width, channels = images.shape
    flat = ops.reshape(images, (count * height * width, channels))
    start = np.arange(count, dtype="int32")[:, None, None] * (height * width)
    fold = FOLDS[fill_mode]
    if fill_mode == "constant":  # far outside is outside; and infinity would be no index
        rows, columns = np.clip(rows, -2, height + 1), np.clip(columns, -2, width + 1)

    def read(row: tuple[Any, Any], column: tuple[Any, Any]) -> Any:
        values = getitem(flat, (row[0] + column[0],))
        if fill_mode != "constant":
            return values
        inside = np.expand_dims(row[1] & column[1], -1)
        return ops.where(inside, values, images.dtype.type(fill_value))

    def places(index: Any, length: int, step: int, first: Any) -> tuple[Any, Any]:
        """Where a line begins in `flat`, and whether it lies in the image."""
        return first + fold(index, length) * step, (index >= 0) & (index < length)

    if interpolation == "nearest":
        row = places(_rounded(rows), height, width, start)
        return read(row, places(_rounded(columns), width, 1, 0))
    top, left = np.floor(rows), np.floor(columns)
    down = np.expand_dims(_cast(rows - top, images.dtype), -1)
    right = np.expand_dims(_cast(columns - left, images.dtype), -1)
    top, left = _cast(top, "int32"), _cast(left, "int32")
    above, below = (places(row, height, width, start) for row in (top, top + 1))
    before, after = (places(column, width, 1, 0) for column in (left, left + 1))
    upper, lower = read(above, before), read(below, before)
    upper = upper + (read(above, after) - upper) * right
    lower = lower + (read(below, after) - lower) * right
    return upper + (lower - upper) * down


def _rounded(places: Any) -> Any:
    """The nearest index; halves go away from zero."""
    return _cast(np.sign(places) * np.floor(np.abs(places) + np.float32(0.5)), "int32")


def grid(height: int, width: int) -> tuple[Any, Any]:
    """Rows (1, height, 1) and columns (1, 1, width) of all pixels, float32."""
    rows, columns = np.arange(height, dtype="float32"), np.arange(width, dtype="float32")
    return rows[None, :, None], columns[None, None, :]


def affine_places(matrix: Any, height: int, width: int) -> tuple[Any, Any]:
    """Where each pixel's value comes from under an affine map.

    Args:
        matrix: Six numbers or arrays (batch, 1, 1): the column is a0 x + a1 y + a2, the row
            b0 x + b1 y + b2.
        height: Rows of the image.
        width: Columns of the image.

    Returns:
        Rows and columns, each (batch, height, width).
    """
    a0, a1, a2, b0, b1, b2 = matrix
    y, x = grid(height, width)
    return y * b1 + x * b0 + b2, y * a1 + x * a0 + a2


def inverse(matrix: Any) -> tuple[Any, ...]:
    """The affine map that undoes another; see `affine_places`."""
    a0, a1, a2, b0, b1, b2 = matrix
    scale = a0 * b1 - a1 * b0
    c0, c1, d0, d1 = b1 / scale, -a1 / scale, -b0 / scale, a0 / scale
    return c0, c1, -c0 * a2 - c1 * b2, d0, d1, -d0 * a2 - d1 * b2


def perspective(start: Any, end: Any) -> tuple[Any, ...]:
    """The projective map that moves four points to others.

    Args:
        start: Points (x, y), float32 (batch, 4, 2).
        end: Where they go.

    Returns:
        Eight arrays (batch, 1, 1), see `perspective_places`.
    """
    x, y, u, v = start[..., 0], start[..., 1], end[..., 0], end[..., 1]
    zero, one = np.zeros_like(x), np.ones_like(x)
    across = np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1)
    along = np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1)
    target = np.expand_dims(np.concatenate([u, v], -1), -1)
    solved = np.linalg.solve(np.concatenate([across, along], 1), target)
    return tuple(solved[:, i][:, :, None] for i in range(8))


def perspective_places(matrix: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Where a projective map moves points.

    Args:
        matrix: Eight arrays (batch, 1, 1): (x, y) goes to the column (a x + b y + c) / s and the
            row (d x + e y + f) / s, with s = g x + h y + 1.
        x: Columns of the points, to go with the matrix.
        y: Their rows.

    Returns:
        Columns and rows.
    """
    a, b, c, d, e, f, g, h = matrix
    below = g * x + h * y + 1
    below = np.where(below == 0, np.float32(1e-7), below)
    return (a * x + b * y + c) / below, (d * x + e * y + f) / below
