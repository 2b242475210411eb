"""How a step's time grows with batch, width, depth and length, and with the number of threads."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.figures import number, table
from tests.benchmarks.libraries import FLOOR, Library, run
from tests.benchmarks.pictures import Lines, scaling_curves
from tests.benchmarks.workloads import WORKLOADS, Workload

TEXT = """Milliseconds a step: an MLP (64 wide, 2 hidden layers, batch 32, all but the one that
changes), and the LSTM of the workloads over sequences of different length."""
THREADS_TEXT = "Samples a second against the processors a process may use."


def measure(
    libraries: Sequence[Library], points: dict[int, tuple[Workload, dict[str, int]]], rounds: int
) -> Lines:
    """Medians: `{library: {point: milliseconds}}`; the libraries take turns at each point."""
    times: dict[str, dict[int, list[float]]] = {
        one.name: {point: [] for point in points} for one in libraries
    }
    for _ in range(rounds):
        for point, (workload, options) in points.items():
            for one in libraries:
                times[one.name][point].append(run(one, "scale", workload, **options)["ms"])
    return {
        name: {point: statistics.median(found) for point, found in of.items()}
        for name, of in times.items()
    }


def as_table(first: str, lines: Lines) -> str:
    """A row for each point, a column for each library."""
    points = list(next(iter(lines.values())))
    rows = [[point, *(number(line[point]) for line in lines.values())] for point in points]
    return table([first, *lines], rows)


def section(
    libraries: Sequence[Library], axes: dict[str, dict[int, Workload]], rounds: int, folder: Path
) -> str:
    """Measure, draw, and return Markdown."""
    able = [library for library in libraries if library.name != FLOOR]
    curves = {
        axis: measure(able, {n: (workload, {}) for n, workload in points.items()}, rounds)
        for axis, points in axes.items()
    }
    parts = [f"### Scaling\n\n{TEXT}", *(as_table(axis, lines) for axis, lines in curves.items())]
    if hasattr(os, "sched_getaffinity"):
        rates: Lines = {}
        counts = range(1, len(os.sched_getaffinity(0)) + 1)
        for name in ("mlp_wide", "cnn") if rounds else ():
            workload = WORKLOADS[name]
            lines = measure(able, {n: (workload, {"threads": n}) for n in counts}, rounds)
            for library, line in lines.items():
                rates[f"{library}, {name}"] = {
                    n: 1e3 * workload.batch / ms for n, ms in line.items()
                }
        parts += [THREADS_TEXT, as_table("threads", rates)]
        curves["threads"] = rates
    scaling_curves(curves, folder / "scaling.svg")
    return "\n\n".join([*parts, "![scaling](scaling.svg)"])
