"""Training: milliseconds a step, seconds from the first cell to the first curve, peak memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.figures import Rounds, compared
from tests.benchmarks.libraries import FLOOR, OURS, Library, run
from tests.benchmarks.pictures import step_bars
from tests.benchmarks.workloads import Workload

COLD = f"{OURS} (cold)"
WARM = 3.0  # seconds
FLOOR_TEXT = """Milliseconds a step with `fit` (Adam, accuracy), when the first epoch and three
seconds more are over, in which what is compiled in the background gets ready. The
floor is the matrix products of a step alone, in NumPy's BLAS; the best peer is bold."""
CURVE_TEXT = """Seconds from the start of a fresh process, data aside, to the end of the first
epoch: import, build, compile, train. Cold: the cache of compiled kernels was empty."""
PEAK_TEXT = "The most memory (MB) that the training process held."


def measure(
    libraries: Sequence[Library], workloads: dict[str, Workload], rounds: int, warm: float
) -> dict[str, list[dict[str, dict[str, float]]]]:
    """Figures by workload, round and library; the libraries take turns."""
    found: dict[str, list[dict[str, dict[str, float]]]] = {name: [] for name in workloads}
    for _ in range(rounds):
        for name, workload in workloads.items():
            one = {
                library.name: run(library, "train", workload, warm=warm) for library in libraries
            }
            ours = next(library for library in libraries if library.name == OURS)
            one[COLD] = run(ours, "train", workload, cold=True)
            found[name].append(one)
    return found


def section(
    libraries: Sequence[Library],
    workloads: dict[str, Workload],
    rounds: int,
    folder: Path,
    warm: float = WARM,
) -> str:
    """Measure, draw, and return Markdown.

    Args:
        libraries: Who takes part.
        workloads: By name.
        rounds: How often each is measured.
        folder: For the picture.
        warm: Seconds of training before a step is timed.
    """
    found = measure(libraries, workloads, rounds, warm)

    def of(figure: str) -> dict[str, Rounds]:
        return {
            name: [{library: f[figure] for library, f in one.items()} for one in ones]
            for name, ones in found.items()
        }

    peers = [library.name for library in libraries if library.name not in (OURS, FLOOR)]
    floor = [library.name for library in libraries if library.name == FLOOR]
    step_bars(of("ms"), [OURS, *peers, *floor], folder / "steps.svg")
    return "\n\n".join([
        f"### Training step\n\n{FLOOR_TEXT}", compared(of("ms"), OURS, peers, floor),
        "![milliseconds a step](steps.svg)",
        f"### From cell to curve\n\n{CURVE_TEXT}", compared(of("curve"), OURS, peers, [COLD]),
        f"### Peak memory\n\n{PEAK_TEXT}", compared(of("peak"), OURS, peers),
    ])  # fmt: skip
