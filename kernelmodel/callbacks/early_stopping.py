"""Stopping before the last epoch: when nothing improves any more, or all is lost."""

from __future__ import annotations

import math
from typing import Any

from kernelmodel.callbacks.callback import Callback, Logs
from kernelmodel.callbacks.console import say
from kernelmodel.callbacks.monitor import MonitorCallback
from kernelmodel.core.kinds import NotNegative


class EarlyStopping(MonitorCallback):
    """Ends training when a value has stopped improving.

    Args:
        monitor: Name in the logs.
        min_delta: Differences up to it are no improvement.
        patience: Epochs without improvement to wait for one.
        verbose: 1 to say so.
        mode: "min", "max" or "auto".
        baseline: Improvements that don't reach this value don't count.
        restore_best_weights: At the end, go back to the weights of the best epoch.
        start_from_epoch: Epochs at the start that don't count.

    Examples:
        >>> import kernelmodel as km
        >>> stopping = km.callbacks.EarlyStopping("loss", patience=1)
        >>> stopping.set_model(model := type("Model", (), {"stop_training": False})())
        >>> stopping.on_train_begin()
        >>> for epoch, loss in enumerate([0.5, 0.6, 0.7]):
        ...     stopping.on_epoch_end(epoch, {"loss": loss})
        >>> model.stop_training
        True
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: NotNegative = 0,
        verbose: int | bool = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: NotNegative = 0,
    ) -> None:
        super().__init__(monitor, mode, None, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_weights: Any = None
        self.best_epoch = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best."""
        value = self.monitored(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self._direction()
        if self.restore_best_weights and self.best_weights is None:
            self._keep_weights(epoch)
        self.wait += 1
        if self.improves(value, self.best):
            self.best = value
            self.best_epoch = epoch
            if self.restore_best_weights:
                self._keep_weights(epoch)
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep_weights(self, epoch: int) -> None:
        self.best_weights = self.model.get_weights()
        self.best_epoch = epoch

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Bring the best weights back if asked to."""
        if self.stopped_epoch and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: {self.monitor} no longer improves, stopped.")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                say(f"Weights of epoch {self.best_epoch + 1}, the best, are restored.")
            self.model.set_weights(self.best_weights)


class TerminateOnNaN(Callback):
    """Ends training when the loss is NaN or infinite.

    Args:
        raise_error: Raise a RuntimeError instead.

    Examples:
        >>> import kernelmodel as km
        >>> guard = km.callbacks.TerminateOnNaN()
        >>> guard.set_model(model := type("Model", (), {"stop_training": False})())
        >>> guard.on_train_batch_end(3, {"loss": float("nan")})
        Batch 3: the loss is nan, training ends.
        >>> model.stop_training
        True
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        message = f"Batch {batch}: the loss is {float(loss)}, training ends."
        if self.raise_error:
            raise RuntimeError(message)
        say(message)
        self.model.stop_training = True
