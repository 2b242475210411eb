"""How an op is made: one function for arrays, traced arrays, symbolic tensors and XLA arrays.

The body of an op is written with `autograd.numpy` or a fused primitive. Both accept plain, traced
and XLA arrays. What remains for the wrapper: an argument whose class has `__record_op__` (a
symbolic tensor) takes the call over, and a result that goes to the user becomes a `Tensor`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from kernelmodel.engine.bfloat16 import classed
from kernelmodel.engine.boxes import isbox
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.engine.scope import WATCHED, at_user_level, watched
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.ops.parameters import with_parameters

F = TypeVar("F", bound=Callable[..., Any])

PLAIN = {np.ndarray, int, float, bool, str, type(None), np.float32, np.float64}


def find_recorder(values: Any) -> Any:
    """The first symbolic tensor among values and the lists, tuples and dicts among them."""
    for value in values:
        kind = type(value)
        if kind in PLAIN:
            continue
        if hasattr(kind, "__record_op__"):
            return value
        if kind in (list, tuple, dict):
            found = find_recorder(value.values() if kind is dict else value)
            if found is not None:
                return found
    return None


def _substitute(value: Any) -> Any:
    if type(value) in (list, tuple):
        return type(value)(map(_substitute, value))
    return watched(value)


def op(function: F) -> F:
    """Make an op of a function whose first argument is an array; see the module."""
    return _make(function, _array_like)


def op_of_other(function: F) -> F:
    """Make an op of a function whose first argument is no array: a shape, a list of arrays."""
    return _make(function, None)


def _array_like(x: Any) -> Any:
    if type(x) in (list, tuple) and not _holds_traced(x):
        array = np.asarray(x)
        return array.astype(DEFAULTS.floatx) if array.dtype.kind == "f" else array
    return x


def _holds_traced(values: Any) -> bool:
    return any(_holds_traced(v) if type(v) in (list, tuple) else isbox(v) for v in values)


def _classed(value: Any) -> Any:
    """A user's arrays of bfloat16, also those in a list, in their own class."""
    if type(value) in (list, tuple) and value and type(value[0]) is np.ndarray:
        return type(value)(map(classed, value))
    return classed(value)


def _delivered(result: Any) -> Any:
    """Tensors in place of the arrays of a result."""
    kind = type(result)
    if kind is tuple or kind is list:
        return kind(map(_delivered, result))
    if kind is dict:
        return {key: _delivered(part) for key, part in result.items()}
    return as_tensor(result)


def _make(function: F, prepare: Callable[[Any], Any] | None) -> F:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        recorder = find_recorder(args) if not kwargs else find_recorder((*args, *kwargs.values()))
        if recorder is not None:
            return recorder.__record_op__(call, args, kwargs)
        if WATCHED:
            args = tuple(map(_substitute, args))
        outermost = at_user_level()
        if outermost:
            args = tuple(map(_classed, args))
        if prepare is not None and args and type(args[0]) is not np.ndarray:
            args = (prepare(args[0]), *args[1:])
        result = function(*args, **kwargs)
        return _delivered(result) if outermost else result

    call.__op__ = True  # type: ignore[attr-defined]
    if call.__doc__:  # not where Python drops docstrings
        code = function.__code__  # `inspect` would take a while for hundreds of ops
        call.__doc__ = with_parameters(call.__doc__, code.co_varnames[: code.co_argcount])
    return call  # type: ignore[return-value]
