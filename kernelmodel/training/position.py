"""Where in its data a fit begins: at the start, or where a backup was made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kernelmodel.engine.random import set_global_state
from kernelmodel.training.sources.source import Epoch, Source


@dataclass
class Position:
    """The first epoch, and the batches that are left of it if a part of it is done already."""

    epoch: int
    begun: Epoch | None = None
    put_back: Callable[[], None] | None = None

    def batches_of(self, epoch: int, source: Source) -> Epoch:
        """The batches of an epoch."""
        begun, self.begun = self.begun, None
        return source.epoch() if begun is None else begun

    def restore(self, epoch: int) -> None:
        """In an epoch that is partly done, put back what its begin has changed."""
        put_back, self.put_back = self.put_back, None
        if put_back is not None and epoch == self.epoch:
            put_back()


def find_position(model: Any, source: Source, initial_epoch: int) -> Position:
    """Where to begin; a callback may have left a `resume_point` on the model.

    The data is gone through again from the first epoch of the fit that was broken off, without
    training, with the random numbers of then: so shuffled batches come in the same order, and a
    generator stands where it stood.

    Args:
        model: What is trained.
        source: Its data.
        initial_epoch: The argument of `fit`.
    """
    point = model.__dict__.pop("_resume_point", None)
    if point is None:
        return Position(initial_epoch)
    model._fit_start = point.start
    set_global_state(point.start.random)
    source.rewind()
    for _ in range(point.start.epoch, point.epoch):
        batches = source.epoch()
        while batches.more():
            next(batches)
        source.finish_epoch()
    batches = source.epoch()
    while batches.taken < point.batch and batches.more():
        next(batches)
    return Position(point.epoch, batches, point.put_back if point.batch else None)
