"""The bfloat16 array: two bytes a value, computed with in float32 and rounded, as hardware does.

`ml_dtypes` gives NumPy the dtype, but its functions add such numbers one by one, lack matrix
products and promote beside Python numbers. So these arrays are of a class that takes part in
NumPy's protocols: an array function meets them as float32, and its result is rounded. Beside an
array of float32, float16 or float64 the result stays wide, as JAX promotes. `ml_dtypes` is loaded
when the dtype is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel.engine.tensor import CLASSES, Tensor

# They move values or look at shapes, so they need no float32; some write into their argument.
MOVING = {
    np.broadcast_to, np.copy, np.copyto, np.empty_like, np.expand_dims, np.fill_diagonal, np.flip,
    np.moveaxis, np.ndim, np.ones_like, np.place, np.put, np.put_along_axis, np.putmask, np.ravel,
    np.repeat, np.reshape, np.roll, np.shape, np.size, np.squeeze, np.swapaxes, np.take,
    np.take_along_axis, np.tile, np.transpose, np.zeros_like,
}  # fmt: skip


def load() -> np.dtype:
    """The dtype; from now on NumPy knows its name."""
    import ml_dtypes

    return np.dtype(ml_dtypes.bfloat16)


def is_bfloat16(dtype: np.dtype) -> bool:
    """Whether a dtype of NumPy is bfloat16."""
    return dtype.kind == "V" and dtype.name == "bfloat16"


def kind_of(dtype: Any) -> str:
    """NumPy's kind of a dtype or of its name; "f" for bfloat16 too, where NumPy says "V"."""
    if isinstance(dtype, str) and dtype == "bfloat16":
        return "f"
    dtype = np.dtype(dtype)
    return "f" if is_bfloat16(dtype) else dtype.kind


def limits(dtype: Any) -> Any:
    """`numpy.finfo` of a dtype of floats, bfloat16 among them."""
    dtype = np.dtype(dtype)
    if not is_bfloat16(dtype):
        return np.finfo(dtype)
    import ml_dtypes

    return ml_dtypes.finfo(dtype)


class BFloat16(Tensor):
    """An array of bfloat16 numbers that NumPy functions compute with in float32.

    Examples:
        >>> import kernelmodel as km
        >>> x = km.ops.cast([1.0, 3.0], "bfloat16")
        >>> (x / 3 + 1.5).dtype.name, (x * np.ones(2, "float32")).dtype.name
        ('bfloat16', 'float32')
    """

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(map(_foreign, inputs)):
            return NotImplemented
        wide = [_widen(value) for value in inputs]
        if method == "at":
            ufunc.at(*wide, **kwargs)
            if _is_narrow(inputs[0]):
                np.asarray(inputs[0])[...] = wide[0]
            return None
        out = kwargs.pop("out", None)
        result = getattr(ufunc, method)(*wide, **_widen(kwargs))
        if out is None:
            return result if _strong(inputs) else _narrow(result)
        for target, part in zip(out, result if isinstance(result, tuple) else (result,)):
            if target is not None:
                np.copyto(np.asarray(target), part, casting="unsafe")
        return out[0] if len(out) == 1 else out

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not all(issubclass(kind, np.ndarray) for kind in types):
            return NotImplemented
        if function in MOVING:
            return classed(function(*_plain(args), **_plain(kwargs)))
        result = function(*_widen(args), **_widen(kwargs))
        if function is np.result_type:
            narrow = not _strong(args) and kind_of(result) == "f"
            return self.dtype if narrow else result
        return result if _strong((args, list(kwargs.values()))) else _narrow(result)

    def __getitem__(self, index: Any) -> Any:
        return classed(np.asarray(self)[index])

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """The values in another dtype."""
        return classed(np.asarray(self).astype(dtype, *args, **kwargs))

    def view(self, kind: Any = None) -> Any:  # type: ignore[override]
        """The same bits as another dtype; autograd's `.view(ndarray)` changes nothing."""
        plain = np.asarray(self)
        return plain.view(BFloat16) if kind in (None, np.ndarray) else plain.view(kind)

    def __reduce__(self) -> Any:
        return classed, (np.asarray(self),)

    __hash__ = None  # type: ignore[assignment]


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: BFloat16, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__ = function.__name__
    return method


# Methods that NumPy would compute in bfloat16.
for _name in (
    "argmax", "argmin", "argsort", "cumprod", "cumsum", "dot", "mean", "nonzero", "prod", "ptp",
    "round", "std", "sum", "trace", "var",
):  # fmt: skip
    setattr(BFloat16, _name, _method(getattr(np, _name)))


def classed(value: Any) -> Any:
    """A plain array or scalar of bfloat16 as a `BFloat16`; anything else unchanged."""
    if isinstance(value, (np.ndarray, np.generic)) and is_bfloat16(value.dtype):
        return np.asarray(value).view(BFloat16)
    return value


def cast_array(array: Any, dtype: Any) -> Any:
    """`array.astype(dtype)`, of the right class."""
    return classed(array.astype(dtype))


def in_dtype(dtype: str, array: Any) -> Any:
    """The array; if it is to go from bfloat16 to another dtype or back, in the new one."""
    turns = dtype == "bfloat16" or is_bfloat16(array.dtype)
    return cast_array(array, dtype) if turns else array


def _foreign(value: Any) -> bool:
    """Whether a value has its own way with ufuncs: traced, of XLA, symbolic, a variable."""
    return not isinstance(value, (np.ndarray, np.generic)) and hasattr(value, "__array_ufunc__")


def _is_narrow(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic)) and is_bfloat16(value.dtype)


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(_mapped(function, part) for part in value)
    if isinstance(value, dict):
        return {key: _mapped(function, part) for key, part in value.items()}
    return function(value)


def _widen(value: Any) -> Any:
    """Arrays of bfloat16 as plain float32, and that dtype as float32, in any structure."""

    def widen(leaf: Any) -> Any:
        if _is_narrow(leaf):
            return np.asarray(leaf).astype(np.float32)
        if isinstance(leaf, (str, np.dtype)) and str(leaf) == "bfloat16":
            return np.dtype(np.float32)
        return leaf

    return _mapped(widen, value)


def _plain(value: Any) -> Any:
    return _mapped(lambda x: np.asarray(x) if isinstance(x, BFloat16) else x, value)


def _narrow(value: Any) -> Any:
    """Arrays of floats rounded to bfloat16, in any structure that a NumPy function returns."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_narrow, value))
    if isinstance(value, (list, tuple)):
        return type(value)(map(_narrow, value))
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f":
        return np.asarray(value).astype(load()).view(BFloat16)
    return value


def _strong(values: Any) -> bool:
    """Whether arrays of other floats or of complex numbers are among values."""
    if isinstance(values, (list, tuple)):
        return any(map(_strong, values))
    if isinstance(values, type) and issubclass(values, np.generic):
        values = np.dtype(values)
    if isinstance(values, np.dtype):
        return values.kind in "fc"
    return isinstance(values, (np.ndarray, np.generic)) and values.dtype.kind in "fc"


CLASSES["bfloat16"] = BFloat16
