"""Callbacks: what runs between the steps of training, evaluation and prediction."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.making import NamedErrors

Logs = dict[str, Any]

HOOKS = (
    "on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end",
    "on_train_batch_begin", "on_train_batch_end",
    "on_test_begin", "on_test_end", "on_test_batch_begin", "on_test_batch_end",
    "on_predict_begin", "on_predict_end", "on_predict_batch_begin", "on_predict_batch_end",
)  # fmt: skip


class Callback(NamedErrors):
    """Base of callbacks: override the hooks that matter; the others cost nothing.

    Attributes:
        model: The model that runs. Set `model.stop_training = True` to end training.
        params: A dict with "epochs", "steps" and "verbose".

    Examples:
        >>> import kernelmodel as km
        >>> class Epochs(km.callbacks.Callback):
        ...     def __init__(self):
        ...         self.seen = []
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.seen.append((epoch, logs["loss"]))
        >>> epochs = Epochs()
        >>> km.callbacks.CallbackList([epochs]).on_epoch_end(0, {"loss": 0.5})
        >>> epochs.seen
        [(0, 0.5)]
    """

    model: Any = None
    params: dict[str, Any] | None = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the parameters of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take the model that runs."""
        self.model = model

    def listens(self, hook: str) -> bool:
        """Whether a hook, e.g. "on_train_batch_end", does anything in the coming run."""
        return overrides(self, hook)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Old name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Old name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch; epochs count from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch; the logs hold its loss and metrics, those of validation with "val_"."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a training batch; batches count from 0 in each epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a training batch; the logs hold loss and metrics of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of evaluation or validation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of evaluation or validation."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of prediction; the logs hold its outputs."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """At the begin of training."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """At the end of training; the logs are those of the last epoch."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """At the begin of evaluation or validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """At the end of evaluation or validation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """At the begin of prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """At the end of prediction."""


def overrides(callback: Any, hook: str) -> bool:
    """Whether a callback's class, or the object itself, has its own version of a hook."""
    if hook in vars(callback):
        return True
    own = getattr(type(callback), hook, None)
    if own is not None and own is not getattr(Callback, hook):
        return True
    old = hook.replace("on_train_batch_", "on_batch_")
    return old != hook and overrides(callback, old)
