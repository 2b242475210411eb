"""Reverse mode on HIPS autograd, with each gradient kept in the dtype of its value.

autograd's vector-Jacobian products of `mean`, `var`, `max`, `where` and others return float64
for float32 values; one of them in a loss doubles the cost of everything before it. A node here
remembers its value's dtype and the backward pass casts to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.core import VJPNode, add_outgrads
from autograd.tracer import new_box, notrace_primitives, toposort, trace_stack

from kernelmodel.engine.bfloat16 import cast_array
from kernelmodel.engine.boxes import getval, isbox
from kernelmodel.engine.plan import PlanArray
from kernelmodel.engine.xla_array import holds_xla, xla_vjp

# Where these have no derivative, JAX chooses another one: 1 for abs at 0, 0.5 for clip at a bound.
KINKED = {anp.abs, anp.absolute, anp.fabs, anp.clip}


class TapeNode(VJPNode):
    """A reverse-mode node that knows the dtype of the value it stands for.

    Raises:
        NotImplementedError: The function has no gradient rule.
    """

    __slots__ = ("dtype",)
    parents: Any
    vjp: Any

    def __init__(
        self, value: Any, function: Any, args: Any, kwargs: Any, places: Any, parents: Any
    ) -> None:
        self.dtype = getattr(value, "dtype", None)
        if holds_xla(value) and function not in KINKED and not any(map(isbox, args)):
            self.parents, self.vjp = parents, xla_vjp(function.fun, args, kwargs, places)
            return
        try:
            super().__init__(value, function, args, kwargs, places, parents)
        except NotImplementedError as error:
            raise NotImplementedError(
                f"numpy.{function.__name__} has no gradient for these arguments ({error}). Use "
                "another function of NumPy or kernelmodel.ops, or kernelmodel.ops.stop_gradient "
                "around its arguments where no gradient is wanted."
            ) from error


# Comparisons, argmax and the like have no gradient: on this node type too they aren't traced.
notrace_primitives[TapeNode] = notrace_primitives[VJPNode]


class PartialGradient:
    """The gradient of one entry of a primitive's tuple output."""

    __slots__ = ("count", "gradient", "index")

    def __init__(self, index: int, count: int, gradient: Any) -> None:
        self.index, self.count, self.gradient = index, count, gradient


def make_node(value: Any, parents: Sequence[Any], vjp: Callable[[Any], Sequence[Any]]) -> TapeNode:
    """A node with a ready-made vector-Jacobian product (None for a parent means zero)."""
    node = TapeNode.__new__(TapeNode)
    node.parents, node.vjp = tuple(parents), vjp
    node.dtype = getattr(value, "dtype", None)
    return node


def open_trace() -> int:
    """Start a trace and return its level; pair it with `close_trace`."""
    trace_stack.top += 1
    return trace_stack.top


def close_trace() -> None:
    """End the innermost trace."""
    trace_stack.top -= 1


@contextmanager
def trace_above(level: int) -> Iterator[int]:
    """A trace for a `with` block, with a number that arrays of another one's can't be taken for.

    Args:
        level: The number of that trace, which may have ended.
    """
    before = trace_stack.top
    trace_stack.top = max(before, level) + 1
    try:
        yield trace_stack.top
    finally:
        trace_stack.top = before


def recording() -> bool:
    """Whether a trace is open, so that what runs may need a gradient."""
    return trace_stack.top >= 0


def root_box(value: Any, trace: int) -> Any:
    """Put a value on the tape as something to differentiate with respect to."""
    return new_box(value, trace, make_node(value, (), lambda g: ()))


def _accumulate(pending: dict[Any, Any], node: Any, part: Any) -> None:
    if part is None:
        return
    if type(part) is PartialGradient:
        slots = pending.setdefault(node, [None] * part.count)
        slots[part.index] = add_outgrads(slots[part.index], part.gradient)
    else:
        pending[node] = add_outgrads(pending.get(node), part)


def ones_of(value: Any) -> Any:
    """Ones like an array; for a scalar a constant, so that a plan need not make it each time."""
    scalar = isinstance(value, PlanArray) and value.ndim == 0
    return np.ones_like(value.value if scalar else value)


def backward(output: Any, seed: Any = None, roots: Sequence[Any] | None = None) -> dict[Any, Any]:
    """Propagate from `output` (a traced array) back to the roots.

    Args:
        output: Traced array, usually the scalar loss.
        seed: Gradient of something else with respect to `output`, of its shape; ones if None.
        roots: Nodes whose gradients are wanted; None for all nodes without parents.

    Returns:
        Gradient by node. A root that `output` doesn't depend on is absent.
    """
    return backward_from(output._node, ones_of(output._value) if seed is None else seed, roots)


def backward_from(node: Any, seed: Any, roots: Sequence[Any] | None) -> dict[Any, Any]:
    """Propagate a gradient from a node back to the roots; see `backward`."""
    wanted = None if roots is None else set(roots)
    pending: dict[Any, Any] = {node: (seed, False)}
    gradients: dict[Any, Any] = {}
    for current in toposort(node):
        arrived = pending.pop(current, None)
        if arrived is None:
            continue
        if type(arrived) is list:
            gradient: Any = tuple(None if slot is None else slot[0] for slot in arrived)
        else:
            gradient = arrived[0]
            dtype = current.dtype
            if dtype is not None and gradient.dtype != dtype:
                gradient = cast_array(gradient, dtype)
        if (wanted is None and not current.parents) or (wanted is not None and current in wanted):
            gradients[current] = gradient
        for parent, part in zip(current.parents, current.vjp(gradient)):
            _accumulate(pending, parent, part)
    return gradients


def value_and_grad(
    function: Callable[[dict[str, Any]], tuple[Any, Any]], weights: dict[str, Any]
) -> tuple[Any, Any, dict[str, Any]]:
    """Evaluate a scalar function of named weights, and its gradients.

    Args:
        function: Called with `{name: traced array}`; returns the scalar loss and anything else.
        weights: Arrays by name.

    Returns:
        The loss, the anything else, and `{name: gradient}`, each in its weight's shape and dtype.

    Examples:
        >>> import numpy as np
        >>> from kernelmodel.engine.tape import value_and_grad
        >>> loss, _, grads = value_and_grad(
        ...     lambda w: ((w["k"] ** 2).sum(), None), {"k": np.array([1.0, 2.0], "float32")}
        ... )
        >>> float(loss), grads["k"].tolist(), grads["k"].dtype.name
        (5.0, [2.0, 4.0], 'float32')
    """
    trace = open_trace()
    try:
        traced = {name: root_box(value, trace) for name, value in weights.items()}
        loss, aux = function(traced)
    finally:
        close_trace()
    gradients = backward(loss) if isbox(loss) else {}
    found = {name: gradients.get(box._node) for name, box in traced.items()}
    return (
        getval(loss),
        aux,
        {
            name: np.zeros_like(weights[name]) if gradient is None else gradient
            for name, gradient in found.items()
        },
    )
