"""What runs in the engines of a cluster: a job is one call of `fit`, `evaluate` or `predict`."""

from __future__ import annotations

import os
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kernelmodel.core.tree import map_structure
from kernelmodel.distribute.exchange import MpiExchange
from kernelmodel.distribute.packing import Part, pack, unpack, unpack_model
from kernelmodel.distribute.signals import stop_flag
from kernelmodel.distribute.state import Values
from kernelmodel.distribute.turns import first_row
from kernelmodel.distribute.worker import Outcome, Progress, Worker, predict
from kernelmodel.engine.random import reset_global_seed
from kernelmodel.training.sources.shards import Shards
from kernelmodel.training.sources.source import Source
from kernelmodel.training.steps import _row


@dataclass
class Failure:
    """An error on a worker."""

    rank: int
    error: bytes
    trace: str


@dataclass
class Engine:
    """What an engine tells of itself."""

    version: str
    rank: int
    size: int
    pid: int
    host: str


@dataclass
class Found:
    """What a worker tells of its part of some data: its first row, and its batches an epoch."""

    first: Any
    steps: int | None
    structure: str


class Job:
    """A model, its data and the other workers, in an engine.

    Args:
        model: The packed model.
        parts: This worker's parts of the data, by name.
    """

    def __init__(self, model: bytes, parts: bytes) -> None:
        from mpi4py import MPI

        self.exchange = MpiExchange(MPI.COMM_WORLD.Dup())
        self._worker: Worker | None = None
        self._sources: dict[str, Source] = {}
        self._spares: dict[str, Any] = {}
        self._model = model
        self._parts: dict[str, Part] = unpack(parts)

    def open(self) -> dict[str, Found]:
        """Make the model and open the data; what was found in shards."""
        self.model, self._reduction = unpack_model(self._model)
        found = {}
        for name, part in self._parts.items():
            source = self._sources[name] = part.source()
            if isinstance(part.data, Shards):
                found[name] = self._look_into(name, source)
        self._model, self._parts = b"", {}
        return found

    def _look_into(self, name: str, source: Any) -> Found:
        try:
            first = source.peek()
        except ValueError as error:
            raise ValueError(
                f"Worker {self.exchange.rank} has no data: its shard of the {name} data is empty. "
                "Give every worker some samples."
            ) from error
        steps, row = source.steps, first_row(first)
        source.rewind()
        return Found(row, steps, repr(map_structure(_row, row)))

    def prepare(self, spares: bytes) -> list[Any]:
        """Build all that depends on the data; the shapes of the variables.

        Args:
            spares: A batch of one row for each of the data, by name.
        """
        self._spares = unpack(spares)
        if "predicting" not in self._spares:
            self.model._prepare(*self._spares.values())
        elif not self.model.built:
            self.model.predict_on_batch(self._spares["predicting"])
        training = "training" in self._sources
        self._worker = Worker(self.model, self.exchange, self._reduction, training)
        return self._worker.shared.shapes

    def run(self, name: str, mode: str, values: Values, seed: int) -> Outcome:
        """Run an epoch.

        Args:
            name: Of the data.
            mode: "train" or "test".
            values: Variables that changed in the notebook.
            seed: For the order of the samples.
        """
        worker, source = self._worker, self._sources[name]
        assert worker is not None
        worker.take(values)
        if mode == "train":
            reset_global_seed(seed + self.exchange.rank)
        report = self._report if self.exchange.rank == 0 else None
        with stop_flag() as stop:
            spare = self._spares[name]
            outcome = worker.run(source, source.epoch(), mode, spare, stop, report)
        if self.exchange.rank:
            outcome.values, outcome.metrics = {}, []
        return outcome

    def predict(self, name: str, values: Values) -> list[Any]:
        """This worker's outputs for each batch."""
        worker, source = self._worker, self._sources[name]
        assert worker is not None
        worker.take(values)
        return predict(self.model, source, None)

    def close(self) -> None:
        """End the job."""
        for source in self._sources.values():
            source.close()

    def _report(self, progress: Progress) -> None:
        from ipyparallel.datapub import publish_data

        publish_data({"progress": pack(progress)})


_jobs: dict[str, Job] = {}


def describe() -> Engine:
    """What this engine is: its version of kernelmodel, and its place in the MPI world."""
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    host = socket.gethostname()
    version = sys.modules["kernelmodel"].__version__
    return Engine(version, world.Get_rank(), world.Get_size(), os.getpid(), host)


def start(key: str, model: bytes, parts: bytes) -> dict[str, Found] | Failure:
    """Begin a job; what was found in shards."""
    for old in list(_jobs):  # one whose notebook is gone
        _jobs.pop(old).close()
    job = _jobs[key] = Job(model, parts)
    return guarded(job, job.open)


def call(key: str, method: str, *args: Any) -> Any:
    """Call a method of a job."""
    job = _jobs[key]
    return guarded(job, getattr(job, method), *args)


def end(key: str, well: bool) -> None:
    """End a job; `well` if no worker has failed."""
    job = _jobs.pop(key, None)
    if job is not None:
        job.close()
        if well:
            job.exchange.free()


def guarded(job: Job, function: Callable[..., Any], *args: Any) -> Any:
    """The result of a function, or the `Failure`, of which the other workers hear."""
    try:
        return function(*args)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  (they go to the notebook)
        job.exchange.fail(error)
        trace = traceback.format_exc()
        try:
            content = pack(error)
            unpack(content)
        except Exception:  # noqa: BLE001  (an error that can't be sent is described)
            content = pack(RuntimeError(f"{type(error).__name__}: {error}"))
        return Failure(job.exchange.rank, content, trace)
