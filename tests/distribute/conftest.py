"""Workers for the tests: a cluster of two engines, and scripts in an MPI world of two processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from kernelmodel.distribute.start import MPI, THREADS, start_workers

# What every script begins with: models, data, and `same`, which trains a model alone and with both
# processes and gives the largest differences.
PRELUDE = """
import json, os, sys
import numpy as np
import kernelmodel as km

rng = np.random.default_rng(0)
x = rng.normal(size=(77, 6)).astype("float32")
y = rng.integers(0, 3, 77)
weights = rng.uniform(0.5, 2.0, 77).astype("float32")
strategy = km.distribute.DataParallel()
rank, count = strategy.place

def small(*layers, name="model"):
    km.utils.set_random_seed(3)
    return km.Sequential([
        km.Input((6,)), km.layers.Dense(8, activation="tanh"), *layers,
        km.layers.Dense(3, activation="softmax"),
    ])

def difference(one, two):
    pairs = list(zip(one.get_weights(), two.get_weights()))
    return max(float(np.abs(a - b).max()) for a, b in pairs)

MORE = {}  # arguments for every compile

def same(make, compiled, fitted, data=(x, y)):
    alone = make()
    alone.compile(**compiled(), **MORE)
    first = alone.fit(*data, verbose=0, **fitted())
    together = make()
    with strategy.scope():
        together.compile(**compiled(), **MORE)
    second = together.fit(*data, verbose=0, **fitted())
    logs = max(
        float(np.max(np.abs(np.subtract(first.history[name], second.history[name]))))
        for name in first.history
    )
    assert list(first.history) == list(second.history)
    return {"weights": difference(alone, together), "logs": logs}

def tell(**found):
    print("RESULT" + json.dumps({"rank": rank, **found}), flush=True)
"""


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """`run(code) -> (results of both processes, output)`: a script in an MPI world."""
    folder = tmp_path_factory.mktemp("world")

    def run(code: str, processes: int = 2, fails: bool = False) -> tuple[list[dict], str]:
        script = folder / "script.py"
        script.write_text(PRELUDE + textwrap.dedent(code))
        programs = Path(sys.executable).parent
        environment = os.environ | dict.fromkeys(THREADS, "1") | MPI
        environment["PATH"] = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
        done = subprocess.run(
            ["mpiexec", "-n", str(processes), sys.executable, str(script)],
            env=environment, capture_output=True, text=True, timeout=480, check=False,
        )  # fmt: skip
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, output
        found = [
            json.loads(line.partition("RESULT")[2])
            for line in done.stdout.splitlines()
            if "RESULT" in line
        ]
        return sorted(found, key=lambda one: one["rank"]), output

    return run


@pytest.fixture(scope="session")
def private_ipython(tmp_path_factory):
    """Files of clusters lie in a folder of the tests."""
    before = os.environ.get("IPYTHONDIR")
    os.environ["IPYTHONDIR"] = str(tmp_path_factory.mktemp("ipython"))
    yield
    if before is None:
        del os.environ["IPYTHONDIR"]
    else:
        os.environ["IPYTHONDIR"] = before


@pytest.fixture(scope="session")
def quick():
    """Options of a cluster. It learns of engines when it pings them: here not only after seconds.

    An engine that is silent for 30 s counts as dead, as it does else.
    """
    pings = {"period": 200, "max_heartmonitor_misses": 150}
    arguments = [f"--HeartMonitor.{name}={value}" for name, value in pings.items()]
    return {"log_level": 40, "controller_args": arguments}


@pytest.fixture(scope="session")
def cluster(private_ipython, quick):
    """A cluster of two engines."""
    started = start_workers(2, **quick)
    yield started
    started.stop_cluster_sync()
