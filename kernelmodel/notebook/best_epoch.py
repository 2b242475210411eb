"""Which epoch was the best so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernelmodel.callbacks.monitor import MonitorCallback


class BestEpoch:
    """Compares each epoch with the best before it.

    Args:
        monitor: name in the logs; None for "val_loss", or "loss" as long as nothing is validated.
        mode: "min", "max", or "auto" to ask the metric.

    Attributes:
        epoch: the best epoch's number, counted from 0, or None.
        name: what it is best in.
        value: its value.
    """

    def __init__(self, monitor: str | None = None, mode: str = "auto") -> None:
        self.epoch: int | None = None
        self.name = monitor or "loss"
        self.value: float | None = None
        self._mode = mode
        self._chosen = monitor is not None
        self._watch = MonitorCallback(self.name, mode)

    def set_model(self, model: Any) -> None:
        """Take the model, whose metrics know whether more is better."""
        self._watch.set_model(model)

    def look(self, epoch: int, values: Mapping[str, float]) -> bool:
        """Take an epoch's values; return whether it is the best so far.

        Args:
            epoch: its number, counted from 0.
            values: its loss and metrics by name.
        """
        if not self._chosen and "val_loss" in values:
            self._chosen, self.name = True, "val_loss"
            self.epoch, self.value = None, None
        value = values.get(self.name)
        if value is None or not self._watch_for().improves(value, self.value):
            return False
        self.epoch, self.value = epoch, value
        return True

    def _watch_for(self) -> MonitorCallback:
        if self._watch.monitor != self.name:
            model, self._watch = self._watch.model, MonitorCallback(self.name, self._mode)
            self._watch.set_model(model)
        return self._watch
