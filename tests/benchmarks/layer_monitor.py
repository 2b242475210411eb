"""What it costs a training that its layers are watched.

Run with `python -m tests.benchmarks.layer_monitor`. Two copies of a model train in turns in the
same process, one of them watched by a live summary; each turn lasts at least a second, so that the
watched one is measured as often as in a long training. The processor's time is compared, which
other programs on the machine disturb less. "off / off" compares two copies that are both not
watched: the ratio that chance alone gives.
"""

import argparse
import statistics
import threading
import time
from dataclasses import replace

import numpy as np

import kernelmodel as km
from kernelmodel.models.summary import Summary
from kernelmodel.notebook.cell_watch import LOOK_SECONDS
from kernelmodel.notebook.summary.view import LiveSummary
from tests.benchmarks.keras_like import Run
from tests.benchmarks.workloads import WORKLOADS

NAMES = ("mlp_small", "mlp_wide", "cnn", "lstm", "deep")


def make(name, steps):
    """Return a compiled model, its data and its batch size."""
    if name != "deep":
        workload = replace(WORKLOADS[name], steps=steps)
        return Run(workload, km).model, *workload.data(), workload.batch
    layers, rng = km.layers, np.random.default_rng(0)
    stack = [layer for _ in range(100) for layer in
             (layers.Dense(32, activation="relu"), layers.LayerNormalization())]  # fmt: skip
    model = km.Sequential([km.Input((32,)), *stack, layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, rng.random((32 * steps, 32), "float32"), rng.integers(0, 10, 32 * steps), 32


def seconds_a_step(model, x, y, batch, live, least):
    """Train for at least some seconds; return the processor's seconds a step took."""
    over = threading.Event()
    if live is not None:
        live.watched.opened("view")
        threading.Thread(target=look_on, args=(live, over), daemon=True).start()
    steps, begun, worked = 0, time.perf_counter(), time.process_time()
    while not steps or time.perf_counter() - begun < least:
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
        steps += len(x) // batch
    took = time.process_time() - worked
    over.set()
    if live is not None:
        live.watched.closed("view")
    return took / steps


def look_on(live, over):
    """Make what was measured ready for the browser, as often as in a cell."""
    while not over.wait(LOOK_SECONDS):
        live.look()


def ratios(name, rounds, steps, least, watch):
    """Return the times of the second copy over those of the first, round by round."""
    copies = [make(name, steps) for _ in range(2)]
    for one in copies:
        one[0].fit(one[1], one[2], batch_size=one[3], epochs=1, verbose=0)
    live = None
    if watch:
        live = LiveSummary(Summary(copies[1][0]), False, "benchmark")
        live.receive(None, {"type": "closed", "view": "benchmark"})
    found = []
    for number in range(rounds):
        order = (0, 1) if number % 2 else (1, 0)
        times = {i: seconds_a_step(*copies[i], live if i else None, least) for i in order}
        found.append((times[1] / times[0], times[0]))
    return found, live.watched.monitor.measured if watch else 0


def main(rounds=8, steps=20, names=NAMES, least=1.0):
    """Print a table of medians and quartiles of the ratios."""
    print("| workload | step ms | off / off | on / off (quartiles) | measurements |")
    print("| --- | --- | --- | --- | --- |")
    for name in names:
        off, _ = ratios(name, rounds, steps, least, watch=False)
        on, measured = ratios(name, rounds, steps, least, watch=True)
        quotients = sorted(ratio for ratio, _ in on)
        low, high = quotients[len(quotients) // 4], quotients[(3 * len(quotients)) // 4]
        middle = statistics.median(quotients)
        chance = statistics.median(ratio for ratio, _ in off)
        step = 1e3 * statistics.median(seconds for _, seconds in on)
        told = f"{middle:.3f} ({low:.3f} to {high:.3f})"
        print(f"| {name} | {step:.2f} | {chance:.3f} | {told} | {measured} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    arguments = parser.parse_args()
    main(arguments.rounds)
