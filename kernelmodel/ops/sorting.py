"""Ops that search, count and number the values of arrays. None has a gradient."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.kernels.scatter import scatter
from kernelmodel.engine.twin import with_xla
from kernelmodel.engine.xla_array import XlaArray
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, dtype_of, extents
from kernelmodel.ops.dispatch import _array_like, op
from kernelmodel.ops.families import same_floats
from kernelmodel.ops.reduction import take_along_axis

__all__ = [
    "argpartition",
    "bincount",
    "digitize",
    "histogram",
    "in_top_k",
    "isin",
    "nonzero",
    "searchsorted",
    "unique",
    "unravel_index",
]


@op
def argpartition(x: Any, kth: int, axis: int | None = -1) -> Any:
    """Indices that put the `kth` smallest value in its place, smaller ones before it (int32).

    Args:
        x: Array of any shape, or what becomes one.
        kth: Place that is as in sorted order.
        axis: Axis; negative ones count from the last. None for all values in a row.

    Examples:
        >>> import kernelmodel as km
        >>> int(km.ops.argpartition([3.0, 1.0, 2.0], 0)[0])
        1
    """
    x = getval(x)
    if axis is None:
        x, axis = np.ravel(x), -1
    return _cast(np.argpartition(x, kth, axis=axis), "int32")


@op
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Where values would have to be put into a sorted sequence (int32).

    Args:
        sorted_sequence: Numbers of shape (n,), in ascending order.
        values: Numbers of any shape.
        side: "left" puts a value before equal ones, "right" behind them.

    Raises:
        ValueError: The sequence isn't one-dimensional, or an unknown side.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.searchsorted([1.0, 2.0, 3.0], [0.0, 2.5])
        array([0, 2], dtype=int32)
    """
    checks.rank("searchsorted", "sorted_sequence", sorted_sequence, (1,))
    checks.choice("searchsorted", "side", side, ("left", "right"))
    sequence, values = same_floats(sorted_sequence, values)
    places = np.searchsorted(getval(sequence), getval(values), side=side)  # type: ignore[call-overload]
    return _cast(places, "int32")


@op
def digitize(x: Any, bins: Any) -> Any:
    """The number of the bin that each value falls into (int32).

    Args:
        x: Numbers of any shape.
        bins: Edges of shape (n,), in ascending order; a value on an edge lies above it.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.digitize([0.5, 1.0, 9.0], [1.0, 2.0])
        array([0, 1, 2], dtype=int32)
    """
    return searchsorted(_array_like(bins), x, side="right")


@op
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each element of `x1` is among those of `x2`.

    Args:
        x1: Array of any shape.
        x2: Array of any shape.
        assume_unique: Whether no element occurs twice in either.
        invert: Ask for the elements that are not there.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.isin([1, 2, 3], [3, 1])
        array([ True, False,  True])
    """
    x1, x2 = getval(_array_like(x1)), getval(_array_like(x2))
    return np.isin(x1, x2, assume_unique=assume_unique, invert=invert)


@op
def nonzero(x: Any) -> Any:
    """Indices of the elements that aren't zero: one int32 array for each axis.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.nonzero([[0, 7], [8, 0]])
        (array([0, 1], dtype=int32), array([1, 0], dtype=int32))
    """
    return tuple(_cast(part, "int32") for part in np.nonzero(getval(x)))


@op
def unravel_index(indices: Any, shape: Any) -> Any:
    """Places in a flattened array as indices along each axis.

    Args:
        indices: Integers of any shape.
        shape: Shape of the array.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.unravel_index([5, 1], (2, 3))
        (array([1, 0], dtype=int32), array([2, 1], dtype=int32))
    """
    checks.whole("unravel_index", "indices", indices)
    places = getval(indices)
    return tuple(_cast(part, "int32") for part in np.unravel_index(places, tuple(shape)))


@with_xla("jax.numpy.unique")
def _unique(x: Any, *, size: int | None = None, fill_value: Any = None, **options: Any) -> Any:
    found = np.unique(x, **{k: v for k, v in options.items() if k != "sorted"})
    if size is None:
        return found
    axis = options["axis"] or 0
    several = isinstance(found, tuple)
    values = found[0] if several else found
    fill = fill_value if fill_value is not None else np.take(values, [0], axis)
    names = [
        n for n in ("return_index", "return_inverse", "return_counts") if options[n]
    ]  # the order of the outputs
    sized = [_sized(values, size, axis, fill)]
    for name, part in zip(names, found[1:] if several else ()):
        if name == "return_inverse":
            sized.append(part)
        else:
            sized.append(_sized(part, size, 0, part[0] if name == "return_index" else 0))
    return tuple(sized) if several else sized[0]


def _sized(values: np.ndarray, size: int, axis: int, fill: Any) -> np.ndarray:
    """Cut off or filled up to a length along an axis."""
    values = np.take(values, np.arange(min(size, values.shape[axis])), axis)
    lacking = list(values.shape)
    lacking[axis] = size - values.shape[axis]
    filling = np.broadcast_to(np.asarray(fill, values.dtype), lacking)
    return np.concatenate([values, filling], axis)


@op
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct values of an array.

    Args:
        x: Array of any shape.
        sorted: Whether the values must ascend; here they always do.
        return_index: Also return where each value comes first.
        return_inverse: Also return the number of each element's value.
        return_counts: Also return how often each value occurs.
        axis: Take slices along this axis as values; None for single elements.
        size: How many values to return: more are cut off, missing ones filled. Needed under XLA,
            where shapes can't depend on values.
        fill_value: What to fill up with; None for the smallest value.

    Returns:
        The values, or a tuple of them and what else was asked for (int32), in this order.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.unique([3, 1, 3], return_counts=True)
        (array([1, 3]), array([1, 2], dtype=int32))
    """
    options = {
        "return_index": return_index,
        "return_inverse": return_inverse,
        "return_counts": return_counts,
    }
    found = _unique(getval(x), size=size, fill_value=fill_value, axis=axis, equal_nan=False,
                    **options)  # fmt: skip
    if not any(options.values()):
        return found
    return (found[0], *(_cast(part, "int32") for part in found[1:]))


