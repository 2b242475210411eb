"""Where boxes and wires are: nothing overlaps, nothing crosses that need not."""

import time
from itertools import combinations

import graph_models
import numpy as np
import pytest

from kernelmodel.notebook.graph.drawing import graph_svg
from kernelmodel.notebook.graph.parts import model_parts
from kernelmodel.notebook.graph.scene import DIRECTIONS, Look, columns, make_scene

MODELS = ["transformer", "twins", "one_layer", "recursive", "odd_names", "built", "Subclassed"]


def scene_of(name, look=None, expand=True):
    parts = model_parts(getattr(graph_models, name)())
    return make_scene(parts, look or Look(), {part.id for part in parts.walk()} if expand else ())


def overlap(a, b):
    beside = a.x >= b.x + b.width or b.x >= a.x + a.width
    return not beside and a.y < b.y + b.height and b.y < a.y + a.height


def polyline(wire):
    """The points of a wire, its curves in small steps."""
    points = [np.array(wire.path.steps[0][1][0])]
    for kind, ends in wire.path.steps[1:]:
        p0, rest = points[-1], [np.array(p) for p in ends]
        if kind == "L":
            points += [p0 + (rest[0] - p0) * t for t in np.linspace(0.1, 1, 10)]
        else:
            a, b, c = rest
            for t in np.linspace(0.1, 1, 10):
                s = 1 - t
                points.append(s**3 * p0 + 3 * s * s * t * a + 3 * s * t * t * b + t**3 * c)
    return np.array(points)


