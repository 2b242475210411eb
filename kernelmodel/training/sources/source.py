"""What all sources of batches share: epochs, a look at the first batch, an end."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from kernelmodel.core.settings import SETTINGS
from kernelmodel.core.warning import warn_user


@dataclass(frozen=True)
class Loading:
    """How data is loaded: arguments of `fit`, `evaluate` and `predict`.

    Attributes:
        batch_size: Samples a batch, or None.
        steps: Batches an epoch at the most, or None for all.
        steps_name: The argument that `steps` came from, for messages.
        restart: Begin anew each epoch, even if `steps` end it before the data does.
        shuffle: True, False or "batch".
        class_weight: `{class index: weight}`, or None.
        floats: Dtype that float64 data is cast to.
        text: Whether inputs may be text.
        workers: Threads or processes that load batches; 0 for none.
        use_multiprocessing: Processes instead of threads.
        max_queue_size: Batches that may lie ready.
        place: Which worker of how many loads; None for one that leaves it to others.
    """

    batch_size: int | None = None
    steps: int | None = None
    steps_name: str = "steps"
    restart: bool = True
    shuffle: bool | str = False
    class_weight: dict[int, float] | None = None
    floats: str = "float32"
    text: bool = False
    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10
    place: tuple[int, int] | None = (0, 1)


def at_most(steps: int | None) -> int | None:
    """A number of batches an epoch, or the limit of `kernelmodel.config` if that is less."""
    limits = [n for n in (steps, SETTINGS.max_steps_per_epoch) if n is not None]
    return min(limits, default=None)


class Source:
    """Batches, epoch by epoch; a subclass makes them in `_batches`.

    Args:
        loading: How to load.

    Attributes:
        batch_size: Samples a batch, if the source decides on it.
        ran_out: Whether the last epoch ended before its number of steps.
        own_part: Whether, with several workers, these batches are of this one alone.
    """

    batch_size: int | None = None
    own_part = False

    def __init__(self, loading: Loading) -> None:
        self.loading = loading
        self.ran_out = False
        self._running: Generator[Any, None, None] | None = None
        self._next: Epoch | None = None

    @property
    def steps(self) -> int | None:
        """Batches an epoch, or None if nobody knows."""
        return self.loading.steps

    def _batches(self) -> Generator[Any, None, None]:
        """The batches of an epoch, until the data ends."""
        raise NotImplementedError

    def peek(self) -> Any:
        """The first batch of the epoch to come.

        Raises:
            ValueError: There is none.
        """
        self._next = self.epoch()
        if not self._next.more():
            raise ValueError(
                "There is no data: `x` yields no batch. Check that it isn't empty, or used up by "
                "an earlier loop."
            )
        return self._next.ahead

    def epoch(self) -> Epoch:
        """The batches of the next epoch."""
        if self._next is not None:
            epoch, self._next = self._next, None
            return epoch
        self.stop()
        self._running = self._batches()
        return Epoch(self._at_most(self._running))

    def _at_most(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The batches up to `steps` and the limit of `kernelmodel.config`; never asks for more."""
        self.ran_out, steps = False, self.loading.steps
        most = at_most(steps)
        count = 0
        while most is None or count < most:
            try:
                batch = next(batches)
            except StopIteration:
                self.ran_out = steps is not None
                return
            count += 1
            yield batch

    def rewind(self) -> None:
        """Forget the epochs so far, if the data can be had again from its beginning."""

    def finish_epoch(self) -> None:
        """An epoch is over, with all that follows it."""
        self.stop()

    def stop(self) -> None:
        """End what is running: its threads and processes are gone when this returns."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def close(self) -> None:
        """No more epochs."""
        self._next = None
        self.stop()

    def warn(self, taken: int) -> None:
        """Say that the data ran out.

        Args:
            taken: Batches that the last epoch had.
        """
        if self.ran_out:
            name, steps = self.loading.steps_name, self.loading.steps
            what = f"after {taken} of the {steps} batches that `{name}` asks for"
        else:
            what = "in an earlier epoch"
        warn_user(
            f"The data ran out {what}. What was done until here is kept. Pass data that goes on (a "
            "generator with `while True`, `dataset.repeat()`), or ask for fewer steps or epochs.",
        )


class Epoch:
    """The batches of an epoch: an iterator that tells whether there is more.

    Attributes:
        taken: Batches that were taken.
        ahead: The batch that comes next, after `more()` was true.
    """

    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches, self._holds = batches, False
        self.ahead: Any = None
        self.taken = 0

    def more(self) -> bool:
        """Whether `next` will give something."""
        if not self._holds:
            try:
                self.ahead = next(self._batches)
            except StopIteration:
                return False
            self._holds = True
        return True

    def __iter__(self) -> Epoch:
        return self

    def __next__(self) -> Any:
        if not self.more():
            raise StopIteration
        batch, self.ahead, self._holds = self.ahead, None, False
        self.taken += 1
        return batch
