"""The batches of a worker, in step with the other workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kernelmodel.core.tree import flatten, map_structure
from kernelmodel.distribute.exchange import MpiExchange, rows_of
from kernelmodel.training.data import unpack_x_y_sample_weight
from kernelmodel.training.sources.source import Epoch


class Turns:
    """A worker's parts of the batches of an epoch, until all workers are through.

    Before each step the workers agree on how many samples it has. One that has none left (or none
    of a small last batch) goes along with a row that counts nothing, because the others need it for
    their sums; afterwards its metrics and statistics are what they were.

    Args:
        batches: Batches of this worker, or of all.
        exchange: How to agree.
        shared: Whether each batch is one of all workers, of which this one takes its rows.
        spare: A batch of one row, for a worker that has nothing.
        stop: Whether this worker wants to stop.
        due: Whether it wants to report.
        passive: Variables that a step without samples must not change.

    Attributes:
        taken: Steps so far.
        samples: Samples of this worker so far.
        idle: Steps without any.
        report: Whether some worker wants to report after this step.
        stopped: Whether somebody wanted to stop.
    """

    def __init__(
        self, batches: Epoch, exchange: MpiExchange, shared: bool, spare: Any,
        stop: Callable[[], bool], due: Callable[[], bool], passive: Sequence[Any],
    ) -> None:  # fmt: skip
        self._batches, self._exchange, self._shared = batches, exchange, shared
        self._spare, self._stop, self._due, self._passive = spare, stop, due, passive
        self._kept: list[tuple[Any, Any]] = []
        self._ahead: Any = None
        self._holds = False
        self.taken = self.samples = self.idle = 0
        self.report = self.stopped = False

    def more(self) -> bool:
        """Whether there is another step; all workers get the same answer."""
        if self._holds:
            return True
        self.settle()
        data, count = self._own_part()
        wants_report = self._due()
        total, self.stopped, report = self._exchange.agree(count, self._stop(), wants_report)
        if self.stopped or not total:
            return False
        self.report = self.report or report
        if not count:
            data, self.idle = self._spare, self.idle + 1
            self._kept = [(variable, variable._array) for variable in self._passive]
        self._ahead, self._holds = data, True
        self.samples += count
        return True

    def _own_part(self) -> tuple[Any, int]:
        if not self._batches.more():
            return None, 0
        batch = next(self._batches)
        count = samples_of(batch)
        if not self._shared:
            self._spare = first_row(batch)
            return batch, count
        where = rows_of(count, self._exchange.rank, self._exchange.size)
        self._spare = first_row(batch)
        return rows(batch, where), where.stop - where.start

    def settle(self) -> None:
        """After a step without samples, put back what must not change."""
        for variable, value in self._kept:
            variable._array = value
        self._kept = []

    def reported(self) -> None:
        """A report was made."""
        self.report = False

    def __iter__(self) -> Turns:
        return self

    def __next__(self) -> Any:
        if not self.more():
            raise StopIteration
        data, self._ahead, self._holds = self._ahead, None, False
        self.taken += 1
        return data


def samples_of(batch: Any) -> int:
    """Number of samples of a batch."""
    x, _, _ = unpack_x_y_sample_weight(batch)
    return flatten(x)[0].shape[0]


def rows(batch: Any, where: Any) -> Any:
    """Some rows of all arrays of a batch."""
    return map_structure(lambda leaf: None if leaf is None else leaf[where], batch)


def first_row(batch: Any) -> Any:
    """A batch of one row."""
    return rows(batch, slice(1))
