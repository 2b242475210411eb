"""All benchmarks against other libraries: `python -m tests.benchmarks`.

Workloads (see `workloads.py`) run on kernelmodel and on whichever of tf_keras, Keras 3 (on
TensorFlow, JAX, PyTorch), plain JAX and plain PyTorch is installed; each run is a process of its
own, and the libraries take turns, so that a busy machine is busy for all. Ratios are to the fastest
peer of the same round. Peers in other virtual environments are found by

    KERNELMODEL_BENCH_PYTHONS=/path/a/bin/python:/path/b/bin/python python -m tests.benchmarks
    python -m tests.benchmarks --python keras-torch=/path/b/bin/python

Sections: import, training (step, cell to curve, peak memory), serving (predict and latency), leaks,
scaling (batch, width, depth, length, threads); `--only training serving` runs some of them,
`--workloads`, `--libraries` and `--rounds` less or more of each. `--smoke` runs everything for a
moment, which shows only that it runs. Each section writes its Markdown and picture to `--out`;
without it to `tests/benchmarks/results`, where each file says what was measured when and where.

What only kernelmodel has is measured by modules of their own: `python -m tests.benchmarks.` with
`panel_overhead`, `panel_clicks`, `layer_monitor`, `from_disk`, `workers` and `sums`.

Why neither asv nor pytest-benchmark: asv compares commits of one project in environments that it
builds, pytest-benchmark functions in one process. Here the libraries can't even share a process (or
an environment), and their runs must alternate for the ratio to mean something. Both would fit where
a single kernel is followed over commits.
"""

import argparse
import datetime
import os
import platform
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import import_time, leaks, scaling, serving, training
from tests.benchmarks.figures import table
from tests.benchmarks.libraries import OURS, Library, find_libraries
from tests.benchmarks.workloads import AXES, WORKLOADS, Workload

RESULTS = Path(__file__).with_name("results")
SECTIONS = ("import", "training", "serving", "leaks", "scaling")


def processor() -> str:
    """The processor's name, and how many of them this process may use."""
    names = {platform.processor() or platform.machine()}
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        names = {line.partition(":")[2].strip() for line in lines} or names
    usable = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0)
    return f"{', '.join(sorted(names))}; {len(usable)} processors"


def head(name: str, libraries: list[Library], rounds: int) -> str:
    """What is measured, when, and on what."""
    today = datetime.datetime.now(datetime.UTC).date()
    machine = f"{processor()}; {platform.system()} {platform.machine()}"
    load = f"; load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    python = f"Python {platform.python_version()}"
    rows = [[library.name, library.versions] for library in libraries]
    return (
        f"# Benchmarks: {name}\n\n{today}, `python -m tests.benchmarks --only {name} --rounds "
        f"{rounds}`; the libraries took turns. {machine}{load}; {python}.\n\n"
        f"{table(['library', 'versions'], rows)}"
    )


def tiny(workload: Workload) -> Workload:
    """The same for a moment."""
    return replace(workload, batch=min(workload.batch, 8), steps=2)


def sections(
    libraries: list[Library], workloads: dict[str, Workload], rounds: int, smoke: bool, out: Path
) -> dict[str, Callable[[], str]]:
    """What measures each section."""
    axes = {
        axis: {n: tiny(points[n]) for n in list(points)[:2]} if smoke else points
        for axis, points in (list(AXES.items())[:1] if smoke else AXES.items())
    }
    small = tiny(WORKLOADS["mlp_small"]) if smoke else replace(WORKLOADS["mlp_small"], steps=600)
    rebuilt = replace(WORKLOADS["mlp_small"], steps=3)
    threaded = {n: w for n, w in workloads.items() if n in ("mlp_wide", "cnn", "transformer")}
    batches, calls, models = (2, 3, 2) if smoke else (600, 10_000, 200)
    return {
        "import": lambda: import_time.section(libraries, rounds),
        "training": lambda: training.section(
            libraries, workloads, rounds, out, 0.0 if smoke else training.WARM
        ),
        "serving": lambda: serving.section(libraries, small, rounds, batches, min(calls, 200)),
        "leaks": lambda: leaks.section(libraries, rebuilt, calls, models),
        "scaling": lambda: scaling.section(libraries, axes, threaded, rounds, out),
    }


def main(arguments: list[str] | None = None) -> None:
    """Run what the command line asks for."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__,
                                     formatter_class=formatter)  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--libraries", nargs="+", help="names, such as keras-jax; all if not given")
    parser.add_argument("--python", nargs="+", default=[], metavar="LIBRARY=PATH")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    found = find_libraries(dict(pair.split("=", 1) for pair in given.python))
    wanted = {OURS, *(given.libraries or [library.name for library in found])}
    missing = wanted - {library.name for library in found}
    if missing:
        parser.error(f"not installed: {', '.join(sorted(missing))}")
    libraries = [library for library in found if library.name in wanted]
    workloads = {name: WORKLOADS[name] for name in given.workloads}
    rounds = 1 if given.smoke else given.rounds
    if given.smoke:
        workloads = {name: tiny(workload) for name, workload in workloads.items()}
    given.out.mkdir(parents=True, exist_ok=True)
    for name, measure in sections(libraries, workloads, rounds, given.smoke, given.out).items():
        if name in given.only:
            text = f"{head(name, libraries, rounds)}\n\n{measure()}\n"
            (given.out / f"{name}.md").write_text(text)
            print(text, flush=True)


if __name__ == "__main__":
    main()
