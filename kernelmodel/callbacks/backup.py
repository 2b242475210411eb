"""Going on with a training that was broken off."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.callbacks.callback import Callback, Logs
from kernelmodel.core.files import replaced_when_done
from kernelmodel.core.kinds import PathLike

FILE = "latest.npz"


@dataclass(frozen=True)
class FitStart:
    """How a fit began: the state of the global random stream, and its first epoch."""

    random: dict[str, Any]
    epoch: int


@dataclass(frozen=True)
class ResumePoint:
    """Where to go on: after so many batches of an epoch of the fit that began in that way.

    `put_back` sets all variables to what they were there.
    """

    start: FitStart
    epoch: int
    batch: int
    put_back: Callable[[], None]


class BackupAndRestore(Callback):
    """Saves the state of a training, so that the same `fit` goes on where it was broken off.

    Run the same program again, with the same data: weights, optimizer, random streams, metrics,
    epoch and batch are as they were, so the result is that of a run without a break. (Batches that
    are done already are loaded again, but not trained on.) A file is replaced only by a whole one,
    whenever the process is killed.

    Args:
        backup_dir: Folder for the backup; made if it doesn't exist. Nothing else may use it.
        save_freq: "epoch" to save after each epoch, or a number of batches.
        double_checkpoint: Keep the last backup but one, too, for when a disk damages the last.
        delete_checkpoint: Delete the folder when training ends, but not when it is interrupted.

    Raises:
        ValueError: No folder, or another `save_freq`; later, a backup of another model.

    Examples:
        >>> import kernelmodel as km
        >>> backup = km.callbacks.BackupAndRestore("backup", save_freq=100)
        >>> backup.backup_dir
        'backup'
    """

    def __init__(
        self,
        backup_dir: PathLike,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        if not backup_dir:
            raise ValueError(f"BackupAndRestore: backup_dir must be a folder, got {backup_dir!r}.")
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(
                f"BackupAndRestore: save_freq must be 'epoch' or a number of batches, got "
                f"{save_freq!r}."
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._epoch = 0
        self._unsaved = 0

    @property
    def path(self) -> Path:
        """The file of the last backup."""
        return Path(self.backup_dir) / FILE

    @property
    def previous_path(self) -> Path:
        """The file of the one before."""
        return self.path.with_name(f"previous_{FILE}")

    def listens(self, hook: str) -> bool:
        """Batches matter only if they are counted."""
        if hook == "on_train_batch_end":
            return self.save_freq != "epoch"
        return super().listens(hook)

    # ---- hooks ----

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take up the backup, if there is one."""
        self._unsaved = 0
        found = self._read()
        if found is None:
            return
        about, values = found
        self._check(about, values)
        start = FitStart(**about["start"])
        put_back = partial(_assign, self._variables(), values)
        put_back()
        self.model._resume_point = ResumePoint(start, about["epoch"], about["batch"], put_back)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the number of the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save if it is time."""
        if isinstance(self.save_freq, str):
            return
        self._unsaved += 1
        if self._unsaved >= self.save_freq:
            self._unsaved = 0
            self._save(self._epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save if epochs are what counts."""
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Delete the backup of a training that came to its end."""
        finished = not getattr(self.model, "_interrupted", False)
        if self.delete_checkpoint and finished:
            shutil.rmtree(self.backup_dir, ignore_errors=True)

    # ---- files ----

    def _variables(self) -> list[Any]:
        """Everything that a training changes."""
        model = self.model
        metrics = [v for metric in model.metrics for v in metric.variables]
        own = [] if model.optimizer is None else model.optimizer.variables
        return list({id(v): v for v in [*model.variables, *metrics, *own]}.values())

    def _save(self, epoch: int, batch: int) -> None:
        start = self.model._fit_start
        about = {
            "epoch": epoch,
            "batch": batch,
            "start": {"random": start.random, "epoch": start.epoch},
        }
        arrays = {str(i): v.numpy() for i, v in enumerate(self._variables())}
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and self.path.exists():
            with replaced_when_done(self.previous_path) as part:
                shutil.copyfile(self.path, part)
        with replaced_when_done(self.path) as part, open(part, "wb") as file:
            np.savez(file, about=np.array(json.dumps(about)), **arrays)

    def _read(self) -> tuple[dict[str, Any], list[np.ndarray]] | None:
        """The last backup that can be read, or None if there is none.

        Raises:
            ValueError: There is one, but it is damaged.
        """
        from zipfile import BadZipFile  # 3 ms that no other import needs

        damage = None
        for path in (self.path, self.previous_path):
            if not path.exists():
                continue
            try:
                with np.load(path) as file:
                    about = json.loads(str(file["about"]))
                    return about, [file[str(i)] for i in range(len(file.files) - 1)]
            except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
                damage = damage or error
        if damage is not None:
            raise ValueError(
                f"BackupAndRestore: the backup in {self.backup_dir!r} can't be read ({damage}). "
                "Delete the folder to train from the beginning."
            ) from damage
        return None

    def _check(self, about: dict[str, Any], values: list[np.ndarray]) -> None:
        variables = self._variables()
        fits = len(variables) == len(values) and all(
            v.shape == value.shape and v.dtype == value.dtype.name
            for v, value in zip(variables, values)
        )
        if not fits:
            raise ValueError(
                f"BackupAndRestore: the backup in {self.backup_dir!r} is of another model: it "
                f"holds {len(values)} variables, this training has {len(variables)}, or their "
                "shapes differ. Delete the folder, or choose another one."
            )


def _assign(variables: list[Any], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values):
        variable.assign(value)
