"""The layered layout: nothing overlaps, everything runs downward, what need not cross doesn't."""

import random
import time
from itertools import combinations, pairwise

import pytest

from kernelmodel.notebook.graph.layout import crossings, layered_layout

GRAPHS = {
    "empty": ([], []),
    "one": (["a"], []),
    "chain": (list("abc"), [("a", "b"), ("b", "c")]),
    "skip": (list("abcd"), [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")]),
    "diamond": (list("abcd"), [("a", "c"), ("a", "b"), ("b", "d"), ("c", "d")]),
    "two parts": (list("abcd"), [("a", "b"), ("c", "d")]),
    "twice the same edge": (list("ab"), [("a", "b"), ("a", "b")]),
    "tree": (
        list("abcdefg"),
        [("a", "c"), ("a", "b"), ("c", "g"), ("b", "d"), ("c", "f"), ("b", "e")],
    ),
}


def some_graph(seed, nodes=40):
    numbers = random.Random(seed)
    edges = [
        (i, numbers.randrange(i + 1, min(nodes, i + 9))) for i in range(nodes - 1) for _ in range(2)
    ]
    return list(range(nodes)), edges


def laid_out(nodes, edges):
    numbers = random.Random(1)
    sizes = {node: (numbers.uniform(40, 220), numbers.uniform(20, 50)) for node in nodes}
    return sizes, layered_layout(sizes, edges)


@pytest.mark.parametrize("graph", [*GRAPHS.values(), *map(some_graph, range(5))])
def test_no_overlap_inside_the_picture_and_downward(graph):
    nodes, edges = graph
    sizes, layout = laid_out(nodes, edges)
    boxes = {}
    for node, (x, y) in layout.centres.items():
        w, h = sizes[node]
        boxes[node] = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    assert set(boxes) == set(nodes)
    for a, b in combinations(boxes.values(), 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    for box in boxes.values():
        assert box[0] >= -1e-6 and box[1] >= -1e-6
        assert box[2] <= layout.width + 1e-6 and box[3] <= layout.height + 1e-6
    for (source, target), route in zip(edges, layout.routes, strict=True):
        assert route[0] == (layout.centres[source][0], boxes[source][3])
        assert route[-1] == (layout.centres[target][0], boxes[target][1])
        assert all(upper[1] <= lower[1] for upper, lower in pairwise(route))


@pytest.mark.parametrize("seed", range(5))
def test_long_edges_pass_beside_the_nodes(seed):
    nodes, edges = some_graph(seed)
    sizes, layout = laid_out(nodes, edges)
    for route in layout.routes:
        for (x, top), (_, bottom) in zip(route[1:-1:2], route[2:-1:2], strict=True):
            for node, (cx, cy) in layout.centres.items():
                if top <= cy <= bottom:
                    assert abs(cx - x) >= sizes[node][0] / 2


@pytest.mark.parametrize("name", ["chain", "diamond", "tree", "two parts"])
def test_a_planar_graph_has_no_crossing(name):
    nodes, edges = GRAPHS[name]
    _, layout = laid_out(nodes, edges)
    assert crossings(layout.layers, edges) == 0


def test_crossings_are_counted():
    assert crossings([["a", "b"], ["c", "d"]], [("a", "d"), ("b", "c")]) == 1
    assert crossings([["a", "b"], ["d", "c"]], [("a", "d"), ("b", "c")]) == 0


def test_a_chain_is_straight():
    _, layout = laid_out(list("abcdef"), list(zip("abcde", "bcdef", strict=True)))
    assert len({round(x, 6) for x, _ in layout.centres.values()}) == 1


def test_a_cycle_is_drawn():
    _, layout = laid_out(list("abc"), [("a", "b"), ("b", "c"), ("c", "a"), ("b", "b")])
    upward = layout.routes[2]
    assert upward[0][1] > upward[-1][1]


def test_an_unknown_node_is_named():
    with pytest.raises(KeyError, match="unknown node 'z'"):
        layered_layout({"a": (1, 1)}, [("a", "z")])


def test_a_graph_of_the_size_of_resnet50_takes_well_under_a_second():
    edges, last = [], 0
    for _ in range(16):
        block = range(last, last + 11)
        edges += [(i, i + 1) for i in block] + [(last, last + 10)]
        last += 11
    nodes = range(last + 1)
    begun = time.process_time()
    layout = layered_layout(dict.fromkeys(nodes, (150.0, 42.0)), edges)
    assert time.process_time() - begun < 1
    assert len(layout.layers) == len(nodes)
