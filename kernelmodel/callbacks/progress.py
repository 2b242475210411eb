"""Progress of a run on a terminal or in a log."""

from __future__ import annotations

import sys
import time
from typing import Any

from kernelmodel.callbacks.callback import Callback, Logs, overrides
from kernelmodel.callbacks.console import say, step_time, values
from kernelmodel.core.settings import SETTINGS

# Seconds between two drawings of the bar.
INTERVAL = 0.05


class ProgbarLogger(Callback):
    """Shows progress, loss and metrics: `fit` adds one unless it is silent.

    With verbose 1 a terminal gets a live bar; anything else (a file, a pipe) gets a line an epoch,
    as with verbose 2, without control characters.

    Examples:
        >>> import kernelmodel as km
        >>> bar = km.callbacks.ProgbarLogger()
        >>> bar.set_params({"epochs": 2, "steps": 1, "verbose": 2})
        >>> bar.on_epoch_begin(0)
        Epoch 1/2
        >>> bar.on_epoch_end(0, {"loss": 0.5})
        1/1 - 0s - .../step - loss: 0.5000
    """

    verbose = 1
    epochs = 1
    steps: int | None = None

    def __init__(self) -> None:
        self.seen = 0
        self._in_fit = False
        self._began = self._drawn = time.perf_counter()
        self._bar: Any = None
        self._task: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Take steps, epochs and verbosity."""
        self.params = params
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.epochs = params.get("epochs") or 1
        self.steps = params.get("steps")

    @property
    def live(self) -> bool:
        """Whether a bar is drawn."""
        return self.verbose == 1 and SETTINGS.interactive_logging and sys.stdout.isatty()

    def listens(self, hook: str) -> bool:
        """Batches matter only to a live bar, or to count them if nobody knows how many come."""
        if self.verbose == 0:
            return False
        if hook.endswith("batch_end"):
            return self.live or self.steps is None
        return overrides(self, hook)

    # ---- hooks ----

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Validation within training is silent."""
        self._in_fit = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Take the bar away if training broke off within an epoch."""
        self._in_fit = False
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Announce the epoch."""
        if self.verbose and self.epochs > 1:
            say(f"Epoch {epoch + 1}/{self.epochs}")
        self._open()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's line."""
        self._finish(logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Begin, outside of training."""
        if not self._in_fit:
            self._open()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Write the line, outside of training."""
        if not self._in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Begin."""
        self._open()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Write the line."""
        self._finish(None)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar."""
        self._move(batch + 1, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar, outside of training."""
        if not self._in_fit:
            self._move(batch + 1, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar."""
        self._move(batch + 1, None)

    # ---- drawing ----

    def _open(self) -> None:
        self._close()
        self.seen = 0
        self._began = self._drawn = time.perf_counter()
        if not self.live:
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.completed:.0f}/{task.fields[of]}"),
            BarColumn(bar_width=20),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[text]}", markup=False),
            console=Console(file=sys.stdout),
            auto_refresh=False,
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task("", total=self.steps, of=self.steps or "?", text="")

    def _move(self, seen: int, logs: Logs | None) -> None:
        self.seen = seen
        now = time.perf_counter()
        if self._bar is None or now - self._drawn < INTERVAL:
            return
        self._drawn = now
        text = f"{step_time((now - self._began) / seen)}{values(logs or {})}"
        self._bar.update(self._task, completed=seen, text=text)
        self._bar.refresh()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _finish(self, logs: Logs | None) -> None:
        self._close()
        if not self.verbose:
            return
        elapsed = time.perf_counter() - self._began
        steps = self.steps or self.seen
        each = step_time(elapsed / max(steps, 1))
        say(f"{steps}/{steps} - {elapsed:.0f}s - {each}{values(logs or {})}")
