"""The weights of a bounded number of epochs, to go back to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_EPOCHS = 200


@dataclass
class KeptEpoch:
    """An epoch that can come back.

    Attributes:
        epoch: its number, counted from 0.
        arrays: the weights after it.
        values: the loss and metrics it ended with, by name.
    """

    epoch: int
    arrays: Sequence[Any]
    values: Mapping[str, float]


class KeptWeights:
    """Keeps the weights of epochs, thinned to every 2nd, 4th, 8th... one as they grow too large.

    The newest epoch and the best one are kept whatever the thinning. Weights are held, not copied:
    a training step puts new arrays in the place of the old ones and never writes into them, so an
    epoch costs no time, and weights that did not change between epochs (frozen ones) are counted
    and held once.

    Args:
        limit: the most bytes held. Nothing is kept of a model whose weights alone take more.
        most: the most epochs kept.

    Attributes:
        best: the number of the best epoch whose weights are kept, or None.
        needed: bytes that one epoch's weights take.
        held: bytes held now.
    """

    def __init__(self, limit: float, most: int = MOST_EPOCHS) -> None:
        self.limit = limit
        self.most = most
        self.best: int | None = None
        self.needed = 0
        self.held = 0
        self._kept: dict[int, KeptEpoch] = {}
        self._holders: Counter[int] = Counter()
        self._stride = 1
        self._first: int | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, epoch: int) -> bool:
        return epoch in self._kept

    def __getitem__(self, epoch: int) -> KeptEpoch:
        return self._kept[epoch]

    @property
    def fits(self) -> bool:
        """Whether one epoch's weights are within the limit."""
        return self.needed <= self.limit

    @property
    def epochs(self) -> list[KeptEpoch]:
        """The epochs kept, in order."""
        return [self._kept[epoch] for epoch in sorted(self._kept)]

    def add(
        self, epoch: int, arrays: Sequence[Any], values: Mapping[str, float], is_best: bool
    ) -> None:
        """Keep an epoch, and let go of others where there are too many.

        Args:
            epoch: its number, counted from 0 and growing from call to call.
            arrays: the weights after it; nobody may write into them.
            values: the loss and metrics it ended with, by name.
            is_best: whether it is the best so far.
        """
        self.needed = sum({id(a): int(a.nbytes) for a in arrays}.values())
        if not self.fits:
            return
        if self._first is None:
            self._first = epoch
        newest = max(self._kept, default=None)
        self._hold(KeptEpoch(epoch, arrays, dict(values)))
        if is_best:
            self.best, beaten = epoch, self.best
            self._drop_unless_due(beaten, epoch)
        self._drop_unless_due(newest, epoch)
        while self._is_too_much() and len(self._kept) > 1:
            self._make_room(epoch)

    def _make_room(self, newest: int) -> None:
        others = set(self._kept) - {self.best, newest}
        assert self._first is not None
        if self._stride <= newest - self._first and others:
            self._stride *= 2
            for epoch in others:
                self._drop_unless_due(epoch, newest)
        else:  # there is room for the best and the newest, or for the best alone
            self._drop(min(others) if others else newest)

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()
        self._holders.clear()
        self.best, self.held = None, 0

    def _is_too_much(self) -> bool:
        return self.held > self.limit or len(self._kept) > self.most

    def _drop_unless_due(self, epoch: int | None, newest: int) -> None:
        if epoch is None or epoch in (self.best, newest) or epoch not in self._kept:
            return
        assert self._first is not None
        if (epoch - self._first) % self._stride:
            self._drop(epoch)

    def _hold(self, kept: KeptEpoch) -> None:
        if kept.epoch in self._kept:
            self._drop(kept.epoch)
        self._kept[kept.epoch] = kept
        for array in kept.arrays:
            if not self._holders[id(array)]:
                self.held += int(array.nbytes)
            self._holders[id(array)] += 1

    def _drop(self, epoch: int) -> None:
        for array in self._kept.pop(epoch).arrays:
            self._holders[id(array)] -= 1
            if not self._holders[id(array)]:
                del self._holders[id(array)]
                self.held -= int(array.nbytes)
