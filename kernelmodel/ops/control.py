"""Loops and branches.

On arrays and on the tape they are Python's own: they run the functions as often as they say, and
have the gradients of what ran. Under XLA, where a value can't decide which code runs next, they
become JAX's control flow; on the tape within XLA, whose gradient can't be recorded in there, they
are unrolled, and both branches run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kernelmodel.engine import rules
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.indexing import getitem
from kernelmodel.engine.scope import shapes_only
from kernelmodel.engine.structure import flatten, map_structure, pack_like
from kernelmodel.engine.tape import recording
from kernelmodel.engine.xla_array import XlaArray, unwrap, wrap
from kernelmodel.ops import checks
from kernelmodel.ops.convert import convert_to_tensor, extents
from kernelmodel.ops.dispatch import op_of_other

__all__ = [
    "cond",
    "fori_loop",
    "map",
    "scan",
    "switch",
    "vectorized_map",
    "while_loop",
]

Function = Callable[..., Any]


def _xla(*values: Any) -> bool:
    """Whether an XLA array is among the values."""
    return any(isinstance(getval(leaf), XlaArray) for leaf in flatten(list(values)))


def _plain(structure: Any) -> Any:
    """The structure with its traced arrays as JAX arrays."""
    return unwrap(map_structure(getval, structure))


def _stacked(results: Sequence[Any]) -> Any:
    """Structures of one kind as one, with their leaves stacked."""
    leaves = zip(*(flatten(result) for result in results))
    return pack_like(results[0], [_stacked_leaf(leaf) for leaf in leaves])


def _stacked_leaf(values: Sequence[Any]) -> Any:
    return None if values[0] is None else rules.stack([convert_to_tensor(v) for v in values])


def _at(structure: Any, i: Any) -> Any:
    return map_structure(lambda leaf: getitem(convert_to_tensor(leaf), i), structure)


def common_length(name: str, argument: str, structure: Any) -> int:
    """The common length of the leaves' first axes."""
    lengths = {extents(leaf)[0] if extents(leaf) else None for leaf in flatten(structure)}
    if len(lengths) != 1 or None in lengths:
        found = [extents(leaf) for leaf in flatten(structure)]
        checks.refuse(name, argument, f"shapes {found}", "arrays with first axes of one length")
    return lengths.pop()  # type: ignore[return-value]


def _chosen(pred: Any, one: Any, other: Any) -> Any:
    """Leaf by leaf, that of `one` where the condition is true."""
    if one is None:
        return None
    pairs = zip(flatten(one), flatten(other))
    return pack_like(one, [rules.where(getval(pred), a, b) for a, b in pairs])


@op_of_other
def cond(pred: Any, true_fn: Function, false_fn: Function) -> Any:
    """What one of two functions returns, depending on a condition.

    Args:
        pred: Boolean scalar.
        true_fn: Function without arguments, called if the condition is true.
        false_fn: Called otherwise; returns the same structure, shapes and dtypes.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.cond(3 > 2, lambda: "yes", lambda: "no")
        'yes'
    """
    for argument, function in (("true_fn", true_fn), ("false_fn", false_fn)):
        if not callable(function):
            checks.refuse("cond", argument, repr(function), "a function without arguments")
    if not _xla(pred):
        return true_fn() if bool(getval(pred)) else false_fn()
    if recording():
        return _chosen(pred, true_fn(), false_fn())
    import jax

    branches = [lambda f=f: _plain(f()) for f in (true_fn, false_fn)]
    return wrap(jax.lax.cond(_plain(pred), *branches))


@op_of_other
def switch(index: Any, branches: Sequence[Function], *operands: Any) -> Any:
    """What one of several functions returns for the operands.

    Args:
        index: Integer scalar: which function; the nearest one if it is out of range.
        branches: Functions of the operands that return the same structure.
        *operands: Their arguments.

    Raises:
        ValueError: There are no branches.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.switch(1, [lambda x: x + 1, lambda x: x * 10], 7)
        70
    """
    if not branches:
        checks.refuse("switch", "branches", branches, "at least one function")
    if not _xla(index):
        return branches[min(max(int(getval(index)), 0), len(branches) - 1)](*operands)
    if recording():
        results = [branch(*operands) for branch in branches]
        chosen = results[-1]
        for i in range(len(results) - 2, -1, -1):
            chosen = _chosen(np.less_equal(getval(index), i), results[i], chosen)
        return chosen
    import jax

    wrapped = [lambda *given, f=f: _plain(f(*wrap(list(given)))) for f in branches]
    return wrap(jax.lax.switch(_plain(index), wrapped, *map_structure(_plain, list(operands))))


