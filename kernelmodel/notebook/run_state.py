"""What a live view knows about a running fit: its progress, its curves and its latest values."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kernelmodel.notebook.series import Series

VALIDATION = "val_"
WITHIN, TRAIN, VAL = "within", "train", "val"
MOST_AT_ONCE = 40


class RunState:
    """Follows the events of one fit and answers what a view shows of it, in bounded memory.

    Curves are kept per metric: `within` (value after each batch, as the loop reports it), `train`
    (value at the end of each epoch) and `val` (validation value at the end of each epoch). Their x
    is in epochs: 1.5 is the middle of the second epoch.

    Args:
        title: what is being trained, usually the model's name.
        clock: a function that returns seconds.
    """

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.title = title
        self.status = "waiting"
        self.note = ""
        self.epochs: int | None = None
        self.steps: int | None = None
        self.batch_size: int | None = None
        self.epoch = 0
        self.step = 0
        self.epoch_is_open = False
        self.validating = False
        self.latest: dict[str, float] = {}
        self.epochs_done = 0
        self.history: dict[str, Series] = {}
        self.curves: dict[str, dict[str, Series]] = {}
        self._fresh: dict[str, dict[str, Series]] = {}
        self._clock = clock
        self._begun: float | None = None
        self._ended: float | None = None
        self._paused_at: float | None = None
        self._paused = 0.0
        self._first_epoch: int | None = None
        self._steps_done = 0
        self._recent: list[tuple[float, int]] = []

    # ---- events

    def begin(self, params: Mapping[str, Any]) -> None:
        """Note the start of the run; `params` are those of the callback protocol."""
        self.epochs = params.get("epochs")
        self.steps = params.get("steps")
        self.batch_size = params.get("batch_size")
        self.status = "running"
        self._begun = self._clock()
        self._recent = [(self._begun, 0)]

    def begin_epoch(self, epoch: int) -> None:
        """Note the start of epoch number `epoch`, counted from 0."""
        if self._first_epoch is None:
            self._first_epoch = epoch
        self.epoch, self.step = epoch, 0
        self.epoch_is_open, self.validating = True, False

    def pause(self) -> None:
        """Note that the training waits; its time stands still."""
        self.status = "paused"
        self._paused_at = self._clock()

    def resume(self) -> float:
        """Note that the training goes on; return the seconds it has waited."""
        if self._paused_at is None:
            return 0.0
        waited = self._clock() - self._paused_at
        self._paused += waited
        self._paused_at = None
        self.status = "running"
        self._recent = [(self._time(), self._steps_done)]
        return waited

    def end_batch(self, batch: int, logs: Mapping[str, Any] | None) -> None:
        """Note the end of the training step number `batch`, counted from 0."""
        self._steps_done += batch + 1 - self.step if batch >= self.step else 1
        self.step = batch + 1
        self.validating = False
        x = self.epoch + min(self.step / self.steps, 1.0) if self.steps else None
        for name, value in numbers(logs).items():
            self.latest[name] = value
            if x is not None:
                self._add(name, WITHIN, x, value)

    def end_epoch(self, epoch: int, logs: Mapping[str, Any] | None) -> None:
        """Note the end of epoch number `epoch`, counted from 0, with its values."""
        if self.steps is None and self.step:
            self.steps = self.step
        self.epoch = epoch
        self.epochs_done += 1
        self.epoch_is_open = self.validating = False
        for name, value in numbers(logs).items():
            self.latest[name] = value
            self.history.setdefault(name, Series()).append(epoch + 1.0, value)
            of_validation = name.startswith(VALIDATION)
            metric = name.removeprefix(VALIDATION)
            self._add(metric, VAL if of_validation else TRAIN, epoch + 1.0, value)

    def end(self, status: str, note: str = "") -> None:
        """Note the end of the run: status is "done", "stopped" or "failed"."""
        self._ended = self._clock() if self._paused_at is None else self._paused_at
        self.status, self.note = status, note
        self.validating = False

    # ---- answers

    @property
    def has_begun_an_epoch(self) -> bool:
        """Whether anything has happened since the run began."""
        return self._first_epoch is not None

    @property
    def is_open(self) -> bool:
        """Whether the run has begun and not ended."""
        return self.status in ("running", "paused", "stopping")

    def where(self) -> str:
        """Return the place the run has reached, in words."""
        return f"epoch {self.epoch + 1}, step {self.step}"

    def progress(self) -> dict[str, Any]:
        """Return the figures a view shows beside the curves, ready for JSON."""
        now = self._time()
        elapsed = 0.0 if self._begun is None else now - self._begun
        per_second = self._rate(now)
        samples = self.batch_size is not None
        return {
            "status": self.status,
            "note": self.note,
            "epoch": self.epoch + 1,
            "epochs": self.epochs,
            "step": self.step,
            "steps": self.steps,
            "validating": self.validating,
            "elapsed": round(elapsed, 2),
            "remaining": self._remaining(elapsed),
            "rate": None if per_second is None else per_second * (self.batch_size or 1),
            "unit": "samples" if samples else "steps",
            "latest": {name: wire(value) for name, value in self.latest.items()},
        }

    def all_curves(self) -> dict[str, Any]:
        """Return every curve, ready for JSON, for a new view."""
        return _on_wire(self.curves)

    def new_curves(self) -> dict[str, Any]:
        """Return what came since the last call, ready for JSON, and forget that it is new."""
        fresh, self._fresh = self._fresh, {}
        return _on_wire(fresh)

    def forget_news(self) -> None:
        """Forget what came since the last message: a snapshot held it."""
        self._fresh = {}

    # ---- figures

    def _add(self, metric: str, kind: str, x: float, y: float) -> None:
        self.curves.setdefault(metric, {}).setdefault(kind, Series()).append(x, y)
        fresh = self._fresh.setdefault(metric, {})
        if kind not in fresh:
            fresh[kind] = Series(MOST_AT_ONCE)
        fresh[kind].append(x, y)

    def _time(self) -> float:
        """Return the clock's seconds, less those of pauses; it stands still after the end."""
        now = self._ended if self._ended is not None else self._paused_at
        return (self._clock() if now is None else now) - self._paused

    def _remaining(self, elapsed: float) -> float | None:
        if not self.epochs or self.status not in ("running", "paused") or self._first_epoch is None:
            return None
        within = min(self.step / self.steps, 1.0) if self.steps else 0.0
        done = self.epoch - self._first_epoch + within
        return round(elapsed * (self.epochs - self._first_epoch - done) / done, 2) if done else None

    def _rate(self, now: float) -> float | None:
        """Return steps per second over about the last three seconds."""
        if self._steps_done == 0:
            return None
        if self._ended is None and self._paused_at is None:
            self._recent.append((now, self._steps_done))
            while len(self._recent) > 2 and now - self._recent[1][0] > 3.0:
                self._recent.pop(0)
        (t0, n0), (t1, n1) = self._recent[0], self._recent[-1]
        if n1 == n0 and self._begun is not None:  # nothing since a pause
            t0, n0 = self._begun, 0
        return (n1 - n0) / (t1 - t0) if t1 > t0 else None


def wire(value: float) -> float | str:
    """Return a number as JSON can carry it: NaN and infinities as JavaScript reads them."""
    if math.isfinite(value):
        return float(f"{value:.6g}")
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _on_wire(curves: Mapping[str, Mapping[str, Series]]) -> dict[str, Any]:
    return {
        metric: {kind: points(s.x, s.y) for kind, s in kinds.items()}
        for metric, kinds in curves.items()
    }


def points(x: Sequence[float], y: Sequence[float]) -> list[list[float | str]]:
    """Return a curve as x and y for JSON."""
    return [[round(value, 5) for value in x], [wire(value) for value in y]]


def numbers(logs: Mapping[str, Any] | None) -> dict[str, float]:
    """Return those entries of `logs` that are single numbers or arrays without axes."""
    return {
        str(name): float(value)
        for name, value in (logs or {}).items()
        if isinstance(value, (int, float)) or getattr(value, "ndim", None) == 0
    }
