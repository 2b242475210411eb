"""What a `LayerMonitor` found, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelmodel.callbacks.layer_monitor.rules import RULES, Rule

if TYPE_CHECKING:
    from kernelmodel.callbacks.layer_monitor.layer import LayerState
    from kernelmodel.callbacks.layer_monitor.monitor import LayerMonitor

HEADERS = ("Layer", "Weights", "Gradients", "|gradient|", "update", "dead", "saturated", "Warnings")
NOTHING = "-"
COMPILED = "Compiled by XLA: gradients and outputs of layers can't be seen, only weights."


def number(value: float | None) -> str:
    """Two significant digits.

    Examples:
        >>> number(0.01234), number(1234.5), number(1.5), number(0.0), number(None)
        ('0.012', '1.2e+03', '1.5', '0', '-')
    """
    return NOTHING if value is None else f"{value:.2g}"


def percent(share: float | None) -> str:
    """A share as whole percent.

    Examples:
        >>> percent(0.125), percent(0.004), percent(0.0), percent(None)
        ('12%', '<1%', '0%', '-')
    """
    if share is None:
        return NOTHING
    return "<1%" if 0 < share < 0.01 else f"{share:.0%}"


def cells(state: LayerState) -> tuple[str, ...]:
    """A layer's numbers in the order of `HEADERS`, without the layer and the warnings."""
    return (
        state.weights.spark if state.weights else NOTHING,
        state.gradients.spark if state.gradients else NOTHING,
        number(state.gradient_norm),
        number(state.update_ratio),
        percent(state.dead),
        percent(state.saturated),
    )


def warning_lines(state: LayerState, rule: Rule) -> str:
    """A warning in words, with what helps."""
    return f"layer {state.path!r}: {rule.kind}: {rule.words(state)}. {rule.remedy}"


def warnings_in_words(states: list[LayerState]) -> list[tuple[LayerState, Rule]]:
    """Each warning that is on now, with its rule."""
    return [(state, rule) for state in states for rule in RULES if rule.kind in state.warnings]


def report(monitor: LayerMonitor) -> str:
    """The table of a monitor's newest numbers, and the warnings below it."""
    if not monitor.steps:
        return "Nothing was measured yet: train the model with this monitor among the callbacks."
    states = list(monitor.layers.values())
    rows = [HEADERS] + [
        (state.path, *cells(state), ", ".join(state.warnings) or NOTHING) for state in states
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADERS))]
    times = "once" if monitor.measured == 1 else f"{monitor.measured} times"
    lines = [f"Layers after step {monitor.last_step} (measured {times})"]
    for row in rows:
        parts = [
            cell.rjust(width) if 3 <= i <= 6 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        ]
        lines.append("  ".join(parts).rstrip())
    lines += [f"! {warning_lines(state, rule)}" for state, rule in warnings_in_words(states)]
    return "\n".join([*lines, COMPILED] if monitor.compiled else lines)
