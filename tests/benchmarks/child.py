"""What runs in a fresh process of one library; prints figures as a line of JSON."""

import time

BEGUN = time.perf_counter()

import gc  # noqa: E402 - the clock starts first
import importlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import tracemalloc  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

Make = Callable[[], Any]
MEGABYTE = 2**20


def peak_megabytes() -> float:
    """The most memory that this process ever held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE


def resident_megabytes() -> float:
    """The memory that it holds now; the peak where the system doesn't tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except FileNotFoundError:
        return peak_megabytes()
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def train(make: Make, workload: Any, warm: float = 0.0, epochs: int = 2) -> dict[str, float]:
    """From nothing to the first epoch; milliseconds a step after `warm` seconds more; the peak."""
    began = time.perf_counter()
    x, y = workload.data()
    data = time.perf_counter() - began
    run = make()
    run.fit(x, y)
    first = time.perf_counter() - BEGUN - data
    began = time.perf_counter()
    while time.perf_counter() - began < warm:
        run.fit(x, y)
    began = time.perf_counter()
    for _ in range(epochs):
        run.fit(x, y)
    took = time.perf_counter() - began
    return {
        "curve": first, "ms": 1e3 * took / (epochs * workload.steps), "peak": peak_megabytes()
    }  # fmt: skip


def serve(make: Make, workload: Any, batches: int = 600, calls: int = 200) -> dict[str, float]:
    """Milliseconds a batch of `predict`, and of calls with one sample."""
    x, _ = workload.data()
    x = x[: 32 * batches]
    run = make()
    for warm in (x, x[:1]):
        run.predict(warm, 32)
    run.call(x[:1])
    began = time.perf_counter()
    run.predict(x, 32)
    found = {"predict": 1e3 * (time.perf_counter() - began) / (len(x) / 32)}
    for name, call in {
        "call": lambda: run.call(x[:1]),
        "one": lambda: run.predict(x[:1], 32),
    }.items():
        times = []
        for _ in range(calls):
            began = time.perf_counter()
            call()
            times.append(time.perf_counter() - began)
        found[name] = 1e3 * statistics.median(times)
    return found


def grows(make: Make, workload: Any, count: int, rebuild: bool) -> dict[str, float]:
    """What is left of memory after many calls, or after many models, in megabytes.

    Args:
        make: Makes the run.
        workload: What it is.
        count: How many.
        rebuild: Build, fit and drop a model each time, in place of one-row `predict` calls.
    """
    x, y = workload.data()
    run = None if rebuild else make()

    def once() -> None:
        if run is None:
            make().fit(x, y)
        else:
            run.predict(x[:1], 32)

    for _ in range(max(3, count // 10)):
        once()
    gc.collect()
    resident = resident_megabytes()
    for _ in range(count):
        once()
    gc.collect()
    found = {"resident": resident_megabytes() - resident}
    tracemalloc.start()
    for _ in range(10):
        once()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(max(1, count // 10)):
        once()
    gc.collect()
    return {**found, "traced": (tracemalloc.get_traced_memory()[0] - before) / MEGABYTE}


def scale(make: Make, workload: Any) -> dict[str, float]:
    """Milliseconds a step after a first epoch."""
    x, y = workload.data()
    run = make()
    run.fit(x, y)
    began = time.perf_counter()
    run.fit(x, y)
    return {"ms": 1e3 * (time.perf_counter() - began) / workload.steps}


def main(job: dict[str, Any]) -> dict[str, float]:
    """Do a job; see `libraries.run`."""
    threads = job["options"].pop("threads", None)
    if threads:  # before any library counts the processors
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    library = importlib.import_module(job["module"])
    from tests.benchmarks.workloads import Workload

    workload = Workload(**job["workload"])
    adapter = importlib.import_module(f"tests.benchmarks.{job['adapter']}")
    task = {"train": train, "serve": serve, "grows": grows, "scale": scale}[job["task"]]
    return task(lambda: adapter.Run(workload, library), workload, **job["options"])


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
