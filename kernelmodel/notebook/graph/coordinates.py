"""Gives the cells of a layered graph their x: long edges straight, little bending, no overlap.

After Brandes and Köpf, "Fast and simple horizontal coordinate assignment", Graph Drawing 2001:
cells are aligned with their median neighbours into vertical blocks, once from each of the four
corners; each time the blocks are pushed together; of the four x the mean of the two in the middle
is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import pairwise

NODE_GAP = 24.0


@dataclass(eq=False)
class Cell:
    """A node in its layer, or (`node` is None) the place where an edge passes a layer."""

    layer: int
    width: float
    height: float
    node: Hashable | None = None
    x: float = 0.0
    above: list[Cell] = field(default_factory=list)
    below: list[Cell] = field(default_factory=list)


Rows = list[list[Cell]]
Positions = dict[Cell, float]


def place(rows: Rows) -> None:
    """Set the x of each cell.

    Args:
        rows: the cells of each layer, from left to right; neighbours lie one layer apart.
    """
    conflicts = _conflicts(rows)
    candidates = [
        _from_corner(rows, down, rightward, conflicts)
        for down in (True, False)
        for rightward in (True, False)
    ]
    spans = [_span(found, rows) for found in candidates]
    low, high = min(spans, key=lambda span: span[1] - span[0])
    for i, (found, (left, right)) in enumerate(zip(candidates, spans)):
        shift = low - left if i % 2 == 0 else high - right
        candidates[i] = {cell: x + shift for cell, x in found.items()}
    for row in rows:
        for cell in row:
            ordered = sorted(found[cell] for found in candidates)
            cell.x = (ordered[1] + ordered[2]) / 2


def _span(found: Positions, rows: Rows) -> tuple[float, float]:
    cells = [cell for row in rows for cell in row]
    left = min((found[cell] - cell.width / 2 for cell in cells), default=0.0)
    return left, max((found[cell] + cell.width / 2 for cell in cells), default=0.0)


def _conflicts(rows: Rows) -> set[tuple[Cell, Cell]]:
    """Return the edges that cross the inside of a long edge, which goes straight instead."""
    found = set()
    for upper, lower in pairwise(rows):
        place_in = {cell: i for row in (upper, lower) for i, cell in enumerate(row)}
        edges = [(a, b) for a in upper for b in a.below]
        inside = [(place_in[a], place_in[b]) for a, b in edges if a.node is b.node is None]
        for a, b in edges:
            i, j = place_in[a], place_in[b]
            if not (a.node is b.node is None) and any((i - p) * (j - q) < 0 for p, q in inside):
                found.add((a, b))
    return found


def _from_corner(
    rows: Rows, down: bool, rightward: bool, conflicts: set[tuple[Cell, Cell]]
) -> Positions:
    seen = [row if rightward else row[::-1] for row in (rows if down else rows[::-1])]
    found = _compact(seen, _blocks(seen, down, conflicts))
    return found if rightward else {cell: -x for cell, x in found.items()}


def _blocks(rows: Rows, down: bool, conflicts: set[tuple[Cell, Cell]]) -> dict[Cell, Cell]:
    """Return for each cell the first cell of the vertical block it belongs to."""
    place_in = {cell: i for row in rows for i, cell in enumerate(row)}
    root = {cell: cell for row in rows for cell in row}
    continued = set()
    for row in rows:
        last = -1
        for cell in row:
            near = sorted(cell.above if down else cell.below, key=place_in.__getitem__)
            for i in sorted({(len(near) - 1) // 2, len(near) // 2}) if near else ():
                other = near[i]
                pair = (other, cell) if down else (cell, other)
                free = root[cell] is cell and other not in continued
                if free and last < place_in[other] and pair not in conflicts:
                    root[cell] = root[other]
                    continued.add(other)
                    last = place_in[other]
    return root


def _compact(rows: Rows, root: dict[Cell, Cell]) -> Positions:
    """Push the blocks to the left as far as they go, then back where there is room."""
    after: dict[Cell, dict[Cell, float]] = defaultdict(dict)
    before: dict[Cell, dict[Cell, float]] = defaultdict(dict)
    for row in rows:
        for a, b in pairwise(row):
            gap = (a.width + b.width) / 2 + NODE_GAP
            u, v = root[a], root[b]
            after[u][v] = before[v][u] = max(gap, after[u].get(v, 0.0))
    order = _topological([cell for cell in root if root[cell] is cell], after, before)
    x: Positions = {}
    for block in order:
        x[block] = max((x[u] + gap for u, gap in before[block].items()), default=0.0)
    for block in reversed(order):
        if after[block]:
            x[block] = max(x[block], min(x[v] - gap for v, gap in after[block].items()))
    return {cell: x[block] for cell, block in root.items()}


def _topological(
    blocks: list[Cell],
    after: dict[Cell, dict[Cell, float]],
    before: dict[Cell, dict[Cell, float]],
) -> list[Cell]:
    waiting = {block: len(before[block]) for block in blocks}
    order = [block for block in blocks if not waiting[block]]
    for block in order:
        for other in after[block]:
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    return order
