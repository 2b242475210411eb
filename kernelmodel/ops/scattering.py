"""Parts of arrays read and written at computed places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.indexing import getitem
from kernelmodel.engine.kernels.scatter import scatter as _scatter
from kernelmodel.engine.rules import where
from kernelmodel.engine.twin import with_xla
from kernelmodel.engine.xla_array import XlaArray
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, convert_to_tensor, dtype_of, extents
from kernelmodel.ops.dispatch import _array_like, op
from kernelmodel.ops.families import same_floats

__all__ = ["get_item", "scatter", "scatter_update", "slice", "slice_update"]

REDUCTIONS = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "mul"}


def _row_numbers(indices: Any, lengths: Sequence[int]) -> Any:
    """Index tuples (..., depth) as numbers of the rows that they pick, -1 where out of range."""
    places: Any = 0
    outside: Any = False
    for i, length in enumerate(lengths):
        index = indices[..., i]
        index = np.where(np.less(index, 0), index + length, index)
        outside = outside | np.less(index, 0) | np.greater_equal(index, length)
        places = places * length + index
    return np.reshape(np.where(outside, -1, places), (-1,))


def _scattered(name: str, inputs: Any, indices: Any, updates: Any, how: str) -> Any:
    indices = getval(_array_like(indices))
    checks.whole(name, "indices", indices)
    lengths, depth = extents(inputs), extents(indices)[-1]
    if depth > len(lengths):
        allowed = f"an array of shape (..., depth) with depth up to {len(lengths)}"
        checks.refuse(name, "indices", f"shape {extents(indices)}", allowed)
    expected = (*extents(indices)[:-1], *lengths[depth:])
    if extents(updates) != expected:
        argument = "values" if name == "scatter" else "updates"
        checks.refuse(name, argument, f"shape {extents(updates)}", f"of shape {expected}")
    row = lengths[depth:]
    flat = anp.reshape(inputs, (int(np.prod(lengths[:depth])), *row))
    places = _row_numbers(indices, lengths[:depth])
    found = _scatter(flat, anp.reshape(updates, (len(places), *row)), places, how=how)
    return anp.reshape(found, lengths)


@op
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """An array of zeros with values added in at places.

    Args:
        indices: Integers (..., depth): the first `depth` indices of each place.
        values: What to add there, of shape `indices.shape[:-1] + shape[depth:]`.
        shape: Shape of the result.

    Raises:
        ValueError: The shapes don't fit, or the indices aren't integers.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.scatter([[0], [2], [2]], [1.0, 2.0, 3.0], (4,))
        array([1., 0., 5., 0.], dtype=float32)
    """
    values = _array_like(values)
    blank = np.zeros(tuple(shape), dtype_of(values))
    return _scattered("scatter", blank, indices, values, "add")


@op
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """A copy of an array with values written at places.

    Args:
        inputs: Array.
        indices: Integers (..., depth): the first `depth` indices of each place.
        updates: Values of shape `indices.shape[:-1] + inputs.shape[depth:]`.
        reduction: None to replace what is there, or how to combine it: "add", "max", "min", "mul".

    Raises:
        ValueError: The shapes don't fit, or an unknown reduction.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.scatter_update([1.0, 2.0, 3.0], [[0], [2]], [9.0, 8.0])
        array([9., 2., 8.], dtype=float32)
    """
    checks.choice("scatter_update", "reduction", reduction, REDUCTIONS)
    updates = _cast(_array_like(updates), dtype_of(inputs))
    return _scattered("scatter_update", inputs, indices, updates, REDUCTIONS[reduction])


@with_xla("jax.lax.dynamic_slice")
def _dynamic_slice(x: Any, starts: Any, lengths: Any) -> Any:
    """A slice whose start isn't known while XLA compiles."""
    raise TypeError("only for XLA arrays")


@with_xla("jax.lax.dynamic_update_slice")
def _dynamic_update(x: Any, updates: Any, starts: Any) -> Any:
    """An update whose start isn't known while XLA compiles."""
    raise TypeError("only for XLA arrays")


def _starts(start_indices: Any) -> list[Any]:
    starts = getval(start_indices)
    return [getval(start) for start in (starts if len(extents(starts)) else [starts])]


@op
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """The part of an array that begins at given indices and has a given shape.

    Args:
        inputs: Array.
        start_indices: First index along each axis.
        shape: Length along each axis.

    Raises:
        ValueError: The part reaches over the end.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2))
        array([[2, 3],
               [5, 6]])
    """
    lengths, starts = extents(inputs), _starts(start_indices)
    if len(starts) != len(lengths) or len(shape) != len(lengths):
        allowed = f"{len(lengths)} integers, one for each axis of inputs"
        checks.refuse("slice", "start_indices and shape", f"{start_indices}, {shape}", allowed)
    if any(isinstance(start, XlaArray) for start in starts):
        return _dynamic_slice(inputs, starts, tuple(shape))
    ends = [int(start) + n for start, n in zip(starts, shape)]
    if any(end > length for end, length in zip(ends, lengths)):
        checks.refuse("slice", "shape", shape, f"within inputs of shape {lengths} from {starts}")
    return getitem(inputs, tuple(np.s_[int(a) : b] for a, b in zip(starts, ends)))


@op
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """A copy of `inputs` with `updates` written at `start_indices`.

    Args:
        inputs: Array.
        start_indices: First index along each axis.
        updates: Array of the same rank.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.slice_update([1.0, 2.0, 3.0], [1], [9.0])
        array([1., 9., 3.], dtype=float32)
    """
    inputs, updates = same_floats(inputs, updates)
    lengths, span, starts = extents(inputs), extents(updates), _starts(start_indices)
    if any(isinstance(start, XlaArray) for start in starts):
        return _dynamic_update(inputs, updates, starts)
    borders = [(int(s), total - int(s) - n) for s, n, total in zip(starts, span, lengths)]
    if min((min(pair) for pair in borders), default=0) < 0:
        checks.refuse("slice_update", "updates", f"shape {span} at {starts}", f"within {lengths}")
    mask = np.pad(np.ones(span, bool), borders)
    return where(mask, anp.pad(updates, borders, "constant", constant_values=0), inputs)


@op
def get_item(x: Any, key: Any) -> Any:
    """`x[key]`, with NumPy's rules.

    Args:
        x: Array of any shape, or what becomes one.
        key: Integers, slices, None, `...`, or a tuple of them, as in NumPy.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.get_item([1.0, 2.0, 3.0], Ellipsis)
        array([1., 2., 3.], dtype=float32)
    """
    return getitem(convert_to_tensor(x), key)
