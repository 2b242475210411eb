"""A worker: it runs epochs of a model, its part of each batch, with the other workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from kernelmodel.distribute.exchange import MpiExchange, rows_of
from kernelmodel.distribute.state import (
    Averages,
    Shared,
    Totals,
    Values,
    check_equal,
    make_metrics,
    spread_streams,
)
from kernelmodel.distribute.turns import Turns, rows, samples_of
from kernelmodel.engine.exchange import exchanging
from kernelmodel.training.loop import as_floats
from kernelmodel.training.sources.source import Epoch, Source

REPORT_SECONDS = 0.1  # between two reports to whoever watches


@dataclass
class Progress:
    """How far an epoch is, over all workers.

    Attributes:
        taken: Steps so far.
        metrics: Values of the metrics' variables.
        logs: Values in the logs of a step that no metric gives, by name.
        names: All names in the logs, in their order.
    """

    taken: int
    metrics: list[np.ndarray]
    logs: dict[str, Any]
    names: list[str]


@dataclass
class Outcome(Progress):
    """What an epoch leaves.

    Attributes:
        values: Variables that it changed, by number.
        ran_out: Whether the data ended before the number of steps that was asked for.
        idle: Steps for which a worker had no samples, of each.
        sent: Bytes that a worker gave to sums.
        seconds: Time it took.
    """

    values: Values = field(default_factory=dict)
    ran_out: bool = False
    idle: list[int] = field(default_factory=list)
    sent: int = 0
    seconds: float = 0.0


class Worker:
    """One of the processes that train a model together.

    Args:
        model: The model, built and compiled, the same on all workers.
        exchange: How to speak with the others.
        reduction: How other values in the logs of a step than metrics become one: see
            `DataParallel`.
        training: Whether it trains, and so needs the optimizer's variables.
    """

    def __init__(self, model: Any, exchange: MpiExchange, reduction: str, training: bool) -> None:
        self.model, self.exchange, self.reduction = model, exchange, reduction
        self.shared = Shared(model, training)
        self._met: set[str] = set()

    def take(self, values: Values) -> None:
        """Take values of variables from whoever leads."""
        self.shared.take(spread_streams(self.model, values, self.shared, self.exchange.rank))

    def run(
        self,
        source: Source,
        batches: Epoch,
        mode: str,
        spare: Any,
        stop: Callable[[], bool],
        report: Callable[[Progress], None] | None,
    ) -> Outcome:
        """Run an epoch; if it fails here, the others hear of it.

        Args:
            source: The data.
            batches: Its batches of this epoch: this worker's, or those of all.
            mode: "train" or "test".
            spare: A batch of one row in the structure of the data.
            stop: Whether this worker wants to stop.
            report: Told how far it is, on one of the workers; None on the others.

        Raises:
            WorkerError: Another worker failed.
        """
        model, exchange = self.model, self.exchange
        began, sent, last_report = perf_counter(), exchange.sent, perf_counter()
        if mode not in self._met:
            make_metrics(model, mode, spare)
            self._met.add(mode)
        model.reset_metrics()
        totals, averages = Totals(model), Averages(model)
        training = mode == "train"
        function = model.make_train_function() if training else model.make_test_function()
        passive = [*own_variables(model), *model._metric_variables()]

        def due() -> bool:
            return report is not None and perf_counter() - last_report > REPORT_SECONDS

        turns = Turns(batches, exchange, not source.own_part, spare, stop, due, passive)
        logs: Any = {}
        share = 0.0
        with exchanging(exchange):
            while turns.more():
                logs, share = function(turns), exchange.share
                if turns.report:
                    turns.settle()
                    turns.reported()
                    progress = self._progress(turns.taken, totals, logs, share)
                    last_report = perf_counter()
                    if report is not None:
                        report(progress)
        source.finish_epoch()
        progress = self._progress(turns.taken, totals, logs, share)
        if training:
            averages.apply(exchange, turns.samples)
            check_equal(model, exchange)
        gone_wrong = bool(exchange.largest(np.array([float(source.ran_out)]))[0])
        return Outcome(
            **vars(progress),
            values=self.shared.changes() if training else {},
            ran_out=gone_wrong,
            idle=exchange.gather(turns.idle),
            sent=exchange.sent - sent,
            seconds=perf_counter() - began,
        )

    def _progress(self, taken: int, totals: Totals, logs: Any, share: float) -> Progress:
        logs = as_floats(logs)
        own = self.model.get_metrics_result()
        others = {name: value for name, value in logs.items() if name not in own}
        gathered = self.exchange.gather((share, others)) if others else []
        return Progress(
            taken,
            totals.over(self.exchange),
            {name: reduce_logs(name, gathered, self.reduction) for name in others},
            list(logs),
        )


def predict(model: Any, source: Source, place: tuple[int, int] | None) -> list[Any]:
    """A worker's outputs for each batch; None for a batch of which it has no samples.

    Args:
        model: The model.
        source: The data.
        place: Which worker of how many this is, if the batches are those of all workers.
    """
    function, batches, parts = model.make_predict_function(), source.epoch(), []
    while batches.more():
        batch = next(batches)
        if place is not None:
            batch = rows(batch, rows_of(samples_of(batch), *place))
        parts.append(function(iter([batch])) if samples_of(batch) else None)
    source.finish_epoch()
    return parts


def own_variables(model: Any) -> list[Any]:
    """Weights that each worker changes by its own part of a batch, without the optimizer."""
    common = {id(v) for v in model.trainable_variables}
    for layer in model._flatten_layers():
        if getattr(layer, "synchronized", False):
            common.update(id(v) for v in layer.weights)
    return [v for v in model.weights if id(v) not in common]


def reduce_logs(name: str, gathered: list[tuple[float, dict[str, Any]]], method: str) -> Any:
    """One value of those that the workers' last steps have in their logs under a name."""
    values = [(share, logs[name]) for share, logs in gathered]
    if method == "first":
        return values[0][1]
    if method == "concat":
        return np.concatenate([np.atleast_1d(value) for _, value in values])
    if method == "sum":
        return sum(value for _, value in values)
    return sum(share * value for share, value in values)
