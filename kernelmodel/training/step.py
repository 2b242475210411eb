"""The pure step: a model's `train_step` in a context that commits at its end."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kernelmodel.core.context import Context
from kernelmodel.core.tree import concatenate
from kernelmodel.core.watching import WATCHERS, Watcher, due, watch
from kernelmodel.engine.exchange import EXCHANGE, WorkerError, exchanging
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.engine.subnormals import SubnormalsAsZeros
from kernelmodel.training.diagnose import explain_nan
from kernelmodel.training.frozen import UNCHANGED
from kernelmodel.training.planned_step import PlannedStep, PlannedSteps

Function = Callable[[Iterator[Any]], Any]


def run_step(
    model: Any,
    step: Callable[[Any], Any],
    data: Any,
    guard: bool,
    watchers: Sequence[Watcher] = (),
) -> Any:
    """Run a step; its writes reach the variables only if all went well.

    Args:
        model: Whose variables the step writes.
        step: `model.train_step` or the like.
        data: The batch.
        guard: Whether a loss that isn't a number is an error.
        watchers: Those who look into it.

    Raises:
        FloatingPointError: The loss is not a number; nothing has changed.
    """
    with ENGINE_LOCK:
        with Context(pure=True) as context:
            watching = watch(context, list(watchers))
            result = step(data)
            failed = guard and (loss_is_nan(result) or failed_elsewhere())
            if not failed:
                if watching is not None:
                    watching.end(context)
                context.commit()
                context.keep_losses()
        if failed:
            raise nan_error(model, data, result)
    return result


def run_plan(model: Any, plan: PlannedStep, data: Any, leaves: list[Any], guard: bool) -> Any:
    """Run a step by its plan; the engine is locked.

    Raises:
        FloatingPointError: The loss is not a number; nothing has changed.
    """

    def accept(logs: Any) -> bool:
        return not (guard and (loss_is_nan(logs) or failed_elsewhere()))

    kept, result = plan.run(leaves, accept)
    if not kept:
        raise nan_error(model, data, result)
    return result


def failed_elsewhere() -> bool:
    """Whether the loss of this step isn't a number on another worker."""
    exchange = EXCHANGE.get()
    return exchange is not None and exchange.failed


def nan_error(model: Any, data: Any, logs: Any) -> Exception:
    """The error of a step that was not taken."""
    if not loss_is_nan(logs):
        return WorkerError("The loss is not a number on another worker.")
    with exchanging(None):
        return FloatingPointError(explain_nan(model, data))


def loss_is_nan(logs: Any) -> bool:
    """Whether logs of a step hold a loss that isn't a number, or is infinite."""
    loss = logs.get("loss") if isinstance(logs, dict) else None
    return loss is not None and not math.isfinite(float(loss))


def make_function(
    model: Any, step: Callable[[Any], Any], training: bool = False, joins: bool = False
) -> Function:
    """A function that takes batches from an iterator and runs the step on each.

    It takes `model.steps_per_execution` batches a call (fewer at the end of the data). With
    `jit_compile` the step is compiled by XLA, and that many steps run as one program.

    Args:
        model: Whose step it is.
        step: `model.train_step` or the like.
        training: Whether a loss that isn't a number is an error, and whether layers are frozen
            as they were when the model was compiled.
        joins: Whether results of several steps are joined to one batch (predictions); else the
            last one is returned (logs).
    """
    guard = training

    planned = PlannedSteps(step)

    def execute(data: Any) -> Any:
        strict = guard and not model._nan_allowed
        watchers = due() if WATCHERS and training else []
        with SubnormalsAsZeros():
            if not watchers and not model.run_eagerly:
                with ENGINE_LOCK:
                    plan, leaves = planned.find(data)
                    if plan is not None:
                        return run_plan(model, plan, data, leaves, strict)
            return run_step(model, step, data, strict, watchers)

    def function(iterator: Iterator[Any]) -> Any:
        first = next(iterator)
        with model._trainable_flags.applied() if training else UNCHANGED:
            if model.steps_per_execution == 1 and (not model.jit_compile or model.run_eagerly):
                return execute(first)
            rest = itertools.islice(iterator, model.steps_per_execution - 1)
            batches = itertools.chain([first], rest)
            if not model.jit_compile or model.run_eagerly:
                results = [execute(data) for data in batches]
            elif EXCHANGE.get() is None:
                results = model._xla_step(step, guard).run(list(batches), joins)
            else:  # the workers agree on each batch when it is taken, just before its step
                results = [
                    result
                    for data in batches
                    for result in model._xla_step(step, guard).run([data], joins)
                ]
        return concatenate(results) if joins else results[-1]

    return function
