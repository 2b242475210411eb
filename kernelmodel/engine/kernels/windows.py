"""Sliding windows over channels-last arrays: what convolution and pooling have in common."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

Pads = tuple[tuple[int, int], ...]
Padding = str | Sequence[tuple[int, int]]

BLOCK_BYTES = 2 << 20  # of temporary arrays: what stays in a processor's nearer caches


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

    def taps(self, rows: slice | None = None) -> Iterator[tuple[slice, ...]]:
        """For each tap, row-major: the slice of a padded array that it sees.

        Args:
            rows: Only the windows in these rows of the first output axis; None for all.
        """
        first = rows.start if rows else 0
        counts = (rows.stop - first, *self.out[1:]) if rows else self.out
        firsts = (first, *(0,) * len(self.out[1:]))
        for tap in itertools.product(*map(range, self.size)):
            starts = (i * d + f * s for i, d, f, s in zip(tap, self.dilation, firsts, self.strides))
            yield (
                slice(None),
                *(
                    slice(start, start + (n - 1) * s + 1, s)
                    for start, n, s in zip(starts, counts, self.strides)
                ),
            )

    def pad(self, x: np.ndarray, fill: float = 0) -> np.ndarray:
        """(batch, *spatial, channels) with its padding; `x` itself where there is none."""
        if not self.is_padded:
            return x
        padded = np.full((len(x), *self.padded, x.shape[-1]), fill, x.dtype)
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

    def blocks(self, batch: int, bytes_a_position: int) -> Iterator[tuple[slice, slice]]:
        """Cut the output into (batch slice, slice of the first output axis).

        A block is some whole samples, or some rows of one sample, so that its temporary
        arrays of `bytes_a_position` for each output position are about `BLOCK_BYTES`.
        """
        rows = self.out[0]
        row_bytes = max(1, math.prod(self.out[1:]) * bytes_a_position)
        samples = max(1, BLOCK_BYTES // max(1, rows * row_bytes))
        if samples > 1 or rows * row_bytes <= 2 * BLOCK_BYTES:
            for start in range(0, batch, samples):
                yield slice(start, min(start + samples, batch)), slice(0, rows)
            return
        step = max(1, BLOCK_BYTES // row_bytes)
        for sample in range(batch):
            for row in range(0, rows, step):
                yield slice(sample, sample + 1), slice(row, min(row + step, rows))


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
