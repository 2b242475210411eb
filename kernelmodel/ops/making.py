"""Ops that make arrays: of given values, spaced, or in the shape of others."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.ops import checks
from kernelmodel.ops.convert import convert_to_tensor, dtype_of, extents, standardize_dtype
from kernelmodel.ops.dispatch import _array_like, op, op_of_other
from kernelmodel.ops.filling import eye, zeros, zeros_like

__all__ = [
    "array",
    "copy",
    "empty",
    "empty_like",
    "geomspace",
    "identity",
    "logspace",
    "meshgrid",
    "tri",
    "vander",
]


@op_of_other
def array(x: Any, dtype: Any = None) -> Any:
    """An array of lists, numbers or another array; see `convert_to_tensor`.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.array([1, 2])
        array([1, 2], dtype=int32)
    """
    return convert_to_tensor(x, dtype)


@op
def copy(x: Any) -> Any:
    """The same values in memory of their own.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.copy([1, 2])
        array([1, 2])
    """
    return x if not isinstance(x, np.ndarray) else np.array(x)


@op_of_other
def empty(shape: Any, dtype: Any = None) -> Any:
    """An array whose values nobody has chosen yet (here: zeros, float32 if no dtype is given).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.empty((2, 3)).shape
        (2, 3)
    """
    return zeros(shape, dtype)


@op
def empty_like(x: Any, dtype: Any = None) -> Any:
    """An array in the shape and dtype of x whose values nobody has chosen yet (here: zeros).

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.empty_like([1, 2]).shape
        (2,)
    """
    return zeros_like(x, dtype)


@op_of_other
def identity(n: int, dtype: Any = None) -> Any:
    """Ones on the diagonal, zeros elsewhere, in shape (n, n).

    Args:
        n: Rows and columns.
        dtype: Dtype of the result; None for the usual one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.identity(2)
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return eye(n, dtype=dtype)


@op_of_other
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on and below the k-th diagonal, zeros above, in shape (N, M).

    Args:
        N: Rows.
        M: Columns; None for as many as rows.
        k: Diagonal: 0 is the main one, positive ones lie above it.
        dtype: Dtype of the result; None for the usual one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.tri(2, 3)
        array([[1., 0., 0.],
               [1., 1., 0.]], dtype=float32)
    """
    return np.tri(N, M, k, standardize_dtype(dtype))


@op_of_other
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` powers of a base, whose exponents are evenly spaced.

    Args:
        start: Exponent of the first number.
        stop: Exponent of the last.
        num: How many.
        endpoint: Whether `stop` is among them.
        base: What is raised to the exponents.
        dtype: Dtype of the result; None for the usual one.
        axis: Where the new axis lies, for arrays of starts.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.logspace(0.0, 2.0, num=3)
        array([  1.,  10., 100.], dtype=float32)
    """
    values = np.logspace(getval(start), getval(stop), num, endpoint, base, axis=axis)
    return values.astype(standardize_dtype(dtype))


@op_of_other
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """`num` values from start to stop, each the same multiple of the one before.

    Args:
        start: First number.
        stop: Last number; with `endpoint=False`, what would follow.
        num: How many.
        endpoint: Whether `stop` is among them.
        dtype: Dtype of the result; None for the usual one.
        axis: Where the new axis lies, for arrays of starts.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.geomspace(1.0, 8.0, num=4)
        array([1., 2., 4., 8.], dtype=float32)
    """
    values = np.geomspace(getval(start), getval(stop), num, endpoint, axis=axis)
    return values.astype(standardize_dtype(dtype))


@op
def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    """Coordinates of a grid from those along each axis.

    Args:
        *x: Arrays of one dimension.
        indexing: "xy" (columns first, as in plots) or "ij" (rows first, as in matrices).

    Returns:
        List of arrays in the shape of the grid, one for each argument.

    Raises:
        ValueError: Another indexing, or an array of another rank.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.meshgrid([1, 2, 3], [4, 5])[0].shape
        (2, 3)
    """
    checks.choice("meshgrid", "indexing", indexing, ("xy", "ij"))
    lines = [_array_like(line) for line in x]
    for line in lines:
        checks.rank("meshgrid", "x", line, (0, 1))
    lines = [anp.reshape(line, (-1,)) for line in lines]
    places = list(range(len(lines)))
    if indexing == "xy" and len(lines) > 1:
        places[:2] = [1, 0]
    lengths = [0] * len(lines)
    for line, place in zip(lines, places):
        lengths[place] = extents(line)[0]
    grids = []
    for line, place in zip(lines, places):
        own = [1] * len(lines)
        own[place] = -1
        grids.append(anp.broadcast_to(anp.reshape(line, own), tuple(lengths)))
    return grids


@op
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Powers of the values of x as rows (a Vandermonde matrix).

    Args:
        x: Numbers of shape (n,).
        N: Number of columns; None for n.
        increasing: Whether the powers ascend from zero.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.vander([2.0, 3.0], N=3)
        array([[4., 2., 1.],
               [9., 3., 1.]], dtype=float32)
    """
    checks.rank("vander", "x", x, (1,))
    count = extents(x)[0] if N is None else N
    powers = np.arange(count, dtype=dtype_of(x))
    return anp.power(anp.expand_dims(x, 1), powers if increasing else powers[::-1])
