"""Saving the model while it trains."""

from __future__ import annotations

import os

from kernelmodel.callbacks.callback import Logs
from kernelmodel.callbacks.console import say
from kernelmodel.callbacks.monitor import MonitorCallback
from kernelmodel.core.kinds import PathLike


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after each epoch or some batches.

    Args:
        filepath: Path ending in ".keras" or ".h5", or ".weights.h5" for weights only; `{epoch}`,
            `{batch}` and names of the logs are filled in, e.g. "{epoch:02d}-{val_loss:.2f}.keras".
        monitor: Name in the logs.
        verbose: 1 to say what is saved.
        save_best_only: Save only when the value improves.
        save_weights_only: Save weights only.
        mode: "min", "max" or "auto".
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: Value to be better than at first.

    Raises:
        ValueError: Another ending of the path, or another `save_freq`.
        KeyError: The path names something that is not in the logs.

    Examples:
        >>> import kernelmodel as km
        >>> checkpoint = km.callbacks.ModelCheckpoint("{epoch:02d}-{loss:.1f}.keras")
        >>> checkpoint.path_for(0, None, {"loss": 0.5})
        '01-0.5.keras'
    """

    def __init__(
        self,
        filepath: PathLike,
        monitor: str = "val_loss",
        verbose: int | bool = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._epoch = 0
        self._batches = 0
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(
                f"ModelCheckpoint: save_freq must be 'epoch' or a number of batches, got "
                f"{save_freq!r}."
            )
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            what = "weights" if save_weights_only else "model"
            raise ValueError(
                f"ModelCheckpoint: the path of a {what} file must end in "
                f"{' or '.join(map(repr, endings))}, got {self.filepath!r}."
            )

    def listens(self, hook: str) -> bool:
        """Batches matter only if they are counted."""
        if hook == "on_train_batch_end":
            return self.save_freq != "epoch"
        return super().listens(hook)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the number of the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save if it is time."""
        if isinstance(self.save_freq, str):
            return
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save if epochs are what counts."""
        if self.save_best_only:
            self._direction()
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def path_for(self, epoch: int, batch: int | None, logs: Logs | None) -> str:
        """The path with everything filled in.

        Args:
            epoch: Counted from 0; the path has it counted from 1.
            batch: Likewise; None at the end of an epoch.
            logs: The logs.
        """
        known = {"epoch": epoch + 1} | ({} if batch is None else {"batch": batch + 1})
        known |= logs or {}
        try:
            return self.filepath.format(**known)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: {self.filepath!r} needs {error}, which is not among "
                f"{', '.join(known)}."
            ) from error

    def _save(self, epoch: int, batch: int | None, logs: Logs | None) -> None:
        path = self.path_for(epoch, batch, logs)
        if not self._wanted(epoch, logs, path):
            return
        if os.path.isdir(path):
            raise IsADirectoryError(
                f"ModelCheckpoint: {path!r} is a folder. Give the path of a file."
            )
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _wanted(self, epoch: int, logs: Logs | None, path: str) -> bool:
        """Whether to save now."""
        value = self.monitored(logs) if self.save_best_only else None
        if value is None:
            self._tell(f"Epoch {epoch + 1}: saving to {path}")
            return True
        before = "nothing" if self.best is None else f"{self.best:.5f}"
        if not self.improves(value, self.best):
            self._tell(f"Epoch {epoch + 1}: {self.monitor} {value:.5f} is no better than {before}")
            return False
        self._tell(
            f"Epoch {epoch + 1}: {self.monitor} went from {before} to {value:.5f}, saving to {path}"
        )
        self.best = value
        return True

    def _tell(self, message: str) -> None:
        if self.verbose:
            say(message)
