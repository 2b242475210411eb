"""A table of the epochs in a file."""

from __future__ import annotations

import csv
import os
from typing import Any

import numpy as np

from kernelmodel.callbacks.callback import Callback, Logs
from kernelmodel.core.kinds import PathLike


class CSVLogger(Callback):
    """Writes a line with the logs of each epoch to a CSV file.

    The first line names the columns: "epoch" and what the first epoch's logs hold, in alphabetical
    order; without validation then, there are "val_" columns for later, with NA.

    Args:
        filename: Path of the file.
        separator: Between the columns.
        append: Add to a file that exists, instead of replacing it.

    Examples:
        >>> import os, tempfile
        >>> import kernelmodel as km
        >>> path = os.path.join(tempfile.mkdtemp(), "log.csv")
        >>> log = km.callbacks.CSVLogger(path)
        >>> log.on_train_begin()
        >>> log.on_epoch_end(0, {"loss": 0.5})
        >>> log.on_train_end()
        >>> print(open(path).read().strip())
        epoch,loss,val_loss
        0,0.5,NA
    """

    def __init__(self, filename: PathLike, separator: str = ",", append: bool = False) -> None:
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"CSVLogger: separator must be one character, got {separator!r}.")
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._keys: list[str] | None = None
        self._titled = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin a new file, or look whether there is one to add to."""
        exists = os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._keys, self._titled = None, self.append and exists
        if not self.append:
            with open(self.filename, "w"):
                pass

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write a line."""
        logs = logs or {}
        if self._keys is None:
            self._keys = sorted(logs)
            if not any(key.startswith("val_") for key in self._keys):
                self._keys += [f"val_{key}" for key in self._keys]
        # Opened for each line, so that every one is in the file whatever happens next.
        with open(self.filename, "a", newline="") as file:
            writer = csv.writer(file, delimiter=self.separator)
            if not self._titled:
                writer.writerow(["epoch", *self._keys])
                self._titled = True
            writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self._keys)])


def _cell(value: Any) -> Any:
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return f'"[{", ".join(map(str, value))}]"'
