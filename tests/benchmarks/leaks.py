"""What stays in memory after thousands of calls, and after hundreds of models."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.figures import table
from tests.benchmarks.libraries import FLOOR, Library, run
from tests.benchmarks.workloads import Workload

TEXT = """Megabytes that a process gained: resident memory over {calls} calls of `predict(x[:1])`
and over {models} times build, fit and drop; traced is what Python's allocations (tracemalloc)
gained in a tenth as many more."""


def section(libraries: Sequence[Library], workload: Workload, calls: int, models: int) -> str:
    """Measure and return Markdown."""
    rows = []
    for one in (library for library in libraries if library.name != FLOOR):
        cells = [one.name]
        for count, rebuild in ((calls, False), (models, True)):
            found = run(one, "grows", workload, count=count, rebuild=rebuild)
            cells += [f"{found['resident']:+.1f}", f"{found['traced']:+.3f}"]
        rows.append(cells)
    headers = ["", "predict, resident", "predict, traced", "models, resident", "models, traced"]
    told = TEXT.format(calls=calls, models=models)
    return f"### Leaks\n\n{told}\n\n{table(headers, rows)}"
