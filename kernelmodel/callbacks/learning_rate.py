"""Callbacks that change the learning rate."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel.callbacks.callback import Callback, Logs
from kernelmodel.callbacks.console import say
from kernelmodel.callbacks.monitor import MonitorCallback
from kernelmodel.core.kinds import BelowOne, Function, NotNegative


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    Args:
        schedule: `function(epoch, learning_rate)`, or `function(epoch)`, that returns a number.
        verbose: 1 to say so.

    Raises:
        ValueError: The function returns something else.

    Examples:
        >>> import kernelmodel as km
        >>> halve = km.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        >>> model = type("Model", (), {"optimizer": km.optimizers.SGD(1.0)})()
        >>> halve.set_model(model)
        >>> halve.on_epoch_begin(0)
        >>> float(model.optimizer.learning_rate)
        0.5
    """

    def __init__(self, schedule: Function, verbose: int | bool = 0) -> None:
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the learning rate."""
        optimizer = self.model.optimizer
        old = float(optimizer.learning_rate)
        rate = self.schedule(epoch, old) if _takes_two(self.schedule) else self.schedule(epoch)
        if isinstance(rate, bool) or not hasattr(rate, "__float__"):
            raise ValueError(
                f"LearningRateScheduler: the schedule must return a number, got {rate!r} for epoch "
                f"{epoch}."
            )
        optimizer.learning_rate = float(rate)
        if self.verbose:
            say(f"Epoch {epoch + 1}: the learning rate is set to {float(rate)}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Put the learning rate into the logs."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def _takes_two(function: Callable[..., Any]) -> bool:
    """Whether a function can be called with two positional arguments."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # a builtin that doesn't tell
        return True
    try:
        signature.bind(0, 0.0)
    except TypeError:
        return False
    return True


class ReduceLROnPlateau(MonitorCallback):
    """Lowers the learning rate when a value has stopped improving.

    Args:
        monitor: Name in the logs.
        factor: Factor of the learning rate, below 1.
        patience: Epochs without improvement to wait for one.
        verbose: 1 to say so.
        mode: "min", "max" or "auto".
        min_delta: Differences up to it are no improvement.
        cooldown: Epochs to wait after a change before watching again.
        min_lr: Smallest learning rate.

    Raises:
        ValueError: A factor of 1 or more.

    Examples:
        >>> import kernelmodel as km
        >>> reduce = km.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1)
        >>> model = type("Model", (), {"optimizer": km.optimizers.SGD(1.0)})()
        >>> reduce.set_model(model)
        >>> reduce.on_train_begin()
        >>> for epoch in range(2):
        ...     reduce.on_epoch_end(epoch, {"loss": 0.5})
        >>> float(model.optimizer.learning_rate)
        0.5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: BelowOne = 0.1,
        patience: NotNegative = 10,
        verbose: int | bool = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: NotNegative = 0,
        min_lr: NotNegative = 0.0,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau got unknown argument(s) {sorted(kwargs)}.")
        super().__init__(monitor, mode, None, min_delta)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self.best = None
        self.wait = 0
        self.cooldown_counter: float = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best, and lower the learning rate if it is time."""
        if logs is None:
            logs = {}
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = self.monitored(logs)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best = value
            self.wait = 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        old = float(optimizer.learning_rate)
        if old <= np.float32(self.min_lr):
            return
        rate = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = rate
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose:
            say(f"Epoch {epoch + 1}: {self.monitor} is stuck, learning rate lowered to {rate}.")
