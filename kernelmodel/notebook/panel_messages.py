"""What a panel's views are told, and how often."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from kernelmodel.callbacks.history_text import history_text
from kernelmodel.notebook.curves import curves_svg
from kernelmodel.notebook.earlier_runs import Run
from kernelmodel.notebook.panel_view import PanelView
from kernelmodel.notebook.run_state import RunState, points
from kernelmodel.notebook.series import Throttle
from kernelmodel.notebook.steering import Steering
from kernelmodel.notebook.svg import picture

INTERVAL = 0.1
BUSY_INTERVAL = 1.0
UNASKED_INTERVAL = 2.0  # where a new view cannot ask for the history, it comes by itself
STILL_INTERVAL = 10.0  # so old may be the picture that stays where the kernel dies


class PanelMessages:
    """Tells a panel's views what is new: at most ten times a second, in bounded messages.

    Args:
        state: how far the run is.
        steering: what a person did.
        clock: a function that returns seconds.

    Attributes:
        view: where all this is shown, or None.
        earlier: the curves of the model's earlier runs.
        lock: held while `state` changes, so that no message tells half of a change.
    """

    def __init__(self, state: RunState, steering: Steering, clock: Callable[[], float]) -> None:
        self.view: PanelView | None = None
        self.earlier: list[Run] = []
        self.lock = threading.RLock()
        self._state = state
        self._steering = steering
        self._throttle = Throttle(INTERVAL, clock)
        self._busy = Throttle(BUSY_INTERVAL, clock)
        self._unasked = Throttle(UNASKED_INTERVAL, clock)
        self._still = Throttle(STILL_INTERVAL, clock)

    def tell(self) -> None:
        """Tell what is new, if it is time."""
        if self.view is None or not self._throttle.ready():
            return
        if not self.view.hears and self._unasked.ready():
            self.send_all()
        self.tell_now()
        if self._busy.ready():
            self.view.stay_busy()
        if self._state.curves and self._still.ready():
            self.view.send({"type": "still", "bundle": self.still("Broken off, last seen")})

    def tell_now(self) -> None:
        """Tell what is new."""
        with self.lock:
            if self.view is not None:
                self.view.send(self._message("append", self._state.new_curves()))

    def send_all(self) -> None:
        """Tell everything, for a view that has just opened."""
        with self.lock:
            if self.view is None:
                return
            self._state.new_curves()
            message = self._message("snapshot", self._state.all_curves())
            message["earlier"] = [
                {m: {k: points(*c) for k, c in kinds.items()} for m, kinds in run.items()}
                for run in self.earlier
            ]
            self.view.send(message)

    def acknowledge(self, control: str) -> None:
        """Tell that a wish has arrived."""
        if self.view is not None:
            self.view.send({"type": "heard", "control": control})

    def still(self, note: str | None = None) -> dict[str, Any]:
        """Return the display bundle of the curves as they are now: pictures and a stable text.

        Args:
            note: how the training ended; None for what is known of it.
        """
        state = self._state
        note = state.note if note is None else f"{note} at {state.where()}"
        curves = {
            metric: {kind: (s.x, s.y) for kind, s in kinds.items()}
            for metric, kinds in state.curves.items()
        }
        history = {name: series.y for name, series in state.history.items()}
        inside = note if state.status == "failed" else note[:1].lower() + note[1:]
        plain = history_text(history, state.epochs_done, inside)
        svg = curves_svg(curves, state.title, note, self._steering.best.epoch)
        return picture(svg, f"{state.title}: {plain}", plain)

    def _message(self, kind: str, curves: dict[str, Any]) -> dict[str, Any]:
        progress = {**self._state.progress(), **self._steering.progress()}
        message = {"type": kind, "curves": curves, "progress": progress}
        if not self._state.is_open:
            message["kept"] = self._steering.kept_epochs()
        return message
