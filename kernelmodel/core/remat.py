"""Rematerialization: a function whose inside the tape forgets and, for gradients, computes anew.

The function runs without being recorded: of all that it computes only its results stay, with what
it was given and with the value that each variable had when it read it first. In the backward pass
it runs once more, from these, on a tape of its own. So random draws are the same both times, and
what it writes (a layer's statistics, the state of a random stream) is written once. Memory falls
from all results within it to its arguments, for one more forward pass (Chen et al., *Training deep
nets with sublinear memory cost*, 2016).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

from kernelmodel.core.context import Context
from kernelmodel.core.tree import flatten, pack_like
from kernelmodel.core.variable import Variable, array_of
from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.boxes import getval, isbox
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.engine.primitive import pick
from kernelmodel.engine.scope import CURRENT, WATCHED, watched
from kernelmodel.engine.tape import backward_from, make_node, root_box, trace_above
from kernelmodel.engine.xla_array import set_apart
from kernelmodel.ops.dispatch import find_recorder

Function = Callable[..., Any]


def remat(f: Function) -> Function:
    """Make a function that keeps nothing for the backward pass but its arguments.

    What it computes in between is computed again when gradients are asked for, with the same random
    draws: less memory, more time. The results and the gradients are those of `f`. Arrays with
    a history that `f` takes from elsewhere than its arguments and variables keep that history.
    Side effects that are not writes to variables (prints, counters) happen twice.

    Args:
        f: Function of arrays, or of structures of them, that returns arrays: a layer, a method, ….

    Returns:
        A function of the same arguments. Symbolic tensors meet `f` itself; for the layers of a
        Functional model there is `RematScope`.

    Raises:
        TypeError: `f` can't be called.
        RuntimeError: In the backward pass, `f` computed with other variables than before.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> block = km.Sequential([km.layers.Dense(8, "relu"), km.layers.Dense(1)])
        >>> x = np.ones((2, 3), "float32")
        >>> with km.GradientTape() as tape:
        ...     loss = km.ops.sum(km.remat(block)(x))
        >>> [g.shape for g in tape.gradient(loss, block.trainable_weights)]
        [(3, 8), (8,), (8, 1), (1,)]
    """
    if not callable(f):
        raise TypeError(f"remat: f must be a function or a layer, got {f!r}.")

    @wraps(f, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if find_recorder((*args, *kwargs.values())) is not None:
            return f(*args, **kwargs)
        return rematerialized(f, args, kwargs)

    return call


def rematerialized(function: Function, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call a function so that the innermost tape keeps only what it was given."""
    structure = [list(args), kwargs]
    leaves = [watched(leaf) for leaf in flatten(structure)]
    context = CURRENT.get()
    traces = [trace_of(leaf) for leaf in leaves]
    if context is not None and context.tapes:
        traces.append(context.tapes[-1].trace)
    trace = max(traces, default=-1)
    if trace < 0:
        return function(*args, **kwargs)
    if context is None:
        with Context() as context:
            result = Segment(function, structure, leaves, trace, context).run(context)
            context.keep_losses()
            return result
    return Segment(function, structure, leaves, trace, context).run(context)


def trace_of(value: Any) -> int:
    """The number of the trace that an array is on, -1 for none; a variable is read when used."""
    return value._trace if isbox(value) and not isinstance(value, Variable) else -1


def off_trace(value: Any, trace: int) -> Any:
    """A value without its history on one trace."""
    return value._value if trace_of(value) == trace else value


