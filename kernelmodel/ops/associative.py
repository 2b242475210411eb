"""Running results of associative functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import rules
from kernelmodel.engine.indexing import getitem
from kernelmodel.engine.structure import flatten, pack_like
from kernelmodel.ops import checks
from kernelmodel.ops.control import common_length
from kernelmodel.ops.convert import convert_to_tensor, extents
from kernelmodel.ops.dispatch import op_of_other

__all__ = ["associative_scan"]

Function = Callable[..., Any]


@op_of_other
def associative_scan(f: Function, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Running results of an associative function of two entries, in few calls on many entries.

    The function is called with whole slices of entries, about 2 * log2(n) times (Blelloch, 1990).

    Args:
        f: Called with two slices of entries, in the structure of `elems`; combines them entry by
            entry and returns the same structure. It must be associative.
        elems: Arrays in any structure, with equal lengths along the axis.
        reverse: Whether to go from the last entry to the first.
        axis: The axis to go along.

    Returns:
        The structure of `elems`: entry i is f of all entries up to i.

    Raises:
        ValueError: `f` isn't a function, or the lengths differ.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.associative_scan(lambda a, b: a + b, np.arange(5))
        array([ 0,  1,  3,  6, 10])
    """
    if not callable(f):
        checks.refuse("associative_scan", "f", repr(f), "a function of two entries")
    leaves = [anp.moveaxis(convert_to_tensor(leaf), axis, 0) for leaf in flatten(elems)]
    common_length("associative_scan", "elems", leaves)
    if reverse:
        leaves = [getitem(leaf, np.s_[::-1]) for leaf in leaves]

    def combine(one: list[Any], other: list[Any]) -> list[Any]:
        # The function works along the user's axis.
        sides = [
            pack_like(elems, [anp.moveaxis(x, 0, axis) for x in side]) for side in (one, other)
        ]
        return [anp.moveaxis(x, axis, 0) for x in flatten(f(*sides))]

    found = _running(combine, leaves)
    if reverse:
        found = [getitem(leaf, np.s_[::-1]) for leaf in found]
    return pack_like(elems, [anp.moveaxis(leaf, 0, axis) for leaf in found])


def _running(combine: Function, leaves: list[Any]) -> list[Any]:
    """Pairs are combined, their running results found, and the entries between filled in."""
    count = extents(leaves[0])[0]
    if count < 2:
        return leaves

    def part(values: list[Any], where: Any) -> list[Any]:
        return [getitem(leaf, where) for leaf in values]

    even, odd = part(leaves, np.s_[: count - count % 2 : 2]), part(leaves, np.s_[1::2])
    at_odd = _running(combine, combine(even, odd))
    first, later = part(leaves, np.s_[:1]), part(leaves, np.s_[2::2])
    at_even = first
    if count > 2:
        before = part(at_odd, np.s_[: (count - 1) // 2])
        filled = combine(before, later)
        at_even = [anp.concatenate([a, b], 0) for a, b in zip(first, filled)]
    return [_interleaved(a, b) for a, b in zip(at_even, at_odd)]


def _interleaved(even: Any, odd: Any) -> Any:
    """Entries of two arrays in turn; the first may have one more."""
    pairs = extents(odd)[0]
    both = rules.stack([getitem(even, np.s_[:pairs]), odd], 1)
    row = extents(even)[1:]
    together = anp.reshape(both, (2 * pairs, *row))
    rest = getitem(even, np.s_[pairs:])
    return anp.concatenate([together, rest], 0) if extents(rest)[0] else together
