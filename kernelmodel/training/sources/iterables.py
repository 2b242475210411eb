"""Batches that something else makes: a generator, a dataset, a data loader."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from itertools import repeat
from typing import Any

from kernelmodel.training.sources.ahead import Signal, load_in_order
from kernelmodel.training.sources.batch import SameStructure, as_batch
from kernelmodel.training.sources.processes import Processes
from kernelmodel.training.sources.source import Loading, Source


class IterableSource(Source):
    """Batches of an iterable.

    An iterator, such as a generator, goes on from epoch to epoch, and exactly the batches that are
    used are taken from it: the user may hold it and use what follows. Anything else is iterated
    over anew each epoch, unless `steps` say that an epoch is a part of it; then it goes on, too.

    Args:
        iterable: Gives batches: x, (x,), (x, y) or (x, y, sample_weight).
        loading: How to load. With `use_multiprocessing` a generator runs in one process, which
            gets a copy of it.

    Raises:
        ValueError: An endless dataset without a number of steps.
    """

    def __init__(self, iterable: Iterable[Any], loading: Loading) -> None:
        super().__init__(loading)
        self._iterable = iterable
        self._held = isinstance(iterable, Iterator)
        self._length = length_of(iterable)
        if self._length == float("inf") and loading.steps is None:
            raise ValueError(
                f"The {type(iterable).__name__} never ends: say with `{loading.steps_name}` how "
                "many batches to take."
            )
        self._iterator: Iterator[Any] | None = None
        self._process: Processes | None = None

    @property
    def steps(self) -> int | None:
        """Batches an epoch, or None if nobody knows."""
        known = self._length if isinstance(self._length, int) else None
        return self.loading.steps or known

    @property
    def _goes_on(self) -> bool:
        """Whether an epoch begins where the last one ended."""
        if self._held:
            return True
        return not self.loading.restart and self.loading.steps not in (None, self._length)

    def _batches(self) -> Generator[Any, None, None]:
        if self._iterator is None or not self._goes_on:
            self._iterator = iter(self._iterable)
        following = self._following(self._iterator)
        same = SameStructure()

        def load(_: None) -> Any:
            data = following(None)
            return data if data is Signal.END else as_batch(data, self.loading)

        steps = self.loading.steps
        tasks = repeat(None) if steps is None else repeat(None, steps)
        queue = self.loading.max_queue_size
        with closing(load_in_order(load, tasks, min(self.loading.workers, 1), queue)) as batches:
            for batch in batches:
                yield same.check(batch)

    def _following(self, iterator: Iterator[Any]) -> Any:
        """What gives the next batch of an iterator; a process, if one was asked for."""
        if not (self._held and self.loading.use_multiprocessing and self.loading.workers):
            return Following(iterator)
        if self._process is None:
            self._process = Processes(Following(iterator), 1)
        return self._process

    def stop(self) -> None:
        """End the threads of the epoch, and an iterator that was made for it."""
        super().stop()
        if not self._goes_on:
            self._end_iterator()

    def close(self) -> None:
        """No more epochs. An iterator that the user gave stays open."""
        if self._process is not None:
            self._process.close()
        super().close()
        self._end_iterator()

    def _end_iterator(self) -> None:
        close = None if self._held else getattr(self._iterator, "close", None)
        self._iterator = None
        if close is not None:
            with suppress(ValueError):  # a generator that a late thread is still running
                close()


class Following:
    """A function that gives an iterator's next item, and `Signal.END` once it has ended.

    Args:
        iterator: Is asked no more after its end.
    """

    def __init__(self, iterator: Iterator[Any]) -> None:
        self._iterator, self._ended = iterator, False

    def __call__(self, _: None) -> Any:
        if not self._ended:
            try:
                return next(self._iterator)
            except StopIteration:
                self._ended = True
        return Signal.END


def length_of(iterable: Any) -> float | int | None:
    """The number of batches: infinite, or None if it isn't known."""
    cardinality = getattr(iterable, "cardinality", None)  # a tf.data.Dataset
    if callable(cardinality):
        found = int(cardinality())
        return {-1: float("inf"), -2: None}.get(found, found)
    try:
        return len(iterable)
    except (TypeError, NotImplementedError):
        return None
