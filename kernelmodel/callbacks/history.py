"""The record of a training."""

from __future__ import annotations

import math
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
        self._epochs: list[int] = []  # of all runs
        self._rows: dict[str, list[int]] = {}  # places in `_epochs` of each name's values

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Count the epochs of this run only."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch's values."""
        self.epoch.append(epoch)
        self._epochs.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._rows.setdefault(name, []).append(len(self._epochs) - 1)
        if self.model is not None:
            self.model.history = self

    def rows(self) -> tuple[list[int], dict[str, list[int]]]:
        """Where the values belong, which a list alone doesn't tell if some epochs lack a value.

        Returns:
            The epoch (from 0) of each row, and for each name the rows of its values. Names whose
            values were put in by hand have them in the first rows.
        """
        count = max([len(self._epochs), *map(len, self.history.values())], default=0)
        epochs = [*self._epochs, *range(len(self._epochs), count)]
        rows = {}
        for name, values in self.history.items():
            noted = self._rows.get(name, [])
            rows[name] = noted if len(noted) == len(values) else list(range(len(values)))
        return epochs, rows

    def frame(self) -> Any:
        """The values as a table.

        Returns:
            A `pandas.DataFrame` with a column for each name and a row for each epoch; the index
            "epoch" counts from 0, as `history.epoch` does. Epochs without a value, such as those
            without validation, hold NaN.

        Raises:
            ImportError: pandas is not installed.

        Examples:
            >>> import kernelmodel as km
            >>> history = km.callbacks.History()
            >>> history.on_epoch_end(0, {"loss": 0.5})
            >>> history.on_epoch_end(1, {"loss": 0.25, "val_loss": 0.75})
            >>> history.frame()
                   loss  val_loss
            epoch
            0      0.50       NaN
            1      0.25      0.75
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError(
                "history.frame() needs pandas: `pip install 'kernelmodel[pandas]'`."
            ) from error
        epochs, rows = self.rows()
        table = pandas.DataFrame(index=pandas.Index(epochs, name="epoch"))
        for name, values in self.history.items():
            column = [math.nan] * len(epochs)
            for row, value in zip(rows[name], values):
                column[row] = value
            table[name] = column
        return table

    def plot(
        self,
        metrics: Any = None,
        backend: str = "plotly",
        log: Any = False,
        monitor: str | None = None,
        mode: str = "auto",
    ) -> Any:
        """The curves: one plot for each metric, training against validation, the best epoch marked.

        Args:
            metrics: A name or a list of names, in this order; None for all.
            backend: "plotly" for a picture with values under the pointer, zoom and export, or
                "matplotlib" for papers (`figure.savefig("curves.pdf")`).
            log: True for logarithmic axes of values, or a list of names.
            monitor: Name of the values that decide which epoch is the best; None for "val_loss",
                or "loss" without validation.
            mode: "min" if small values of `monitor` are good, "max" if large ones are, "auto" to
                ask the metric.

        Returns:
            A `plotly.graph_objects.Figure` or a `matplotlib.figure.Figure`, which shows itself as a
            cell's last line. A notebook keeps a still picture beside plotly's, for viewers that
            run no script.

        Raises:
            ValueError: There are no values yet, or an unknown name, backend or mode.

        Examples:
            >>> import kernelmodel as km
            >>> history = km.callbacks.History()
            >>> history.on_epoch_end(0, {"loss": 0.5})
            >>> history.on_epoch_end(1, {"loss": 0.25})
            >>> history.plot(backend="matplotlib")
            <Figure: loss over 2 epochs, best epoch 2>
        """
        return hooks.plot_history(self, metrics, backend, log, monitor, mode)

    def __repr__(self) -> str:
        return history_text(self.history)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if hooks.history_repr is None or not self.history:
            return {"text/plain": repr(self)}
        return hooks.history_repr(self)
