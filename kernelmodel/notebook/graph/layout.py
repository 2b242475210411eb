"""Places the nodes of a directed graph in layers: every edge downward, few crossings.

After Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system
structures", IEEE Transactions on Systems, Man, and Cybernetics 11, 1981: layers by the longest
path, dummy nodes where an edge passes a layer, order by medians.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from kernelmodel.notebook.graph.coordinates import Cell, place

Node = Any  # whatever the caller calls its nodes; hashable
Point = tuple[float, float]
LAYER_GAP, DUMMY_WIDTH = 30.0, 12.0
ORDER_SWEEPS = 12


@dataclass
class Layout:
    """Where everything is.

    Args:
        width: of the whole drawing.
        height: of the whole drawing.
        centres: node -> its centre.
        routes: for each edge, in the order given, the points it passes, from its source's bottom
            to its target's top.
        layers: the nodes of each layer, from left to right.
    """

    width: float
    height: float
    centres: dict[Node, Point]
    routes: list[list[Point]]
    layers: list[list[Node]]


def layered_layout(
    sizes: Mapping[Node, tuple[float, float]],
    edges: Sequence[tuple[Node, Node]],
    layer_gap: float = LAYER_GAP,
) -> Layout:
    """Return a layered layout of a graph.

    Args:
        sizes: node -> (width, height).
        edges: (source, target) pairs; an edge that closes a cycle is drawn upward.
        layer_gap: room between two layers, where the edges bend.

    Raises:
        KeyError: an edge names a node that `sizes` lacks.
    """
    for source, target in edges:
        for end in (source, target):
            if end not in sizes:
                raise KeyError(f"edge {source!r} -> {target!r} names the unknown node {end!r}")
    forward = _without_cycles(sizes, edges)
    layer_of = _longest_paths(sizes, set(forward))
    rows, cells, chains = _cells(sizes, layer_of, forward)
    rows = _order(rows)
    place(rows)
    downward = [pair == edge for pair, edge in zip(forward, edges)]
    return _draw(rows, cells, chains, downward, layer_gap)


def crossings(layers: Sequence[Sequence[Node]], edges: Sequence[tuple[Node, Node]]) -> int:
    """Return how many pairs of edges between neighbouring layers cross."""
    place = {node: i for row in layers for i, node in enumerate(row)}
    layer = {node: i for i, row in enumerate(layers) for node in row}
    between = defaultdict(list)
    for a, b in edges:
        if layer[b] == layer[a] + 1:
            between[layer[a]].append((place[a], place[b]))
    return sum(_inversions(sorted(pairs)) for pairs in between.values())


def _without_cycles(
    nodes: Mapping[Node, object], edges: Sequence[tuple[Node, Node]]
) -> list[tuple[Node, Node]]:
    """Return the edges, with those turned round that would close a cycle."""
    targets = defaultdict(list)
    for source, target in edges:
        targets[source].append(target)
    state: dict[Node, int] = {}
    closing = set()
    for root in nodes:
        stack = [(root, iter(targets[root]))] if root not in state else []
        state.setdefault(root, 1)
        while stack:
            node, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                state[node] = 2
                stack.pop()
            elif following not in state:
                state[following] = 1
                stack.append((following, iter(targets[following])))
            elif state[following] == 1:
                closing.add((node, following))
    return [(b, a) if (a, b) in closing else (a, b) for a, b in edges]


def _longest_paths(nodes: Mapping[Node, object], edges: set[tuple[Node, Node]]) -> dict[Node, int]:
    above, below = defaultdict(list), defaultdict(list)
    for source, target in edges:
        if source != target:
            below[source].append(target)
            above[target].append(source)
    waiting = {node: len(above[node]) for node in nodes}
    ready = [node for node in nodes if not waiting[node]]
    layer = dict.fromkeys(nodes, 0)
    for node in ready:
        for target in below[node]:
            layer[target] = max(layer[target], layer[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for node in nodes:
        if not above[node] and below[node]:
            layer[node] = min(layer[target] for target in below[node]) - 1
    return layer


def _cells(
    sizes: Mapping[Node, tuple[float, float]],
    layer_of: Mapping[Node, int],
    edges: Sequence[tuple[Node, Node]],
) -> tuple[list[list[Cell]], dict[Node, Cell], list[list[Cell]]]:
    """Return the layers, the cell of each node, and the chain of cells of each edge."""
    rows: list[list[Cell]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    cells = {}
    for node, (width, height) in sizes.items():
        cells[node] = Cell(layer_of[node], width, height, node)
        rows[layer_of[node]].append(cells[node])
    known: dict[tuple[Node, Node], list[Cell]] = {}
    for source, target in edges:
        if (source, target) in known:
            continue
        chain = [cells[source]]
        for layer in range(layer_of[source] + 1, layer_of[target]):
            chain.append(Cell(layer, DUMMY_WIDTH, 0.0))
            rows[layer].append(chain[-1])
        chain.append(cells[target])
        known[source, target] = chain
        if source != target:
            for upper, lower in pairwise(chain):
                upper.below.append(lower)
                lower.above.append(upper)
    return rows, cells, [known[edge] for edge in edges]


def _order(rows: list[list[Cell]]) -> list[list[Cell]]:
    """Return the layers in an order with few crossings: by medians, then exchanges."""
    rows = _first_order(rows)
    best, fewest = [list(row) for row in rows], _all_crossings(rows)
    for sweep in range(ORDER_SWEEPS):
        if fewest == 0:
            break
        down = sweep % 2 == 0
        for row, fixed in _neighbours(rows, down):
            place = {id(cell): i for i, cell in enumerate(fixed)}
            _sort_by_median(row, place, down)
            _exchange(row, place, down)
        if (count := _all_crossings(rows)) < fewest:
            best, fewest = [list(row) for row in rows], count
    return best


def _first_order(rows: list[list[Cell]]) -> list[list[Cell]]:
    """Return the layers in the order in which a walk along the edges meets the cells."""
    seen: set[int] = set()
    met: list[list[Cell]] = [[] for _ in rows]
    for root in (cell for row in rows for cell in row if not cell.above):
        stack = [root]
        while stack:
            cell = stack.pop()
            if id(cell) not in seen:
                seen.add(id(cell))
                met[cell.layer].append(cell)
                stack.extend(reversed(cell.below))
    return met


def _neighbours(rows: list[list[Cell]], down: bool) -> list[tuple[list[Cell], list[Cell]]]:
    if down:
        return [(rows[i], rows[i - 1]) for i in range(1, len(rows))]
    return [(rows[i], rows[i + 1]) for i in range(len(rows) - 2, -1, -1)]


def _sort_by_median(row: list[Cell], place: dict[int, int], down: bool) -> None:
    own = {id(cell): float(i) for i, cell in enumerate(row)}
    for cell in row:
        near = sorted(place[id(n)] for n in (cell.above if down else cell.below))
        if near:
            middle = len(near) // 2
            even = len(near) % 2 == 0
            own[id(cell)] = (near[middle - 1] + near[middle]) / 2 if even else float(near[middle])
    row.sort(key=lambda cell: own[id(cell)])


def _exchange(row: list[Cell], place: dict[int, int], down: bool) -> None:
    """Exchange neighbours while that saves crossings."""
    ends = {id(c): sorted(place[id(n)] for n in (c.above if down else c.below)) for c in row}
    for _ in range(4):
        changed = False
        for i in range(len(row) - 1):
            left, right = ends[id(row[i])], ends[id(row[i + 1])]
            if _pairs_over(left, right) > _pairs_over(right, left):
                row[i], row[i + 1] = row[i + 1], row[i]
                changed = True
        if not changed:
            return


def _pairs_over(left: list[int], right: list[int]) -> int:
    return sum(a > b for a in left for b in right)


def _all_crossings(rows: list[list[Cell]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        place = {id(cell): i for i, cell in enumerate(lower)}
        pairs = [(i, place[id(n)]) for i, cell in enumerate(upper) for n in cell.below]
        total += _inversions(sorted(pairs))
    return total


def _inversions(pairs: list[tuple[int, int]]) -> int:
    return sum(a[0] < b[0] and a[1] > b[1] for i, a in enumerate(pairs) for b in pairs[i + 1 :])


def _draw(
    rows: list[list[Cell]],
    cells: dict[Node, Cell],
    chains: list[list[Cell]],
    downward: list[bool],
    layer_gap: float,
) -> Layout:
    left = min((c.x - c.width / 2 for row in rows for c in row), default=0.0)
    right = max((c.x + c.width / 2 for row in rows for c in row), default=0.0)
    heights = [max(cell.height for cell in row) for row in rows]
    tops = [top + i * layer_gap for i, top in enumerate(accumulate(heights[:-1], initial=0.0))]
    centres = {
        node: (cell.x - left, tops[cell.layer] + heights[cell.layer] / 2)
        for node, cell in cells.items()
    }
    routes = []
    for chain, down in zip(chains, downward):
        source, target = chain[0], chain[-1]
        route = [(source.x - left, centres[source.node][1] + source.height / 2)]
        for cell in chain[1:-1]:
            top = tops[cell.layer]
            route += [(cell.x - left, top), (cell.x - left, top + heights[cell.layer])]
        route.append((target.x - left, centres[target.node][1] - target.height / 2))
        routes.append(route if down else route[::-1])
    height = tops[-1] + heights[-1] if rows else 0.0
    layers = [[cell.node for cell in row if cell.node is not None] for row in rows]
    return Layout(right - left, height, centres, routes, layers)
