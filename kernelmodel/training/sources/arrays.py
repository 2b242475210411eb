"""Batches cut out of arrays."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten, map_structure
from kernelmodel.engine.random import permutation
from kernelmodel.training.checks import as_array, map_leaves, sample_count
from kernelmodel.training.data import pack_x_y_sample_weight
from kernelmodel.training.sources.ahead import load_in_order
from kernelmodel.training.sources.class_weight import weights_of_classes
from kernelmodel.training.sources.rows import Rows, is_lazy
from kernelmodel.training.sources.source import Loading, Source

# Rows on disk are read this many batches ahead: enough to overlap, little in memory.
BATCHES_AHEAD = 3


class Arrays:
    """Inputs, targets and weights of the same samples, checked.

    Args:
        x: Arrays (samples, ...) in any structure, in memory or lazy.
        y: Targets, likewise, or None.
        sample_weight: Weights, likewise, or None.
        floats: Dtype that float64 data is cast to.
        text: Whether x may be text.

    Raises:
        ValueError: Bad data; see `kernelmodel.training.checks`.
    """

    def __init__(
        self, x: Any, y: Any, sample_weight: Any, floats: str = "float32", text: bool = False
    ) -> None:
        self.x = _leaves(x, "x", floats, text)
        self.y = _leaves(y, "y", floats)
        self.sample_weight = _leaves(sample_weight, "sample_weight", floats)
        self.samples = sample_count(x=self.x)  # there must be inputs
        if y is not None or sample_weight is not None:
            sample_count(x=self.x, y=self.y, sample_weight=self.sample_weight)
        targets = (self.y, self.sample_weight)
        self.lazy_targets = any(isinstance(leaf, Rows) for leaf in flatten(targets))
        self.lazy = self.lazy_targets or any(isinstance(leaf, Rows) for leaf in flatten(self.x))

    def at(self, where: Any) -> tuple[Any, Any, Any]:
        """x, y and weights of the samples at an index."""
        parts = (self.x, self.y, self.sample_weight)
        return map_structure(partial(_rows_at, where), parts)


class ArraySource(Source):
    """Batches cut out of arrays, in memory or read a batch at a time.

    Lazy arrays give the same batches as arrays in memory; `shuffle="batch"` reads each batch of
    them in one piece, which is faster. In training, an epoch of fewer steps than the data has goes
    on where the last one ended, as in Keras.

    Args:
        arrays: The data.
        loading: How to load.
        rows: The samples that count; None for all.

    Raises:
        ValueError: More steps than there are batches, or targets that class weights don't fit.
    """

    batch_size: int

    def __init__(self, arrays: Arrays, loading: Loading, rows: range | None = None) -> None:
        super().__init__(loading)
        self._arrays = arrays
        self._rows = range(arrays.samples) if rows is None else rows
        self._weights: np.ndarray | None = None
        if loading.class_weight is not None and not arrays.lazy_targets:
            self._weights = weights_of_classes(arrays.y, loading.class_weight, arrays.sample_weight)
        samples, steps = len(self._rows), loading.steps
        self.batch_size = loading.batch_size or (math.ceil(samples / steps) if steps else 32)
        whole = math.ceil(samples / self.batch_size)
        if steps is not None and steps > whole:
            name = loading.steps_name
            raise ValueError(
                f"`{name}={steps}` can't be had from arrays of {samples} samples: in batches of "
                f"{self.batch_size} they make {whole}. Leave out `{name}`, or choose a smaller "
                "batch size."
            )
        self._steps = steps or whole
        self._endless = self._passes()

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return self._steps

    @property
    def lazy(self) -> bool:
        """Whether the arrays are read from disk, a batch at a time."""
        return self._arrays.lazy

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self._rows)

    def take(self, rows: np.ndarray) -> Any:
        """Some samples, by their numbers, as a batch."""
        return self._take(rows + self._rows.start)

    def rewind(self) -> None:
        """Begin anew, with a new order of the samples."""
        self.close()
        self._endless = self._passes()

    def _batches(self) -> Generator[Any, None, None]:
        if self.loading.restart:
            self._endless = self._passes()
        wheres = islice(self._endless, self._steps)
        if self._arrays.lazy:
            yield from load_in_order(self._take, wheres, self.loading.workers, BATCHES_AHEAD)
        else:
            yield from map(self._take, wheres)

    def _passes(self) -> Iterator[Any]:
        """Where the rows of each batch are, again and again over the data."""
        size, shuffle, rows = self.batch_size, self.loading.shuffle, self._rows
        while True:
            if shuffle is True:
                order = permutation(len(rows)) + rows.start
                for start in range(0, len(rows), size):
                    yield order[start : start + size]
                continue
            starts: Any = rows[::size]
            if shuffle == "batch":
                starts = [starts[i] for i in permutation(len(starts))]
            for start in starts:
                yield slice(start, min(start + size, rows.stop))

    def _take(self, where: Any) -> Any:
        x, y, weight = self._arrays.at(where)
        if self._weights is not None:
            weight = self._weights[where]
        elif self.loading.class_weight is not None:
            weight = weights_of_classes(y, self.loading.class_weight, weight)
        return pack_x_y_sample_weight(x, y, weight)


def split_rows(samples: int, share: float) -> tuple[range, range]:
    """The first samples, to train on, and the last share of them, to validate on.

    Raises:
        ValueError: The share isn't between 0 and 1, or leaves one side without samples.
    """
    if not isinstance(share, (int, float, np.number)) or not 0 < share < 1:
        raise ValueError(f"`validation_split` must lie between 0 and 1, got {share!r}.")
    at = math.floor(samples * (1 - share))
    if at in (0, samples):
        raise ValueError(
            f"`validation_split={share}` of {samples} samples leaves no samples for "
            f"{'training' if at == 0 else 'validation'}. Choose another share or add data."
        )
    return range(at), range(at, samples)


def _leaves(data: Any, role: str, floats: str, text: bool = False) -> Any:
    """Leaves as arrays in memory, or as `Rows`."""

    def convert(leaf: Any) -> Any:
        return (Rows if is_lazy(leaf) else as_array)(leaf, role, floats, text)

    return map_leaves(convert, data)


def _rows_at(where: Any, leaf: Any) -> Any:
    if type(leaf) is np.ndarray and type(where) is np.ndarray:
        return leaf.take(where, 0)  # faster than an index
    return None if leaf is None else leaf[where]
