"""Medians, ratios and Markdown tables of what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

Rounds = list[dict[str, float]]  # a figure of each library, round by round


def number(value: float) -> str:
    """Three digits.

    Examples:
        >>> number(0.04567), number(5.678), number(1234.5)
        ('0.0457', '5.68', '1234')
    """
    return f"{value:#.3g}".rstrip(".") if abs(value) < 1000 else f"{value:.0f}"


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(headers) + " |", "|" + " --- |" * len(headers)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def median(rounds: Rounds, name: str) -> float:
    """The median of a library's figures."""
    return statistics.median(one[name] for one in rounds)


def spread(values: Iterable[float]) -> str:
    """Minimum, median and maximum.

    Examples:
        >>> spread([0.5, 0.2, 0.3])
        '0.20 / **0.30** / 0.50'
    """
    found = sorted(values)
    return f"{found[0]:.2f} / **{statistics.median(found):.2f}** / {found[-1]:.2f}"


def to_fastest(rounds: Rounds, ours: str, others: Sequence[str]) -> list[float]:
    """The ratio of a library to the fastest other of the same round, round by round.

    Examples:
        >>> to_fastest([{"a": 1.0, "b": 2.0, "c": 4.0}], "a", ["b", "c"])
        [0.5]
    """
    return [one[ours] / min(one[other] for other in others) for one in rounds]


def compared(
    measured: dict[str, Rounds], ours: str, peers: Sequence[str], extra: Sequence[str] = ()
) -> str:
    """A table: a row for each workload, a column for each library, and the ratio.

    Args:
        measured: Rounds by workload.
        ours: The library that is compared.
        peers: The others.
        extra: Further columns, which aren't peers.
    """
    names = [ours, *extra, *peers]
    headers = ["", *names, *([f"{ours} / fastest peer (min / median / max)"] if peers else [])]
    rows, middles = [], []
    for workload, rounds in measured.items():
        medians = {name: median(rounds, name) for name in names}
        best = min((medians[name] for name in peers), default=None)
        cells = [
            f"**{number(medians[n])}**" if n in peers and medians[n] == best else number(medians[n])
            for n in names
        ]
        if peers:
            ratios = to_fastest(rounds, ours, peers)
            middles.append(statistics.median(ratios))
            cells.append(spread(ratios))
        rows.append([workload, *cells])
    text = table(headers, rows)
    if len(middles) > 1:
        mean = statistics.geometric_mean(middles)
        text += f"\n\nGeometric mean of the median ratios: {mean:.2f}."
    return text
