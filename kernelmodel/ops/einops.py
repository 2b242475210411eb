"""Axes taken apart, moved and joined by a pattern of names, as in the einops library."""

from __future__ import annotations

import math
import re
from typing import Any

import autograd.numpy as anp

from kernelmodel.ops import checks
from kernelmodel.ops.convert import extents
from kernelmodel.ops.dispatch import op

__all__ = ["rearrange"]


def _groups(side: str, pattern: str) -> list[list[str]]:
    """The axes of one side: a list of names for each, several where parentheses join them."""
    groups = [part.strip("()").split() for part in re.findall(r"\([^()]*\)|[^\s()]+", side)]
    names = [name for group in groups for name in group]
    if side.count("(") != side.count(")") or not all(n.isidentifier() for n in names):
        checks.refuse("rearrange", "pattern", repr(pattern), "names, and names in parentheses")
    if len(set(names)) != len(names):
        checks.refuse("rearrange", "pattern", repr(pattern), "without a name twice on a side")
    return groups


def _lengths(groups: list[list[str]], found: tuple[int, ...], known: dict[str, int]) -> list[int]:
    """The length of every name, one in each group worked out from the others."""
    lengths: list[int] = []
    for group, total in zip(groups, found):
        given = math.prod(known.get(name, 1) for name in group)
        open_ = [name for name in group if name not in known]
        if len(open_) > 1 or total % given or (not open_ and given != total):
            got = {name: known[name] for name in group if name in known}
            allowed = f"lengths of all but one of {group} that divide {total}"
            checks.refuse("rearrange", "axes_lengths", got, allowed)
        lengths += [known.get(name, total // given) for name in group]
    return lengths


@op
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """An array with its axes taken apart, moved and joined, as a pattern says.

    Args:
        tensor: Array.
        pattern: "names of its axes -> names of the new axes". Names in parentheses are one axis:
            on the left it is taken apart, on the right they are joined.
        **axes_lengths: Lengths of names in parentheses; one of each can be worked out.

    Raises:
        ValueError: The pattern isn't understood, or doesn't fit the array.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> images = np.zeros((8, 30, 40, 3))
        >>> km.ops.rearrange(images, "b (h p) w c -> b h w (p c)", p=2).shape
        (8, 15, 40, 6)
    """
    sides = pattern.split("->")
    if len(sides) != 2:
        checks.refuse("rearrange", "pattern", repr(pattern), '"... -> ..."')
    old, new = (_groups(side, pattern) for side in sides)
    names = [name for group in old for name in group]
    targets = [name for group in new for name in group]
    if sorted(names) != sorted(targets):
        checks.refuse("rearrange", "pattern", repr(pattern), "with the same names on both sides")
    found = extents(tensor)
    if len(found) != len(old):
        checks.refuse("rearrange", "pattern", repr(pattern), f"one with {len(found)} axes")
    lengths = _lengths(old, found, axes_lengths)
    taken_apart = anp.reshape(tensor, lengths)
    moved = anp.transpose(taken_apart, [names.index(name) for name in targets])
    by_name = dict(zip(names, lengths))
    return anp.reshape(moved, [math.prod(by_name[name] for name in group) for group in new])
