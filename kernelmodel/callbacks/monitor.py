"""Callbacks that watch one value of the logs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from kernelmodel.callbacks.callback import Callback, Logs
from kernelmodel.core.warning import warn_user

MODES = ("auto", "min", "max")


def all_metrics(metrics: Any) -> Iterator[Any]:
    """Metrics, and those that other metrics hold."""
    for metric in metrics or ():
        yield metric
        yield from all_metrics(getattr(metric, "metrics", None))


class MonitorCallback(Callback):
    """Base of callbacks that compare a value of the logs with its best so far.

    Args:
        monitor: Name in the logs, e.g. "val_loss".
        mode: "min" if smaller is better, "max" if larger is, "auto" to ask the metric.
        baseline: Value to be better than at first; None for any.
        min_delta: Differences up to it are no improvement.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ) -> None:
        if mode not in MODES:
            warn_user(
                f"{type(self).__name__}: mode must be one of {MODES}, got {mode!r}; 'auto' is "
                "used instead.",
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self._sign: int | None = None

    def _direction(self) -> int:
        """1 if larger is better, -1 if smaller is.

        Raises:
            ValueError: Mode "auto" and nobody knows.
        """
        if self._sign is None:
            self._sign = self._find_direction()
        return self._sign

    def _find_direction(self) -> int:
        if self.mode != "auto":
            return 1 if self.mode == "max" else -1
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return -1
        for metric in all_metrics(getattr(self.model, "metrics", None)):
            direction = getattr(metric, "_direction", None)
            if direction and (name == metric.name or name.endswith(f"_{metric.name}")):
                return 1 if direction == "up" else -1
        if name.endswith(("acc", "accuracy")):
            return 1
        raise ValueError(
            f"{type(self).__name__}: can't tell whether {self.monitor!r} should be large or small. "
            "Say so with mode='max' or mode='min'."
        )

    def improves(self, value: float, reference: float | None) -> bool:
        """Whether a value is better than another by more than `min_delta`; a NaN never is."""
        if math.isnan(value):
            return False
        if reference is None or math.isnan(reference):
            return True
        sign = self._direction()
        return sign * (value - reference) > self.min_delta

    def monitored(self, logs: Logs | None) -> float | None:
        """The value in the logs, or None with a warning that names what there is."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            available = ", ".join(logs or {}) or "nothing"
            warn_user(
                f"{type(self).__name__} watches {self.monitor!r}, which is not in the logs. "
                f"Available: {available}.",
            )
            return None
        return float(value)
