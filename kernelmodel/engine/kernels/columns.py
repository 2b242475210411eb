"""Window matrices: gathering an input's windows, and adding such a matrix back to an input."""

from __future__ import annotations

import math

import numpy as np

from kernelmodel.engine.kernels.windows import Windows

NARROW = 4  # channels; fewer make short copies, so windows are gathered transposed


def gather(padded: np.ndarray, w: Windows, rows: slice, groups: int) -> np.ndarray:
    """Copy windows into a matrix for each channel group.

    Args:
        padded: (batch, *padded, channels).
        w: Where the windows lie.
        rows: Rows of the first output axis.
        groups: Number of channel groups.

    Returns:
        (groups, batch * positions, taps * channels/groups); for few channels a transposed view.
    """
    channels = padded.shape[-1]
    counts = (len(padded), rows.stop - rows.start, *w.out[1:])
    positions, taps = math.prod(counts), math.prod(w.size)
    if groups == 1 and channels < NARROW:
        across = np.empty((taps, channels, *counts), padded.dtype)
        channels_first = padded.transpose(-1, *range(padded.ndim - 1))
        for target, tap in zip(across, w.taps(rows)):
            target[...] = channels_first[(slice(None), *tap)]
        return across.reshape(1, taps * channels, positions).transpose(0, 2, 1)
    view = w.view(padded)[:, rows]
    inner = channels // groups
    columns = np.empty((groups, *counts, *w.size, inner), padded.dtype)
    if groups == 1:
        np.copyto(columns[0], view)
    else:
        np.copyto(columns, np.moveaxis(view.reshape(*view.shape[:-1], groups, inner), -2, 0))
    return columns.reshape(groups, positions, taps * inner)


def add_columns(columns: np.ndarray, padded: np.ndarray, w: Windows, rows: slice) -> None:
    """Add each window's values to the positions they were gathered from, in place.

    Args:
        columns: (groups, batch * positions, taps * channels/groups).
        padded: (batch, *padded, channels), added to.
        w: Where the windows lie.
        rows: Rows of the first output axis.
    """
    groups, taps = len(columns), math.prod(w.size)
    counts = (len(padded), rows.stop - rows.start, *w.out[1:])
    parts = columns.reshape(groups, *counts, taps, padded.shape[-1] // groups)
    for i, tap in enumerate(w.taps(rows)):
        part = parts[..., i, :]
        seen = padded[tap]
        if groups == 1:
            seen += part[0]
        else:
            seen += np.moveaxis(part, 0, -2).reshape(seen.shape)
