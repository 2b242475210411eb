"""Functions of functions: gradients by hand, directional derivatives, functions of elements."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.tracer import find_top_boxed_args, new_box

from kernelmodel.engine import rules
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.indexing import getitem
from kernelmodel.engine.primitive import pick
from kernelmodel.engine.structure import flatten, map_structure, pack_like
from kernelmodel.engine.tape import (
    backward,
    close_trace,
    make_node,
    open_trace,
    recording,
    root_box,
)
from kernelmodel.engine.xla_array import XlaArray, unwrap, wrap
from kernelmodel.ops import checks
from kernelmodel.ops.convert import convert_to_tensor, extents
from kernelmodel.ops.dispatch import op_of_other

__all__ = ["custom_gradient", "jvp", "vectorize"]

Function = Callable[..., Any]


def custom_gradient(f: Function) -> Function:
    """Make a function whose gradient is computed by hand.

    Args:
        f: Function of arrays that returns its result and a function. That one gets the gradient of
            something for the result (one argument for each part of a tuple) and returns the
            gradient for the arguments of f: an array, or a tuple for several.

    Returns:
        A function of the same arguments that returns the result alone.

    Raises:
        TypeError: f doesn't return a pair with a function.

    Examples:
        >>> import kernelmodel as km
        >>> @km.ops.custom_gradient
        ... def clipped(x):  # passes gradients through, also where x is cut off
        ...     return km.ops.clip(x, 0.0, 1.0), lambda upstream: upstream
        >>> x = km.Variable([2.0])
        >>> with km.GradientTape() as tape:
        ...     y = clipped(x)
        >>> tape.gradient(y, x)
        array([1.], dtype=float32)
    """

    @op_of_other
    @wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        boxes, trace, _, _ = find_top_boxed_args(args)
        values = list(args)
        for index, box in boxes:
            values[index] = box._value
        result = f(*values, **kwargs)
        if not isinstance(result, tuple) or len(result) != 2 or not callable(result[1]):
            raise TypeError(
                f"custom_gradient: {f.__name__} must return (result, gradient function), got "
                f"{type(result).__name__}."
            )
        out, gradient = result
        if not boxes:
            return out

        def vjp(g: Any) -> list[Any]:
            upstream = _filled(g, out) if isinstance(out, tuple) else (g,)
            found = gradient(*upstream)
            each = found if isinstance(found, (tuple, list)) else (found,)
            if len(each) != len(args):
                raise ValueError(
                    f"custom_gradient: the gradient function of {f.__name__} returned {len(each)} "
                    f"gradients for {len(args)} arguments. Return one for each (None for zero)."
                )
            return [each[index] for index, _ in boxes]

        node = make_node(out, [box._node for _, box in boxes], vjp)
        if not isinstance(out, tuple):
            return new_box(out, trace, node)
        return tuple(pick(node, part, i, len(out), trace) for i, part in enumerate(out))

    return call


def _filled(g: Any, out: tuple[Any, ...]) -> list[Any]:
    """Zeros for those parts of an output that nobody used."""
    return [np.zeros_like(part) if one is None else one for one, part in zip(g, out)]


@op_of_other
def jvp(
    fun: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> Any:
    """A function's values, and how they change when its arguments move in a direction.

    On arrays the derivative is put together from the gradients of all elements of the result: it is
    exact, and meant for results with few elements. Under XLA it is one forward pass.

    Args:
        fun: Function of arrays that returns an array, or any structure of arrays.
        primals: Its arguments.
        tangents: Directions: an array in the shape and dtype of each argument.
        has_aux: Whether `fun` returns a pair of its result and something else.

    Returns:
        The result and its derivative in that direction, and with `has_aux` the something else.

    Raises:
        ValueError: The tangents don't fit the arguments.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.jvp(lambda x: x * x, (np.array([3.0]),), (np.array([1.0]),))
        (array([9.]), array([6.]))
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        got = f"{type(primals).__name__} and {type(tangents).__name__}"
        checks.refuse("jvp", "primals and tangents", got, "tuples or lists")
    points = [convert_to_tensor(x) for x in primals]
    moves = [convert_to_tensor(x) for x in tangents]
    if [extents(x) for x in points] != [extents(x) for x in moves]:
        allowed = f"of the shapes of primals, {[extents(x) for x in points]}"
        checks.refuse("jvp", "tangents", f"shapes {[extents(x) for x in moves]}", allowed)
    if any(isinstance(getval(x), XlaArray) for x in points):
        return _xla_jvp(fun, points, moves, has_aux)
    trace = open_trace()
    try:
        boxes = [root_box(x, trace) for x in points]
        result = fun(*boxes)
    finally:
        close_trace()
    out, aux = result if has_aux else (result, None)
    change = map_structure(lambda leaf: _moved(leaf, boxes, moves, trace), out)
    plain = map_structure(lambda leaf: _value(leaf, trace), out)
    return (plain, change, map_structure(getval, aux)) if has_aux else (plain, change)


