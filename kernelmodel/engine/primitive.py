"""How a fused primitive is made: one NumPy function, its gradient by hand, its XLA twin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

import numpy as np
from autograd.tracer import find_top_boxed_args, new_box

from kernelmodel.engine.boxes import isbox
from kernelmodel.engine.plan import PlanArray, as_one, does_unfold, plan_of
from kernelmodel.engine.tape import PartialGradient, make_node
from kernelmodel.engine.xla_array import XlaArray, unwrap, wrap

Forward = Callable[..., tuple[Any, Any]]
Backward = Callable[..., tuple[Any, ...]]


class Fused:
    """A differentiable operation that the tape records as a single node.

    Args:
        name: Its name, in error messages.
        forward: `forward(*arrays, **static) -> (out, residuals)` in NumPy. `out` is an array
            or a tuple of arrays; an optional array may be None.
        backward: `backward(g, out, residuals, arrays, needed, **static)`: one gradient or None
            for each array; `needed[i]` is False where nobody asks for it.
        xla: `xla(*arrays, **static) -> out` in `jax.numpy`; JAX differentiates it.
    """

    def __init__(self, name: str, forward: Forward, backward: Backward, xla: Callable[..., Any]):
        self.name, self.forward, self.backward, self.xla = name, forward, backward, xla
        update_wrapper(self, forward)
        self.__name__ = name

    def __call__(self, *arrays: Any, **static: Any) -> Any:
        boxes, trace, _, _ = find_top_boxed_args(arrays)
        if not boxes:
            if any(isinstance(plain(a), XlaArray) for a in arrays):
                return wrap(self.xla(*(unwrap(plain(a)) for a in arrays), **static))
            values = list(map(plain, arrays))
            return as_one(self._bodies(values)[0], *values, **static)[0]
        values = list(map(plain, arrays))
        needed = [False] * len(values)
        for index, box in boxes:
            values[index], needed[index] = box._value, True
        if any(map(isbox, values)):
            raise NotImplementedError(
                f"{self.name} has no second derivative: it was called under two nested gradient "
                "tapes. Compute the inner gradient without it, or write that part with functions "
                "of kernelmodel.ops such as ops.exp and ops.matmul."
            )
        if any(isinstance(a, XlaArray) for a in values):
            out, vjp = self._xla_vjp(values, needed, static)
        else:
            plan = plan_of(values)
            forward, backward = self._bodies(values)
            out, residuals = as_one(forward, *values, **static)

            def vjp(g: Any) -> tuple[Any, ...]:
                arguments = (g, out, residuals, values, needed)
                if plan is not None and not does_unfold(backward):
                    return plan.call(backward, arguments, static)
                return backward(*arguments, **static)

        def parents_vjp(g: Any) -> list[Any]:
            gradients = vjp(g)
            return [gradients[index] for index, _ in boxes]

        node = make_node(out, [box._node for _, box in boxes], parents_vjp)
        if not isinstance(out, tuple):
            return new_box(out, trace, node)
        return tuple(pick(node, part, i, len(out), trace) for i, part in enumerate(out))

    def _bodies(self, values: Sequence[Any]) -> tuple[Forward, Backward]:
        """Both functions; without what gets arrays into shape, if they are in a plan, and wide."""
        if plan_of(values) is None or not are_wide(values):
            return self.forward, self.backward
        return unwrap_kernel(self.forward), unwrap_kernel(self.backward)

    def _xla_vjp(self, values: list[Any], needed: list[bool], static: dict[str, Any]) -> Any:
        import jax

        raw = [unwrap(value) for value in values]
        positions = [i for i, need in enumerate(needed) if need]

        def of_needed(*parts: Any) -> Any:
            merged = list(raw)
            for i, part in zip(positions, parts):
                merged[i] = part
            return self.xla(*merged, **static)

        out, pull = jax.vjp(of_needed, *(raw[i] for i in positions))

        def vjp(g: Any) -> list[Any]:
            if isinstance(out, tuple):
                g = tuple(
                    jax.numpy.zeros_like(o) if part is None else unwrap(part)
                    for o, part in zip(out, g)
                )
            gradients: list[Any] = [None] * len(raw)
            for i, gradient in zip(positions, pull(unwrap(g))):
                gradients[i] = wrap(gradient)
            return gradients

        return wrap(out), vjp


def are_wide(values: Sequence[Any]) -> bool:
    """Whether a plan's arrays are such that a kernel computes in their own dtypes."""
    arrays = [value.value if isinstance(value, PlanArray) else value for value in values]
    return all(
        array is None
        or (type(array) is np.ndarray and (array.dtype.kind != "f" or array.dtype.itemsize >= 4))
        for array in arrays
    )


def unwrap_kernel(kernel: Any) -> Any:
    """The kernel without what gets arrays into shape for it; in a plan they always are."""
    return getattr(kernel, "__wrapped__", kernel)


def plain(value: Any) -> Any:
    """The array of a Variable that no trace has on its tape; anything else unchanged."""
    return value._value if isbox(value) and value._trace < 0 else value


def pick(node: Any, value: Any, index: int, count: int, trace: int) -> Any:
    """A traced entry of a tuple output; its gradient goes to `node` at its index."""
    child = make_node(value, (node,), lambda g: (PartialGradient(index, count, g),))
    return new_box(value, trace, child)


def fused(name: str, forward: Forward, backward: Backward, xla: Callable[..., Any]) -> Fused:
    """Make a fused primitive; see `Fused`."""
    return Fused(name, forward, backward, xla)
