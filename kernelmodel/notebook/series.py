"""Curves of bounded size, and a limit on how often something is done."""

from __future__ import annotations

import time
from collections.abc import Callable

CAPACITY = 400


class Series:
    """The points of one curve, thinned to every 2nd, 4th, 8th... one as they grow too many.

    The newest point is always kept, so that a curve ends where the training is.

    Args:
        capacity: the most points kept.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.stride = 1
        self.x: list[float] = []
        self.y: list[float] = []
        self._seen = 0
        self._tail_is_extra = False

    def __len__(self) -> int:
        return len(self.x)

    def append(self, x: float, y: float) -> None:
        """Add the point (x, y)."""
        if self._tail_is_extra:
            self.x.pop()
            self.y.pop()
        self.x.append(x)
        self.y.append(y)
        self._tail_is_extra = self._seen % self.stride != 0
        self._seen += 1
        if len(self.x) > self.capacity:
            self._thin()

    def _thin(self) -> None:
        last = (self.x[-1], self.y[-1])
        self.x, self.y = self.x[::2], self.y[::2]
        self.stride *= 2
        self._tail_is_extra = self.x[-1] != last[0]
        if self._tail_is_extra:
            self.x.append(last[0])
            self.y.append(last[1])


class Throttle:
    """Says when something may be done again: at most once in an interval.

    Args:
        interval: seconds between two times.
        clock: a function that returns seconds.
    """

    def __init__(self, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.interval = interval
        self._clock = clock
        self._last = float("-inf")

    def ready(self) -> bool:
        """Return True, and start a new interval, when the last one is over."""
        now = self._clock()
        if now - self._last < self.interval:
            return False
        self._last = now
        return True
