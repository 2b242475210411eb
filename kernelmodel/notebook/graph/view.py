"""`model.graph()`: a still picture for every viewer, over which a live view lays itself.

What a notebook saves of it is a picture alone: see place.py.
"""

from __future__ import annotations

import functools
import uuid
from pathlib import Path
from typing import Any

from kernelmodel.notebook.graph.activations import Activations
from kernelmodel.notebook.graph.details import details, take_buffers
from kernelmodel.notebook.graph.drawing import GUESSED, graph_svg
from kernelmodel.notebook.graph.families import FAMILIES, in_order
from kernelmodel.notebook.graph.parts import Part, model_parts
from kernelmodel.notebook.graph.scene import DIRECTIONS, Look, make_scene
from kernelmodel.notebook.graph.scene_data import scene_data
from kernelmodel.notebook.place import STILL, has_browser, keep, with_place
from kernelmodel.notebook.subshell import delivers_while_busy
from kernelmodel.notebook.svg import picture

STATIC = Path(__file__).parents[1] / "static"
HEIGHT, LEAST_HEIGHT = 520, 240


class ModelGraph:
    """The graph of a model, which a notebook shows: live while the kernel runs, else as a picture.

    Args:
        model: What to show.
        x: Samples whose activations to show, or None.
        expand_nested: Whether nested models are shown from inside at first.
        rankdir: Where the data flows: "TB", "BT", "LR" or "RL".
        height: Of the view, in pixels.

    Raises:
        ValueError: The model has no layers, `x` doesn't fit, or an option means nothing.
    """

    def __init__(
        self,
        model: Any,
        x: Any = None,
        expand_nested: bool = False,
        rankdir: str = "TB",
        height: int = HEIGHT,
    ) -> None:
        if rankdir not in DIRECTIONS:
            raise ValueError(
                f"graph(): `rankdir` must be one of {', '.join(DIRECTIONS)}, got {rankdir!r}."
            )
        if isinstance(height, bool) or not isinstance(height, int) or height < LEAST_HEIGHT:
            raise ValueError(
                f"graph(): `height` must be a number of pixels from {LEAST_HEIGHT}, got {height!r}."
            )
        if not model.layers:
            raise ValueError(f"graph(): model {model.name!r} has no layers, so it has no graph.")
        if x is not None and not model.built:
            raise ValueError(
                f"graph(x): model {model.name!r} isn't built yet, so it gives no activations. Call "
                "it on data or build(input_shape) it first."
            )
        self.model, self.height = model, height
        self.look = Look(rankdir=rankdir)
        self.parts = model_parts(model)
        self.expanded = {p.id for p in self.parts.walk() if p.inner} if expand_nested else set()
        self.activations = None if x is None else Activations(model, self.parts, x)

    @property
    def svg(self) -> str:
        """The picture as an SVG document."""
        return graph_svg(make_scene(self.parts, self.look, self.expanded), self.model.name)

    @property
    def widget(self) -> Any:
        """The live view as a widget, to put into others; a saved notebook keeps nothing of it."""
        return LiveGraph(self, uuid.uuid4().hex).widget

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        key = STILL
        if has_browser():
            key = uuid.uuid4().hex
            keep(LiveGraph(self, key))
        return still_bundle(self, key)

    def __repr__(self) -> str:
        nodes = [part for part in self.parts.nodes if not part.is_output]
        shown = {part.id for part in nodes}
        links = sum(link.target in shown and link.known for link in self.parts.links)
        layers = "1 layer" if len(nodes) == 1 else f"{len(nodes)} layers"
        words = "1 connection" if links == 1 else f"{links} connections"
        return f"<Graph of {self.model.name}: {layers}, {words}>"


def graph(model: Any, **options: Any) -> ModelGraph:
    """Return the graph of a model; the options are those of `ModelGraph`."""
    return ModelGraph(model, **options)


