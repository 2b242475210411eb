"""Notices, while cells run, that a model's weights have changed: by a training, by a file."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

LOOK_SECONDS = 0.2


class WeightWatch:
    """Calls a function after a model's weights have changed, while cells run.

    Args:
        model: The model.
        changed: Called on a thread, at most every 0.2 s.
    """

    def __init__(self, model: Any, changed: Callable[[], None]) -> None:
        self.model, self.changed = model, changed
        self._running = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._registered = False
        self._seen = weights_state(model)

    def start(self) -> None:
        """Look on, in each cell from now on and in the running one."""
        from IPython import get_ipython

        shell = get_ipython()
        with self._lock:
            if shell is not None and not self._registered:
                self._registered = True
                shell.events.register("pre_run_cell", self._cell_begins)
                shell.events.register("post_run_cell", self._cell_ends)
        self._cell_begins()

    def stop(self) -> None:
        """Look no more."""
        from IPython import get_ipython

        shell = get_ipython()
        self._running.clear()
        with self._lock:
            if shell is not None and self._registered:
                self._registered = False
                shell.events.unregister("pre_run_cell", self._cell_begins)
                shell.events.unregister("post_run_cell", self._cell_ends)

    def _cell_begins(self, info: Any = None) -> None:
        with self._lock:
            self._running.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, daemon=True)
                self._thread.start()

    def _cell_ends(self, result: Any = None) -> None:
        self._running.clear()

    def _look(self) -> None:
        last = False
        while not last:
            with self._lock:
                last = not self._running.is_set()  # one more look after the end of the cell
                if last:
                    self._thread = None
            state = weights_state(self.model)
            if state != self._seen:
                self._seen = state
                self.changed()
            if not last:
                time.sleep(LOOK_SECONDS)


def weights_state(model: Any) -> tuple[Any, ...]:
    """What differs once weights have changed: every new value is a new array."""
    return (steps_of(model), *(id(variable._array) for variable in model.variables))


def steps_of(model: Any) -> int | None:
    """How many steps the model's optimizer has made, if it has one."""
    iterations = getattr(getattr(model, "optimizer", None), "iterations", None)
    return None if iterations is None else int(iterations._array)
