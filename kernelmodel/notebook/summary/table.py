"""A model's summary as an HTML table that needs neither style sheet nor script."""

from __future__ import annotations

from kernelmodel.models.summary import Summary, SummaryRow
from kernelmodel.models.summary_text import flops_text, memory_text
from kernelmodel.notebook.svg import escape

LEFT, RIGHT = "text-align:left", "text-align:right"


def summary_html(summary: Summary, show_trainable: bool = False) -> str:
    """Return the HTML table of a model's summary; every string in it is escaped.

    Args:
        summary: of a built model.
        show_trainable: whether a column says which layers are trainable.
    """
    connected = not summary.linear
    heads = [("Layer", LEFT), ("Type", LEFT), ("Output shape", LEFT)]
    heads += [(name, RIGHT) for name in ("Parameters", "Weights", "Activations", "FLOPs")]
    heads += [("Connected to", LEFT)] if connected else []
    heads += [("Trainable", LEFT)] if show_trainable else []
    body = "".join(_row(row, connected, show_trainable) for row in summary.rows)
    caption = f'<caption style="{LEFT}">Model <b>{escape(summary.name)}</b></caption>'
    lines = "<br>".join(escape(line) for line in totals_words(summary))
    return f'<div style="overflow-x:auto">{table(caption, heads, body)}<p>{lines}</p></div>'


def table(caption: str, heads: list[tuple[str, str]], body: str) -> str:
    """Return an HTML table; `heads` are pairs of words and a style, `body` is safe HTML."""
    head = "".join(f'<th scope="col" style="{style}">{name}</th>' for name, style in heads)
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def cell(words: object, style: str = LEFT) -> str:
    """Return a cell of a table; its words are escaped."""
    return f'<td style="{style}">{escape(words)}</td>'


def name_cell(name: str, depth: int) -> str:
    """Return the cell of a layer's name, indented by how deep it is nested."""
    indent = f";padding-left:{0.5 + 1.5 * depth}em"
    return f'<td style="{LEFT}{indent}"><b>{escape(name)}</b></td>'


def _row(row: SummaryRow, connected: bool, show_trainable: bool) -> str:
    cells = [
        name_cell(row.name, row.depth),
        cell(row.class_name),
        cell(row.output_shape, f"{LEFT};white-space:nowrap"),
        cell(f"{row.params:,}", RIGHT),
        cell(memory_text(row.bytes), f"{RIGHT};white-space:nowrap"),
        cell(memory_text(row.cost.bytes), f"{RIGHT};white-space:nowrap"),
        cell(flops_text(row.cost), f"{RIGHT};white-space:nowrap"),
    ]
    if connected:
        lines = "<br>".join(escape(source) for source in row.connected_to)
        cells.append(f'<td style="{LEFT}">{lines}</td>')
    if show_trainable:
        cells.append(cell("yes" if row.trainable else "no"))
    return f"<tr>{''.join(cells)}</tr>"


def totals_words(summary: Summary) -> list[str]:
    """Return the lines below the table."""
    counts = [
        f"{summary.total_params:,} parameters ({memory_text(summary.bytes)})",
        f"{summary.trainable_params:,} trainable",
        f"{summary.non_trainable_params:,} not trainable",
    ]
    if summary.optimizer_params:
        counts.append(f"{summary.optimizer_params:,} more of the optimizer")
    costs = [
        f"one sample: {flops_text(summary.cost)} FLOPs",
        f"{memory_text(summary.cost.bytes)} of activations",
    ]
    return [" · ".join(counts), " · ".join(costs)]
