"""How a step's time grows with batch, width, depth and length; samples a second by threads."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.figures import number, table
from tests.benchmarks.libraries import FLOOR, Library, run
from tests.benchmarks.pictures import Lines, scaling_curves
from tests.benchmarks.workloads import Workload

TEXT = """The MLP is 64 wide with 2 hidden layers and a batch of 32, but for what changes; the
length is that of the LSTM's sequences. Threads are the processors that a process may use."""


def measure(
    libraries: Sequence[Library], points: dict[int, tuple[Workload, dict[str, int]]], rounds: int
) -> Lines:
    """Median milliseconds a step by library and point; the libraries take turns at each point."""
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
    libraries: Sequence[Library], axes: dict[str, dict[int, Workload]],
    threaded: dict[str, Workload], rounds: int, folder: Path,
) -> str:  # fmt: skip
    """Measure, draw, and return Markdown.

    Args:
        libraries: Who takes part.
        axes: Workloads by what changes and its values.
        threaded: Workloads to run with 1, 2, ... threads.
        rounds: How often each is measured.
        folder: For the picture.
    """
    able = [library for library in libraries if library.name != FLOOR]
    curves: dict[str, tuple[str, Lines]] = {}
    for axis, points in axes.items():
        lines = measure(able, {n: (workload, {}) for n, workload in points.items()}, rounds)
        curves[axis] = "ms a step", lines
    # Only Linux lets a process be kept to some of the processors.
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else 0
    for name, workload in threaded.items() if processors else ():
        counts = {n: (workload, {"threads": n}) for n in range(1, processors + 1)}
        lines = measure(able, counts, rounds)
        rates = {
            library: {n: 1e3 * workload.batch / ms for n, ms in line.items()}
            for library, line in lines.items()
        }
        curves[f"threads, {name}"] = "samples a second", rates
    scaling_curves(curves, folder / "scaling.svg")
    tables = [f"{as_table(f'{axis}: {unit}', lines)}" for axis, (unit, lines) in curves.items()]
    return "\n\n".join([f"### Scaling\n\n{TEXT}", *tables, "![scaling](scaling.svg)"])
