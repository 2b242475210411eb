"""Sliding windows over channels-last arrays: what convolution and pooling have in common."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from kernelmodel.engine import pool
from kernelmodel.engine.parallel import even_slices

Pads = tuple[tuple[int, int], ...]
Padding = str | Sequence[tuple[int, int]]

Block = tuple[slice, slice]

BLOCK_BYTES = 2 << 20  # of temporary arrays: what stays in a processor's nearer caches
TASK_BYTES = 1 << 18  # of temporary arrays: what is worth another thread
TASKS = 16  # that a batch is cut into: enough for as many threads, few enough to add up after


@dataclass(frozen=True)
class Windows:
    """Where the windows of a convolution or a pooling lie.

    Attributes:
        size: Taps along each spatial axis.
        strides: Step between windows along each axis.
        dilation: Step between the taps of a window along each axis.
        pads: Padding before and after, along each axis.
        spatial: Input extents.
        out: Output extents.
    """

    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: Pads
    spatial: tuple[int, ...]
    out: tuple[int, ...]

    @property
    def padded(self) -> tuple[int, ...]:
        """Input extents with padding."""
        return tuple(n + lo + hi for n, (lo, hi) in zip(self.spatial, self.pads))

    @property
    def is_padded(self) -> bool:
        """Whether there is any padding."""
        return any(lo or hi for lo, hi in self.pads)

    @property
    def interior(self) -> tuple[slice, ...]:
        """The unpadded part of a padded (batch, *padded, channels) array."""
        return (
            slice(None),
            *(slice(lo, lo + n) for n, (lo, _) in zip(self.spatial, self.pads)),
        )

    @property
    def disjoint(self) -> bool:
        """Whether no two windows share an input position."""
        return all(s >= (k - 1) * d + 1 for k, s, d in zip(self.size, self.strides, self.dilation))

    @property
    def tiles(self) -> bool:
        """Whether each padded input position lies in one window."""
        spans = (k * (d == 1 or k == 1) for k, d in zip(self.size, self.dilation))
        return all(
            span == s and n * s == extent
            for span, s, n, extent in zip(spans, self.strides, self.out, self.padded)
        )

    def taps(self) -> Iterator[tuple[slice, ...]]:
        """For each tap, row-major: the slice of a padded array that it sees."""
        for tap in itertools.product(*map(range, self.size)):
            starts = (i * d for i, d in zip(tap, self.dilation))
            yield (
                slice(None),
                *(
                    slice(start, start + (n - 1) * s + 1, s)
                    for start, n, s in zip(starts, self.out, self.strides)
                ),
            )

    def pad(self, x: np.ndarray, fill: float = 0) -> np.ndarray:
        """(batch, *spatial, channels) with its padding; `x` itself where there is none."""
        if not self.is_padded:
            return x
        padded = pool.empty((len(x), *self.padded, x.shape[-1]), x.dtype)
        padded.fill(fill)
        padded[self.interior] = x
        return padded

    def xla_padded(self, x: Any, fill: float = 0) -> tuple[Any, Pads]:
        """A JAX array and the padding it still needs: one that isn't known yet is put on now."""
        if all(isinstance(n, int) for pair in self.pads for n in pair):
            return x, ((0, 0), *self.pads, (0, 0))
        from jax import lax

        borders = [(0, 0, 0), *((lo, hi, 0) for lo, hi in self.pads), (0, 0, 0)]
        return lax.pad(x, lax.full((), fill, x.dtype), borders), ((0, 0),) * x.ndim

    def view(self, padded: np.ndarray) -> np.ndarray:
        """All windows without a copy: (batch, *out, *size, channels)."""
        batch, *steps, channel = padded.strides
        return as_strided(
            padded,
            (len(padded), *self.out, *self.size, padded.shape[-1]),
            (
                batch,
                *(a * s for a, s in zip(steps, self.strides)),
                *(a * d for a, d in zip(steps, self.dilation)),
                channel,
            ),
            writeable=False,
        )

    def part(self, rows: slice) -> tuple[slice, Windows]:
        """The windows in some rows of the first output axis, alone.

        Returns:
            The rows of the input that they see, and where they lie in these.
        """
        return part_of(self, rows.start, rows.stop)

    def tasks(self, batch: int, bytes_a_position: int, most: int = TASKS) -> list[list[Block]]:
        """Cut the output into tasks for `parallel.run`, and each into blocks.

        Args:
            batch: Number of samples; none is shared by two tasks.
            bytes_a_position: Of temporary arrays, for each output position. A block is some whole
                samples, or some rows of one, so that they are about `BLOCK_BYTES`.
            most: How many tasks there may be.

        Returns:
            For each task its blocks: a slice of the batch and one of the first output axis.
        """
        rows = self.out[0]
        row_bytes = max(1, math.prod(self.out[1:]) * bytes_a_position)
        samples = max(1, BLOCK_BYTES // (rows * row_bytes))
        step = rows if rows * row_bytes <= 2 * BLOCK_BYTES else max(1, BLOCK_BYTES // row_bytes)
        count = max(-(-batch // samples), batch * rows * row_bytes // TASK_BYTES)
        tasks = []
        for task in even_slices(batch, min(most, count + count % 2 if count > 1 else count)):
            length = task.stop - task.start
            tasks.append(
                [
                    (
                        slice(task.start + s.start, task.start + s.stop),
                        slice(r, min(r + step, rows)),
                    )
                    for s in even_slices(length, -(-length // samples))
                    for r in range(0, rows, step)
                ]
            )
        return tasks


@lru_cache(maxsize=512)
def part_of(w: Windows, start: int, stop: int) -> tuple[slice, Windows]:
    """See `Windows.part`."""
    if (start, stop) == (0, w.out[0]):
        return slice(0, w.spatial[0]), w
    first = start * w.strides[0] - w.pads[0][0]
    extent = (stop - 1 - start) * w.strides[0] + (w.size[0] - 1) * w.dilation[0] + 1
    begin = min(max(first, 0), w.spatial[0])
    end = max(begin, min(first + extent, w.spatial[0]))
    before = min(max(-first, 0), extent)
    pad = before, extent - before - (end - begin)
    return slice(begin, end), replace(
        w,
        pads=(pad, *w.pads[1:]),
        spatial=(end - begin, *w.spatial[1:]),
        out=(stop - start, *w.out[1:]),
    )


def per_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """An int for every spatial axis, or the given sequence as a tuple."""
    return (value,) * axes if isinstance(value, int) else tuple(value)


def hashable(padding: Padding) -> str | Pads:
    """A padding as `windows` takes it: a lower-case name or a tuple of pairs."""
    if isinstance(padding, str):
        return padding.lower()
    return tuple((int(lo), int(hi)) for lo, hi in padding)


def at_least_zero(n: Any) -> Any:
    """A number, or zero if it is below: also for a length that an export leaves open."""
    if isinstance(n, int):
        return max(n, 0)
    import jax

    return jax.core.max_dim(n, 0)


def windows(
    spatial: tuple[int, ...],
    size: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str | Pads,
    dilation: tuple[int, ...],
) -> Windows:
    """Lay out the windows.

    Args:
        spatial: Input extents.
        size: Taps along each axis.
        strides: Step between windows along each axis.
        padding: "valid"; "same" (ceil(extent / stride) windows, an odd pad goes to the end);
            "causal" (all of it in front); or (before, after) for each axis.
        dilation: Step between taps along each axis.

    Raises:
        ValueError: Unknown padding, or the window is larger than the padded input.
    """
    # Open lengths of two exports can't even be compared, so nothing is kept for them.
    known = all(isinstance(n, int) for n in spatial)
    return (_kept_layout if known else _layout)(spatial, size, strides, padding, dilation)


def _layout(
    spatial: tuple[int, ...],
    size: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str | Pads,
    dilation: tuple[int, ...],
) -> Windows:
    spans = tuple((k - 1) * d + 1 for k, d in zip(size, dilation))
    pads: Pads
    if padding == "valid":
        pads = ((0, 0),) * len(size)
    elif padding == "causal":
        pads = tuple((span - 1, 0) for span in spans)
    elif padding == "same":
        totals = (
            at_least_zero((-(-n // s) - 1) * s + span - n)
            for n, s, span in zip(spatial, strides, spans)
        )
        pads = tuple((total // 2, total - total // 2) for total in totals)
    elif isinstance(padding, str):
        raise ValueError(
            f'padding is "valid", "same", "causal" or (before, after) pairs, got {padding!r}.'
        )
    else:
        pads = padding
    out = tuple(
        (n + lo + hi - span) // s + 1 for n, (lo, hi), span, s in zip(spatial, pads, spans, strides)
    )
    if any(n < 1 for n in out if isinstance(n, int)):
        raise ValueError(
            f"A window of {spans} is larger than its input of {spatial} with padding {pads}. "
            'Use a smaller window, padding="same", or larger inputs.'
        )
    return Windows(size, strides, dilation, pads, spatial, out)


_kept_layout = lru_cache(maxsize=512)(_layout)
