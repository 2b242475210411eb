"""The engine lock: one training step at a time, and whoever waits is served next.

autograd's trace stack is global. A training loop holds this lock for a step; a `predict` from a
widget's thread runs between two steps. Python's own locks let the thread that releases one take it
again at once, so that a waiting widget would starve: this lock is first come, first served.
"""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class FairLock:
    """A re-entrant lock that serves waiting threads in the order they came."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._owner: int | None = None
        self._depth = 0

    def __enter__(self) -> FairLock:
        me = threading.get_ident()
        with self._mutex:
            if self._owner in (None, me):
                self._owner, self._depth = me, self._depth + 1
                return self
            ticket = threading.Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        try:
            ticket.acquire()
        except BaseException:
            self._give_up(ticket)
            raise
        self._owner, self._depth = me, 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._mutex:
            self._depth -= 1
            if self._depth == 0:
                self._hand_over()

    def _hand_over(self) -> None:
        if self._waiting:
            self._owner = -1  # promised: nobody who comes later may take it
            self._waiting.popleft().release()
        else:
            self._owner = None

    def _give_up(self, ticket: threading.Lock) -> None:
        with self._mutex:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            else:
                self._hand_over()


ENGINE_LOCK = FairLock()
