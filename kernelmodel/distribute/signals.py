"""A signal as a flag: it asks a worker to stop between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# The signal that the one who leads sends: every system has it, as an interrupt from the keyboard.
STOP = signal.SIGINT


class StopFlag:
    """Whether the signal came.

    Attributes:
        raised: Whether it did.
    """

    raised = False

    def __call__(self) -> bool:
        return self.raised


@contextmanager
def stop_flag() -> Iterator[StopFlag]:
    """In a `with` block, the signal raises a flag in place of a KeyboardInterrupt."""
    flag = StopFlag()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return

    def note(number: int, frame: Any) -> None:
        flag.raised = True

    old = signal.signal(STOP, note)
    try:
        yield flag
    finally:
        signal.signal(STOP, old)
