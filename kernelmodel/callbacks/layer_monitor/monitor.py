"""The callback that watches how each layer learns."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from kernelmodel.callbacks.callback import Callback, Logs
from kernelmodel.callbacks.console import say
from kernelmodel.callbacks.layer_monitor.layer import LayerState, WatchedLayer
from kernelmodel.callbacks.layer_monitor.report import report, warning_lines
from kernelmodel.core.context import Context
from kernelmodel.core.nesting import places
from kernelmodel.core.watching import WATCHERS

INTERVAL = 0.25  # seconds between two measurements at least; the first ones come sooner
SHARE = 0.03  # of the time between steps may be spent on measuring
LONGEST = 0.5  # seconds from one step to the next that count: what is longer may be a pause
MOST_KEPT = 1000  # measurements in the history; it is thinned when there are more
CURVES = ("weight_norm", "gradient_norm", "update_ratio", "dead", "saturated")


class LayerMonitor(Callback):
    """Watches how each layer learns, and says in words what goes wrong.

    For each layer it measures, in some of the training steps, the histograms of weights and
    gradients, the norm of the gradient, the size of the update in proportion to the weights, and
    the share of dead units (relu) or saturated outputs (tanh, sigmoid, softmax).
    `model.summary()` in a notebook shows the same numbers live. From them come warnings:

    - exploding: a step changes the weights by more than half of their norm, the gradient's norm is
      above 1e4, or one of them isn't finite;
    - vanishing: the gradient's elements are below 1e-5 of those of the layer with the largest;
    - no gradient: none, or only zeros, in five measured steps, though the layer is trainable;
    - dead: half of the units or more were 0 for the last 128 samples that were measured;
    - saturated: half of the outputs or more are within 0.01 of their limits; not for the layers
      that make the model's outputs.

    A warning comes after two such measurements in a row, and goes after two that are clearly
    better, so it doesn't flicker.

    Gradients are seen as they reach `optimizer.apply`, before clipping, so a `train_step` of one's
    own is watched too. Under `jit_compile=True` only weights and updates can be seen.

    Args:
        every: Measure each so many steps; None for at most four times a second, and so seldom
            that it takes less than 5 % of the time.
        verbose: 1 to print a warning when it comes up, 0 to stay silent.

    Attributes:
        layers: `{path: LayerState}`, the newest numbers of each layer.
        history: `{path: {name: [value of each measurement]}}` with the names "weight_norm",
            "gradient_norm", "update_ratio", "dead" and "saturated"; None where there was nothing
            to measure. At most 1000 measurements are kept, spread over the whole training.
        steps: The optimizer's step of each measurement in the history.
        last_step: The optimizer's step of the newest measurement.
        measured: How many measurements there were.
        compiled: Whether the last one was of a step that ran under XLA.

    Raises:
        ValueError: `every` is no positive integer.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((3,)), km.layers.Dense(2, "relu", name="hidden")])
        >>> model.compile("sgd", "mse")
        >>> monitor = km.callbacks.LayerMonitor(every=1)
        >>> x, y = np.ones((8, 3), "float32"), np.zeros((8, 2), "float32")
        >>> history = model.fit(x, y, epochs=3, verbose=0, callbacks=[monitor])
        >>> monitor.steps, len(monitor.history["hidden"]["gradient_norm"])
        ([1, 2, 3], 3)
        >>> print(monitor.report())
        Layers after step 3 (measured 3 times)
        ...

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010, for gradients and saturation.
    """

    def __init__(self, every: int | None = None, verbose: int | bool = 1) -> None:
        if every is not None and (isinstance(every, bool) or not isinstance(every, int)):
            raise ValueError(f"LayerMonitor: `every` must be a positive integer, got {every!r}.")
        if every is not None and every < 1:
            raise ValueError(f"LayerMonitor: `every` must be a positive integer, got {every}.")
        self.every, self.verbose = every, verbose
        self._reset([])

    def _reset(self, watched: list[WatchedLayer]) -> None:
        self._watched = watched
        self._by_layer = {id(one.layer): one for one in watched}
        self._by_variable = {id(v): one for one in watched for v in one.variables}
        self.layers: dict[str, LayerState] = {one.state.path: one.state for one in watched}
        self.history: dict[str, dict[str, list[float | None]]] = {
            path: {name: [] for name in CURVES} for path in self.layers
        }
        self.steps: list[int] = []
        self.measured = self.last_step = 0
        self.compiled = False
        self._seen_steps = 0
        self._stride = 1
        self._next = -math.inf  # not before this time, and not before the debt of time is paid
        self._begun = time.perf_counter()
        self._debt = self._spent = 0.0
        self._concerned = False

    # ---- on and off ----

    def start(self) -> None:
        """Begin to watch the steps of the model, with nothing measured yet."""
        self._reset(watched_layers(self.model))
        if self not in WATCHERS:
            WATCHERS.append(self)

    def resume(self) -> None:
        """Go on watching after `stop`."""
        if self not in WATCHERS:
            WATCHERS.append(self)

    def stop(self) -> None:
        """Watch no more."""
        if self in WATCHERS:
            WATCHERS.remove(self)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin to watch."""
        self.start()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Watch no more."""
        self.stop()

    # ---- looking into a step ----

    def begin(self, compiled: bool) -> bool:
        """Whether this step is to be measured."""
        self._seen_steps += 1
        now = time.perf_counter()
        self._debt -= SHARE * min(now - self._begun, LONGEST)
        self._begun = now
        if self.every is None:
            due = self._debt <= 0 and now >= self._next
        else:
            due = self._seen_steps % self.every == 0
        if due:
            self._spent, self._concerned, self.compiled = 0.0, compiled, compiled
            for one in self._watched:
                one.begin()
        return due

    def saw_outputs(self, layer: Any, outputs: Any) -> None:
        """Look at what a layer gave."""
        one = self._by_layer.get(id(layer))
        if one is not None:
            began = time.perf_counter()
            self._concerned = True
            one.saw_outputs(outputs)
            self._spent += time.perf_counter() - began

    def saw_gradients(self, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        """Note gradients."""
        for gradient, variable in zip(gradients, variables):
            one = self._by_variable.get(id(variable))
            if one is not None:
                self._concerned = True
                one.saw_gradient(variable, gradient)

    def end(self, context: Context) -> None:
        """Measure, unless the step was another model's."""
        if not self._concerned or not any(key in self._by_variable for key in context.written):
            return
        began = time.perf_counter()
        sizes = [one.measure(context, self.compiled) for one in self._watched]
        largest = max(sizes, default=0.0)
        for one, rms in zip(self._watched, sizes):
            for rule in one.judge(rms, largest):
                if self.verbose:
                    say(f"Step {self._step(context)}: {warning_lines(one.state, rule)}")
            one.begin()
        self.measured += 1
        self.last_step = self._step(context)
        self._keep(self.last_step)
        now = time.perf_counter()
        self._debt = self._spent + now - began
        self._next = now + min(INTERVAL, 0.01 * self.measured)

    def _step(self, context: Context) -> int:
        iterations = getattr(getattr(self.model, "optimizer", None), "_iterations", None)
        if iterations is None:
            return self._seen_steps
        return int(context.values.get(id(iterations), iterations._array))

    def _keep(self, step: int) -> None:
        if (self.measured - 1) % self._stride:
            return
        self.steps.append(step)
        curves = [(self.history[path], state) for path, state in self.layers.items()]
        for curve, state in curves:
            for name in CURVES:
                curve[name].append(getattr(state, name))
        if len(self.steps) > MOST_KEPT:
            self._stride *= 2
            del self.steps[1::2]
            for curve, _ in curves:
                for values in curve.values():
                    del values[1::2]

    # ---- what was found ----

    def state_of(self, layer: Any) -> LayerState | None:
        """The newest numbers of a layer; None if there is nothing to watch."""
        one = self._by_layer.get(id(layer))
        return None if one is None else one.state

    @property
    def warnings(self) -> dict[str, list[str]]:
        """The kinds of trouble of each layer that has any now, by path."""
        return {path: list(state.warnings) for path, state in self.layers.items() if state.warnings}

    def report(self) -> str:
        """The newest numbers of each layer as a table of text, and the warnings in words."""
        return report(self)


def watched_layers(model: Any) -> list[WatchedLayer]:
    """The layers of a model that have weights, or an activation that can be dead or saturated.

    A layer that is shared, and so has several places, is watched once.
    """
    outputs = {id(operation) for operation in output_operations(model)}
    found: dict[int, WatchedLayer] = {}
    taken: set[str] = set()
    for place in places(model):
        layer = place.operation
        if id(layer) in found or not hasattr(layer, "weights"):
            continue
        path, number = place.path, 2
        while path in taken:
            path, number = f"{place.path}#{number}", number + 1
        one = WatchedLayer(place, path, id(layer) in outputs)
        if one.variables or one.activity is not None:
            taken.add(path)
            found[id(layer)] = one
    return list(found.values())


def output_operations(model: Any) -> list[Any]:
    """What makes the outputs of a model, also of those in it; of a subclass its last layer."""
    graph = getattr(model, "_graph", None)
    if graph is None:
        made_by = list(getattr(model, "layers", []))[-1:]
    else:
        made_by = [t.node.operation for t in graph.output_tensors if t.node is not None]
    inner = [one for made in made_by if hasattr(made, "_graph") for one in output_operations(made)]
    return [*made_by, *inner]
