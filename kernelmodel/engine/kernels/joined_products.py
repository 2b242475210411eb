"""Products in a plan that don't wait for one another are computed at the same time.

A product that is too small to be cut keeps one thread busy; the gradients for a dense layer's
inputs and weights, or the projections of an attention layer, are several such. Each is computed as
it was, so to the same bits.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from kernelmodel.engine.kernels.product import shared_product, shared_products
from kernelmodel.engine.plan_fusion import Line, Lines, rule

AHEAD = 200  # lines after a product in which others are looked for
# What is moved with a product that uses it; None takes a part of a tuple.
VIEWS = {
    None, operator.getitem, np.reshape, np.transpose, np.swapaxes, np.ndarray.reshape,
    np.ndarray.transpose, np.ndarray.swapaxes,
}  # fmt: skip


def is_product(line: Line) -> bool:
    """Whether a line is a product of large matrices, in new memory."""
    return line.function is shared_product and line.args[2] is None and line.errors is None


@rule(shared_product)
def join_products(lines: Lines, first: Line) -> None:
    """Move products up to the first one that they could be computed with.

    What gives another view of an array, or is as cheap, moves up with a product that uses it.
    """
    if not is_product(first):
        return
    made = {first.target: first}  # by lines from the first one on
    written: set[str] = set()
    moved: list[Line] = []
    joined = [first]
    at = lines.lines.index(first) + 1
    for line in lines.lines[at : at + AHEAD]:
        if is_product(line):
            chain = views_before(line, made)
            if chain is not None and written.isdisjoint(memory(lines, [*chain, line])):
                moved += [one for one in chain if one not in moved]
                joined.append(line)
        if line.target is None:
            written |= memory(lines, [line])
        else:
            made[line.target] = line
    if len(joined) > 1:
        factors = [line.args for line in joined]
        name = f"{first.target}_all"
        together = lines.write(shared_products, (factors,), {}, name, None)
        parts = [Line(f"{name}[{i}]", line.target, {name}, None) for i, line in enumerate(joined)]
        lines.replace([*moved, *joined[1:]], first, [*moved, together, *parts])


def views_before(line: Line, made: dict[str | None, Line]) -> list[Line] | None:
    """The lines among those made that a line needs, in order; None if some aren't mere views."""
    found: list[Line] = []
    for name in sorted(line.uses & made.keys()):
        view = made[name]
        if view.function not in VIEWS or view.kept or view.errors is not None:
            return None
        before = views_before(view, made)
        if before is None:
            return None
        found += [one for one in [*before, view] if one not in found]
    return found


def memory(lines: Lines, users: Sequence[Line]) -> set[str]:
    """Names of the arrays whose memory lines may use: what they read may be a view of those."""
    found: set[str] = set()
    left = [name for line in users for name in line.uses]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            maker = lines.maker(name)
            if maker is not None and not makes_an_array(maker):
                left += maker.uses
    return found


def makes_an_array(line: Line) -> bool:
    """Whether what a line returns is in memory of its own."""
    return isinstance(line.function, np.ufunc) or line.function in (shared_product, shared_products)
