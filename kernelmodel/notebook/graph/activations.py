"""What each layer of a model gives for a few samples, with the weights as they are now."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from kernelmodel.core.context import Context
from kernelmodel.core.tree import flatten, map_structure
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.notebook.graph.parts import Parts
from kernelmodel.ops.convert import convert_to_numpy

MOST_SAMPLES = 16


class Activations:
    """Runs a model on one of some samples and keeps what each layer gave.

    It waits for the step of a training that is running, and runs between two steps; it changes
    nothing. The outputs of one sample are kept until the weights change or another is asked for.

    Args:
        model: a built model.
        parts: of the model.
        x: samples in the structure of the model's inputs; the first 16 can be chosen.

    Raises:
        ValueError: there is no sample, or it doesn't fit the model's inputs.
    """

    def __init__(self, model: Any, parts: Parts, x: Any) -> None:
        arrays = [np.asarray(leaf) for leaf in flatten(x)]
        lengths = {len(array) if array.ndim else 0 for array in arrays}
        if len(lengths) != 1 or lengths == {0}:
            raise ValueError(
                f"model.graph(x) of {model.name!r} needs one or more samples, as many for each "
                f"input, got arrays of shape {[array.shape for array in arrays]}. The batch axis "
                "comes first: x[:1] rather than x[0]."
            )
        self.total = lengths.pop()
        self.samples = map_structure(lambda leaf: np.array(leaf[:MOST_SAMPLES]), x)
        self.count = min(self.total, MOST_SAMPLES)
        self.model = model
        self._parts = parts
        self._known: tuple[Any, ...] = ()
        self._seen = Recorder(parts)
        self.of(None, 0)

    def of(self, operation: Any, sample: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return what a layer gave for a sample, call by call, and its attention scores.

        Args:
            operation: a layer or op of the model.
            sample: its number, from 0.

        Returns:
            The outputs of all calls, and of an attention layer the scores (heads, queries, keys)
            of all calls; without the batch axis.
        """
        weights = [variable._array for variable in self.model.variables]
        known = (sample, tuple(map(id, weights)))
        if known != self._known:
            self._run(sample)
            self._known = known
        return self._seen.outputs[id(operation)], self._seen.scores[id(operation)]

    def _run(self, sample: int) -> None:
        seen = Recorder(self._parts)
        x = map_structure(lambda leaf: leaf[sample : sample + 1], self.samples)
        with ENGINE_LOCK, Context(pure=True) as context, np.errstate(all="ignore"):
            context.observer = seen
            self.model(x, training=False)
        for given, layer in zip(flatten(x), self._input_layers()):
            seen.outputs[id(layer)] = [given[0]]
        self._seen = seen

    def _input_layers(self) -> list[Any]:
        graph = getattr(self.model, "_graph", None)
        return [] if graph is None else graph.input_layers


class Recorder:
    """An observer of a context that keeps what layers and ops give.

    Args:
        parts: the layers and ops to keep the outputs of.

    Attributes:
        outputs: by the id of the layer or op, one array a call and output.
        scores: by the id of an attention layer, those of each call.
    """

    sees_ops = True

    def __init__(self, parts: Parts) -> None:
        self.outputs: dict[int, list[Any]] = defaultdict(list)
        self.scores: dict[int, list[Any]] = defaultdict(list)
        self._shown = {id(part.operation) for part in parts.walk()}
        self._inside = {
            id(part.operation._softmax): id(part.operation)
            for part in parts.walk()
            if part.family == "attention" and hasattr(part.operation, "_softmax")
        }

    def saw_scores(self, layer: Any, scores: Any) -> None:
        """Keep the scores of an attention layer whose kernel gives them beside its outputs."""
        if id(layer) in self._shown and not hasattr(layer, "_softmax"):
            self.scores[id(layer)] += _arrays(scores)

    def __call__(self, operation: Any, args: Any, outputs: Any) -> Any:
        """Keep the outputs of a call."""
        if id(operation) in self._inside:
            self.scores[self._inside[id(operation)]] += _arrays(outputs)
        elif id(operation) in self._shown:
            self.outputs[id(operation)] += _arrays(outputs)
        return outputs


def _arrays(result: Any) -> list[np.ndarray]:
    leaves = [convert_to_numpy(getval(leaf)) for leaf in flatten(result) if hasattr(leaf, "shape")]
    return [np.asarray(leaf)[0] for leaf in leaves if len(leaf.shape)]
