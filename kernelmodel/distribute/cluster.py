"""The engines of an ipyparallel cluster, led from a notebook: one call an epoch."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from kernelmodel.distribute import job
from kernelmodel.distribute.crew import Crew, Watch
from kernelmodel.distribute.job import Engine, Failure, Found
from kernelmodel.distribute.packing import interleaved, pack, pack_model, parts_of, unpack
from kernelmodel.distribute.signals import STOP
from kernelmodel.distribute.turns import first_row
from kernelmodel.distribute.worker import Outcome
from kernelmodel.engine.exchange import WorkerError
from kernelmodel.engine.random import fresh_seed
from kernelmodel.training.sources.shards import RemoteShards
from kernelmodel.training.sources.source import Epoch, Source

POLL_SECONDS = 0.05
NO_ENGINES = (
    "The cluster has no engines: none was started, or they have ended. Start them, for example "
    "with cluster = km.distribute.start_workers(2)."
)
PATIENCE_SECONDS = 30.0  # for workers to come to the end of a step


class RemoteTrace(Exception):
    """The traceback of an error on a worker."""


class WorkerDied(WorkerError):
    """A worker is gone: killed, out of memory, its machine lost.

    Args:
        message: Which one, and what to do.

    Examples:
        >>> import kernelmodel as km
        >>> issubclass(km.distribute.WorkerDied, km.distribute.WorkerError)
        True
    """


class Engines:
    """The engines of a cluster, in the order of their MPI ranks.

    Args:
        client: An ipyparallel `Client`.
        version: The version of kernelmodel that they must have.

    Raises:
        RuntimeError: There are none, they lack kernelmodel or mpi4py or have another version, or
            they aren't one MPI world. The message says what helps.
    """

    def __init__(self, client: Any, version: str) -> None:
        self.client = client
        ids = list(client.ids)
        if not ids:
            raise RuntimeError(NO_ENGINES)
        found: list[tuple[Engine, int]] = []
        for number, result in [(i, client[i].apply_async(job.describe)) for i in ids]:
            try:
                found.append((result.get(timeout=PATIENCE_SECONDS), number))
            except Exception as error:
                raise RuntimeError(_unfit(number, error)) from error
        for engine, number in found:
            if engine.version != version:
                raise RuntimeError(
                    f"Engine {number} on {engine.host} has kernelmodel {engine.version}, but the "
                    f"notebook has {version}. Install the same version in both places."
                )
        ranks = sorted(engine.rank for engine, _ in found)
        if ranks != list(range(len(found))) or found[0][0].size != len(found):
            raise RuntimeError(
                f"The {len(found)} engines are not the processes of one MPI world: their ranks "
                f"are {ranks}, in worlds of {sorted({e.size for e, _ in found})}. Start them "
                "together by MPI: km.distribute.start_workers(n), ipyparallel.Cluster("
                "engines='mpi', n=n), or mpiexec with ipengine."
            )
        found.sort(key=lambda pair: pair[0].rank)
        self.engines = [engine for engine, _ in found]
        self.ids = [number for _, number in found]
        self._lost: list[int] = []

    def __len__(self) -> int:
        return len(self.ids)

    def call(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Sequence[Any]],
        what: str = "",
        poll: Callable[[Any], None] = lambda first: None,
        interrupt: Callable[[], None] | None = None,
    ) -> list[Any]:
        """Call a function on all workers at once.

        Args:
            function: What to call.
            arguments: For each worker.
            what: Words for what they do, in errors.
            poll: Called again and again meanwhile with the first worker's result to be.
            interrupt: Called at a KeyboardInterrupt, after which it waits on; the next one, or
                one without this, ends the waiting.

        Returns:
            What each of them returned.

        Raises:
            WorkerDied: A worker is gone.
            Exception: What failed on a worker, caused by its traceback.
        """
        results = []
        for rank, (number, own) in enumerate(zip(self.ids, arguments)):
            try:
                result = self.client[number].apply_async(function, *own)
            except Exception as error:
                raise self._died(rank, what) from error
            result.add_done_callback(self._note_of(rank))
            results.append(result)
        while waiting := [result for result in results if not result.ready()]:
            try:
                poll(results[0])
                waiting[0].wait(POLL_SECONDS)
            except KeyboardInterrupt:
                if interrupt is None:
                    raise
                interrupt()
                interrupt = None
            self._check_lost(what)
        poll(results[0])
        self._check_lost(what)
        found = [result.get() for result in results]
        failures = [one for one in found if isinstance(one, Failure)]
        if failures:
            raise_first(failures)
        return found

    def _note_of(self, rank: int) -> Callable[[Any], None]:
        def note(future: Any) -> None:
            # The order counts: an MPI launcher ends the other engines when one dies.
            if getattr(future.exception(), "ename", "") == "EngineError":
                self._lost.append(rank)

        return note

    def _check_lost(self, what: str) -> None:
        if self._lost:
            raise self._died(self._lost[0], what)

    def _died(self, rank: int, what: str) -> WorkerDied:
        engine = self.engines[rank]
        return WorkerDied(
            f"Worker {rank} (engine {self.ids[rank]}, process {engine.pid} on {engine.host}) died"
            f"{what}. The model is as it was at the end of the last epoch, with the state of its "
            "optimizer. Start the engines again (an MPI launcher ends all of them when one dies), "
            "and call fit again with initial_epoch to go on."
        )

    def stop(self) -> None:
        """Ask the workers to stop before the next step."""
        self.client.send_signal(STOP, targets=[self.ids[0]], block=False)


def raise_first(failures: list[Failure]) -> None:
    """Raise the error that came first: others only tell of it."""
    errors = [(unpack(failure.error), failure) for failure in failures]
    own = [pair for pair in errors if not isinstance(pair[0], WorkerError)]
    error, failure = (own or errors)[0]
    error.add_note(f"This happened on worker {failure.rank}.")
    raise error from RemoteTrace(f"\n{failure.trace}")


def _unfit(number: int, error: Exception) -> str:
    name, text = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", error)
    if name in ("ModuleNotFoundError", "ImportError", "AttributeError"):
        return (
            f"Engine {number} can't be a worker: {name}: {text}. Install the notebook's version of "
            "kernelmodel there, with the extra 'distribute'."
        )
    if name == "EngineError":
        return NO_ENGINES
    return f"Engine {number} doesn't answer: {name}: {text}. Is it busy, or its machine gone?"


class ClusterCrew(Crew):
    """The engines of a cluster work on a model of this notebook.

    Args:
        model: The model.
        sources: The data by name.
        engines: The workers.
    """

    def __init__(self, model: Any, sources: dict[str, Source | None], engines: Engines) -> None:
        super().__init__(model, sources)
        self.engines = engines
        self._key = uuid.uuid4().hex
        self._prepared = False
        self._epochs = 0

    def __enter__(self) -> ClusterCrew:
        count = len(self.engines)
        parts = {name: parts_of(source, count) for name, source in self.sources.items()}
        model = pack_model(self.model)
        arguments = [
            (self._key, model, pack({name: own[i] for name, own in parts.items()}))
            for i in range(count)
        ]
        found = self.engines.call(job.start, arguments, what=" while it opened its data")
        for name, source in self.sources.items():
            if isinstance(source, RemoteShards):
                shapes = [one[name] for one in found]
                check_shards(name, shapes)
                source.describe(shapes[0].first, shapes[0].steps)
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """End the job; after an error the engines are not waited for."""
        client, ids = self.engines.client, set(self.engines.client.ids)
        arguments = (job.end, self._key, error is None)
        results = [client[n].apply_async(*arguments) for n in self.engines.ids if n in ids]
        for result in results if error is None else ():
            result.get(timeout=PATIENCE_SECONDS)

    def _call(self, method: str, *args: Any, what: str = "", **more: Any) -> list[Any]:
        arguments = [(self._key, method, *args)] * len(self.engines)
        return self.engines.call(job.call, arguments, what, **more)

    def _prepare(self, **first: Any) -> None:
        """Let the workers build the model, if they haven't.

        Args:
            **first: Batches by name of the data; of other data the next one is looked at.
        """
        if self._prepared:
            return
        spares = {
            name: first_row(first[name] if name in first else source.peek())
            for name, source in self.sources.items()
        }
        shapes = self._call("prepare", pack(spares))
        if any(own != self.shared.shapes for own in shapes):
            raise WorkerError(
                f"The workers made another model of {self.model.name!r} than the notebook has: its "
                "variables have other shapes. Do its layers depend on something of the machine?"
            )
        self._prepared = True

    def _epoch(self, source: Source, batches: Epoch, mode: str, watch: Watch) -> Outcome:
        name, asked, interrupted = self.name_of(source), False, False

        def poll(first: Any) -> None:
            nonlocal asked
            report = first.data.get("progress")
            if report is not None:
                watch.report(unpack(report))
            if watch.stop and not asked:
                asked = True
                self.engines.stop()

        def interrupt() -> None:
            nonlocal interrupted
            interrupted = True
            self.engines.stop()

        self._prepare(**{name: batches.ahead})
        self._epochs += mode == "train"
        what = f" in epoch {self._epochs} of this fit" if mode == "train" else " while evaluating"
        outcome, *_ = self._call(
            "run", name, mode, self.shared.changes(), fresh_seed(),
            what=what, poll=poll, interrupt=interrupt,
        )  # fmt: skip
        if interrupted:
            self.shared.take(outcome.values)
            raise KeyboardInterrupt
        return outcome

    def _predictions(self, source: Source) -> list[Any]:
        self._prepare()
        parts = self._call(
            "predict", self.name_of(source), self.shared.changes(), what=" while predicting"
        )
        if isinstance(source, RemoteShards):
            return [part for own in parts for part in own]
        return interleaved(parts)


def check_shards(name: str, found: list[Found]) -> None:
    """Check that the workers' shards hold the same kind of data.

    Raises:
        ValueError: They don't; the message names the worker.
    """
    for rank, one in enumerate(found):
        if one.structure != found[0].structure:
            raise ValueError(
                f"The shards of the {name} data are of different kinds: worker 0 has (shape of a "
                f"row, dtype) {found[0].structure}, worker {rank} has {one.structure}. Let every "
                "worker's part have the same arrays."
            )
