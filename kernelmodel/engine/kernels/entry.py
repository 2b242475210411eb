"""What every kernel does first and last: plain arrays in, half precision computed in float32."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from kernelmodel.engine.bfloat16 import cast_array, is_bfloat16

HALF = np.dtype(np.float16)
Kernel = Callable[..., Any]


def plain(value: Any) -> Any:
    """`value` as a base-class array; None stays None."""
    return None if value is None else np.asarray(value)


def is_half(value: Any) -> bool:
    """Whether `value` is a float16 or bfloat16 array."""
    return value is not None and (value.dtype == HALF or is_bfloat16(value.dtype))


def widen(value: Any) -> Any:
    """A float16 or bfloat16 array as float32, anything else unchanged."""
    return value.astype(np.float32) if is_half(value) else value


def narrow(value: Any, dtype: Any) -> Any:
    """A float32 array that stands for `dtype` values, in `dtype`."""
    if isinstance(value, tuple):
        return tuple(narrow(part, dtype) for part in value)
    stands = value is not None and value.dtype == np.float32
    return cast_array(value, dtype) if stands else value


def forward_kernel(function: Kernel) -> Kernel:
    """Let a forward function take any array-like, and half precision by way of float32.

    NumPy has no matrix product of such numbers and adds them one by one, so half precision
    is a storage format here: inputs are widened, the result takes the first input's dtype.
    """

    @wraps(function, updated=())
    def forward(*arrays: Any, **static: Any) -> tuple[Any, Any]:
        values = tuple(map(plain, arrays))
        if not any(map(is_half, values)):
            return function(*values, **static)
        out, residuals = function(*map(widen, values), **static)
        return (narrow(out, values[0].dtype) if is_half(values[0]) else out), residuals

    return forward


def backward_kernel(function: Kernel) -> Kernel:
    """The same for a backward function: each gradient comes in its input's dtype."""

    @wraps(function, updated=())
    def backward(
        g: Any, out: Any, residuals: Any, arrays: Any, needed: Any, **static: Any
    ) -> tuple[Any, ...]:
        values = tuple(map(plain, arrays))
        several = isinstance(out, tuple)
        gs = tuple(map(plain, g)) if several else (plain(g),)
        if not any(map(is_half, values)):
            return function(gs if several else gs[0], out, residuals, values, needed, **static)
        wide = tuple(map(widen, gs))
        outs = tuple(map(widen, out)) if several else widen(out)
        gradients = function(
            wide if several else wide[0],
            outs,
            residuals,
            tuple(map(widen, values)),
            needed,
            **static,
        )
        return tuple(
            narrow(part, value.dtype) if is_half(value) else part
            for part, value in zip(gradients, values)
        )

    return backward