def still_bundle(shown: ModelGraph, key: str = STILL) -> dict[str, Any]:
    """Return the display bundle of the still picture, in HTML a scroll box.

    Args:
        shown: the graph.
        key: by which the browser finds the place of the picture.
    """
    plain = repr(shown)
    bundle = picture(shown.svg, plain, plain)
    image = bundle["text/html"].replace("max-width:100%", "max-width:none;display:block", 1)
    box = f"max-height:{shown.height + 2}px;overflow:auto"
    return with_place({**bundle, "text/html": f'<div style="{box}">{image}</div>'}, key)


@functools.cache
def graph_widget() -> type:
    """Return the class GraphWidget; made on the first call, as it needs anywidget."""
    import anywidget
    import traitlets

    class GraphWidget(anywidget.AnyWidget):
        """The view's connection to the browser."""

        _esm = (STATIC / "graph.js").read_text(encoding="utf-8")
        _css = (STATIC / "graph.css").read_text(encoding="utf-8")
        _key = traitlets.Unicode().tag(sync=True)
        _title = traitlets.Unicode().tag(sync=True)
        _scene = traitlets.Dict().tag(sync=True)
        _names: Any = traitlets.List().tag(sync=True)
        _families: Any = traitlets.List().tag(sync=True)
        _note = traitlets.Unicode().tag(sync=True)
        _samples: Any = traitlets.List().tag(sync=True)
        _height = traitlets.Int(HEIGHT).tag(sync=True)

    return GraphWidget


class LiveGraph:
    """The kernel's half of a live view: answers what the browser asks, also while a cell runs.

    Args:
        shown: the graph.
        key: by which the browser finds the place of the picture.
    """

    def __init__(self, shown: ModelGraph, key: str) -> None:
        self.shown = shown
        self.expanded = set(shown.expanded)
        walked = shown.parts.walk()
        self.by_id: dict[str, Part] = {part.id: part for part in walked}
        activations = shown.activations
        self.widget = graph_widget()(
            _key=key,
            _title=shown.model.name,
            _scene=self._scene(),
            _names=[[part.id, part.name, part.class_name] for part in walked],
            _families=[[key, FAMILIES[key][0]] for key in in_order(part.family for part in walked)],
            _note="" if all(link.known for link in shown.parts.links) else GUESSED,
            _samples=[] if activations is None else [activations.count, activations.total],
            _height=shown.height,
        )
        self.widget.on_msg(self.receive)
        delivers_while_busy(self.widget)

    def _scene(self) -> dict[str, Any]:
        return scene_data(make_scene(self.shown.parts, self.shown.look, self.expanded))

    def receive(self, widget: Any, content: Any, buffers: Any = None) -> None:
        """Answer a message of the browser; what isn't understood is ignored.

        A message is `{"type": "expand", "ids": [...], "open": bool}`, `{"type": "reveal", "id"}`
        or `{"type": "details", "id", "sample"}`.
        """
        if not isinstance(content, dict):
            return
        kind, part = content.get("type"), self.by_id.get(str(content.get("id")))
        if kind == "expand" and isinstance(content.get("ids"), list):
            self._expand([str(key) for key in content["ids"]], content.get("open") is True)
        elif kind == "reveal" and part is not None:
            steps = part.id.split("/")
            self._expand(["/".join(steps[: i + 1]) for i in range(len(steps) - 1)], True)
        elif kind == "details" and part is not None:
            self._tell(part, content.get("sample"))

    def _expand(self, keys: list[str], is_open: bool) -> None:
        known = {key for key in keys if key in self.by_id and self.by_id[key].inner is not None}
        self.expanded = self.expanded | known if is_open else self.expanded - known
        self.widget._scene = self._scene()

    def _tell(self, part: Part, sample: Any) -> None:
        activations = self.shown.activations
        last = 0 if activations is None else activations.count - 1
        number = min(max(sample, 0), last) if isinstance(sample, int) else 0
        try:
            told = details(part, activations, number)
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            self.widget.send({"type": "error", "id": part.id, "text": words})
            raise
        data: list[bytes] = []
        message = {"type": "details", "id": part.id, **take_buffers(told, data)}
        self.widget.send(message, data)

    def close(self) -> None:
        """End the view; its picture comes back."""
        self.widget.close()
