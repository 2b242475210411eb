"""Looks on while cells run: what has the cell changed, and does the kernel still seem busy?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from kernelmodel.notebook.subshell import running_kernel

LOOK_SECONDS = 0.2


class CellWatch:
    """Calls a function while cells run, five times a second and once after the end.

    It begins in the cell that makes it.

    Args:
        look: Called on a thread.
    """

    def __init__(self, look: Callable[[], None]) -> None:
        self.look = look
        self._lock = threading.Lock()
        self._running = False
        self._to_say = 0  # how many more looks say that the kernel is busy
        self._thread: threading.Thread | None = None
        self._shell = _shell()
        if self._shell is not None:
            self._shell.events.register("pre_run_cell", self._cell_begins)
            self._shell.events.register("post_run_cell", self._cell_ends)
            self._cell_begins()

    def close(self) -> None:
        """Look no more."""
        self._cell_ends()
        if self._shell is not None:
            self._shell.events.unregister("pre_run_cell", self._cell_begins)
            self._shell.events.unregister("post_run_cell", self._cell_ends)
            self._shell = None

    def handled(self) -> None:
        """Note that a subshell has handled a message, after which the kernel is said to be idle."""
        self._to_say = 2  # the first may come before the "idle" that follows the message

    def _cell_begins(self, info: Any = None) -> None:
        with self._lock:
            self._running = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()

    def _cell_ends(self, result: Any = None) -> None:
        with self._lock:
            self._running = False

    def _watch(self) -> None:
        last = False
        while not last:
            with self._lock:
                last = not self._running
                if last:
                    self._thread = None
                else:
                    self._say_busy()
            self.look()
            if not last:
                time.sleep(LOOK_SECONDS)

    def _say_busy(self) -> None:
        """Say that the kernel is busy: the lock is held, so the cell's own "idle" comes later."""
        publish = getattr(running_kernel(), "_publish_status", None)
        if self._to_say and publish is not None:
            self._to_say -= 1
            publish("busy", "shell")


def _shell() -> Any:
    from IPython import get_ipython

    return get_ipython()


def weights_state(model: Any) -> tuple[Any, ...]:
    """What differs once weights have changed: every new value is a new array."""
    return (steps_of(model), *(id(variable._array) for variable in model.variables))


def steps_of(model: Any) -> int | None:
    """How many steps the model's optimizer has made, if it has one."""
    iterations = getattr(getattr(model, "optimizer", None), "iterations", None)
    return None if iterations is None else int(iterations._array)
