"""Less common products and distances of two arrays."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.kernels.correlate import correlate as _correlate
from kernelmodel.engine.rules import where
from kernelmodel.ops import checks
from kernelmodel.ops.convert import dtype_of, extents
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import both_floating, floating, same_floats

__all__ = ["cdist", "corrcoef", "correlate", "cross", "kron"]


@op
def kron(x1: Any, x2: Any) -> Any:
    """Kronecker product: `x2` once for each entry of `x1`, times it.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.kron([1, 10], [1, 2])
        array([ 1,  2, 10, 20])
    """
    x1, x2 = same_floats(x1, x2)
    rank = max(len(extents(x1)), len(extents(x2)))
    one, two = ((1,) * (rank - len(extents(x))) + extents(x) for x in (x1, x2))
    spread = [n for length in one for n in (length, 1)]
    other = [n for length in two for n in (1, length)]
    product = anp.reshape(x1, spread) * anp.reshape(x2, other)
    return anp.reshape(product, tuple(a * b for a, b in zip(one, two)))


@op
def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """Cross product of vectors of length two or three.

    Args:
        x1: First vectors.
        x2: Second vectors.
        axisa: Axis of the vectors in `x1`.
        axisb: Axis of the vectors in `x2`.
        axisc: Axis of the vectors in the result.
        axis: In place of all three.

    Returns:
        Vectors of length three; for two of length two only the third component, without an axis.

    Raises:
        ValueError: Vectors of another length.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
        array([0., 0., 1.], dtype=float32)
    """
    x1, x2 = same_floats(x1, x2)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = anp.moveaxis(x1, axisa, -1), anp.moveaxis(x2, axisb, -1)
    for argument, x in (("x1", a), ("x2", b)):
        if extents(x)[-1] not in (2, 3):
            checks.refuse("cross", argument, f"length {extents(x)[-1]}", "vectors of length 2 or 3")
    flat = extents(a)[-1] == extents(b)[-1] == 2
    (a0, a1, a2), (b0, b1, b2) = (
        [x[..., i] if i < extents(x)[-1] else 0 for i in range(3)] for x in (a, b)
    )
    third = a0 * b1 - a1 * b0
    if flat:
        return third
    parts = [a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, third]
    return anp.concatenate([anp.expand_dims(part, axisc) for part in parts], axisc)


@op
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """Products of a sequence with another one at every shift.

    Args:
        x1: Numbers (n,).
        x2: Numbers (m,).
        mode: "full" for all shifts, "same" for the length of the longer one, "valid" for complete
            overlap.

    Raises:
        ValueError: Another mode, or arrays of another rank.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.correlate([1.0, 2.0, 3.0], [1.0, 1.0])
        array([3., 5.], dtype=float32)
    """
    checks.choice("correlate", "mode", mode, ("full", "same", "valid"))
    x1, x2 = both_floating(x1, x2)
    checks.rank("correlate", "x1", x1, (1,))
    checks.rank("correlate", "x2", x2, (1,))
    return _correlate(x1, x2, mode=mode)


@op
def corrcoef(x: Any) -> Any:
    """Correlations between the rows of a matrix (Pearson's coefficients).

    Args:
        x: Numbers (variables, observations), or (observations,) for a single variable.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]).round(4)
        array([[ 1., -1.],
               [-1.,  1.]], dtype=float32)
    """
    x = floating(x)
    checks.rank("corrcoef", "x", x, (1, 2))
    centred = x - anp.mean(x, axis=-1, keepdims=True)
    length = anp.sqrt(anp.sum(centred * centred, axis=-1, keepdims=True))
    unit = centred / length
    return anp.matmul(unit, anp.swapaxes(unit, -1, -2) if len(extents(x)) == 2 else unit)


@op
def cdist(x: Any, y: Any) -> Any:
    """Euclidean distances between all rows of two matrices.

    Args:
        x: Points (..., n, d).
        y: Points (..., m, d).

    Returns:
        Array (..., n, m). The gradient is zero where two points are the same.

    Raises:
        ValueError: The points differ in d, or aren't matrices.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]])
        array([[5., 1.]], dtype=float32)
    """
    x, y = both_floating(x, y)
    checks.matrix("cdist", "x", x)
    checks.matrix("cdist", "y", y)
    if extents(x)[-1] != extents(y)[-1]:
        checks.refuse("cdist", "y", f"shape {extents(y)}", f"of shape (..., m, {extents(x)[-1]})")
    gaps = anp.expand_dims(x, -2) - anp.expand_dims(y, -3)
    squares = anp.sum(gaps * gaps, axis=-1)
    apart = np.greater(getval(squares), 0)
    zero = np.zeros((), dtype_of(x))
    return where(apart, anp.sqrt(where(apart, squares, zero + 1)), zero)
