"""Probes in a model: they tell a meter which layer, or which part of a step, is at work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kernelmodel.core.layer import Layer
from kernelmodel.core.tree import flatten
from kernelmodel.engine.boxes import getval, isbox
from kernelmodel.utils.profiling.meters import (
    BACKWARD,
    FORWARD,
    LOSS,
    LOSS_BACKWARD,
    METRICS,
    OPTIMIZER,
    PROBES,
    TAPE,
    Account,
    Meter,
)

Path = tuple[str, ...]


@dataclass
class Called:
    """A layer that was called: how often, and the bytes of what it gave."""

    layer: Any
    calls: int = 0
    output: int = 0


class MeteredGradient:
    """A node's gradient rule, on a layer's account."""

    __slots__ = ("account", "meter", "rule")

    def __init__(self, rule: Callable[[Any], Any], account: Account, meter: Meter) -> None:
        self.rule, self.account, self.meter = rule, account, meter

    def __call__(self, gradient: Any) -> Any:
        """The gradients of the node's parents."""
        self.meter.begin(self.account)
        try:
            return self.rule(gradient)
        finally:
            self.meter.end()


class Probes:
    """What runs around each layer and each part of a step, in this thread.

    A layer's forward time is that of its call. For its backward time, the nodes that its call put
    on the tape are found by walking back from its outputs, and their gradient rules are metered.

    Args:
        model: Whose steps are measured.
        meter: What measures.

    Attributes:
        called: The layers that were called, by path, in the order of their calls.
    """

    def __init__(self, model: Any, meter: Meter) -> None:
        self.model, self.meter = model, meter
        self.called: dict[Path, Called] = {}
        self._path: Path = ()
        self._thread = threading.get_ident()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Be there in a `with` block; the model's objects are as before afterwards."""
        replaced: list[tuple[dict[str, Any], str, dict[str, Any]]] = []
        # A layer that several models share gets one probe.
        places = {(id(place[0]), place[1]): place for place in self._places()}
        try:
            for thing, name, around in places.values():
                own = vars(thing)
                replaced.append((own, name, {name: own[name]} if name in own else {}))
                own[name] = self._here(getattr(thing, name), around)
            yield
        finally:
            for own, name, before in replaced:
                del own[name]
                own.update(before)

    def _places(self) -> Iterator[tuple[Any, str, Callable[..., Any]]]:
        for layer in self.model._flatten_layers():
            yield layer, "_compute", self._around_layer(layer)
            for operation in getattr(getattr(layer, "_graph", None), "operations", []):
                if not isinstance(operation, Layer):
                    yield operation, "function", self._around_layer(operation)
        yield self.model, "compute_loss", self._around_loss
        yield self.model, "compute_metrics", self._around(METRICS)
        if self.model.optimizer is not None:
            yield self.model.optimizer, "minimize", self._around(TAPE)
            yield self.model.optimizer, "apply", self._around(OPTIMIZER)

    def _here(self, function: Callable[..., Any], around: Callable[..., Any]) -> Any:
        def probed(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != self._thread:
                return function(*args, **kwargs)
            return around(function, *args, **kwargs)

        return probed

    def _around(self, account: Account) -> Callable[..., Any]:
        def around(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            with self.meter.inside(account):
                return function(*args, **kwargs)

        return around

    def _around_layer(self, layer: Any) -> Callable[..., Any]:
        def around(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            outer = self._path
            path = self._path = () if layer is self.model else (*outer, layer.name)
            called = self.called.setdefault(path, Called(layer))
            try:
                with self.meter.inside(Account(FORWARD, path)):
                    outputs = function(*args, **kwargs)
            finally:
                self._path = outer
            with self.meter.inside(PROBES):
                called.calls += 1
                called.output += sum(np_bytes(leaf) for leaf in flatten(outputs))
                self._meter_gradients(outputs, Account(BACKWARD, path))
            return outputs

        return around

    def _around_loss(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self.meter.inside(LOSS):
            loss = function(*args, **kwargs)
        with self.meter.inside(PROBES):
            self._meter_gradients(loss, LOSS_BACKWARD)
        return loss

    def _meter_gradients(self, outputs: Any, account: Account) -> None:
        """Meter the nodes that lead to outputs and that no layer within has claimed."""
        nodes: list[Any] = []
        for leaf in flatten(outputs):
            while isbox(leaf):  # a box in a box: one for each tape
                nodes.append(leaf._node)
                leaf = leaf._value
        while nodes:
            node = nodes.pop()
            if node.parents and type(node.vjp) is not MeteredGradient:
                node.vjp = MeteredGradient(node.vjp, account, self.meter)
                nodes += node.parents


def np_bytes(value: Any) -> int:
    """Bytes of an array, traced or not; 0 of anything else."""
    return int(getattr(getval(value), "nbytes", 0))
