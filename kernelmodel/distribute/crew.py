"""What the crews of both kinds of strategy do: lead workers through the epochs of a model."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager
from typing import Any

from kernelmodel.core.tree import concatenate
from kernelmodel.core.warning import warn_user
from kernelmodel.distribute.state import Shared, make_metrics
from kernelmodel.distribute.turns import first_row
from kernelmodel.distribute.worker import Outcome, Progress
from kernelmodel.training.loop import as_floats
from kernelmodel.training.sources.source import Epoch, Source


class Crew(AbstractContextManager):
    """Workers, and this process, which leads them; see `kernelmodel.training.crew.Alone`.

    Epoch by epoch the workers get the values that callbacks have changed, and give back what they
    have reached. Batch hooks of callbacks are called at reports: some ten a second. A stop acts at
    the next step; what else a callback does (pause, learning rate) acts at the next epoch.

    Args:
        model: The model.
        sources: The data by name.

    Attributes:
        leads: Whether this process runs `fit` and the callbacks.
        last: The last epoch's `Outcome`.
    """

    leads = True
    last: Outcome | None = None

    def __init__(self, model: Any, sources: dict[str, Source | None]) -> None:
        self.model = model
        self.sources = {name: source for name, source in sources.items() if source is not None}
        self._shared: Shared | None = None
        self._met: set[str] = set()

    @property
    def shared(self) -> Shared:
        """The variables of the model, once it is built."""
        if self._shared is None:
            self._shared = Shared(self.model, "training" in self.sources)
        return self._shared

    def name_of(self, source: Source) -> str:
        """The name that a source has for the workers."""
        return next(name for name, one in self.sources.items() if one is source)

    @abstractmethod
    def _epoch(self, source: Source, batches: Epoch, mode: str, watch: Watch) -> Outcome:
        """Let the workers run an epoch."""

    @abstractmethod
    def _predictions(self, source: Source) -> list[Any]:
        """Let the workers predict; the outputs in the order of the samples, in parts."""

    def run(self, source: Source, batches: Epoch, callbacks: Any, mode: str) -> dict[str, Any]:
        """Run an epoch, in the mode "train" or "test"; see `Alone.run`."""
        if batches.taken:
            raise ValueError(
                "A training with a strategy can't go on in the middle of an epoch. Let "
                "BackupAndRestore save at the ends of epochs (save_freq='epoch')."
            )
        if mode not in self._met:
            make_metrics(self.model, mode, first_row(batches.ahead))
            self._met.add(mode)
        watch = Watch(self.model, callbacks, mode)
        outcome = self.last = self._epoch(source, batches, mode, watch)
        self.shared.take(outcome.values)
        logs = watch.logs_of(outcome)
        watch.show(outcome, logs)
        source.ran_out = outcome.ran_out
        batches.taken = outcome.taken
        if outcome.idle and max(outcome.idle) > 1:
            warn_user(
                f"The workers' shards are unequal: in {outcome.taken} steps, workers 0, 1, ... had "
                f"no samples for {outcome.idle} of them, and the last batches of the epoch were "
                "smaller. Give each worker the same number of samples.",
            )
        return logs

    def predict(self, source: Source, callbacks: Any) -> Any:
        """The outputs for all samples, in their order; see `Alone.predict`."""
        callbacks.on_predict_batch_begin(0)
        outputs = concatenate(self._predictions(source))
        callbacks.on_predict_batch_end(0, {"outputs": outputs})
        return outputs


class Watch:
    """Shows reports of running workers to callbacks.

    Args:
        model: The model of the one who leads.
        callbacks: A `CallbackList`.
        mode: "train" or "test".
    """

    def __init__(self, model: Any, callbacks: Any, mode: str) -> None:
        self._model = model
        self._begin = getattr(callbacks, f"on_{mode}_batch_begin")
        self._end = getattr(callbacks, f"on_{mode}_batch_end")
        self._stop = "stop_training" if mode == "train" else "stop_evaluating"
        self._shown = 0

    @property
    def stop(self) -> bool:
        """Whether somebody asked to stop."""
        return bool(getattr(self._model, self._stop))

    def logs_of(self, progress: Progress) -> dict[str, Any]:
        """The logs of all workers' batches; the model's metrics hold them."""
        for variable, value in zip(self._model._metric_variables(), progress.metrics):
            variable._array = value
        found = {**self._model.get_metrics_result(), **progress.logs}
        return as_floats({name: found[name] for name in progress.names})

    def report(self, progress: Progress) -> None:
        """Show how far a running epoch is; the model's metrics may be those of a worker."""
        kept = [(variable, variable._array) for variable in self._model._metric_variables()]
        logs = self.logs_of(progress)
        for variable, value in kept:
            variable._array = value
        self.show(progress, logs)

    def show(self, progress: Progress, logs: dict[str, Any]) -> None:
        """Call the batch hooks, once for all steps since the last time."""
        if progress.taken > self._shown:
            self._shown = progress.taken
            self._begin(progress.taken - 1)
            self._end(progress.taken - 1, logs)
