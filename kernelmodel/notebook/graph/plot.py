"""What `km.utils.plot_model` and `km.utils.model_to_dot` do."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from kernelmodel.notebook.graph.dot import Dot, dot_text
from kernelmodel.notebook.graph.drawing import graph_svg
from kernelmodel.notebook.graph.paper import write_figure
from kernelmodel.notebook.graph.parts import Parts, model_parts
from kernelmodel.notebook.graph.scene import DIRECTIONS, Look, make_scene
from kernelmodel.notebook.svg import picture

KINDS = ("png", "svg", "pdf")


class ModelPicture:
    """A picture of a model: what `plot_model` returns, shown where a cell ends with it.

    Args:
        svg: the picture as an SVG document.
        title: the model's name.
    """

    def __init__(self, svg: str, title: str) -> None:
        self.svg, self.title = svg, title

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return picture(self.svg, f"Graph of {self.title}", repr(self))

    def __repr__(self) -> str:
        return f"<Picture of {self.title}>"


def plot_model(
    model: Any, to_file: Any, expand_nested: bool, dpi: int, options: dict[str, Any]
) -> ModelPicture:
    """Draw a model, write the picture to a file unless that is None, and return it."""
    kind = _kind(to_file)
    look = _look(**options)
    parts, expanded = checked_parts(model, look, expand_nested, dpi, "plot_model")
    scene = make_scene(parts, look, expanded)
    svg = graph_svg(scene, model.name)
    if to_file is not None:
        Path(to_file).write_bytes(svg.encode() if kind == "svg" else _figure(scene, kind, dpi))
    return ModelPicture(svg, model.name)


def model_to_dot(
    model: Any, expand_nested: bool, dpi: int, subgraph: bool, options: dict[str, Any]
) -> Dot:
    """Return a model's graph as DOT text."""
    look = _look(**options)
    parts, expanded = checked_parts(model, look, expand_nested, dpi, "model_to_dot")
    source = dot_text(parts, look, expanded, dpi, model.name, subgraph)
    return Dot(source, make_scene(parts, look, expanded), model.name)


def checked_parts(
    model: Any, look: Look, expand_nested: bool, dpi: int, caller: str
) -> tuple[Parts, set[str]]:
    """Return a model's parts, and the ids of the nested models that are shown from inside.

    Raises:
        TypeError: it is no model.
        ValueError: it isn't built, or an option has a value that means nothing.
    """
    if not hasattr(model, "layers") or not hasattr(model, "built"):
        raise TypeError(f"{caller}() draws models, got {model!r} of type {type(model).__name__}.")
    if not model.built:
        raise ValueError(
            f"{caller}(): model {model.name!r} isn't built yet, so its shapes aren't known. Call "
            "it on data, build(input_shape) it, or put an Input first."
        )
    if look.rankdir not in DIRECTIONS:
        raise ValueError(
            f"{caller}(): `rankdir` must be one of {', '.join(DIRECTIONS)}, got {look.rankdir!r}."
        )
    if isinstance(dpi, bool) or not isinstance(dpi, (int, float)) or not 0 < dpi < 10_000:
        raise ValueError(f"{caller}(): `dpi` must be a number of dots an inch, got {dpi!r}.")
    parts = model_parts(model)
    return parts, {part.id for part in parts.walk()} if expand_nested else set()


def _kind(to_file: Any) -> str:
    if to_file is None:
        return "svg"
    kind = Path(to_file).suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise ValueError(
            f"plot_model() writes {', '.join(KINDS)}; `to_file` is {str(to_file)!r}. Give it one "
            f"of these extensions, such as {str(Path(to_file).with_suffix('.png'))!r}."
        )
    return kind


def _figure(scene: Any, kind: str, dpi: int) -> bytes:
    drawn = io.BytesIO()
    write_figure(scene, drawn, kind, dpi)
    return drawn.getvalue()


def _look(
    show_shapes: bool,
    show_dtype: bool,
    show_layer_names: bool,
    rankdir: str,
    show_layer_activations: bool,
    show_trainable: bool,
) -> Look:
    """Return the look that Keras's options describe."""
    return Look(
        rankdir=rankdir,
        names=show_layer_names,
        params=False,
        shapes=show_shapes,
        wire_shapes=False,
        dtype=show_dtype,
        activation=show_layer_activations,
        trainable=show_trainable,
    )
