"""Inference: `predict` over many small batches, and the latency of a single sample."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.figures import compared
from tests.benchmarks.libraries import FLOOR, OURS, Library, run
from tests.benchmarks.workloads import Workload

TEXT = """Milliseconds, of the small MLP: a batch of 32 in `predict` over {batches} batches; one
`model(x)` and one `predict(x)` of a single sample, the median of {calls}."""
FIGURES = {"predict": "predict, a batch", "call": "model(x[:1])", "one": "predict(x[:1])"}


def section(
    libraries: Sequence[Library], workload: Workload, rounds: int, batches: int, calls: int
) -> str:
    """Measure and return Markdown."""
    able = [library for library in libraries if library.name != FLOOR]
    found = [
        {one.name: run(one, "serve", workload, batches=batches, calls=calls) for one in able}
        for _ in range(rounds)
    ]
    measured = {
        words: [{name: f[figure] for name, f in one.items()} for one in found]
        for figure, words in FIGURES.items()
    }
    peers = [library.name for library in able if library.name != OURS]
    told = TEXT.format(batches=batches, calls=calls)
    return f"### Inference\n\n{told}\n\n{compared(measured, OURS, peers)}"
