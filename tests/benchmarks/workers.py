"""One and two processes on one model, and what more would give: `-m tests.benchmarks.workers`.

Each process computes with one thread, on a processor of its own. Weak scaling: each process keeps
its 32 (256) samples a step; strong scaling: the 64 (512) samples of a step are shared out. Runs
alternate, and medians of their ratios are given, since the machine has other work: of the median
steps, and of the fastest tenth of the steps, which had the processors for themselves.

The model of more workers: a step takes the computation of a worker's samples (measured here on one
process), plus one sum of the gradients over the workers as a ring, 2 (n - 1) messages of a part of
size / n each, plus one of 24 bytes (the workers agree on the step) by doubling. It assumes: all
workers as fast as this one, one worker a machine, the given latency and bandwidth between any two,
no overlap of computing and sending, no stragglers.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

from kernelmodel.distribute.start import MPI, THREADS
from kernelmodel.explain.charts import COLOURS, MARKERS
from kernelmodel.explain.figure import new_figure, styled
from tests.benchmarks.figures import number, table

# Width, hidden layers, samples a step, steps an epoch as a multiple of those asked for, and
# whether XLA compiles the step.
WORKLOADS = {
    "mlp, 13 thousand weights": (64, 2, 32, 10, False),
    "mlp, 2.2 million weights": (1024, 3, 256, 1, False),
    "mlp, 13 thousand weights, XLA": (64, 2, 32, 10, True),
    "mlp, 2.2 million weights, XLA": (1024, 3, 256, 1, True),
}
NETWORKS = {"10 Gbit/s, 30 µs": (30e-6, 1.25e9), "100 Gbit/s, 3 µs": (3e-6, 12.5e9)}
WORKERS = [2**i for i in range(11)]
FEATURES = 128
GAP = (math.nan, math.nan)  # between two epochs


def child(width: int, depth: int, batch: int, steps: int, xla: int) -> None:
    """In a process of an MPI world: milliseconds a step, and bytes that a worker gives to sums."""
    import time

    import kernelmodel as km
    from kernelmodel.distribute.exchange import MpiExchange

    strategy = km.distribute.DataParallel()
    # XLA has a thread for each processor that its process may run on when it starts.
    usable = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {usable[strategy.place[0] % len(usable)]})
    km.utils.set_random_seed(1)
    layers = [km.layers.Dense(width, activation="relu") for _ in range(depth)]
    model = km.Sequential([km.Input((FEATURES,)), *layers, km.layers.Dense(10)])
    with strategy.scope():
        model.compile("adam", "mse", jit_compile=bool(xla))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch * steps, FEATURES)).astype("float32")
    y = rng.normal(size=(batch * steps, 10)).astype("float32")
    marks: list[tuple[float, float]] = []
    agree = MpiExchange.agree

    def noted(self, *args):
        marks.append((time.perf_counter(), self.sent))
        return agree(self, *args)

    MpiExchange.agree = noted
    noting = km.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: marks.append(GAP))
    model.fit(x, y, batch_size=batch, epochs=4, verbose=0, shuffle=False, callbacks=[noting])
    if strategy.place[0] == 0:
        differences = np.diff(marks, axis=0)
        times, sent = differences[np.isfinite(differences[:, 0])][3:].T
        figures = {
            "ms": 1e3 * float(np.median(times)),
            "quiet": 1e3 * float(np.quantile(times, 0.1)),
            "sent": float(np.median(sent)),
            "weights": 4 * model.count_params(),
        }
        print("FIGURES" + json.dumps(figures))


def run(processes: int, *workload: int) -> dict[str, float]:
    """The figures of a world of some processes: width, depth, samples a step, steps, XLA."""
    environment = os.environ | dict.fromkeys(THREADS, "1") | MPI
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    environment["PATH"] = os.pathsep.join(programs)
    arguments = [str(int(value)) for value in workload]
    program = [sys.executable, "-m", "tests.benchmarks.workers", "--child", *arguments]
    done = subprocess.run(
        ["mpiexec", "-n", str(processes), *program],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    [line] = [line for line in done.stdout.splitlines() if "FIGURES" in line]
    return json.loads(line.partition("FIGURES")[2])


def step_seconds(
    compute: float, size: float, workers: int, latency: float, bandwidth: float
) -> float:
    """Seconds of a step by the model above."""
    if workers == 1:
        return compute
    ring = 2 * (workers - 1) * (latency + size / workers / bandwidth)
    return compute + ring + 2 * math.ceil(math.log2(workers)) * latency


def measure(name: str, rounds: int, steps: int) -> tuple[list[str], dict[str, float]]:
    """A row of the table, and what the model needs."""
    width, depth, batch, times, xla = WORKLOADS[name]
    steps *= times
    found = []
    for _ in range(rounds):
        one = run(1, width, depth, batch, steps, xla)
        big = run(1, width, depth, 2 * batch, steps, xla)
        two = run(2, width, depth, 2 * batch, steps, xla)
        found.append((one, big, two))
    ratios = {
        kind: (
            statistics.median(one[kind] / two[kind] for one, _, two in found),
            statistics.median(big[kind] / two[kind] for _, big, two in found),
        )
        for kind in ("ms", "quiet")
    }
    one = min(f[0]["quiet"] for f in found)
    two = min(f[2]["quiet"] for f in found)
    last = found[-1][2]
    row = [
        name, number(one), number(two), *(f"{a:.2f}, {b:.2f}" for a, b in zip(*ratios.values())),
        f"{last['weights']:,.0f}", f"{last['sent']:,.0f}",
    ]  # fmt: skip
    return row, {"compute": one / 1e3, "size": last["weights"]}


def draw(models: dict[str, dict[str, float]], path: Path) -> str:
    """Efficiency by workers, weak scaling; a table of it is returned."""
    figure = new_figure("what more workers would give", 4.2 * len(models), 3.3)
    rows = []
    with styled():
        grid = figure.subplots(1, len(models), sharey=True, squeeze=False)[0]
        for axes, (name, model) in zip(grid, models.items()):
            for place, (network, (latency, bandwidth)) in enumerate(NETWORKS.items()):
                share = [
                    model["compute"]
                    / step_seconds(model["compute"], model["size"], n, latency, bandwidth)
                    for n in WORKERS
                ]
                axes.plot(
                    WORKERS, share, label=network, marker=MARKERS[place], color=COLOURS[place],
                    markersize=4,
                )  # fmt: skip
                chosen = [share[WORKERS.index(n)] for n in (2, 8, 64, 1024)]
                rows.append([name, network, *(f"{value:.2f}" for value in chosen)])
            axes.set_xscale("log", base=2)
            axes.set_xticks(WORKERS[::2], [str(count) for count in WORKERS[::2]])
            axes.set(title=name, xlabel="workers", ylim=(0, 1.05))
        grid[0].set_ylabel("efficiency")
        grid[-1].legend(loc="lower left", fontsize=8)
    path.write_text(figure.svg())
    return table(["model", "network", "2", "8", "64", "1024 workers"], rows)


def main(rounds: int = 5, steps: int = 20, out: Path | None = None) -> str:
    """Measure, draw and print; the Markdown is returned and, with `out`, written there."""
    out = out or Path(__file__).with_name("results")
    out.mkdir(parents=True, exist_ok=True)
    measured = {name: measure(name, rounds, steps) for name in WORKLOADS}
    names = ["model", "1 process, ms a step", "2 processes", "weak: median, quiet",
             "strong: median, quiet", "bytes of weights", "bytes summed a step"]  # fmt: skip
    rows = [row for row, _ in measured.values()]
    models = {name: model for name, (_, model) in measured.items()}
    assert __doc__ is not None
    text = "\n\n".join(
        [
            "### Workers",
            __doc__.partition("\n\n")[2].strip(),
            f"{os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}. Weak: time of "
            "one process over that of two with twice the samples (ideal 1); strong: time of one "
            "over that of two with the same samples (ideal 2).",
            table(names, rows),
            draw(models, out / "workers.svg"),
            "![workers](workers.svg)",
        ]
    )
    (out / "workers.md").write_text(text + "\n")
    print(text)
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Scaling over processes.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", type=int, nargs=5)
    given = parser.parse_args()
    if given.child:
        child(*given.child)
    else:
        main(given.rounds, given.steps, given.out)
