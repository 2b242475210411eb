"""Where everything in the picture of a model is: boxes, wires and what is written in them.

An expanded model is laid out by itself and then stands in the layout around it as one large box,
so that whatever is inside or outside of it doesn't cross its border.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from kernelmodel.notebook.graph.layout import LAYER_GAP, Point, layered_layout
from kernelmodel.notebook.graph.parts import Link, Part, Parts
from kernelmodel.notebook.graph.wires import Path, WireMaker
from kernelmodel.notebook.svg import shorten

PER_CHARACTER, PER_SMALL, MARGIN = 7.8, 6.1, 26.0
FIRST_LINE, NEXT_LINE, LEAST_WIDTH = 28.0, 15.0, 84.0
LONGEST, LONGEST_LABEL = 40, 34
STEM = 16.0
INSIDE, HEAD, BUTTON = 16.0, 34.0, 22.0
DIRECTIONS = ("TB", "BT", "LR", "RL")


@dataclass(frozen=True)
class Look:
    """What a picture of a model tells.

    Attributes:
        rankdir: Where the data flows: "TB" (down), "BT" (up), "LR" or "RL".
        names: Whether boxes are headed by the layers' names, rather than their classes.
        params: Whether boxes tell how many values the weights hold.
        shapes: Whether boxes tell the shapes of what goes in and comes out.
        wire_shapes: Whether the wires tell the shapes of the tensors, and the outputs are shown.
        dtype: Whether boxes tell the dtype.
        activation: Whether boxes tell the activation.
        trainable: Whether boxes tell if the weights are trained.
    """

    rankdir: str = "TB"
    names: bool = True
    params: bool = True
    shapes: bool = False
    wire_shapes: bool = True
    dtype: bool = False
    activation: bool = False
    trainable: bool = False


@dataclass(frozen=True)
class Box:
    """A part in its place; x and y are its left upper corner.

    `lines` are what is written in it: the first is its heading, and that of an open box stands
    alone at its top. An output has no border. `depth` counts the models it lies in.
    """

    part: Part
    x: float
    y: float
    width: float
    height: float
    lines: list[str]
    is_open: bool = False
    depth: int = 0


@dataclass(frozen=True)
class Wire:
    """A link in its place: its path, the corners of its tip, and the label's place."""

    link: Link
    path: Path
    tip: list[Point]
    label: str
    at: Point


@dataclass
class Scene:
    """A whole picture; boxes and wires of an expanded model come after its box."""

    width: float
    height: float
    boxes: list[Box] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)


def make_scene(parts: Parts, look: Look, expanded: Collection[str] = ()) -> Scene:
    """Return the scene of a model.

    Args:
        parts: of the model.
        look: what it tells.
        expanded: ids of the nested models to show from inside.
    """
    return _arrange(parts, look, expanded, 0)


def _arrange(parts: Parts, look: Look, expanded: Collection[str], depth: int) -> Scene:
    nodes = [part for part in parts.nodes if look.wire_shapes or not part.is_output]
    shown = {part.id for part in nodes}
    links = [link for link in parts.links if link.target in shown]
    inside: dict[str, Scene] = {}
    sizes: dict[str, tuple[float, float]] = {}
    lines = {part.id: text_lines(part, look) for part in nodes}
    for part in nodes:
        if part.inner is not None and part.id in expanded:
            inside[part.id] = _arrange(part.inner, look, expanded, depth + 1)
            within = inside[part.id]
            head = _text_width([_head(part)]) + BUTTON
            width = max(within.width + 2 * INSIDE, head)
            sizes[part.id] = (width, within.height + HEAD + INSIDE)
        else:
            sizes[part.id] = _box_size(part, lines[part.id])
    flat = look.rankdir in ("LR", "RL")
    labels = [_label(link) if look.wire_shapes else "" for link in links]
    layout = layered_layout(
        _with_label_room(sizes, links, labels, flat),
        [(link.source, link.target) for link in links],
        _layer_gap(labels, flat),
    )
    turn = _turner(look.rankdir, layout.width, layout.height)
    scene = Scene(*((layout.height, layout.width) if flat else (layout.width, layout.height)))
    for part in nodes:
        (width, height), (x, y) = sizes[part.id], turn(layout.centres[part.id])
        left, top = x - width / 2, y - height / 2
        opened = part.id in inside
        shown_lines = [_head(part)] if opened else lines[part.id]
        scene.boxes.append(Box(part, left, top, width, height, shown_lines, opened, depth))
        if opened:
            within = inside[part.id]
            _put(scene, within, left + (width - within.width) / 2, top + HEAD)
    stems = [_stem(label, flat) for label in labels]
    wires = WireMaker(layout, sizes, look.rankdir, turn).wires(links, stems)
    for link, label, drawn in zip(links, labels, wires):
        scene.wires.append(Wire(link, drawn.path, drawn.tip, label, drawn.label_at))
    _say_once(scene.wires)
    _make_room_for_labels(scene, look.rankdir)
    return scene


