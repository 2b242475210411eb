"""The engine lock: one training step at a time, and whoever waits is served next.

autograd's trace stack is global. A training loop holds this lock for a step; a `predict` from a
widget's thread runs between two steps. Python's own locks let the thread that releases one take it
again at once, so that a waiting widget would starve: this lock is first come, first served.

An interrupt may come between any two instructions of Python. Were the lock's end written in
Python, one that comes just then would leave it taken for ever; so it is that of Python's own lock.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

PYTHONS_OWN: Any = type(threading.RLock())


class FairLock(PYTHONS_OWN):
    """A re-entrant lock that serves waiting threads in the order they came."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> FairLock:
        owned = self._is_owned()
        try:
            if owned or not self._waiting:
                taken = self.acquire(blocking=False)
            else:
                taken = False
            if not taken:
                self._queue()
        except BaseException:
            # An owned lock is taken again without a wait: what is raised came after that.
            if owned or self._is_owned():
                self.release()
            raise
        return self

    def _queue(self) -> None:
        ticket = threading.Lock()
        ticket.acquire()
        try:
            with self._mutex:
                first = not self._waiting
                self._waiting.append(ticket)
            if not first:
                ticket.acquire()
            self.acquire()
        except BaseException:
            self._leave(ticket)
            raise
        try:
            self._leave(ticket)
        except BaseException:
            self._leave(ticket)
            raise

    def _leave(self, ticket: threading.Lock) -> None:
        """Take a ticket out of the queue, and call the next one; a second call does no harm."""
        with self._mutex:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if self._waiting and self._waiting[0].locked():
                self._waiting[0].release()


ENGINE_LOCK = FairLock()