class Segment:
    """One call of a function, of which the tape knows the beginning and the end.

    Args:
        function: The function.
        structure: Its arguments: a list of positional ones, and a dict.
        leaves: The arrays and other things in the structure.
        trace: The trace that is to forget what happens in the function.
        context: The context that it is called in.
    """

    def __init__(
        self, function: Function, structure: Any, leaves: list[Any], trace: int, context: Context
    ) -> None:
        self.function, self.structure, self.trace = function, structure, trace
        self.boxes = {i: leaf for i, leaf in enumerate(leaves) if trace_of(leaf) == trace}
        self.leaves = [off_trace(leaf, trace) for leaf in leaves]
        self.detached = Detached(trace)
        self.later, self.plan = context.later, context.plan
        self.depth, self.path = context.depth, list(context.path)
        self.training = context.training
        self.stand_ins = {key: off_trace(v, trace) for key, v in context.stand_ins.items()}
        arrays = [id(getval(leaf)) for leaf in leaves]
        self.masks = {key: context.masks[key] for key in arrays if key in context.masks}

    def _call(self, context: Context, leaves: list[Any]) -> tuple[Any, list[Any], dict[int, Any]]:
        """Call the function.

        Returns:
            Its result; the leaves of that and of the losses that it added; those losses.
        """
        outer, context.losses = context.losses, {}
        try:
            args, kwargs = pack_like(self.structure, leaves)
            result = self.function(*args, **kwargs)
            added = context.losses
        finally:
            context.losses = outer
        found = [*flatten(result), *(loss for _, losses in added.values() for loss in losses)]
        return result, [array_of(leaf) for leaf in found], added

    def run(self, context: Context) -> Any:
        """The first run: its results as single steps of the tape."""
        masks = set(context.masks)
        context.tapes.append(self.detached)
        try:
            # The tape's twin of a watched array would be found by the array's identity.
            with watching({id(self.leaves[i]): None for i in self.boxes}):
                result, found, added = self._call(context, self.leaves)
        finally:
            context.tapes.remove(self.detached)
        kept = masks | {id(getval(leaf)) for leaf in found}
        context.masks = {key: mask for key, mask in context.masks.items() if key in kept}
        found = self._recorded(found)
        count = len(flatten(result))
        losses = iter(found[count:])
        for key, (layer, values) in added.items():
            mine = [next(losses) for _ in values]
            before = context.losses[key][1] if key in context.losses and context.depth else []
            context.losses[key] = layer, [*before, *mine]
        return pack_like(result, found[:count])

    def _recorded(self, found: list[Any]) -> list[Any]:
        """The results with a node that leads to what the function was given."""
        parents = [box._node for box in (*self.boxes.values(), *self.detached.traced)]
        places = [i for i, leaf in enumerate(found) if is_float(leaf)]
        if not parents or not places:
            return found
        # A result that is on the tape all the same came from an array of elsewhere.
        foreign = [n for n, i in enumerate(places) if trace_of(found[i]) == self.trace]
        parents += [found[places[n]]._node for n in foreign]

        def vjp(g: tuple[Any, ...]) -> list[Any]:
            gradients: list[Any] = [None] * count
            for i, part in zip(places, g):
                gradients[i] = part
            return [*self.gradients(gradients), *(g[n] for n in foreign)]

        count = len(found)
        node = make_node(None, parents, vjp)
        recorded = list(found)
        for n, i in enumerate(places):
            value = off_trace(found[i], self.trace)
            recorded[i] = pick(node, value, n, len(places), self.trace)
        return recorded

    def gradients(self, gradients: list[Any]) -> list[Any]:
        """Run the function once more, and lead gradients back through it.

        Args:
            gradients: For each result (an array or None).

        Returns:
            For each array and each read of a variable that was on the tape (an array or None).

        Raises:
            RuntimeError: The function read other variables than before.
        """
        first = list(self.detached.first.items())
        values, gradients = set_apart([*self.leaves, *(value for _, value in first)], gradients)
        leaves = values[: len(self.leaves)]
        context = Context(pure=True)
        context.later, context.plan = self.later, self.plan
        context.depth, context.path, context.training = self.depth, self.path, self.training
        context.stand_ins, context.masks = dict(self.stand_ins), dict(self.masks)
        context.values = {key: v for (key, _), v in zip(first, values[len(leaves) :])}
        for old, new in zip(self.leaves, leaves):
            if id(getval(old)) in context.masks:
                context.set_mask(new, context.masks[id(getval(old))][1])
        with ENGINE_LOCK:
            with trace_above(self.trace) as trace:
                again = Again(trace, self.detached.names)
                context.tapes.append(again)
                roots = {i: root_box(leaves[i], trace) for i in self.boxes}
                twins = {id(self.leaves[i]): (self.leaves[i], root) for i, root in roots.items()}
                with context, watching(twins):
                    boxed = [roots.get(i, leaf) for i, leaf in enumerate(leaves)]
                    _, found, _ = self._call(context, boxed)
            reached = [*roots.values(), *again.roots]
            if len(reached) != len(roots) + len(self.detached.traced):
                name = getattr(self.function, "__name__", type(self.function).__name__)
                raise RuntimeError(
                    f"remat: {name} used other variables when it ran again for the gradients. It "
                    "may depend on its arguments and on variables alone."
                )
            pairs = [
                (leaf._node, g)
                for leaf, g in zip(found, gradients)
                if g is not None and trace_of(leaf) == trace
            ]
            end = make_node(None, [node for node, _ in pairs], lambda _: [g for _, g in pairs])
            nodes = [box._node for box in reached]
            gradient = backward_from(end, None, nodes)
        return [off_trace(gradient.get(node), self.trace) for node in nodes]


class Detached:
    """A tape's place in the first run: variables are read without their history on a trace.

    Attributes:
        traced: The variables' arrays on that trace, in the order in which they were read.
        names: The ids of their variables.
        first: By a variable's id, the value when it was read first.
    """

    trace = -1

    def __init__(self, level: int) -> None:
        self.level = level
        self.boxes: dict[int, Any] = {}
        self.traced: list[Any] = []
        self.names: set[int] = set()
        self.first: dict[int, Any] = {}

    def watches(self, variable: Variable) -> bool:
        """Whether it wants to know of reads of a variable: of all."""
        return True

    def box_of(self, variable: Variable, value: Any) -> Any:
        """What a read of the variable gives."""
        if trace_of(value) == self.level:
            self.traced.append(value)
            self.names.add(id(variable))
            value = value._value
        self.first.setdefault(id(variable), value)
        self.boxes[id(variable)] = value
        return value


class Again:
    """The tape of the second run: it records the variables that were on the tape in the first.

    Attributes:
        roots: Their arrays, in the order in which they were read.
    """

    def __init__(self, trace: int, names: set[int]) -> None:
        self.trace, self.names = trace, names
        self.boxes: dict[int, Any] = {}
        self.roots: list[Any] = []

    def watches(self, variable: Variable) -> bool:
        """Whether reads of a variable are recorded."""
        return id(variable) in self.names

    def box_of(self, variable: Variable, value: Any) -> Any:
        """What a read of the variable gives."""
        box = self.boxes[id(variable)] = root_box(value, self.trace)
        self.roots.append(box)
        return box


@contextmanager
def watching(twins: dict[int, Any]) -> Iterator[None]:
    """In a `with` block, arrays with these ids have other traced twins, or (None) none."""
    before = {key: WATCHED.pop(key, None) for key in twins}
    WATCHED.update({key: twin for key, twin in twins.items() if twin is not None})
    try:
        yield
    finally:
        for key, twin in before.items():
            WATCHED.pop(key, None)
            if twin is not None:
                WATCHED[key] = twin


def is_float(value: Any) -> bool:
    """Whether a value is an array that has gradients."""
    return hasattr(value, "dtype") and kind_of(value.dtype) in "fc"
