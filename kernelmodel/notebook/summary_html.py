"""A model's summary as an HTML table that needs neither style sheet nor script."""

from __future__ import annotations

from collections.abc import Sequence

from kernelmodel.models.summary import SummaryRow
from kernelmodel.notebook.svg import escape

LEFT, RIGHT = "text-align:left", "text-align:right"


def summary_html(
    rows: Sequence[SummaryRow],
    title: str,
    trainable_params: int,
    non_trainable_params: int,
    optimizer_params: int = 0,
    connected: bool = False,
    show_trainable: bool = False,
) -> str:
    """Return the HTML table of a model's summary; every string in it is escaped.

    Args:
        rows: the layers; `depth` counts from 0 and indents the layers of a nested model.
        title: the model's name.
        trainable_params: numbers that training changes.
        non_trainable_params: the other numbers of the layers.
        optimizer_params: numbers that the optimizer keeps.
        connected: whether a column says where each layer gets its input from.
        show_trainable: whether a column says which layers are trainable.
    """
    heads = [("Layer", LEFT), ("Type", LEFT), ("Output shape", LEFT), ("Parameters", RIGHT)]
    heads += [("Connected to", LEFT)] if connected else []
    heads += [("Trainable", LEFT)] if show_trainable else []
    head = "".join(f'<th scope="col" style="{style}">{name}</th>' for name, style in heads)
    body = "".join(_row(row, connected, show_trainable) for row in rows)
    caption = f'<caption style="{LEFT}">Model <b>{escape(title)}</b></caption>'
    totals = _totals(trainable_params, non_trainable_params, optimizer_params)
    table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div>{table}{totals}</div>"


def _row(row: SummaryRow, connected: bool, show_trainable: bool) -> str:
    indent = f";padding-left:{0.5 + 1.5 * row.depth}em"
    cells = [
        f'<td style="{LEFT}{indent}"><b>{escape(row.name)}</b></td>',
        _cell(row.class_name),
        f'<td style="{LEFT};white-space:nowrap">{escape(row.output_shape)}</td>',
        f'<td style="{RIGHT}">{row.params:,}</td>',
    ]
    if connected:
        lines = "<br>".join(escape(source) for source in row.connected_to)
        cells.append(f'<td style="{LEFT}">{lines}</td>')
    if show_trainable:
        cells.append(_cell("yes" if row.trainable else "no"))
    return f"<tr>{''.join(cells)}</tr>"


def _cell(words: str) -> str:
    return f'<td style="{LEFT}">{escape(words)}</td>'


def _totals(trainable: int, fixed: int, optimizer: int) -> str:
    parts = [
        f"<b>{trainable + fixed:,}</b> parameters",
        f"{trainable:,} trainable",
        f"{fixed:,} not trainable",
    ]
    if optimizer:
        parts.append(f"{optimizer:,} more of the optimizer")
    return f"<p>{' · '.join(parts)}</p>"
