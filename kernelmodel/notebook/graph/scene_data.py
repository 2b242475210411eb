"""A scene as the browser gets it. The browser's half: widgets/src/graph_protocol.ts."""

from __future__ import annotations

from typing import Any

from kernelmodel.notebook.graph.drawing import spoken, tip_path
from kernelmodel.notebook.graph.scene import Box, Scene, Wire


def scene_data(scene: Scene) -> dict[str, Any]:
    """Return a scene as dicts and lists for JSON."""
    return {
        "width": round(scene.width, 1),
        "height": round(scene.height, 1),
        "boxes": [_box(box) for box in scene.boxes],
        "wires": [_wire(wire) for wire in scene.wires],
    }


def _box(box: Box) -> dict[str, Any]:
    part = box.part
    kind = "output" if part.is_output else "open" if box.is_open else "closed"
    return {
        "id": part.id,
        "x": round(box.x, 1),
        "y": round(box.y, 1),
        "width": round(box.width, 1),
        "height": round(box.height, 1),
        "lines": box.lines,
        "kind": kind,
        "family": part.family,
        "nested": part.inner is not None,
        "spoken": spoken(part),
    }


def _wire(wire: Wire) -> dict[str, Any]:
    return {
        "source": wire.link.source,
        "target": wire.link.target,
        "path": str(wire.path),
        "tip": tip_path(wire) if wire.link.known else "",
        "label": wire.label,
        "at": [round(wire.at[0], 1), round(wire.at[1], 1)],
        "shape": wire.link.shape,
    }
