"""Arrays as small pictures for the browser: images of at most some thousand bytes, histograms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

SIDE, LARGE_SIDE, MOST_TILES, MOST_BARS, BINS = 32, 96, 32, 64, 30
NOT_FINITE = 255  # the byte of NaN and infinities; 0 to 254 are values


def statistics(values: Any) -> dict[str, Any]:
    """Return the least, greatest and mean value, the standard deviation, and a histogram.

    Args:
        values: an array of numbers or booleans.
    """
    flat = np.asarray(values).ravel()
    flat = flat.astype(np.float64 if flat.dtype.kind != "f" or flat.itemsize > 4 else np.float32)
    finite = flat[np.isfinite(flat)]
    bad = int(flat.size - finite.size)
    if not finite.size:
        return {"size": int(flat.size), "bad": bad}
    low, high = float(finite.min()), float(finite.max())
    size = max(abs(low), abs(high))
    edges = (low, high)
    if high - low <= 1e-6 * size or size == 0:  # as good as constant: no bins lie between
        edges = (low - max(0.5, size / 100), high + max(0.5, size / 100))
    counts, _ = np.histogram(finite.astype(np.float64), BINS, edges)
    return {
        "size": int(flat.size),
        "bad": bad,
        "low": low,
        "high": high,
        "mean": float(finite.mean(dtype=np.float64)),
        "std": float(finite.std(dtype=np.float64)),
        "counts": counts.tolist(),
        "edges": list(edges),
    }


def bars(values: Any) -> dict[str, Any] | None:
    """Return a few values one by one; None for too many, or for one that is not a number."""
    flat = np.asarray(values).ravel()
    if not 1 < flat.size <= MOST_BARS or not np.isfinite(flat).all():
        return None
    return {"kind": "bars", "values": [float(f"{v:.6g}") for v in flat.tolist()]}


def image(matrix: Any, side: int = LARGE_SIDE) -> dict[str, Any]:
    """Return one array (height, width) as an image, made smaller by means of blocks."""
    return tiles(np.asarray(matrix)[None], 1, side)


def colours(picture: Any) -> dict[str, Any]:
    """Return an array (height, width, 3) as an image in colours."""
    return tiles(np.moveaxis(np.asarray(picture), -1, 0), 1, LARGE_SIDE, channels=3)


def tiles(stack: Any, of: int | None = None, side: int = SIDE, channels: int = 1) -> dict[str, Any]:
    """Return arrays (count, height, width) as equally large images on one scale.

    Args:
        stack: the first of them are shown.
        of: how many there are, when `stack` holds only some.
        side: the most pixels of a side.
        channels: how many arrays make up one image: 1, or 3 for red, green and blue.

    Returns:
        A dict for JSON, except for `data`: count x height x width bytes. Byte 0 stands for `low`,
        254 for `high`, 255 for what is not finite. `signed` scales have 0 in their middle.
    """
    stack = np.asarray(stack)
    total = len(stack) // channels if of is None else of
    stack = stack[: MOST_TILES * channels].astype(np.float32)
    small = np.stack([shrink(one, side) for one in stack])
    finite = small[np.isfinite(small)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    signed = low < 0 and channels == 1
    if signed:
        high = max(-low, high)
        low = -high
    elif channels == 1 and high > 0:
        low = 0.0 if low < high / 2 else low
    span = (high - low) or 1.0
    with np.errstate(invalid="ignore"):
        scaled = np.where(np.isfinite(small), (small - low) / span * 254, NOT_FINITE)
    return {
        "kind": "tiles",
        "count": len(small) // channels,
        "of": total,
        "height": int(small.shape[1]),
        "width": int(small.shape[2]),
        "channels": channels,
        "low": low,
        "high": high,
        "signed": signed,
        "data": np.rint(scaled).astype(np.uint8).tobytes(),
    }


def shrink(matrix: np.ndarray, side: int) -> np.ndarray:
    """Return a matrix of at most (side, side): means of blocks."""
    for axis in (0, 1):
        length = matrix.shape[axis]
        if length > side:
            starts = np.linspace(0, length, side + 1).astype(int)
            sums = np.add.reduceat(matrix, starts[:-1], axis=axis)
            counts = np.diff(starts)
            matrix = sums / (counts[:, None] if axis == 0 else counts)
    return matrix


def weight_picture(values: Any) -> dict[str, Any] | None:
    """Return the picture of a layer's weight: kernels as small images, matrices as one, or bars.

    Kernels of convolutions, (height, width, in, out), are shown output by output, in colours if
    they see three channels.
    """
    array = np.asarray(values)
    if array.size < 2 or array.dtype.kind not in "fiub":
        return None
    if array.ndim == 1:
        return bars(array)
    if array.ndim == 2:
        return image(array)
    if array.ndim == 4 and array.shape[2] == 3:
        kernels = np.moveaxis(array, (3, 2), (0, 1)).reshape(-1, *array.shape[:2])
        return tiles(kernels, channels=3)
    if array.ndim in (4, 5) and max(array.shape[:-2]) <= SIDE:
        spatial = array if array.ndim == 4 else array[array.shape[0] // 2]
        every = np.moveaxis(spatial, (3, 2), (0, 1))
        kernels = every[:MOST_TILES, : max(1, MOST_TILES // len(every))]
        return tiles(kernels.reshape(-1, *spatial.shape[:2]), of=array.shape[-1] * array.shape[-2])
    if array.ndim == 3:
        return tiles(np.moveaxis(array, -1, 0))
    return None


def output_picture(sample: Any, is_input: bool = False) -> dict[str, Any] | None:
    """Return the picture of what a layer gives for one sample.

    Args:
        sample: (height, width, channels): a feature map a channel, an input of three channels in
            colours; (steps, features): one image; (features,): bars, if they are few.
        is_input: whether it is what the model got.
    """
    array = np.asarray(sample)
    if array.size < 2 or array.dtype.kind not in "fiub":
        return None
    if array.ndim == 1:
        return bars(array)
    if array.ndim == 2:
        return image(array)
    while array.ndim > 3:  # of a volume, its middle
        array = array[array.shape[0] // 2]
    if is_input and array.shape[-1] == 3:
        return colours(array)
    if array.shape[-1] == 1:
        return image(array[..., 0])
    return tiles(np.moveaxis(array, -1, 0))


def score_picture(scores: Any) -> dict[str, Any]:
    """Return attention scores of one sample, (heads, queries, keys): an image a head."""
    array = np.asarray(scores)
    queries = math.prod(array.shape[1 : 1 + (array.ndim - 1) // 2])
    return tiles(array.reshape(len(array), queries, -1), side=64)
