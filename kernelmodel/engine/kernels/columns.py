"""Window matrices: gathering an input's windows, and adding such a matrix back to an input."""

from __future__ import annotations

import math

import numpy as np

from kernelmodel.engine import pool
from kernelmodel.engine.kernels import loops
from kernelmodel.engine.kernels.windows import Windows
from kernelmodel.engine.numba_support import Twin

NARROW = 4  # channels; fewer make short copies, so windows are gathered transposed


def gather(padded: np.ndarray, w: Windows, groups: int) -> np.ndarray:
    """Copy windows into a matrix for each channel group.

    Args:
        padded: (batch, *padded, channels).
        w: Where the windows lie.
        groups: Number of channel groups.

    Returns:
        (groups, batch * positions, taps * channels/groups); for few channels a transposed view.
    """
    channels = padded.shape[-1]
    counts = (len(padded), *w.out)
    positions, taps = math.prod(counts), math.prod(w.size)
    if groups == 1 and channels < NARROW:
        across = pool.empty((taps, channels, *counts), padded.dtype)
        channels_first = padded.transpose(-1, *range(padded.ndim - 1))
        for target, tap in zip(across, w.taps()):
            target[...] = channels_first[(slice(None), *tap)]
        return across.reshape(1, taps * channels, positions).transpose(0, 2, 1)
    view = w.view(padded)
    inner = channels // groups
    columns = pool.empty((groups, *counts, *w.size, inner), padded.dtype)
    if groups == 1:
        np.copyto(columns[0], view)
    else:
        np.copyto(columns, np.moveaxis(view.reshape(*view.shape[:-1], groups, inner), -2, 0))
    return columns.reshape(groups, positions, taps * inner)


def plain_add_columns(columns: np.ndarray, padded: np.ndarray, w: Windows) -> None:
    """See `add_columns`."""
    groups, taps = len(columns), math.prod(w.size)
    parts = columns.reshape(groups, len(padded), *w.out, taps, padded.shape[-1] // groups)
    for i, tap in enumerate(w.taps()):
        part = parts[..., i, :]
        seen = padded[tap]
        if groups == 1:
            seen += part[0]
        else:
            seen += np.moveaxis(part, 0, -2).reshape(seen.shape)


def plain_add_columns_2d(columns: np.ndarray, padded: np.ndarray, *layout: int) -> None:
    """The same for images and one group, with the numbers of a `Windows`."""
    out, size, strides, dilation = zip(*[iter(layout)] * 2)
    pads = ((0, 0), (0, 0))
    w = Windows(size, strides, dilation, pads, padded.shape[1:3], out)
    plain_add_columns(columns[None], padded, w)


add_columns_2d = Twin(plain_add_columns_2d, loops.add_columns, minimum=1 << 10)


def add_columns(columns: np.ndarray, padded: np.ndarray, w: Windows) -> None:
    """Add each window's values to the positions they were gathered from, in place.

    Args:
        columns: (groups, batch * positions, taps * channels/groups).
        padded: (batch, *padded, channels), added to.
        w: Where the windows lie.
    """
    if len(columns) == 1 and len(w.size) == 2:
        add_columns_2d(columns[0], padded, *w.out, *w.size, *w.strides, *w.dilation)
    else:
        plain_add_columns(columns, padded, w)
