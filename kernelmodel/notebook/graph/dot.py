"""A model's graph in the DOT language, for those who have Graphviz or a tool that reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernelmodel.notebook.graph.drawing import graph_svg
from kernelmodel.notebook.graph.families import FAMILIES
from kernelmodel.notebook.graph.parts import Part, Parts
from kernelmodel.notebook.graph.scene import Look, Scene, text_lines


class Dot:
    """A graph as DOT text; in a notebook its picture, which needs no Graphviz.

    Args:
        source: the DOT text.
        scene: the same graph laid out.
        title: the model's name.
    """

    def __init__(self, source: str, scene: Scene, title: str) -> None:
        self.source, self.scene, self.title = source, scene, title

    def to_string(self) -> str:
        """Return the DOT text."""
        return self.source

    def write(self, path: Any) -> None:
        """Write the DOT text to a file."""
        Path(path).write_text(self.source, encoding="utf-8")

    def _repr_svg_(self) -> str:
        return graph_svg(self.scene, self.title)

    def __str__(self) -> str:
        return self.source

    def __repr__(self) -> str:
        return f"<Dot of {self.title}>"


def dot_text(
    parts: Parts, look: Look, expanded: set[str], dpi: int, title: str, subgraph: bool = False
) -> str:
    """Return the DOT text of a model.

    Args:
        parts: of the model.
        look: what the boxes tell.
        expanded: ids of the nested models to show from inside, as clusters.
        dpi: what Graphviz shall draw with.
        title: the model's name.
        subgraph: whether it shall be a cluster of another graph.
    """
    head = f"subgraph {quoted('cluster_' + title)}" if subgraph else f"digraph {quoted(title)}"
    body = [f"label={quoted(title)};"] if subgraph else [
        f"graph [rankdir={look.rankdir}, dpi={dpi}, compound=true];",
        'node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];',
    ]  # fmt: skip
    body += _statements(parts, look, expanded)
    return "\n".join([f"{head} {{", *(f"  {line}" for line in body), "}", ""])


def quoted(text: str) -> str:
    """Return a DOT string; nothing in it is taken for markup or an escape.

    >>> print(quoted('say "hi"'))
    "say \\"hi\\""
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _statements(parts: Parts, look: Look, expanded: set[str]) -> list[str]:
    ends = {part.id: _ends(part, expanded) for part in parts.nodes if not part.is_output}
    lines = []
    for part in parts.nodes:
        if part.is_output:
            continue
        if part.inner is not None and part.id in expanded:
            inner = _statements(part.inner, look, expanded)
            cluster = [f"label={quoted(part.name)};", *inner]
            name = quoted(f"cluster_{part.id}")
            lines += [f"subgraph {name} {{", *(f"  {line}" for line in cluster), "}"]
        else:
            label = quoted("\n".join(text_lines(part, look)))
            lines.append(f'{quoted(part.id)} [label={label}, color="{FAMILIES[part.family][1]}"];')
    for link in parts.links:
        if link.target not in ends:
            continue
        (_, source), (target, _) = ends[link.source], ends[link.target]
        more = [] if link.known else ["style=dotted", "arrowhead=none"]
        if source != link.source:
            more.append(f"ltail={quoted('cluster_' + link.source)}")
        if target != link.target:
            more.append(f"lhead={quoted('cluster_' + link.target)}")
        attributes = f" [{', '.join(more)}]" if more else ""
        lines.append(f"{quoted(source)} -> {quoted(target)}{attributes};")
    return lines


def _ends(part: Part, expanded: set[str]) -> tuple[str, str]:
    """The ids of the boxes where wires to and from a part end: DOT has no wires to clusters."""
    if part.inner is None or part.id not in expanded:
        return part.id, part.id
    inside = [inner for inner in part.inner.nodes if not inner.is_output]
    return _ends(inside[0], expanded)[0], _ends(inside[-1], expanded)[1]
