"""Ops that join arrays, and cut them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import rules
from kernelmodel.engine.boxes import getval
from kernelmodel.ops import checks
from kernelmodel.ops.convert import extents
from kernelmodel.ops.dispatch import _array_like, op, op_of_other
from kernelmodel.ops.families import same_floats
from kernelmodel.ops.shaping import concatenate, split

__all__ = [
    "append",
    "array_split",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "select",
    "vsplit",
    "vstack",
]


def _of_rank(x: Any, rank: int) -> Any:
    """x with axes of length one put in as NumPy's `atleast_*d` does: before, the third behind."""
    x = _array_like(x)
    lengths = extents(x)
    missing = max(rank - len(lengths), 0)
    if not missing:
        return x
    before = 1 if rank == 3 and len(lengths) < 2 else missing if rank < 3 else 0
    lengths = (*(1,) * before, *lengths)
    return anp.reshape(x, (*lengths, *(1,) * (rank - len(lengths))))


@op
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """`x2` behind `x1` along an axis; both flattened if None.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.append([1.0], [[2.0], [3.0]])
        array([1., 2., 3.], dtype=float32)
    """
    x1, x2 = same_floats(x1, x2)
    if axis is None:
        x1, x2, axis = anp.reshape(x1, (-1,)), anp.reshape(x2, (-1,)), 0
    return concatenate([x1, x2], axis)


@op_of_other
def vstack(xs: Sequence[Any]) -> Any:
    """Arrays on top of each other: joined along the first axis, vectors as rows.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.vstack([[1.0, 2.0], [3.0, 4.0]]).shape
        (2, 2)
    """
    return concatenate([_of_rank(x, 2) for x in xs], 0)


@op_of_other
def hstack(xs: Sequence[Any]) -> Any:
    """Arrays beside each other: joined along the second axis, vectors along their only one.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.hstack([[1, 2], [3]])
        array([1, 2, 3])
    """
    parts = [_of_rank(x, 1) for x in xs]
    return concatenate(parts, 0 if len(extents(parts[0])) == 1 else 1)


@op_of_other
def dstack(xs: Sequence[Any]) -> Any:
    """Arrays behind each other: joined along the third axis.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.dstack([km.ops.ones((2, 3)), km.ops.ones((2, 3))]).shape
        (2, 3, 2)
    """
    return concatenate([_of_rank(x, 3) for x in xs], 2)


@op
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """x cut into parts along an axis; the first ones are longer where they can't be equal.

    Args:
        x: Array.
        indices_or_sections: The number of parts, or the indices to cut at.
        axis: The axis to cut.

    Returns:
        List of arrays.

    Examples:
        >>> import kernelmodel as km
        >>> [part.tolist() for part in km.ops.array_split([1, 2, 3, 4, 5], 3)]
        [[1, 2], [3, 4], [5]]
    """
    cuts = indices_or_sections
    if hasattr(cuts, "__index__"):
        if int(cuts) < 1:
            checks.refuse("array_split", "indices_or_sections", cuts, "positive")
        length, parts = extents(x)[axis], int(cuts)
        cuts = np.cumsum([length // parts + (i < length % parts) for i in range(parts)])[:-1]
    return split(x, [int(cut) for cut in cuts], axis=axis)


@op
def vsplit(x: Any, indices_or_sections: Any) -> Any:
    """x cut along its first axis, as a list; see `split`.

    Args:
        x: Array of any shape, or what becomes one.
        indices_or_sections: How many equal parts, or where to cut.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.vsplit([[1, 2], [3, 4]], 2)
        [array([[1, 2]]), array([[3, 4]])]
    """
    return split(x, indices_or_sections, axis=0)


@op
def hsplit(x: Any, indices_or_sections: Any) -> Any:
    """x cut along its second axis (a vector along its only one), as a list; see `split`.

    Args:
        x: Array of any shape, or what becomes one.
        indices_or_sections: How many equal parts, or where to cut.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.hsplit([[1, 2], [3, 4]], 2)
        [array([[1],
               [3]]), array([[2],
               [4]])]
    """
    return split(x, indices_or_sections, axis=min(len(extents(x)) - 1, 1))


@op
def dsplit(x: Any, indices_or_sections: Any) -> Any:
    """x cut along its third axis, as a list; see `split`.

    Args:
        x: Array of any shape, or what becomes one.
        indices_or_sections: How many equal parts, or where to cut.

    Examples:
        >>> import kernelmodel as km
        >>> len(km.ops.dsplit(km.ops.ones((2, 3, 4)), 2))
        2
    """
    return split(x, indices_or_sections, axis=2)


@op_of_other
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """For each element, the choice that belongs to the first condition that is true.

    Args:
        condlist: Boolean arrays.
        choicelist: As many arrays or numbers; all broadcast together.
        default: Value where no condition is true.

    Raises:
        ValueError: The lists differ in length, or are empty.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> x = np.arange(4.0)
        >>> km.ops.select([x < 1, x < 3], [-x - 1, x * 10])
        array([-1., 10., 20.,  0.])
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        got = f"{len(choicelist)} choices for {len(condlist)} conditions"
        checks.refuse("select", "choicelist", got, "as long as condlist, and not empty")
    chosen = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        chosen = rules.where(getval(_array_like(condition)), *same_floats(choice, chosen))
    return chosen
