"""Milliseconds of a training step with `fit`, beside Keras on JAX when that is installed.

Run with `python -m tests.benchmarks.train_step`. Each library trains the same model on the same
data in its own process; the processes take turns.
"""

import argparse
import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

WORKLOADS = ("mlp_small", "mlp_wide", "cnn", "lstm")


def model_and_data(library, name, steps):
    """A compiled model, its data and its batch size."""
    import numpy as np

    layers, rng = library.layers, np.random.default_rng(0)
    if name.startswith("mlp"):
        width, batch = (32, 32) if name == "mlp_small" else (512, 128)
        x = rng.random((batch * steps, 784), "float32")
        stack = [library.Input((784,)), layers.Dense(width, activation="relu"), layers.Dropout(0.2)]
        stack += [layers.Dense(width, activation="relu"), layers.Dense(10, activation="softmax")]
    elif name == "cnn":
        batch = 128
        x = rng.random((batch * steps, 28, 28, 1), "float32")
        stack = [library.Input((28, 28, 1)), layers.Conv2D(32, 3, activation="relu")]
        stack += [layers.MaxPooling2D(), layers.Conv2D(64, 3, activation="relu")]
        stack += [layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.5)]
        stack += [layers.Dense(10, activation="softmax")]
    else:
        batch = 32
        x = rng.integers(1, 20000, (batch * steps, 80)).astype("int32")
        stack = [library.Input((80,), dtype="int32"), layers.Embedding(20000, 64), layers.LSTM(64)]
        stack += [layers.Dense(10, activation="softmax")]
    model = library.Sequential(stack)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, rng.integers(0, 10, batch * steps), batch


def child(module, name, steps):
    """Train in this process; prints the milliseconds a step of the second epoch."""
    library = importlib.import_module(module)
    model, x, y, batch = model_and_data(library, name, steps)
    model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
    start = time.perf_counter()
    model.fit(x, y, batch_size=batch, epochs=2, verbose=0)
    print(json.dumps((time.perf_counter() - start) / (2 * steps) * 1e3))


def measure(module, name, steps):
    """Milliseconds a step of a library, in a fresh process."""
    code = f"from tests.benchmarks.train_step import child; child({module!r}, {name!r}, {steps})"
    out = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "jax"},
    )
    return json.loads(out.stdout.strip().splitlines()[-1])


def main(rounds=3, steps=60, names=WORKLOADS):
    """Print a table of medians and ratios."""
    found = all(importlib.util.find_spec(name) for name in ("keras", "jax"))
    peers = ["keras"] if found else []
    print("| workload | kernelmodel ms | keras-jax ms | ratio (min, median, max) |")
    print("| --- | --- | --- | --- |")
    for name in names:
        rows = [[measure(m, name, steps) for m in ("kernelmodel", *peers)] for _ in range(rounds)]
        ours = statistics.median(row[0] for row in rows)
        if peers:
            ratios = sorted(row[0] / row[1] for row in rows)
            other = f"{statistics.median(row[1] for row in rows):.2f}"
            ratio = f"{ratios[0]:.2f}, {statistics.median(ratios):.2f}, {ratios[-1]:.2f}"
        else:
            other, ratio = "-", "-"
        print(f"| {name} | {ours:.2f} | {other} | {ratio} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    arguments = parser.parse_args()
    main(arguments.rounds, arguments.steps)
