"""Pictures of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kernelmodel.explain.charts import COLOURS, MARKERS
from kernelmodel.explain.figure import new_figure, styled
from tests.benchmarks.figures import Rounds, median, number
from tests.benchmarks.libraries import OURS

Lines = dict[str, dict[int, float]]  # values by library and point
OUR_COLOUR, PEERS_COLOUR = "#0072b2", "#b8b8b8"


def step_bars(measured: dict[str, Rounds], names: Sequence[str], path: Path) -> None:
    """The medians of each workload as bars, ours in colour.

    Args:
        measured: Milliseconds by workload, round and library.
        names: The libraries.
        path: Of the file.
    """
    figure = new_figure("milliseconds a step", 2.6 * len(measured), 0.24 * len(names) + 0.7)
    with styled():
        row = figure.subplots(1, len(measured), sharey=True, squeeze=False)[0]
        for axes, (workload, rounds) in zip(row, measured.items()):
            middles = [median(rounds, name) for name in names]
            colours = [OUR_COLOUR if name == OURS else PEERS_COLOUR for name in names]
            bars = axes.barh(range(len(names)), middles, color=colours, height=0.72)
            axes.bar_label(bars, [number(value) for value in middles], padding=2, fontsize=8)
            axes.set(title=f"{workload}, ms a step", xlim=(0, 1.25 * max(middles)))
            axes.set_yticks(range(len(names)), names)
            axes.tick_params(left=False)
        row[0].invert_yaxis()
    path.write_text(figure.svg())


def scaling_curves(curves: dict[str, tuple[str, Lines]], path: Path) -> None:
    """A panel for each axis, with a line for each library.

    Args:
        curves: By axis, what is measured and the values.
        path: Of the file.
    """
    across = min(3, len(curves))
    down = -(-len(curves) // across)
    figure = new_figure("scaling", 3.6 * across, 2.9 * down + 0.4)
    with styled():
        grid = figure.subplots(down, across, squeeze=False).ravel()
        for axes in grid[len(curves) :]:
            axes.set_axis_off()
        for axes, (axis, (unit, lines)) in zip(grid, curves.items()):
            for place, (name, line) in enumerate(lines.items()):
                ours = name == OURS
                axes.plot(
                    list(line), list(line.values()), label=name, marker=MARKERS[place],
                    color=OUR_COLOUR if ours else COLOURS[place], markersize=4,
                    linewidth=2.4 if ours else 1.1, zorder=3 if ours else 2,
                )  # fmt: skip
            points = list(next(iter(lines.values())))
            axes.set(xlabel=axis, ylabel=unit, xscale="log", yscale="log")
            axes.set_xticks(points, map(str, points), fontsize=7)
            axes.yaxis.set_major_formatter("{x:g}")
            axes.minorticks_off()
            axes.grid(axis="y")
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    path.write_text(figure.svg())
