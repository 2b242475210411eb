"""GradientTape: record what happens in a `with` block, then ask for gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.context import Context, current
from kernelmodel.core.tree import flatten, map_structure, pack_like
from kernelmodel.core.variable import Variable
from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.boxes import isbox
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.engine.scope import WATCHED
from kernelmodel.engine.stand_in import StandIn
from kernelmodel.engine.tape import backward, close_trace, open_trace, root_box
from kernelmodel.engine.tensor import as_tensor


class GradientTape:
    """Records computations for reverse-mode differentiation.

    Trainable variables are watched by themselves. An array is watched after `tape.watch(x)`;
    layers and the functions of `kernelmodel.ops` then find its history by its identity, and so
    do NumPy functions if the value that `watch` returns is used in its place.

    Args:
        persistent: Whether `gradient` may be called more than once.
        watch_accessed_variables: Whether trainable variables are watched by themselves.

    Examples:
        >>> import kernelmodel as km
        >>> x = km.Variable(3.0)
        >>> with km.GradientTape() as tape:
        ...     y = x * x
        >>> tape.gradient(y, x)
        np.float32(6.0)
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent = persistent
        self.watch_accessed_variables = watch_accessed_variables
        self.boxes: dict[int, Any] = {}
        self._roots: dict[int, list[Any]] = {}
        self._watched: dict[int, tuple[Any, Any]] = {}
        self._used = False
        self._open = False
        self._own_context: Context | None = None

    def __enter__(self) -> GradientTape:
        ENGINE_LOCK.__enter__()
        self.trace = open_trace()
        context = current()
        if context is None:
            context = self._own_context = Context()
            context.__enter__()
        context.tapes.append(self)
        self._open = True
        return self

    def __exit__(self, *error: Any) -> None:
        context = current()
        assert context is not None
        context.tapes.remove(self)
        for key in self._watched:
            WATCHED.pop(key, None)
        if self._own_context is not None:
            self._own_context.keep_losses()
            self._own_context.__exit__(*error)
            self._own_context = None
        close_trace()
        self._open = False
        ENGINE_LOCK.__exit__(*error)

    def watches(self, variable: Variable) -> bool:
        """Whether reads of the variable are recorded.

        Args:
            variable: A variable.
        """
        if id(variable) in self._watched:
            return True
        return self.watch_accessed_variables and variable.trainable and is_floating(variable)

    def box_of(self, variable: Variable, value: Any) -> Any:
        """The traced value of a variable on this tape.

        Args:
            variable: A variable.
            value: Its value.
        """
        box = self.boxes.get(id(variable))
        if box is None:
            box = self.boxes[id(variable)] = root_box(value, self.trace)
            self._roots.setdefault(id(variable), []).append(box)
        return box

    def watch(self, tensor: Any) -> Any:
        """Record what is done with an array (or each array of a structure).

        Args:
            tensor: An array, or a structure of arrays.

        Returns:
            Its traced twin, to be used in its place by plain NumPy code.
        """
        if not self._open:
            raise RuntimeError("tape.watch() must be called inside the tape's `with` block.")
        return map_structure(self._watch_one, tensor)

    def _watch_one(self, tensor: Any) -> Any:
        if isinstance(tensor, Variable):
            self._watched[id(tensor)] = (tensor, None)
            return tensor
        if not hasattr(tensor, "dtype") or kind_of(tensor.dtype) != "f":
            raise ValueError(
                f"tape.watch() needs an array of floats, got {type(tensor).__name__} of dtype "
                f"{getattr(tensor, 'dtype', None)}. Convert it: ops.cast(x, 'float32')."
            )
        box = root_box(tensor, self.trace)
        self._watched[id(tensor)] = WATCHED[id(tensor)] = (tensor, box)
        return box

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: str = "none",
    ) -> Any:
        """Gradients of the target (the sum of its values) with respect to the sources.

        Args:
            target: Array computed inside the tape, or a structure of such.
            sources: Variables and watched arrays, in any structure.
            output_gradients: Weights of the target's values, of its shape.
            unconnected_gradients: "none" or "zero": what a source gets that the target doesn't
                depend on.

        Returns:
            In the structure of `sources`, an array of each source's shape.

        Raises:
            RuntimeError: A second call, but the tape isn't persistent.
            ValueError: Another word for `unconnected_gradients`.
        """
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(
                f"`unconnected_gradients` must be 'none' or 'zero', got {unconnected_gradients!r}."
            )
        if self._used and not self.persistent:
            raise RuntimeError(
                "This tape was asked for gradients before. Make it with "
                "GradientTape(persistent=True) to ask more than once."
            )
        self._used = True
        targets, flat_sources = flatten(target), flatten(sources)
        seeds = [None] * len(targets) if output_gradients is None else flatten(output_gradients)
        roots = [self._root_nodes(source) for source in flat_sources]
        wanted = [node for nodes in roots for node in nodes]
        totals: list[Any] = [None] * len(flat_sources)
        for one, seed in zip(targets, seeds):
            if not isbox(one) or one._trace != self.trace:
                continue
            found = backward(one, seed, wanted)
            for number, nodes in enumerate(roots):
                for node in nodes:
                    if node in found:
                        part = found[node]
                        before = totals[number]
                        totals[number] = part if before is None else before + part
        if not self.persistent:
            self.boxes, self._roots = {}, {}
        if unconnected_gradients == "zero":
            pairs = zip(totals, flat_sources)
            totals = [np.zeros(s.shape, s.dtype) if t is None else t for t, s in pairs]
        return pack_like(sources, [t if self._inside() else as_tensor(t) for t in totals])

    def _inside(self) -> bool:
        context = current()
        return context is not None and context.pure

    def _root_nodes(self, source: Any) -> list[Any]:
        if isinstance(source, Variable):
            return [box._node for box in self._roots.get(id(source), [])]
        if isbox(source):
            return [source._node]
        if id(source) in self._watched:
            return [self._watched[id(source)][1]._node]
        if not isinstance(source, (np.ndarray, StandIn)):
            raise TypeError(
                f"A gradient's source must be a variable or a watched array, got "
                f"{type(source).__name__}."
            )
        return []

    def reset(self) -> None:
        """Forget everything recorded so far."""
        self.boxes, self._roots, self._used = {}, {}, False


def is_floating(variable: Variable) -> bool:
    """Whether a variable holds floats."""
    return variable.dtype.startswith(("float", "bfloat"))