def _make_room_for_labels(scene: Scene, rankdir: str) -> None:
    if rankdir != "RL":
        ends = [wire.at[0] + PER_SMALL * columns(wire.label) for wire in scene.wires if wire.label]
        scene.width = max([scene.width, *ends])


def _stem(label: str, flat: bool) -> float:
    """How far a wire goes straight before it bends, so that it doesn't cross its label."""
    return (PER_SMALL * columns(label) if flat else STEM) if label else 0.0


def _layer_gap(labels: list[str], flat: bool) -> float:
    longest = max((columns(label) for label in labels), default=0)
    if flat:
        return LAYER_GAP + PER_SMALL * longest
    return LAYER_GAP + (STEM if longest else 0.0)


def _with_label_room(
    sizes: dict[str, tuple[float, float]], links: list[Link], labels: list[str], flat: bool
) -> dict[str, tuple[float, float]]:
    """Return how much room the downward layout gives to each box: its labels fit below it."""
    if flat:
        return {key: size[::-1] for key, size in sizes.items()}
    room = dict(sizes)
    for link, label in zip(links, labels):
        width, height = room[link.source]
        room[link.source] = (max(width, 2 * (PER_SMALL * columns(label) + 4)), height)
    return room


def _put(scene: Scene, within: Scene, dx: float, dy: float) -> None:
    """Add the scene of an expanded model at its place."""
    for box in within.boxes:
        scene.boxes.append(replace(box, x=box.x + dx, y=box.y + dy))
    for wire in within.wires:
        scene.wires.append(
            replace(
                wire,
                path=wire.path.moved(dx, dy),
                tip=[(x + dx, y + dy) for x, y in wire.tip],
                at=(wire.at[0] + dx, wire.at[1] + dy),
            )
        )


def _say_once(wires: list[Wire]) -> None:
    """Leave one label beside the wires that leave a box side by side: there is no room for more."""
    leaving: dict[tuple[str, float], list[int]] = {}
    for i, wire in enumerate(wires):
        if wire.label:
            leaving.setdefault((wire.link.source, wire.at[1]), []).append(i)
    for group in leaving.values():
        group.sort(key=lambda i: wires[i].at[0])
        said = list(dict.fromkeys(wires[i].label for i in group))
        for i in group[:-1]:
            wires[i] = replace(wires[i], label="")
        wires[group[-1]] = replace(wires[group[-1]], label=" | ".join(said))


def _turner(rankdir: str, width: float, height: float) -> Callable[[Point], Point]:
    """Return what maps a point of a downward layout to one of the picture."""
    return {
        "TB": lambda p: p,
        "BT": lambda p: (p[0], height - p[1]),
        "LR": lambda p: (p[1], p[0]),
        "RL": lambda p: (height - p[1], p[0]),
    }[rankdir]


def columns(text: str) -> int:
    """Return how wide a text is, in the width of a Latin letter."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _box_size(part: Part, lines: list[str]) -> tuple[float, float]:
    if part.is_output:
        return PER_SMALL * columns(lines[0]) + 12, 20.0
    width = _text_width(lines) + (BUTTON if part.inner is not None else 0)
    return max(LEAST_WIDTH, width), FIRST_LINE + NEXT_LINE * (len(lines) - 1)


def _text_width(lines: list[str]) -> float:
    head, *rest = (columns(line) for line in lines)
    return max(head * PER_CHARACTER, max(rest, default=0) * PER_SMALL) + MARGIN


def _head(part: Part) -> str:
    return shorten(f"{part.name} · {part.class_name}", LONGEST)


def _label(link: Link) -> str:
    if not link.known or link.target.rpartition("/")[2].startswith("out"):
        return ""
    call = f" · call {link.call}" if link.call else ""
    return shorten(link.shape, LONGEST_LABEL) + call


def text_lines(part: Part, look: Look) -> list[str]:
    """Return what is written in a closed box, its heading first."""
    if part.is_output:
        return [shorten(part.name, LONGEST_LABEL)]
    about = [] if not look.names else [part.class_name]
    if part.inner is not None:
        about.append(_count(len(part.inner.walk()), "layer"))
    if look.params and part.params:
        about.append(f"{short_count(part.params)} params")
    lines = [part.name if look.names else part.class_name, " · ".join(about)]
    if look.dtype:
        lines.append(part.dtype)
    if look.activation and part.activation:
        lines.append(f"activation {part.activation}")
    if look.trainable and part.params:
        lines.append("trainable" if part.trainable else "not trainable")
    if look.shapes:
        lines += [f"in {shapes}" for shapes in part.inputs]
        lines += [f"out {shapes}" for shapes in part.outputs]
    return [shorten(line, LONGEST) for line in lines if line]


def short_count(count: int) -> str:
    """Return a count in at most four characters and a letter.

    >>> [short_count(n) for n in (999, 1234, 25_636_712)]
    ['999', '1.23k', '25.6M']
    """
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= limit:
            return f"{count / limit:.3g}{letter}"
    return str(count)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number:,} {word}s"
