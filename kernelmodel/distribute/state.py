"""What workers and the one who leads them have in common: the values of a model's variables."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from kernelmodel.core.context import Context
from kernelmodel.core.tree import flatten
from kernelmodel.distribute.exchange import MpiExchange
from kernelmodel.engine.exchange import WorkerError
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.training.steps import Steps

Values = dict[int, np.ndarray]


class Shared:
    """The variables of a model, with the values that both sides know.

    Arrays of variables are replaced, never changed, so that a value is known if it is the same
    object.

    Args:
        model: A model that is built and compiled.
        training: Whether the optimizer's are needed, too.
    """

    def __init__(self, model: Any, training: bool) -> None:
        metrics = {id(variable) for variable in model._metric_variables()}
        found = model._all_variables() if training else model.variables
        self.variables = [v for v in found if id(v) not in metrics]
        self._known: list[Any] = [None] * len(self.variables)

    @property
    def shapes(self) -> list[Any]:
        """Shapes of the variables: the same for the same model."""
        return [variable.shape for variable in self.variables]

    def changes(self) -> Values:
        """The values that the other side doesn't know, by number; from now on it does."""
        found = {
            i: np.asarray(variable._array)
            for i, variable in enumerate(self.variables)
            if variable._array is not self._known[i]
        }
        self._known = [variable._array for variable in self.variables]
        return found

    def take(self, values: Values) -> None:
        """Take values that the other side knows."""
        for i, value in values.items():
            self.variables[i]._array = self._known[i] = value


def make_metrics(model: Any, mode: str, row: Any) -> None:
    """Let a step of one's own make the metrics that it makes when it runs first.

    Args:
        model: The model; nothing of it changes.
        mode: "train" or "test".
        row: A batch of one row.
    """
    name = f"{mode}_step"
    if getattr(type(model), name) is not getattr(Steps, name):
        with ENGINE_LOCK, Context(pure=True):
            getattr(model, name)(row)


def spread_streams(model: Any, values: Values, shared: Shared, rank: int) -> Values:
    """Values in which the random streams are this worker's own.

    Worker 0 has the streams of a single process; the seed of another worker's is made of the seed
    and its number, so that each draws other numbers, and the same ones in another run.
    """
    if rank == 0:
        return values
    states = {id(s.state) for layer in model._flatten_layers() for s in layer._seed_generators}
    found = dict(values)
    for i, value in values.items():
        if id(shared.variables[i]) in states:
            words = np.random.SeedSequence([int(value[0]), rank]).generate_state(1)
            found[i] = np.array([words[0], value[1]], np.uint32)
    return found


def check_equal(model: Any, exchange: MpiExchange) -> None:
    """Check that all workers have the same weights.

    Raises:
        WorkerError: They haven't; the message names the workers that differ from the first.
    """
    digest = hashlib.blake2b(digest_size=16)
    for variable in model.weights:
        digest.update(np.ascontiguousarray(variable._array).tobytes())
    found = exchange.gather(digest.digest())
    others = [rank for rank, one in enumerate(found) if one != found[0]]
    if others:
        raise WorkerError(
            f"After the epoch the weights of worker(s) {others} differ from those of worker 0. "
            "Does a layer or train_step change weights by numbers of its own (np.random, time), "
            "without the optimizer? Such changes must be the same on all workers."
        )


class Averages:
    """Statistics that steps keep beside the training, such as running means: averaged at its end.

    Args:
        model: The model, at the beginning of an epoch.
    """

    def __init__(self, model: Any) -> None:
        local = {
            id(variable)
            for layer in model._flatten_layers()
            for variable in flatten(layer.__dict__.get("_step_variables") or [])
        }
        trained = {id(variable) for variable in model.trainable_variables}
        self._variables = [
            v for v in model.weights
            if id(v) not in local | trained and np.dtype(v._array.dtype).kind == "f"
        ]  # fmt: skip
        self._before = [v._array for v in self._variables]

    def apply(self, exchange: MpiExchange, samples: int) -> None:
        """Average those that some worker has changed, by the samples each one saw."""
        changed = [v._array is not old for v, old in zip(self._variables, self._before)]
        flags = exchange.largest(np.array([*changed, 0], float))[:-1]
        moved = [v for v, flag in zip(self._variables, flags) if flag]
        if not moved:
            return
        flat = [np.ravel(v._array).astype(float) * samples for v in moved]
        summed = exchange.add(np.concatenate([*flat, [float(samples)]]))
        means, at = summed[:-1] / max(summed[-1], 1.0), 0
        for v in moved:
            size = v._array.size
            v._array = means[at : at + size].reshape(v.shape).astype(v._array.dtype)
            at += size


class Totals:
    """The variables of metrics, added up over the workers.

    Args:
        model: A model whose metrics were just reset.
    """

    def __init__(self, model: Any) -> None:
        self._variables = model._metric_variables()
        self._start = [v._array for v in self._variables]

    def over(self, exchange: MpiExchange) -> list[np.ndarray]:
        """What the variables would be if one process had seen all batches."""
        if not self._variables:
            return []
        grown = [
            np.ravel(np.asarray(v._array, float) - np.asarray(start, float))
            for v, start in zip(self._variables, self._start)
        ]
        summed, at, found = exchange.add(np.concatenate(grown)), 0, []
        for v, start in zip(self._variables, self._start):
            part = summed[at : at + v._array.size].reshape(v.shape)
            found.append((np.asarray(start, float) + part).astype(v._array.dtype))
            at += v._array.size
        return found
