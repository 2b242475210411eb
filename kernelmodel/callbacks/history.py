"""The record of a training."""

from __future__ import annotations

from typing import Any

from kernelmodel.callbacks.callback import Callback, Logs
from kernelmodel.callbacks.history_text import history_text
from kernelmodel.core.hooks import hooks


class History(Callback):
    """What `fit` returns: loss and metrics of each epoch, and what a person did meanwhile.

    Attributes:
        history: `{name: [value of epoch 0, value of epoch 1, ...]}`.
        epoch: Numbers of the epochs of the last run.
        events: What was done through the live panel, in order: dicts with "epoch" (counted from
            0), "step" (training steps of that epoch before it), "action" ("stop", "stop after
            epoch", "pause", "resume", "learning rate", "save", "restore best", "roll back") and
            "value" (the new learning rate, the saved file's path, the epoch whose weights came
            back, the seconds of a pause; else None).

    Examples:
        >>> import kernelmodel as km
        >>> history = km.callbacks.History()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> history.history
        {'loss': [0.5]}
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.events: list[dict[str, Any]] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Count the epochs of this run only."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch's values."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self

    def __repr__(self) -> str:
        return history_text(self.history)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if hooks.history_repr is None or not self.history:
            return {"text/plain": repr(self)}
        return hooks.history_repr(self)
