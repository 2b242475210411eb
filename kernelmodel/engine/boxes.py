"""The traced array: autograd's box, extended so that plain NumPy code runs on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import Box, VSpace, defvjp, primitive
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.numpy.numpy_vspaces import ArrayVSpace
from autograd.tracer import getval, isbox

from kernelmodel.engine.bfloat16 import BFloat16, cast_array
from kernelmodel.engine.tensor import Tensor

__all__ = ["Traced", "getval", "isbox"]

IN_PLACE = (
    "Traced arrays can't be changed in place, because their gradient needs the old values. "
    "Build a new array instead: `x = x + y` for `x += y`, `ops.where(condition, new, x)` or "
    "`ops.slice_update(x, start, new)` for `x[...] = new`."
)


def add_in_place_note(error: Exception) -> None:
    """Add the fix to NumPy's error about writing into an array that belongs to the engine."""
    if isinstance(error, ValueError) and "read-only" in str(error):
        error.add_note(IN_PLACE)


@cache
def traced_twins() -> dict[Callable[..., Any], Callable[..., Any]]:
    """Map each NumPy function to the autograd function of the same name."""
    twins: dict[Callable[..., Any], Callable[..., Any]] = {}
    pairs: list[tuple[ModuleType, ModuleType]] = [
        (np, anp),
        (np.linalg, anp.linalg),
        (np.fft, anp.fft),
    ]
    for module, twin in pairs:
        # Not dir(): it would load the parts of NumPy that are loaded when first asked for.
        for name, function in list(vars(module).items()):
            traced = getattr(twin, name, None)
            if callable(function) and callable(traced) and not isinstance(function, type):
                twins[function] = traced
    return twins


class Traced(ArrayBox):
    """An array on the tape. NumPy functions, ufuncs and operators on it are recorded."""

    __slots__ = ()

    @property
    def dtype(self) -> np.dtype:
        value = self._value
        return value.dtype if hasattr(value, "dtype") else np.result_type(value)

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(getval(self))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def numpy(self) -> np.ndarray:
        """The values, without their history."""
        return np.asarray(getval(self))

    def astype(self, dtype: Any, **_: Any) -> Any:
        """The same values in another dtype."""
        return _as_dtype(self, dtype)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        twin = traced_twins().get(function)
        if twin is None:
            return NotImplemented
        if "out" in kwargs:
            raise TypeError(f"numpy.{function.__name__}(out=...) on a traced array: {IN_PLACE}")
        return twin(*args, **kwargs)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if "out" in kwargs or method == "at":
            raise TypeError(f"numpy.{ufunc.__name__} in place on a traced array: {IN_PLACE}")
        if method == "reduce" and ufunc in REDUCTIONS:
            return REDUCTIONS[ufunc](*inputs, **kwargs)
        twin = getattr(anp, ufunc.__name__, None)
        if method != "__call__" or twin is None:
            return NotImplemented
        return twin(*inputs, **kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError(
            "A traced array can't be turned into a plain array while gradients are recorded: "
            "its history would be lost without a word. Use `kernelmodel.ops.stop_gradient(x)` "
            "or `x.numpy()` where no gradient is wanted, else a function of `kernelmodel.ops`."
        )

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(IN_PLACE)

    def __float__(self) -> float:
        return float(getval(self))

    def __int__(self) -> int:
        return int(getval(self))

    def __repr__(self) -> str:
        return f"<Traced {getval(self)!r}>"

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    __hash__ = ArrayBox.__hash__


_as_dtype = primitive(cast_array)
defvjp(_as_dtype, lambda ans, x, dtype: lambda g: cast_array(g, x.dtype))

REDUCTIONS = {
    np.add: anp.sum,
    np.multiply: anp.prod,
    np.maximum: anp.max,
    np.minimum: anp.min,
}

for value_type in (
    np.ndarray, Tensor, BFloat16, float, np.float64, np.float32, np.float16, np.longdouble,
):  # fmt: skip
    Traced.register(value_type)
Box.types.add(Traced)
VSpace.register(Tensor, ArrayVSpace)
VSpace.register(BFloat16, ArrayVSpace)