@op
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each number from zero up occurs.

    Args:
        x: Integers >= 0 of shape (n,), or (batch, n) to count each row.
        weights: What an occurrence counts, in the shape of x; None for one.
        minlength: Least length of the counts. Under XLA, where shapes can't depend on values, their
            length: what lies beyond isn't counted.
        sparse: Must be False.

    Returns:
        Counts of shape (length,) or (batch, length): int32, or the dtype of the weights.

    Raises:
        ValueError: x has another rank or dtype, or no `minlength` under XLA.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.bincount([0, 2, 2])
        array([1, 0, 2], dtype=int32)
    """
    if sparse:
        checks.refuse("bincount", "sparse", sparse, "False: there are no sparse arrays here")
    checks.rank("bincount", "x", x, (1, 2))
    checks.whole("bincount", "x", x)
    places = getval(x)
    if isinstance(places, XlaArray):
        length = minlength
        if length < 1:
            checks.refuse("bincount", "minlength", minlength, "given under XLA")
    else:
        length = max(int(np.max(places, initial=-1)) + 1, minlength)
    weights = np.ones(extents(places), "int32") if weights is None else _array_like(weights)
    if extents(weights) != extents(x):
        checks.refuse(
            "bincount", "weights", f"shape {extents(weights)}", f"of x's shape {extents(x)}"
        )
    rows = 1 if len(extents(x)) == 1 else extents(x)[0]
    numbers = np.reshape(np.where(np.less(places, length), places, -1), (rows, -1))
    numbers = np.where(np.less(numbers, 0), -1, numbers + np.arange(rows)[:, None] * length)
    blank = np.zeros(rows * length, dtype_of(weights))
    counts = scatter(blank, anp.reshape(weights, (-1,)), np.reshape(numbers, (-1,)), how="add")
    return anp.reshape(counts, (*extents(places)[:-1], length))


@op
def histogram(x: Any, bins: Any = 10, range: tuple[float, float] | None = None) -> Any:
    """How many values fall into each of several bins.

    Args:
        x: Numbers of any shape.
        bins: The number of equal bins, or their edges in ascending order.
        range: Lowest and highest edge; None for the range of the values.

    Returns:
        Counts of shape (bins,) and edges of shape (bins + 1,), both floats. The last bin holds its
        upper edge.

    Raises:
        ValueError: The range isn't ascending, or `bins` is less than one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.histogram([1.0, 2.0, 2.0, 4.0], bins=3)[0]
        array([1., 2., 1.], dtype=float32)
    """
    if isinstance(bins, int) and bins < 1:
        checks.refuse("histogram", "bins", bins, "a positive integer or an array of edges")
    if range is not None and not (len(range) == 2 and range[0] <= range[1]):
        checks.refuse("histogram", "range", range, "None or an ascending pair")
    counts, edges = np.histogram(getval(x), getval(_array_like(bins)), range)
    floats = dtype_of(x) if kind_of(dtype_of(x)) == "f" else "float32"
    return _cast(counts, floats), _cast(edges, floats)


@op
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether the target class is among the `k` with the highest predictions.

    Args:
        targets: Class numbers of shape (...,).
        predictions: Scores of shape (..., classes).
        k: How many classes count; those equal to the k-th do too.

    Returns:
        Booleans in the shape of `targets`. NaN is never among the highest.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.in_top_k([0, 1], [[0.1, 0.7, 0.2], [0.1, 0.7, 0.2]], 2)
        array([False,  True])
    """
    checks.whole("in_top_k", "targets", targets)
    scores = getval(_array_like(predictions))
    own = take_along_axis(scores, np.expand_dims(getval(targets), -1), -1)
    own = np.where(np.isnan(own), -np.inf, own)
    return np.sum(np.greater(scores, own), axis=-1) < k
