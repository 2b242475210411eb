"""What a layer owns: variables, sublayers, metrics and random streams, found by attribute.

Lists and dicts are kept as they are and searched when asked, so a layer appended to a list that a
model holds is the model's too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernelmodel.core.autoconfig import Configurable
from kernelmodel.core.revision import Revision
from kernelmodel.core.seed import SeedGenerator
from kernelmodel.core.variable import Variable

CONTAINERS = (list, tuple, dict)


def is_metric(value: Any) -> bool:
    """Whether a value keeps a metric: metrics stand above layers, so their methods tell."""
    return all(hasattr(value, name) for name in ("update_state", "reset_state", "result"))


def leaves(value: Any) -> Iterator[Any]:
    """The tracked things in nested containers, in order."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, CONTAINERS):
        yield value
        return
    for part in value:
        yield from leaves(part)


class Tracker(Configurable):
    """Base that notes which attributes hold variables, layers, metrics and random streams."""

    _tracked: dict[str, Any]
    _own_trainable: list[Variable]
    _own_fixed: list[Variable]

    def _start_tracking(self) -> None:
        object.__setattr__(self, "_tracked", {})
        object.__setattr__(self, "_own_trainable", [])
        object.__setattr__(self, "_own_fixed", [])

    def __setattr__(self, name: str, value: Any) -> None:
        tracked = self.__dict__.get("_tracked")
        if tracked is None:
            if isinstance(value, (Variable, Tracker)):
                raise RuntimeError(
                    f"Call super().__init__() in {type(self).__name__}.__init__ before "
                    f"self.{name} is set, or its weights would be lost."
                )
        elif isinstance(value, Variable):
            self._own(value)
        elif isinstance(value, (Tracker, SeedGenerator, *CONTAINERS)) or is_metric(value):
            tracked.pop(name, None)
            if name not in UNTRACKED and (type(value) is not tuple or holds_trackable(value)):
                tracked[name] = value
                Revision.count += 1
        elif name in tracked:
            del tracked[name]
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        value = self.__dict__.get(name)
        self._tracked.pop(name, None)
        for owned in (self._own_trainable, self._own_fixed):
            owned[:] = [variable for variable in owned if variable is not value]
        object.__delattr__(self, name)

    def _own(self, variable: Variable) -> None:
        owned = self._own_trainable if variable.trainable else self._own_fixed
        if not any(v is variable for v in [*self._own_trainable, *self._own_fixed]):
            owned.append(variable)

    def _things(self, kind: Any) -> list[Any]:
        if not self._tracked:
            return []
        found: dict[int, Any] = {}
        for value in self._tracked.values():
            if type(value) in CONTAINERS:
                for leaf in leaves(value):
                    if kind(leaf):
                        found.setdefault(id(leaf), leaf)
            elif kind(value):
                found.setdefault(id(value), value)
        return list(found.values())

    @property
    def _layers(self) -> list[Any]:
        """Layers that this one holds, in the order of their attributes."""
        return self._things(lambda value: isinstance(value, Tracker) and value is not self)

    @property
    def _metrics(self) -> list[Any]:
        return self._things(is_metric)

    @property
    def _seed_generators(self) -> list[SeedGenerator]:
        return self._things(lambda value: isinstance(value, SeedGenerator))

    def _own_weights(self) -> list[Variable]:
        contained = self._things(lambda value: isinstance(value, Variable))
        return unique([*self._own_trainable, *self._own_fixed, *contained])

    def _flatten_layers(self) -> list[Any]:
        """This layer and all below it, each once."""
        found: dict[int, Any] = {}

        def visit(layer: Any) -> None:
            if id(layer) not in found:
                found[id(layer)] = layer
                for child in layer._layers:
                    visit(child)

        visit(self)
        return list(found.values())


# Attributes that hold lists and dicts of something else.
UNTRACKED = {
    "_build_shapes", "_call_losses", "_callable_losses", "_compile_arguments", "_inbound_nodes",
    "_init_passed", "_own_fixed", "_own_trainable", "_tracked", "_unheld_variables", "_xla_steps",
    "loss",
}  # fmt: skip


def holds_trackable(value: Any) -> bool:
    """Whether nested containers hold a variable, layer, metric or random stream."""
    return any(
        isinstance(leaf, (Variable, Tracker, SeedGenerator)) or is_metric(leaf)
        for leaf in leaves(value)
    )


def unique(variables: list[Variable]) -> list[Variable]:
    """Each variable once."""
    return list({id(variable): variable for variable in variables}.values())
