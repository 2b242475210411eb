"""Work on a thread of its own, always on the newest wish: what came meanwhile is skipped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

_NOTHING = object()


class Newest:
    """Calls a function with the newest of the values it was given, one call at a time.

    The thread lives only while there is something to do. An exception of the function ends the
    thread, which reports it as Python does, and not the next calls.

    Args:
        function: called with a value, on the thread.
    """

    def __init__(self, function: Callable[[Any], None]) -> None:
        self.function = function
        self._lock = threading.Lock()
        self._value: Any = _NOTHING
        self._thread: threading.Thread | None = None

    def put(self, value: Any) -> None:
        """Have the function called with a value, unless a newer one comes before its turn."""
        with self._lock:
            self._value = value
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="kernelmodel-newest", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            while (value := self._take()) is not _NOTHING:
                self.function(value)
        except BaseException:
            with self._lock:
                self._thread = None
                if self._value is not _NOTHING:
                    self._start()
            raise

    def _take(self) -> Any:
        with self._lock:
            value, self._value = self._value, _NOTHING
            if value is _NOTHING:
                self._thread = None
            return value
