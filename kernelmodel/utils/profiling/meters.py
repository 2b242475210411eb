"""Meters that share out a step's time, or memory, among accounts."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple


class Account(NamedTuple):
    """What time or memory is spent on.

    Attributes:
        part: FORWARD or BACKWARD of a layer, or another part of a step.
        path: Names that lead to the layer from the model on; () is the model itself.
    """

    part: str
    path: tuple[str, ...] = ()


FORWARD, BACKWARD = "forward", "backward"
LOSS, LOSS_BACKWARD = Account("loss"), Account("loss backward")
TAPE, OPTIMIZER, METRICS = Account("tape"), Account("optimizer"), Account("metrics")
DATA, OTHER = Account("data"), Account("other")
PROBES = Account("probes")  # the measuring itself, which is no part of the step


class Meter:
    """Spends on one account at a time; what an account's begin interrupts goes on after its end."""

    def begin(self, account: Account) -> None:
        """From now on, spend on this account."""
        raise NotImplementedError

    def end(self) -> None:
        """Go on with the account before."""
        raise NotImplementedError

    @contextmanager
    def inside(self, account: Account) -> Iterator[None]:
        """Spend on an account in a `with` block."""
        self.begin(account)
        try:
            yield
        finally:
            self.end()


class Clock(Meter):
    """Seconds by account; they add up to the time from its making to `stop`."""

    def __init__(self) -> None:
        self.seconds: dict[Account, float] = {}
        self._open = [OTHER]
        self._last = time.perf_counter()

    def _lap(self) -> None:
        now, account = time.perf_counter(), self._open[-1]
        self.seconds[account] = self.seconds.get(account, 0.0) + now - self._last
        self._last = now

    def begin(self, account: Account) -> None:
        """From now on, spend on this account."""
        self._lap()
        self._open.append(account)

    def end(self) -> None:
        """Go on with the account before."""
        self._lap()
        self._open.pop()

    def stop(self) -> dict[Account, float]:
        """The seconds by account, without those of the measuring."""
        self._lap()
        self.seconds.pop(PROBES, None)
        return self.seconds


@dataclass
class Opened:
    """An account that is being spent on: bytes in use when it began, and the most since."""

    account: Account
    start: int
    most: int


class Memory(Meter):
    """Bytes by account, as Python's allocator and NumPy report them; made while tracemalloc runs.

    Attributes:
        kept: What was allocated and not given back, accounts within an account aside.
        peaks: The most that was in use at once beyond what was at the begin, accounts within it
            included.
    """

    def __init__(self) -> None:
        self.kept: dict[Account, int] = {}
        self.peaks: dict[Account, int] = {}
        self._last = tracemalloc.get_traced_memory()[0]
        self._open = [Opened(OTHER, self._last, self._last)]

    def _lap(self) -> int:
        current, peak = tracemalloc.get_traced_memory()
        for opened in self._open:
            opened.most = max(opened.most, peak)
        account = self._open[-1].account
        self.kept[account] = self.kept.get(account, 0) + current - self._last
        self._last = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        return self._last

    def begin(self, account: Account) -> None:
        """From now on, spend on this account."""
        current = self._lap()
        self._open.append(Opened(account, current, current))

    def end(self) -> None:
        """Go on with the account before."""
        self._lap()
        done = self._open.pop()
        most = max(0, done.most - done.start)
        self.peaks[done.account] = max(most, self.peaks.get(done.account, 0))

    def stop(self) -> int:
        """The most that was in use at once since the meter was made, beyond what was then."""
        self._lap()
        return self._open[0].most - self._open[0].start
