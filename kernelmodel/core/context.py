"""The context of a step or a call: every value that it reads and writes.

Inside a context a `Variable` reads its value here, and `assign` writes here. A training step runs
in a context that collects its writes and commits them at its end, so a step is a pure function of
what it was given: an error or an interrupt in its middle changes nothing, and the XLA engine
compiles the very same code with tracers in place of the values.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.scope import CURRENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelmodel.core.variable import Variable


class Context:
    """Values, flags and side results of a running step or call.

    Args:
        pure: Keep writes here until `commit`; else they go to the variables at once.
    """

    __slots__ = (
        "depth", "later", "losses", "masks", "observer", "path", "plan", "pure", "shapes_only",
        "stand_ins", "tapes", "token", "training", "values", "written",
    )  # fmt: skip

    def __init__(self, pure: bool = False) -> None:
        self.pure = pure
        self.values: dict[int, Any] = {}
        self.written: dict[int, Variable] = {}
        # What reads of a variable give in its place; see `standing_in`.
        self.stand_ins: dict[int, Any] = {}
        self.tapes: list[Any] = []
        self.training: Any = None
        self.masks: dict[int, tuple[Any, Any]] = {}
        self.losses: dict[int, tuple[Any, list[Any]]] = {}
        self.path: list[str] = []
        # `(layer, args, outputs) -> outputs`, called with what each layer gives while `path` still
        # leads to it; what it returns goes on in place of the outputs.
        self.observer: Any = None
        self.depth = 0
        self.shapes_only = False
        # A `RecordedStep` that is written down: it gives the variables' values.
        self.plan: Any = None
        # `(function, args, like) -> result`: notes a call that is made each time the step runs.
        self.later: Any = None
        self.token: Any = None

    def __enter__(self) -> Context:
        self.token = CURRENT.set(self)
        return self

    def __exit__(self, *error: object) -> None:
        CURRENT.reset(self.token)

    def read(self, variable: Variable) -> Any:
        """The variable's value now: written here, or its own; traced under a tape."""
        if self.stand_ins and id(variable) in self.stand_ins:
            return self.stand_ins[id(variable)]
        if self.tapes:
            return self._traced(variable, len(self.tapes) - 1)
        return self._own(variable)

    def _own(self, variable: Variable) -> Any:
        if self.plan is not None and id(variable) not in self.values:
            self.values[id(variable)] = self.plan.variable(variable)
        return self.values.get(id(variable), variable._array)

    def _traced(self, variable: Variable, level: int) -> Any:
        if level < 0:
            return self._own(variable)
        tape = self.tapes[level]
        if not tape.watches(variable):
            return self._traced(variable, level - 1)
        if id(variable) in tape.boxes:
            return tape.boxes[id(variable)]
        return tape.box_of(variable, self._traced(variable, level - 1))

    def write(self, variable: Variable, value: Any) -> None:
        """Give the variable a new (untraced) value."""
        for tape in self.tapes:
            tape.boxes.pop(id(variable), None)
        if not self.pure and not self.shapes_only:
            variable._array = value
            return
        self.values[id(variable)] = value
        self.written[id(variable)] = variable

    def commit(self) -> None:
        """Write everything back to the variables; an interrupt waits until all is written."""
        with interrupts_held():
            for key, variable in self.written.items():
                variable._array = self.values[key]
        self.values, self.written = {}, {}

    def keep_losses(self) -> None:
        """Leave the losses of this call on their layers, where `layer.losses` finds them."""
        for layer, values in self.losses.values():
            layer._call_losses = [getval(value) for value in values]

    def forget_losses(self, layer: Any) -> None:
        """Drop what an earlier call of the layer added: a new outermost call begins."""
        if self.losses:
            for part in layer._flatten_layers():
                self.losses.pop(id(part), None)

    def mask_of(self, array: Any) -> Any:
        """The mask computed beside an array, or None."""
        found = self.masks.get(id(getval(array)))
        if found is not None:
            return found[1]
        return getattr(array, "keras_mask", None)

    def set_mask(self, array: Any, mask: Any) -> None:
        """Remember the mask of an array, traced or not, for what follows."""
        array = getval(array)
        self.masks[id(array)] = (array, mask)


def current() -> Context | None:
    """The running context, if any."""
    return CURRENT.get()


@contextmanager
def standing_in(variable: Variable, value: Any) -> Iterator[None]:
    """In a `with` block of a running context, reads of a variable give another, traced value.

    Gradients flow through that value to what it was computed from.
    """
    context = CURRENT.get()
    assert context is not None
    context.stand_ins[id(variable)] = value
    try:
        yield
    finally:
        del context.stand_ins[id(variable)]


@contextmanager
def named(name: str) -> Iterator[None]:
    """Put a name before the paths of the weights that are made in a `with` block.

    Args:
        name: What the paths begin with.

    Examples:
        >>> import kernelmodel as km
        >>> with km.name_scope("left"):
        ...     weight = km.Variable(1.0, name="w")
        ...
        >>> weight.path
        'w'
    """
    context = CURRENT.get()
    with Context() if context is None else nullcontext(context) as running:
        outer = running.path
        running.path = outer if outer[-1:] == [name] else [*outer, name]
        try:
            yield
        finally:
            running.path = outer


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let a KeyboardInterrupt wait until the block is done, so that it isn't half done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[Any] = []
    old = signal.getsignal(signal.SIGINT)
    if not callable(old):
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: arrived.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)
        if arrived:
            old(*arrived[0])