def cross(a, b):
    """Whether two polylines cross."""
    (p, r), (q, s) = ((line[:-1], np.diff(line, axis=0)) for line in (a, b))
    turn = r[:, None, 0] * s[None, :, 1] - r[:, None, 1] * s[None, :, 0]
    gap = q[None] - p[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (gap[..., 0] * s[None, :, 1] - gap[..., 1] * s[None, :, 0]) / turn
        u = (gap[..., 0] * r[:, None, 1] - gap[..., 1] * r[:, None, 0]) / turn
    return bool(((t > 0) & (t < 1) & (u > 0) & (u < 1)).any())


def crossings(scene):
    lines = [polyline(wire) for wire in scene.wires]
    boxes = [(line.min(0), line.max(0)) for line in lines]
    found = []
    for i, j in combinations(range(len(lines)), 2):
        one, other = scene.wires[i].link, scene.wires[j].link
        if {one.source, one.target} & {other.source, other.target}:
            continue
        apart = (boxes[i][1] < boxes[j][0]).any() or (boxes[j][1] < boxes[i][0]).any()
        if not apart and cross(lines[i], lines[j]):
            found.append((one, other))
    return found


@pytest.mark.parametrize("rankdir", DIRECTIONS)
@pytest.mark.parametrize("name", MODELS)
def test_boxes_lie_apart_or_inside_one_another_and_inside_the_picture(name, rankdir):
    scene = scene_of(name, Look(rankdir=rankdir, shapes=True))
    for box in scene.boxes:
        assert box.x >= -1e-6 and box.y >= -1e-6
        assert box.x + box.width <= scene.width + 1e-6 and box.y + box.height <= scene.height + 1e-6
    for a, b in combinations(scene.boxes, 2):
        inside = b.part.id.startswith(f"{a.part.id}/")
        assert overlap(a, b) == inside, (a.part.name, b.part.name)


@pytest.mark.parametrize("rankdir", DIRECTIONS)
def test_wires_run_from_box_to_box_in_the_direction_asked_for(rankdir):
    scene = scene_of("twins", Look(rankdir=rankdir))
    boxes = {box.part.id: box for box in scene.boxes}
    axis, sign = {"TB": (1, 1), "BT": (1, -1), "LR": (0, 1), "RL": (0, -1)}[rankdir]
    for wire in scene.wires:
        start, end = wire.path.steps[0][1][0], wire.tip[0]
        assert (end[axis] - start[axis]) * sign > 0
        for point, box in ((start, boxes[wire.link.source]), (end, boxes[wire.link.target])):
            low, size = ((box.x, box.width), (box.y, box.height))[axis]
            edge = low + size if (point is start) == (sign > 0) else low
            assert point[axis] == pytest.approx(edge, abs=0.1)


@pytest.mark.parametrize("name", ["resnet50", "transformer", "twins"])
def test_wires_of_different_layers_dont_cross_nor_run_through_boxes(name):
    scene = scene_of(name)
    assert crossings(scene) == []
    closed = [box for box in scene.boxes if not box.is_open]
    for wire in scene.wires:
        line = polyline(wire)
        for box in closed:
            if box.part.id not in (wire.link.source, wire.link.target):
                x, y = line[:, 0] - box.x, line[:, 1] - box.y
                assert not ((x > 0) & (x < box.width) & (y > 0) & (y < box.height)).any()


def test_a_graph_like_that_of_resnet50_is_drawn_in_under_a_second():
    model = graph_models.resnet50()
    begun = time.process_time()
    parts = model_parts(model)
    svg = graph_svg(make_scene(parts, Look()), "resnet50")
    assert time.process_time() - begun < 1
    assert len(parts.walk()) == 176 - 1 and len(svg) < 200_000


def test_the_time_for_a_thousand_layers_is_that_of_five_times_two_hundred():
    def seconds(layers):
        parts = model_parts(graph_models.chain(layers))
        begun = time.process_time()
        scene = make_scene(parts, Look())
        assert len(scene.boxes) == layers + 2
        return time.process_time() - begun

    fewer = min(seconds(200) for _ in range(3))
    assert min(seconds(1000) for _ in range(2)) < 10 * fewer, "25 times, if it grew as the square"


def test_labels_tell_shapes_and_calls_and_dont_lie_on_one_another():
    scene = scene_of("twins", expand=False)
    labels = [wire for wire in scene.wires if wire.label]
    assert [wire.label for wire in labels] == [
        *("(None, 16, 16, 3) · call 1", "(None, 16, 16, 3) · call 2", "(None, 144)", "(None, 288)"),
    ]
    spans = [(w.at[1], w.at[0], w.at[0] + 6.1 * columns(w.label)) for w in labels]
    for (ya, la, ra), (yb, lb, rb) in combinations(spans, 2):
        assert abs(ya - yb) > 10 or ra < lb or rb < la
    assert all(right <= scene.width + 1e-6 for _, _, right in spans)


def test_a_wire_that_bends_passes_beside_its_label():
    for rankdir in ("TB", "LR"):
        for wire in scene_of("twins", Look(rankdir=rankdir)).wires:
            if wire.label:
                (x, y), width = wire.at, 5.5 * columns(wire.label)
                px, py = polyline(wire).T
                assert not ((px > x + 1) & (px < x + width) & (py > y - 7) & (py < y)).any()


def test_what_a_box_tells():
    look = Look(shapes=True, dtype=True, activation=True, trainable=True, params=False)
    scene = scene_of("one_layer", look)
    assert scene.boxes[1].lines == [
        *("y", "Dense", "float32", "trainable", "in (None, 4)", "out (None, 2)"),
    ]
    plain = scene_of("built", Look(names=False, params=False, wire_shapes=False), expand=False)
    assert [box.lines for box in plain.boxes] == [["Dense"], ["Residual", "2 layers"], ["Dense"]]


def test_long_and_wide_names_fit_their_boxes():
    for box in scene_of("odd_names").boxes:
        assert columns(box.lines[0]) * 7 <= box.width
        assert len(box.lines[0]) <= 40


def test_a_layer_called_on_its_own_output_has_loops():
    scene = scene_of("recursive")
    loops = [wire for wire in scene.wires if wire.link.source == wire.link.target]
    assert len(loops) == 2 and all(wire.path.steps[-1][0] == "C" for wire in loops)