@op_of_other
def while_loop(
    cond: Function, body: Function, loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """Repeat a function as long as a condition holds.

    Args:
        cond: Called with the loop variables; whether to go on.
        body: Called with the loop variables; returns new ones.
        loop_vars: The variables: a tuple or list, whose parts become arguments, or a single array.
        maximum_iterations: Stop after so many; None for no limit. Needed to take gradients under
            XLA.

    Returns:
        The variables when the condition failed, in the structure of `loop_vars`.

    Raises:
        ValueError: A gradient under XLA without `maximum_iterations`.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.while_loop(lambda i: i < 10, lambda i: (i * 3,), (1,))
        (27,)
    """
    several = isinstance(loop_vars, (tuple, list))
    state = tuple(loop_vars) if several else (loop_vars,)

    def step(variables: tuple[Any, ...]) -> tuple[Any, ...]:
        result = body(*variables)
        return tuple(result) if isinstance(result, (tuple, list)) else (result,)

    if shapes_only():  # zeros may never end a loop, which keeps the shapes of its variables
        state = tuple(map_structure(convert_to_tensor, list(state)))
    elif _xla(state):
        state = _xla_while(cond, step, state, maximum_iterations)
    else:
        turns = 0
        while (maximum_iterations is None or turns < maximum_iterations) and bool(
            getval(cond(*state))
        ):
            state, turns = step(state), turns + 1
    return type(loop_vars)(state) if several else state[0]


def _xla_while(cond: Function, step: Function, state: Any, limit: int | None) -> Any:
    if recording():
        if limit is None:
            checks.refuse("while_loop", "maximum_iterations", None, "given to take gradients "
                          "under XLA")  # fmt: skip
        going: Any = True
        for _ in range(limit or 0):
            going = np.logical_and(going, getval(cond(*state)))
            state = _chosen(going, step(state), state)
        return state
    import jax

    def holds(carry: Any) -> Any:
        turn, variables = carry
        goes_on = _plain(cond(*wrap(variables)))
        return goes_on if limit is None else jax.numpy.logical_and(turn < limit, goes_on)

    def turned(carry: Any) -> Any:
        turn, variables = carry
        return turn + 1, _like(_plain(step(wrap(variables))), variables)

    first = (0, jax.tree.map(jax.numpy.asarray, _plain(state)))
    return wrap(jax.lax.while_loop(holds, turned, first)[1])


def _like(new: Any, old: Any) -> Any:
    """JAX arrays in the dtypes of others, which a loop must keep."""
    import jax

    return jax.tree.map(lambda a, b: jax.numpy.asarray(a, b.dtype), new, old)


@op_of_other
def fori_loop(lower: Any, upper: Any, body_fun: Function, init_val: Any) -> Any:
    """Repeat a function for each integer from `lower` up to and without `upper`.

    Args:
        lower: First integer.
        upper: End.
        body_fun: Called with the integer and the value so far; returns the new value.
        init_val: First value, in any structure.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.fori_loop(0, 4, lambda i, total: total + i, 0)
        6
    """
    if _xla(lower, upper) or (_xla(init_val) and not recording()):
        import jax

        value = jax.tree.map(jax.numpy.asarray, _plain(init_val))

        def body(i: Any, so_far: Any) -> Any:
            return _like(_plain(body_fun(wrap(i), wrap(so_far))), so_far)

        return wrap(jax.lax.fori_loop(_plain(lower), _plain(upper), body, value))
    value = init_val
    for i in range(int(getval(lower)), int(getval(upper))):
        value = body_fun(i, value)
    return value


@op_of_other
def scan(
    f: Function,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> Any:
    """Carry a value along the first axis, and collect what comes out at each step.

    Args:
        f: Called with the carried value and the entries of `xs`; returns the next carried value
            and an output.
        init: First carried value, in any structure.
        xs: Arrays in any structure, with first axes of one length; None to repeat without inputs.
        length: Number of steps; needed if `xs` is None.
        reverse: Whether to go from the last entry to the first.
        unroll: How many steps XLA puts together, or a boolean for all or one.

    Returns:
        The last carried value, and the outputs stacked along a first axis.

    Raises:
        ValueError: `f` isn't a function, or the lengths differ.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.scan(lambda total, x: (total + x, total + x), 0.0, np.arange(4.0))[1]
        array([0., 1., 3., 6.])
    """
    if not callable(f):
        checks.refuse("scan", "f", repr(f), "a function of the carried value and the entries")
    if xs is None and length is None:
        checks.refuse("scan", "length", None, "given where xs is None")
    if not isinstance(unroll, (bool, int)) or (not isinstance(unroll, bool) and unroll < 1):
        checks.refuse("scan", "unroll", repr(unroll), "a boolean or a positive integer")
    steps = length if xs is None else common_length("scan", "xs", xs)
    if length is not None and steps != length:
        checks.refuse("scan", "length", length, f"the length of xs, {steps}, or None")
    if _xla(init, xs) and not recording():
        import jax

        carry = jax.tree.map(jax.numpy.asarray, _plain(init))

        def step(so_far: Any, part: Any) -> Any:
            carried, out = f(wrap(so_far), wrap(part))
            return _like(_plain(carried), so_far), _plain(out)

        given = jax.tree.map(jax.numpy.asarray, _plain(xs))
        return wrap(jax.lax.scan(step, carry, given, length, reverse, unroll))
    carried, outputs = init, []
    for i in range(steps or 0)[:: -1 if reverse else 1]:
        carried, out = f(carried, None if xs is None else _at(xs, i))
        outputs.append(out)
    if reverse:
        outputs.reverse()
    return carried, _stacked(outputs) if outputs else None


@op_of_other
def map(f: Function, xs: Any) -> Any:
    """Apply a function to each entry of the first axis, and stack what it returns.

    Args:
        f: Called with the entries of `xs`, in its structure.
        xs: Arrays in any structure, with first axes of one length.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.map(lambda x: x**2, np.arange(3.0))
        array([0., 1., 4.])
    """
    return scan(lambda _, x: (0, f(x)), 0, xs)[1]


@op_of_other
def vectorized_map(function: Function, elements: Any) -> Any:
    """Apply a function to each entry of the first axis, all at once under XLA.

    Args:
        function: Called with the entries of `elements`, in its structure.
        elements: Arrays in any structure, with first axes of one length.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.vectorized_map(lambda x: x.sum(), np.ones((3, 4)))
        array([4., 4., 4.])
    """
    count = common_length("vectorized_map", "elements", elements)
    if _xla(elements) and not recording():
        import jax

        return wrap(jax.vmap(lambda part: _plain(function(wrap(part))))(_plain(elements)))
    # Python code that was written for one entry may do anything with it, `if` included; only a
    # tracer such as JAX's can run it on all at once. On NumPy and the tape the entries take turns.
    return _stacked([function(_at(elements, i)) for i in range(count)])