def _value(leaf: Any, trace: int) -> Any:
    return leaf._value if getattr(leaf, "_trace", None) == trace else leaf


def _moved(leaf: Any, boxes: list[Any], moves: list[Any], trace: int) -> Any:
    """How a traced array changes: one backward pass for each of its elements."""
    value = _value(leaf, trace)
    if value is leaf:
        return np.zeros_like(leaf)
    changes = []
    for i in range(value.size):
        seed = np.zeros(value.size, value.dtype)
        seed[i] = 1
        gradients = backward(leaf, seed.reshape(value.shape))
        parts = [
            anp.sum(gradients[box._node] * move)
            for box, move in zip(boxes, moves)
            if box._node in gradients
        ]
        changes.append(sum(parts, np.zeros((), value.dtype)))
    return anp.reshape(rules.stack(changes), value.shape) if changes else np.zeros_like(value)


def _xla_jvp(fun: Function, points: list[Any], moves: list[Any], has_aux: bool) -> Any:
    import jax

    def plain(*values: Any) -> Any:
        return unwrap(map_structure(getval, fun(*wrap(list(values)))))

    at, along = (tuple(unwrap([getval(x) for x in side])) for side in (points, moves))
    return tuple(wrap(part) for part in jax.jvp(plain, at, along, has_aux=has_aux))


def vectorize(
    pyfunc: Function,
    *,
    excluded: Collection[int | str] | None = None,
    signature: str | None = None,
) -> Function:
    """Make a function of arrays from a function of elements.

    Args:
        pyfunc: Function of numbers, or of small arrays if there is a signature.
        excluded: Positions of arguments that are passed on as they are.
        signature: The axes that one call sees: "(n),(n)->()" for a product of vectors. None if it
            sees single elements.

    Returns:
        A function whose arguments broadcast together in their other axes.

    Raises:
        TypeError: `pyfunc` isn't a function.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> larger = km.ops.vectorize(lambda a, b: a if a > b else b)
        >>> larger(np.array([1.0, 5.0]), 3.0)
        array([3., 5.])
    """
    if not callable(pyfunc):
        raise TypeError(f"vectorize: pyfunc must be a function, got {pyfunc!r}.")

    @op_of_other
    @wraps(pyfunc)
    def call(*args: Any) -> Any:
        return _vectorized(pyfunc, frozenset(excluded or ()), signature, args)

    return call


def _vectorized(
    pyfunc: Function, excluded: frozenset[int | str], signature: str | None, args: Any
) -> Any:
    values = [x if i in excluded else convert_to_tensor(x) for i, x in enumerate(args)]
    used = [i for i in range(len(values)) if i not in excluded]
    if any(isinstance(getval(values[i]), XlaArray) for i in used) and not recording():
        import jax

        def plain(*given: Any) -> Any:
            return unwrap(map_structure(getval, pyfunc(*wrap(list(given)))))

        turned = jax.numpy.vectorize(plain, excluded=excluded, signature=signature)
        return wrap(turned(*unwrap([getval(x) for x in values])))
    cores = _core_ranks(signature, len(used))
    ranks = dict(zip(used, cores))
    outer = {i: extents(values[i])[: len(extents(values[i])) - ranks[i]] for i in used}
    loop = np.broadcast_shapes(*outer.values())
    spread = {
        i: anp.reshape(
            anp.broadcast_to(values[i], (*loop, *extents(values[i])[len(outer[i]) :])),
            (-1, *extents(values[i])[len(outer[i]) :]),
        )
        for i in used
    }
    results = [
        pyfunc(*(getitem(spread[i], n) if i in spread else x for i, x in enumerate(values)))
        for n in range(int(np.prod(loop)))
    ]
    leaves = [rules.stack([convert_to_tensor(x) for x in leaf]) for leaf in
              zip(*(flatten(result) for result in results))]  # fmt: skip
    shaped = [anp.reshape(leaf, (*loop, *extents(leaf)[1:])) for leaf in leaves]
    return pack_like(results[0], shaped)


def _core_ranks(signature: str | None, count: int) -> list[int]:
    """How many axes of each argument one call sees."""
    if signature is None:
        return [0] * count
    inputs = re.findall(r"\(([^()]*)\)", signature.split("->")[0])
    if "->" not in signature or len(inputs) != count:
        allowed = f'"(...),...->(...)" with {count} arguments'
        checks.refuse("vectorize", "signature", repr(signature), allowed)
    return [len([name for name in part.split(",") if name.strip()]) for part in inputs]
