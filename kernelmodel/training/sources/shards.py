"""Data that each worker opens for itself, its own part only."""

from __future__ import annotations

import glob
from collections.abc import Callable
from typing import Any

from kernelmodel.training.sources.source import Loading, Source


class Shards:
    """Data of which each worker opens its own part: files, rows of an HDF5 dataset, a stream.

    Pass it as `x` to `fit`, `evaluate` or `predict`. Without a strategy there is one worker, which
    opens all.

    Args:
        load: `load(index, count)` for worker `index` of `count`, or `load(paths)` if there are
            `files`. It returns `x`, `(x, y)` or `(x, y, sample_weight)`: arrays, HDF5 datasets, or
            as `x` alone something that yields batches of this worker. It runs on the worker.
        files: A pattern of paths such as "data/part-*.h5" on the workers' machines. The paths are
            sorted, and each worker gets every `count`-th of them.

    Raises:
        TypeError: `load` is no function.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> x = np.arange(8.0)[:, None]
        >>> shards = km.distribute.Shards(lambda index, count: (x[index::count], x[index::count]))
        >>> shards.open(1, 4)[0].ravel()
        array([1., 5.])
    """

    def __init__(self, load: Callable[..., Any], files: str | None = None) -> None:
        if not callable(load):
            raise TypeError(
                "Shards: load must be a function load(index, count), or load(paths) together with "
                f"files, got {load!r}."
            )
        self.load, self.files = load, files

    def open(self, index: int, count: int) -> tuple[Any, Any, Any]:
        """x, y and weights of a worker.

        Raises:
            ValueError: There are fewer files than workers.
        """
        if self.files is None:
            data = self.load(index, count)
        else:
            paths = sorted(glob.glob(self.files))
            if len(paths) < count:
                raise ValueError(
                    f"Shards: {self.files!r} matches {len(paths)} files on worker {index}, but "
                    f"there are {count} workers and each needs one. Write the data in more files, "
                    "check that all workers see the folder, or take fewer workers."
                )
            data = self.load(paths[index::count])
        parts = data if isinstance(data, tuple) else (data,)
        if not 1 <= len(parts) <= 3:
            raise ValueError(
                "Shards: load must return x, (x, y) or (x, y, sample_weight), got a tuple of "
                f"{len(parts)}."
            )
        return (*parts, *(None,) * (3 - len(parts)))


class RemoteShards(Source):
    """Shards that only workers open: here is what one of them told about its part.

    Args:
        shards: The shards.
        loading: How to load them.
    """

    def __init__(self, shards: Shards, loading: Loading) -> None:
        super().__init__(loading)
        self.shards = shards
        self._first: Any = None
        self._steps: int | None = loading.steps

    def describe(self, first: Any, steps: int | None) -> None:
        """Note what a worker found: a batch of one row, and its batches an epoch."""
        self._first, self._steps = first, steps

    @property
    def steps(self) -> int | None:
        """Batches an epoch, or None if nobody knows."""
        return self._steps

    def _batches(self) -> Any:
        yield self._first


def part_sizes(samples: int, parts: int) -> list[int]:
    """How many of some samples each worker gets: as many as the others, or one more."""
    return [samples // parts + (i < samples % parts) for i in range(parts)]
