"""Data sets that are defined in a notebook's cell, in a real kernel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

SETUP = """
import multiprocessing, os, threading, time
import numpy as np
import kernelmodel as km

class Mine(km.utils.PyDataset):
    def __init__(self, number):
        super().__init__(workers=2, use_multiprocessing=True)
        self.number = number
    def __len__(self):
        return self.number
    def __getitem__(self, index):
        time.sleep(0.02)
        return np.full((2, 1), index, "float32"), np.full((2, 1), os.getpid(), "float32")

made_in = set()

class Noting(km.Model):
    def __init__(self):
        super().__init__()
        self.dense = km.layers.Dense(1)
    def call(self, x):
        return self.dense(x)
    def train_step(self, data):
        made_in.add(int(data[1][0, 0]))
        return super().train_step(data)

def left():
    loading = [t.name for t in threading.enumerate() if "kernelmodel-data" in t.name]
    return loading + multiprocessing.active_children()

model = Noting()
model.compile(km.optimizers.SGD(0.0), "mse")
"""


@pytest.fixture
def run() -> Iterator[Any]:
    """A function that runs a cell and gives what it printed; and the kernel."""
    manager, client = start_new_kernel(kernel_name="python3")

    def cell(code: str, interrupt_after: float | None = None) -> str:
        printed: list[str] = []

        def hear(message: Any) -> None:
            content = message["content"]
            printed.append(content.get("text", "") or "\n".join(content.get("traceback", [])))

        if interrupt_after is None:
            client.execute_interactive(code, output_hook=hear, timeout=120)
        else:
            client.execute(code)
            time.sleep(interrupt_after)
            manager.interrupt_kernel()
            while True:
                message = client.get_iopub_msg(timeout=60)
                if message["header"]["msg_type"] == "status":
                    if message["content"]["execution_state"] == "idle":
                        break
                else:
                    hear(message)
        return "".join(printed)

    yield cell
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_processes_and_the_kernels_interrupt(run: Any) -> None:
    assert run(SETUP) == ""
    run("model.fit(Mine(8), verbose=0)")
    assert run("print(len(made_in), os.getpid() in made_in, left())") == "2 False []\n"
    out = run("history = model.fit(Mine(100_000), verbose=0)\nprint(type(history).__name__)", 1.5)
    assert "Training was interrupted" in out
    assert "KeyboardInterrupt" not in out
    assert run("print(history is model.history, left())") == "True []\n"
