"""A script that runs in several processes, started by `mpirun` or a batch system."""

from __future__ import annotations

from typing import Any

from kernelmodel.callbacks import History
from kernelmodel.core.tree import concatenate, map_structure
from kernelmodel.distribute.crew import Crew, Watch
from kernelmodel.distribute.exchange import MpiExchange
from kernelmodel.distribute.packing import interleaved
from kernelmodel.distribute.signals import stop_flag
from kernelmodel.distribute.turns import first_row
from kernelmodel.distribute.worker import Outcome, Worker, predict
from kernelmodel.engine.random import global_state, set_global_state
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.training.sources.source import Epoch, Source


class WorldCrew(Crew):
    """The processes of an MPI world, all of which call `fit` and the like with the same data.

    The first one leads and works as well. The others follow it: they have no callbacks, and return
    what it returns.

    Args:
        model: The model of this process.
        sources: The data by name; each process takes its rows of each batch, except from `Shards`.
        comm: A communicator for this crew alone.
    """

    def __init__(self, model: Any, sources: dict[str, Source | None], comm: Any) -> None:
        super().__init__(model, sources)
        self.exchange = MpiExchange(comm)
        self.leads = self.exchange.rank == 0
        self._worker: Worker | None = None
        self._result: Any = None

    def __enter__(self) -> WorldCrew:
        # All draw the same orders of the samples.
        set_global_state(self.exchange.broadcast(global_state()))
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Tell the others that it is over, or why it failed."""
        if error is not None:
            self.exchange.fail(error)
            return
        if self.leads:
            history = self.model.history
            if "training" in self.sources and history is not None:
                self._result = (history.epoch, history.history)
            values = self._worker.shared.changes() if self._worker is not None else {}
            self.exchange.broadcast(("end", self._result, values))
        self.exchange.free()

    def _made(self) -> Worker:
        """The worker of this process, once the model is built."""
        if self._worker is None:
            method = self.model.distribute_reduction_method
            training = "training" in self.sources
            self._worker = Worker(self.model, self.exchange, method, training)
            self._shared = self._worker.shared
        return self._worker

    # ---- the one that leads ----

    def _epoch(self, source: Source, batches: Epoch, mode: str, watch: Watch) -> Outcome:
        worker = self._made()
        self.exchange.broadcast((mode, self.name_of(source), worker.shared.changes()))
        with stop_flag() as interrupt:
            outcome = worker.run(
                source, batches, mode, first_row(batches.ahead),
                lambda: watch.stop or interrupt.raised, watch.report,
            )  # fmt: skip
        self.shared.take(outcome.values)
        if interrupt.raised:
            raise KeyboardInterrupt
        return outcome

    def run(self, source: Source, batches: Epoch, callbacks: Any, mode: str) -> dict[str, Any]:
        """Run an epoch; see `Crew.run`."""
        self._result = super().run(source, batches, callbacks, mode)
        return self._result

    def _predictions(self, source: Source) -> list[Any]:
        values = self._made().shared.changes() if self.model.compiled else {}
        self.exchange.broadcast(("predict", self.name_of(source), values))
        return self._all_predictions(source)

    # ---- all ----

    def _all_predictions(self, source: Source) -> list[Any]:
        place = None if source.own_part else (self.exchange.rank, self.exchange.size)
        own = predict(self.model, source, place)
        gathered = self.exchange.gather(own)
        if source.own_part:
            return [part for parts in gathered for part in parts]
        return interleaved(gathered)

    # ---- those that follow ----

    def follow(self) -> Any:
        """Do what the first process says, until it ends; what its `fit` and the like returns.

        Raises:
            WorkerError: Another process failed.
        """
        spares = {name: first_row(source.peek()) for name, source in self.sources.items()}
        if "predicting" not in self.sources:
            self.model._prepare(*spares.values())
        worker, outputs = self._made(), None
        with stop_flag():  # the first process is the one to be interrupted
            while True:
                command, name, values = self.exchange.broadcast()
                worker.take(values)
                if command == "end":
                    return self._as_returned(name, outputs)
                source = self.sources[name]
                if command == "predict":
                    outputs = concatenate(self._all_predictions(source))
                else:
                    worker.run(source, source.epoch(), command, spares[name], lambda: False, None)

    def _as_returned(self, result: Any, outputs: Any) -> Any:
        """What this process's `fit`, `evaluate` or `predict` returns."""
        if "predicting" in self.sources:
            return map_structure(as_tensor, outputs)
        if "testing" in self.sources:
            return result
        history = History()
        history.set_model(self.model)
        history.epoch, history.history = result or ([], {})
        self.model.history = history
        return history
