"""What a live summary has measured: for the browser, and as HTML for the saved notebook.

The HTML goes below the table between two comments. It differs from run to run, so nbval is told to
leave out what is between them (notebooks/sanitize.cfg); the table and the text/plain never change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kernelmodel.callbacks.layer_monitor import LayerMonitor
from kernelmodel.callbacks.layer_monitor.layer import LayerState
from kernelmodel.callbacks.layer_monitor.report import (
    COMPILED,
    cells,
    number,
    percent,
    warnings_in_words,
)
from kernelmodel.callbacks.layer_monitor.statistics import Histogram
from kernelmodel.models.summary import SummaryRow
from kernelmodel.notebook.summary.table import LEFT, RIGHT, cell, name_cell, table
from kernelmodel.notebook.svg import escape

BEGIN, END = "<!--km-measured-->", "<!--/km-measured-->"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
MONO = f"{LEFT};font-family:monospace;white-space:pre;line-height:1"
COLUMNS = (
    ("Layer", LEFT), ("Weights", LEFT), ("Gradients", LEFT), ("Gradient norm", RIGHT),
    ("Update / weights", RIGHT), ("Dead", RIGHT), ("Saturated", RIGHT), ("Warnings", LEFT),
)  # fmt: skip

Message = dict[str, Any]


def measured_message(tree: Sequence[SummaryRow], monitor: LayerMonitor) -> Message:
    """Return the newest numbers for the browser, as JSON; `{}` before there are any.

    Args:
        tree: all rows of the summary.
        monitor: of the model.
    """
    if not monitor.measured:
        return {}
    rows = {row.place.id: _numbers(row, tree, monitor) for row in tree if row.place is not None}
    return {
        "step": monitor.last_step,
        "note": COMPILED if monitor.compiled else "",
        "rows": {key: numbers for key, numbers in rows.items() if numbers is not None},
        "warnings": [
            {"path": state.path, "kind": rule.kind, "words": rule.words(state),
             "remedy": rule.remedy}
            for state, rule in warnings_in_words(list(monitor.layers.values()))
        ],
    }  # fmt: skip


def _numbers(row: SummaryRow, tree: Sequence[SummaryRow], monitor: LayerMonitor) -> Message | None:
    assert row.place is not None
    state = monitor.state_of(row.place.operation)
    if row.place.nested:
        inside = _states_inside(row, tree, monitor)
        kinds = list(dict.fromkeys(kind for one in inside for kind in one.warnings))
        norms = [one.gradient_norm for one in inside if one.gradient_norm is not None]
        norm = math.hypot(*norms) if norms else None
        return {"norm": number(norm), "kinds": kinds}
    if state is None:
        return None
    return {
        "weights": _bars(state.weights),
        "gradients": _bars(state.gradients),
        "norm": number(state.gradient_norm),
        "ratio": number(state.update_ratio),
        "dead": percent(state.dead),
        "saturated": percent(state.saturated),
        "kinds": state.warnings,
    }


def _states_inside(
    row: SummaryRow, tree: Sequence[SummaryRow], monitor: LayerMonitor
) -> list[LayerState]:
    above = f"{row.place.id}/" if row.place is not None else ""
    found = {}
    for inner in tree:
        if inner.place is not None and f"{inner.place.id}/".startswith(above):
            state = monitor.state_of(inner.place.operation)
            if state is not None:
                found[state.path] = state
    return list(found.values())


def _bars(histogram: Histogram | None) -> list[str] | None:
    """Heights of the bars as digits of base 36, and the ends of the range."""
    if histogram is None:
        return None
    most = max(histogram.counts)
    bars = "".join(DIGITS[math.ceil(c / most * (len(DIGITS) - 1))] for c in histogram.counts)
    return [bars, number(histogram.low), number(histogram.high)]


def measured_html(monitor: LayerMonitor, news: Sequence[str]) -> str:
    """Return what goes below the table when the notebook is saved; "" if there is nothing.

    Args:
        monitor: of the model.
        news: lines about what else has changed since the table was made.
    """
    parts = [f"<p>{escape(line)}</p>" for line in news]
    if monitor.measured:
        states = list(monitor.layers.values())
        caption = f'<caption style="{LEFT}">Measured after step {monitor.last_step:,}</caption>'
        parts.append(table(caption, list(COLUMNS), "".join(map(_row, states))))
        parts += [
            f"<p>▲ <b>{escape(state.path)}</b>: <b>{escape(rule.kind)}</b>: "
            f"{escape(rule.words(state))}. {escape(rule.remedy)}</p>"
            for state, rule in warnings_in_words(states)
        ]
        parts += [f"<p>{escape(COMPILED)}</p>"] if monitor.compiled else []
    if not parts:
        return ""
    return f'{BEGIN}<div style="overflow-x:auto">{"".join(parts)}</div>{END}'


def _row(state: LayerState) -> str:
    weights, gradients, *numbers = cells(state)
    told = "".join(cell(words, RIGHT) for words in numbers)
    bars = "".join(cell(words, MONO) for words in (weights, gradients))
    warnings = cell(", ".join(state.warnings) or "-")
    return f"<tr>{name_cell(state.path, 0)}{bars}{told}{warnings}</tr>"
