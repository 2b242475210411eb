"""A scene drawn with matplotlib, as PNG or PDF."""

from __future__ import annotations

from typing import Any

from kernelmodel.notebook.graph.drawing import PAD, STRIPE
from kernelmodel.notebook.graph.families import FAMILIES
from kernelmodel.notebook.graph.scene import INSIDE, NEXT_LINE, Box, Scene, Wire
from kernelmodel.notebook.svg import LIGHT

INCH = 96.0  # pixels of the scene
POINT = 72.0 / INCH  # a font's pixel in points
MOST_PIXELS = 2**16 - 1  # of a side: what image formats and viewers take


def write_figure(scene: Scene, path: Any, kind: str, dpi: int) -> None:
    """Write a picture of a scene.

    Args:
        scene: what to draw.
        path: the file, or something to write bytes to.
        kind: "png" or "pdf".
        dpi: pixels an inch, of a PNG; lowered where a side would exceed 65,535 pixels.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = scene.width + 2 * PAD, scene.height + 2 * PAD
    with rc_context({"text.parse_math": False, "pdf.fonttype": 42, "font.family": "sans-serif"}):
        figure = Figure(figsize=(width / INCH, height / INCH))
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(-PAD, scene.width + PAD)
        axes.set_ylim(scene.height + PAD, -PAD)
        axes.axis("off")
        for box in scene.boxes:
            if box.is_open:
                _box(axes, box)
        for wire in scene.wires:
            _wire(axes, wire)
        for box in scene.boxes:
            if not box.is_open:
                _box(axes, box)
        for wire in scene.wires:
            if wire.label:
                axes.text(*wire.at, wire.label, size=10 * POINT, color=LIGHT["soft"])
        metadata = {"CreationDate": None} if kind == "pdf" else {}
        dpi = min(dpi, int(MOST_PIXELS * INCH / max(width, height)))
        figure.savefig(path, format=kind, dpi=dpi, metadata=metadata)


def _box(axes: Any, box: Box) -> None:
    from matplotlib.patches import FancyBboxPatch, Rectangle

    part, middle = box.part, box.x + box.width / 2
    soft = {"size": 11 * POINT, "color": LIGHT["soft"], "ha": "center"}
    if part.is_output:
        axes.text(middle, box.y + 14, box.lines[0], **soft)
        return
    inset = (0.0, 2.5) if part.inner is not None and not box.is_open else (0.0,)
    for by in inset:
        axes.add_patch(
            FancyBboxPatch(
                (box.x + by, box.y + by),
                box.width - 2 * by,
                box.height - 2 * by,
                boxstyle="round,pad=0,rounding_size=5",
                facecolor="#f5f5f5" if box.is_open else "#ffffff",
                edgecolor="#8a8a8a",
                linewidth=POINT,
                linestyle="--" if part.family == "input" else "-",
            )
        )
    colour = FAMILIES[part.family][1]
    axes.add_patch(Rectangle((box.x, box.y + 1), STRIPE, box.height - 2, facecolor=colour))
    head = {"size": 12 * POINT, "weight": "bold", "color": LIGHT["text"]}
    if box.is_open:
        axes.text(box.x + INSIDE, box.y + 21, box.lines[0], **head)
        return
    axes.text(middle + STRIPE / 2, box.y + 18, box.lines[0], ha="center", **head)
    for i, line in enumerate(box.lines[1:], start=1):
        axes.text(middle + STRIPE / 2, box.y + 18 + NEXT_LINE * i, line, **soft)


def _wire(axes: Any, wire: Wire) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    codes = {"M": [Path.MOVETO], "L": [Path.LINETO], "C": [Path.CURVE4] * 3}
    points = [point for _, step in wire.path.steps for point in step]
    path = Path(points, [code for kind, _ in wire.path.steps for code in codes[kind]])
    look = {"edgecolor": LIGHT["soft"], "facecolor": "none", "linewidth": 1.4 * POINT}
    axes.add_patch(PathPatch(path, linestyle="-" if wire.link.known else ":", **look))
    if wire.link.known:
        axes.add_patch(Polygon(wire.tip, facecolor=LIGHT["soft"], linewidth=0))
