"""Conversion: arrays, dtypes, shapes, gradients stopped."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.bfloat16 import cast_array, classed, kind_of, load
from kernelmodel.engine.boxes import getval, isbox
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.engine.stand_in import StandIn
from kernelmodel.ops.dispatch import op, op_of_other

__all__ = [
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype",
    "dtype_of",
    "is_tensor",
    "ndim",
    "shape",
    "size",
    "standardize_dtype",
    "stop_gradient",
]

# Names by dtype, since NumPy works a dtype's name out anew each time it is asked.
_NAMES: dict[Any, str] = {int: "int32"}


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype: `"float32"` for `np.float32`, `float`, `"float32"` or None.

    Text, of any length, has the dtype "string".

    Args:
        dtype: A name, a dtype, a type of Python or NumPy, or None for the global float.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.standardize_dtype(float), km.ops.standardize_dtype(np.int32)
        ('float32', 'int32')
    """
    if dtype is None or dtype is float:
        return DEFAULTS.floatx
    try:
        return _NAMES[dtype]
    except (KeyError, TypeError):
        pass
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or np.dtype(dtype).name
    if getattr(dtype, "kind", "") in ("U", "S", "T"):
        name = "string"
    elif name == "bfloat16":
        load()
    elif name != "string":
        name = np.dtype(name).name
    _NAMES[dtype] = name
    return name


def dtype_of(x: Any) -> str:
    """Name of an array's dtype, whichever kind of array it is.

    Args:
        x: Array, symbolic tensor, or nested lists.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.dtype_of(km.ops.ones(2))
        'float32'
    """
    dtype = getattr(x, "dtype", None)
    return standardize_dtype(dtype) if dtype is not None else np.asarray(x).dtype.name


def is_text(x: Any) -> bool:
    """Whether an array holds text: str, bytes, or objects that are all one of these."""
    kind = x.dtype.kind
    if kind == "O":
        return all(isinstance(value, (str, bytes)) for value in x.ravel().tolist())
    return kind in "UST"


def dtype(x: Any) -> str:
    """Name of the dtype of an array or symbolic tensor; a list's is that of its array.

    Args:
        x: Array, symbolic tensor, or nested lists.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.dtype([1.5])
        'float32'
    """
    return dtype_of(x if hasattr(x, "dtype") else convert_to_tensor(x))


def is_array(x: Any) -> bool:
    """Whether x is a plain, traced, stand-in or variable array: something with shape and dtype."""
    return isinstance(x, (np.ndarray, StandIn)) or isbox(x)


@op_of_other
def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """Make an array of lists, scalars and anything with NumPy's array protocol.

    Args:
        x: Array-like of any shape. Python floats become float32, Python ints int32.
        dtype: Wanted dtype; None keeps that of an array.
        sparse: Must be None or False: there are no sparse tensors here.
        ragged: Must be None or False: there are no ragged tensors here.

    Raises:
        TypeError: The values are not numbers.
        ValueError: The rows have unequal lengths.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.convert_to_tensor([[1, 2], [3, 4]]).dtype.name
        'int32'
    """
    if sparse or ragged:
        raise ValueError("Sparse and ragged tensors are not supported; pass a dense array.")
    if is_array(x):
        if type(x) is np.ndarray and not x.dtype.isnative:
            x = x.astype(x.dtype.newbyteorder("="))  # XLA and compiled kernels take no other
        return x if dtype is None or dtype_of(x) == standardize_dtype(dtype) else _cast(x, dtype)
    if isinstance(x, (list, tuple)) and any(isbox(getval_shallow(part)) for part in x):
        from_parts = anp.stack([convert_to_tensor(part) for part in x])
        return from_parts if dtype is None else _cast(from_parts, dtype)
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(
            f"Can't make an array of nested lists with unequal lengths ({error}). Pad them to one "
            "length first."
        ) from error
    if array.dtype == object:
        raise TypeError(
            f"Can't make a numeric array of {type(x).__name__} holding other things than numbers."
        )
    if dtype is None and not hasattr(x, "dtype"):
        dtype = {"f": DEFAULTS.floatx, "i": "int32"}.get(array.dtype.kind)
    if dtype is not None and (name := standardize_dtype(dtype)) != array.dtype:
        array = cast_array(array, name)
    return array


def getval_shallow(x: Any) -> Any:
    """The first leaf of nested lists."""
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    return x


def _cast(x: Any, dtype: Any) -> Any:
    name, own = standardize_dtype(dtype), dtype_of(x)
    if own == name:
        return x
    if "string" in (own, name):
        raise TypeError(f"An array of dtype {own} can't become one of dtype {name}.")
    if kind_of(name) not in "fc":
        x = getval(x)
    return cast_array(x if hasattr(x, "astype") else np.asarray(x), name)


@op
def cast(x: Any, dtype: Any) -> Any:
    """Convert an array to a dtype; a conversion to integers or booleans has no gradient.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.cast([1.7, -1.7], "int32")
        array([ 1, -1], dtype=int32)
    """
    return _cast(x, dtype)


@op
def stop_gradient(variable: Any) -> Any:
    """The same values, taken as a constant by gradients.

    Args:
        variable: Array or variable.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.stop_gradient([2.0])
        array([2.], dtype=float32)
    """
    return convert_to_tensor(getval(variable))


def convert_to_numpy(x: Any) -> np.ndarray:
    """The values as a plain `numpy.ndarray`.

    Args:
        x: Array, tensor, variable, or nested lists.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.convert_to_numpy([1, 2])
        array([1, 2])
    """
    return np.asarray(getval(x))


def as_array(x: Any) -> np.ndarray:
    """The values as an array that NumPy computes with as ops do: bfloat16 in its own class."""
    return classed(np.asarray(getval(x)))


def shape(x: Any) -> tuple[int | None, ...]:
    """Shape as a tuple; None marks an unknown dimension of a symbolic tensor.

    Args:
        x: Array, symbolic tensor, or nested lists.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.shape([[1, 2]])
        (1, 2)
    """
    found = getattr(x, "shape", None)
    return tuple(found) if found is not None else np.shape(x)


def extents(x: Any) -> tuple[int, ...]:
    """Shape of anything but a symbolic tensor: what the body of an op meets."""
    values = getval(x)
    found = getattr(values, "shape", None)
    return np.shape(values) if found is None else tuple(found)


def ndim(x: Any) -> int:
    """Number of dimensions.

    Args:
        x: Array, symbolic tensor, or nested lists.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.ndim([[1, 2]])
        2
    """
    return len(shape(x))


def size(x: Any) -> int | None:
    """Number of elements, or None if a dimension is unknown.

    Args:
        x: Array, symbolic tensor, or nested lists.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.size([[1, 2]])
        2
    """
    total = 1
    for length in shape(x):
        if length is None:
            return None
        total *= length
    return total


def is_tensor(x: Any) -> bool:
    """Whether x is an array or a symbolic tensor, not a list or a number.

    Args:
        x: Anything.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.is_tensor([1, 2])
        False
    """
    return is_array(x) or hasattr(type(x), "__record_op__")
