"""Ops that make arrays of numbers: zeros, ones, ranges."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.xla_array import XlaArray
from kernelmodel.ops.convert import _cast, dtype_of, standardize_dtype
from kernelmodel.ops.dispatch import op, op_of_other

__all__ = [
    "arange",
    "eye",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


@op_of_other
def zeros(shape: Any, dtype: Any = None) -> Any:
    """An array of zeros (float32 if no dtype is given).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.zeros(2)
        array([0., 0.], dtype=float32)
    """
    return np.zeros(shape, standardize_dtype(dtype))


@op_of_other
def ones(shape: Any, dtype: Any = None) -> Any:
    """An array of ones (float32 if no dtype is given).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.ones(2)
        array([1., 1.], dtype=float32)
    """
    return np.ones(shape, standardize_dtype(dtype))


@op_of_other
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """An array of one value (float32 if no dtype is given).

    Args:
        shape: Length of each axis: an integer or a tuple.
        fill_value: The value, or an array that broadcasts.
        dtype: Dtype of the result; None for the usual one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.full((2,), 7)
        array([7., 7.], dtype=float32)
    """
    return np.full(shape, fill_value, standardize_dtype(dtype))


@op
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape and dtype of x.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.zeros_like([1, 2])
        array([0, 0])
    """
    return full_like(x, 0, dtype)


@op
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape and dtype of x.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.ones_like([1, 2])
        array([1, 1])
    """
    return full_like(x, 1, dtype)


@op
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value in the shape and dtype of x.

    Args:
        x: Array of any shape, or what becomes one.
        fill_value: The value, or an array that broadcasts.
        dtype: Dtype of the result; None for the usual one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.full_like([1, 2], 7)
        array([7, 7])
    """
    kind = dtype_of(x) if dtype is None else standardize_dtype(dtype)
    x = getval(x)
    if isinstance(x, XlaArray):  # its shape may be open
        return np.full_like(x, fill_value, kind)
    return np.full(np.shape(x), fill_value, kind)


@op_of_other
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on the k-th diagonal, zeros elsewhere, in shape (N, M).

    Args:
        N: Rows.
        M: Columns; None for as many as rows.
        k: Diagonal: 0 is the main one, positive ones lie above it.
        dtype: Dtype of the result; None for the usual one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.eye(2)
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return np.eye(N, M, k, standardize_dtype(dtype))


@op_of_other
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """Evenly spaced values; int32 for integers, float32 for floats.

    Args:
        start: First number; without `stop`, what the numbers end before, from 0.
        stop: What the numbers end before, or None.
        step: Distance between two.
        dtype: Dtype of the result; None for the usual one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.arange(4)
        array([0, 1, 2, 3], dtype=int32)
    """
    values = np.arange(start, step=step) if stop is None else np.arange(start, stop, step)
    return values.astype(
        {"i": "int32", "f": "float32"}[values.dtype.kind] if dtype is None else dtype
    )


@op_of_other
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` evenly spaced values from start to stop.

    Args:
        start: First value, a number or an array of them.
        stop: Last value.
        num: How many.
        endpoint: Whether `stop` is among them.
        retstep: Whether to return the step too.
        dtype: Dtype name; None for float32.
        axis: The new axis, where start and stop are arrays.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.linspace(0, 1, num=3)
        array([0. , 0.5, 1. ], dtype=float32)
    """
    first, last = getval(start), getval(stop)
    values, step = np.linspace(first, last, num, endpoint, retstep=True, axis=axis)
    values = _cast(values, standardize_dtype(dtype))
    return (values, step) if retstep else values
