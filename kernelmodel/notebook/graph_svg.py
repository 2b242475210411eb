"""A model's graph as a still picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from kernelmodel.notebook.graph_layout import Point, layered_layout
from kernelmodel.notebook.svg import card, escape, number, picture, shorten, text

PAD, TITLE = 16, 34
NODE_HEIGHT, PER_CHARACTER, PER_SMALL, NODE_MARGIN = 42.0, 7.2, 5.9, 22.0
LONGEST = 48


@dataclass(frozen=True)
class GraphNode:
    """A layer of the graph.

    Args:
        id: what the edges call it.
        name: the layer's name.
        class_name: the layer's class.
        shape: the shape of its output, as text.
    """

    id: str
    name: str
    class_name: str = ""
    shape: str = ""


@dataclass(frozen=True)
class GraphEdge:
    """A tensor that goes from one layer to another.

    Args:
        source: the id of the layer that makes it.
        target: the id of the layer that takes it.
        label: what to write beside it, such as its shape.
    """

    source: str
    target: str
    label: str = ""


def graph_bundle(
    nodes: Sequence[GraphNode], edges: Sequence[GraphEdge], title: str = "Model"
) -> dict[str, Any]:
    """Return the display bundle of a model's graph: SVG, HTML image and a stable text."""
    layers = f"{len(nodes)} layer" if len(nodes) == 1 else f"{len(nodes)} layers"
    links = f"{len(edges)} connection" if len(edges) == 1 else f"{len(edges)} connections"
    plain = f"<Graph of {title}: {layers}, {links}>"
    return picture(graph_svg(nodes, edges, title), plain, plain)


def graph_svg(nodes: Sequence[GraphNode], edges: Sequence[GraphEdge], title: str = "Model") -> str:
    """Return an SVG document of a model's graph, read from top to bottom.

    Args:
        nodes: the layers.
        edges: the tensors between them.
        title: the model's name.

    Raises:
        KeyError: an edge names a layer that `nodes` lacks.
    """
    sizes = {node.id: (_width(node), NODE_HEIGHT) for node in nodes}
    layout = layered_layout(sizes, [(edge.source, edge.target) for edge in edges])
    body = [text(PAD, 26, shorten(title, 60), "km-text km-bold", font_size=14)]
    body.append(f'<g transform="translate({PAD} {PAD + TITLE})">')
    body += [_edge(edge, route) for edge, route in zip(edges, layout.routes, strict=True)]
    for node in nodes:
        body.append(_node(node, layout.centres[node.id], sizes[node.id][0]))
    body.append("</g>")
    width = max(layout.width, PER_CHARACTER * 1.2 * min(len(title), 60)) + 2 * PAD
    height = layout.height + 2 * PAD + TITLE
    spoken = "; ".join(f"{edge.source} to {edge.target}" for edge in edges)
    return card(width, height, f"Graph of {title}", spoken, "".join(body))


def _width(node: GraphNode) -> float:
    name, below = (len(shorten(line, LONGEST)) for line in (node.name, _below(node)))
    return max(96.0, max(name * PER_CHARACTER, below * PER_SMALL) + NODE_MARGIN)


def _below(node: GraphNode) -> str:
    return " · ".join(part for part in (node.class_name, node.shape) if part)


def _node(node: GraphNode, centre: Point, width: float) -> str:
    x, y = centre
    top = y - NODE_HEIGHT / 2
    spoken = ", ".join(part for part in (node.name, node.class_name, node.shape) if part)
    entry = ' stroke-dasharray="4 2"' if node.class_name == "InputLayer" else ""
    middle = {"text_anchor": "middle"}
    second = _below(node)
    first_line = text(
        x, y - 3 if second else y + 4, shorten(node.name, LONGEST), "km-text km-bold", **middle
    )
    second_line = text(x, y + 13, shorten(second, LONGEST), "km-soft", font_size=11, **middle)
    return (
        f'<g role="img"><title>{escape(spoken)}</title>'
        f'<rect class="km-box" x="{number(x - width / 2)}" y="{number(top)}" '
        f'width="{number(width)}" height="{number(NODE_HEIGHT)}" rx="6"{entry}/>'
        f"{first_line}{second_line if second else ''}</g>"
    )


def _edge(edge: GraphEdge, route: Sequence[Point]) -> str:
    (x0, y0), (x1, y1) = route[0], route[-1]
    down = 1 if y1 >= y0 else -1
    points = [*route[:-1], (x1, y1 - 6 * down)]
    path = [f"M{number(x0)} {number(y0)}"]
    for (ax, ay), (bx, by) in pairwise(points):
        if abs(ax - bx) < 0.5:
            path.append(f"L{number(bx)} {number(by)}")
        else:
            bend = number((ay + by) / 2)
            path.append(f"C{number(ax)} {bend} {number(bx)} {bend} {number(bx)} {number(by)}")
    tip = f"M{number(x1)} {number(y1)}l-4 {-7 * down}h8z"
    drawn = (
        f"<g><title>{escape(f'{edge.source} to {edge.target}')}</title>"
        f'<path class="km-wire" stroke-width="1.5" d="{"".join(path)}"/>'
        f'<path class="km-tip" d="{tip}"/>'
    )
    if edge.label:
        drawn += text(x0 + 6, y0 + 14 * down, shorten(edge.label, LONGEST), "km-soft", font_size=10)
    return drawn + "</g>"
