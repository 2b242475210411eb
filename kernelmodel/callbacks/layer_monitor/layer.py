"""One layer as it is watched: what a step showed of it, and its numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kernelmodel.callbacks.layer_monitor.activity import activity_of
from kernelmodel.callbacks.layer_monitor.rules import Alarms, Rule
from kernelmodel.callbacks.layer_monitor.statistics import Histogram, histogram, norm
from kernelmodel.core.context import Context
from kernelmodel.core.nesting import Place
from kernelmodel.core.tracking import unique
from kernelmodel.core.tree import flatten
from kernelmodel.engine.boxes import getval
from kernelmodel.ops.convert import convert_to_numpy


@dataclass
class LayerState:
    """The newest numbers of a layer; None where there is nothing to measure.

    Attributes:
        path: The names that lead to the layer.
        class_name: Its class.
        is_output: Whether it makes an output of the model.
        trained: Whether optimizers change any of its weights.
        weight_norm: Euclidean norm of the weights that are trained (of all, if none is).
        gradient_norm: Norm of their gradients, as they reach the optimizer.
        gradient_share: Root mean square of the gradients, divided by that of the layer where it is
            largest.
        update_ratio: Norm of a step's change of the weights, divided by their norm before it.
        dead: Share of the units that were 0 for the whole batch (relu, relu6).
        surely_dead: Share of the units that were 0 for the last 128 samples measured.
        saturated: Share of the outputs near their limits (tanh, sigmoid, softmax).
        without_gradient: For how many measured steps no gradient came, or only zeros.
        weights: Histogram of the weights; biases count only where there is nothing else.
        gradients: Histogram of their gradients.
        warnings: Kinds of trouble, see `rules`.
    """

    path: str
    class_name: str
    is_output: bool = False
    trained: bool = False
    weight_norm: float | None = None
    gradient_norm: float | None = None
    gradient_share: float | None = None
    update_ratio: float | None = None
    dead: float | None = None
    surely_dead: float | None = None
    saturated: float | None = None
    without_gradient: int | None = None
    weights: Histogram | None = None
    gradients: Histogram | None = None
    warnings: list[str] = field(default_factory=list)


class WatchedLayer:
    """A layer, what the step that is looked into showed of it, and its state.

    Args:
        place: Where it is.
        path: A path that no other layer has.
        is_output: Whether it makes an output of the model.
    """

    def __init__(self, place: Place, path: str, is_output: bool) -> None:
        layer = place.operation
        self.layer = layer
        self.variables = unique(layer._own_weights() if place.nested else layer.weights)
        self.activity = None if place.nested else activity_of(layer)
        self.state = LayerState(path, type(layer).__name__, is_output)
        self.alarms = Alarms()
        self._size = 0
        self.begin()

    def begin(self) -> None:
        """Forget the step before."""
        self.was_called = False
        self._gradients: dict[int, np.ndarray | None] = {}
        if self.activity is not None:
            self.activity.begin()

    def saw_outputs(self, outputs: Any) -> None:
        """Take what a call gave: of several arrays the first."""
        self.was_called = True
        if self.activity is not None:
            leaf = next((leaf for leaf in flatten(outputs) if hasattr(leaf, "shape")), None)
            if leaf is not None:
                self.activity.add(as_floats(leaf))

    def saw_gradient(self, variable: Any, gradient: Any) -> None:
        """Take the gradient of one of the variables; the last one counts."""
        self._gradients[id(variable)] = None if gradient is None else as_floats(gradient)

    def measure(self, context: Context, compiled: bool) -> float:
        """Bring the state up to date from what was seen and what a step is about to write.

        Returns:
            The root mean square of the gradients; 0 if there are none.
        """
        state = self.state
        trained = [v for v in self.variables if v.trainable]
        state.trained = bool(trained)
        pairs = [
            (as_floats(v._array), as_floats(context.values.get(id(v), v._array)), v)
            for v in trained or self.variables
        ]
        before = norm([old for old, _, _ in pairs])
        state.weight_norm = norm([new for _, new, _ in pairs]) if pairs else None
        state.weights = histogram([new for _, new, v in kernels(pairs)])
        written = [(old, new) for old, new, v in pairs if id(v) in context.written]
        if trained and written and before > 0:
            with np.errstate(all="ignore"):
                state.update_ratio = norm([new - old for old, new in written]) / before
        if self.activity is not None and not compiled:
            self.activity.end()
            state.dead, state.saturated = self.activity.dead, self.activity.saturated
            state.surely_dead = self.activity.surely_dead
        return 0.0 if compiled else self._measure_gradients(trained)

    def _measure_gradients(self, trained: list[Any]) -> float:
        state = self.state
        seen = [(g, v) for v in trained if (g := self._gradients.get(id(v))) is not None]
        size = sum(g.size for g, _ in seen)
        if seen:
            state.gradient_norm = norm([g for g, _ in seen])
            state.gradients = histogram([g for g, _ in kernels(seen)])
        if state.trained:
            empty = not seen or state.gradient_norm == 0
            state.without_gradient = (state.without_gradient or 0) + 1 if empty else 0
        return (state.gradient_norm or 0.0) / math.sqrt(size) if size else 0.0

    def judge(self, rms: float, largest: float) -> list[Rule]:
        """Compare with the other layers; return the rules whose warning comes up."""
        comparable = rms > 0 and 0 < largest < math.inf
        self.state.gradient_share = rms / largest if comparable else None
        new = self.alarms.update(self.state)
        self.state.warnings = list(self.alarms.on)
        return new


def kernels(parts: list[Any]) -> list[Any]:
    """Of tuples of an array (or two) and its variable, those of matrices and larger, if any."""
    large = [part for part in parts if len(part[-1].shape) > 1]
    return large or parts


def as_floats(value: Any) -> np.ndarray:
    """A value, traced or not, as a NumPy array of floats; half precision as float32."""
    array = np.asarray(convert_to_numpy(getval(value)))
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)
