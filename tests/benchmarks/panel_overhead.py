"""What the live panel costs a training whose steps take 5 ms, as a share of the training's time.

Run with `python -m tests.benchmarks.panel_overhead`. A real kernel runs a `fit` under its panel,
without a browser; each step of 128 samples is lengthened to 5 ms by waiting. What is counted is the
processor time of the training's thread inside the panel's hooks, messages included, so that the
figure says the same on a busy machine.
"""

import argparse
import json
import tempfile

import nbclient
import nbformat

TRAINING = """
import json, time
import numpy as np
import kernelmodel as km
from kernelmodel.notebook.live_panel import LivePanel

STEP = 0.005
spent = [0.0]

def timed(hook):
    def run(*arguments):
        start = time.thread_time()
        hook(*arguments)
        spent[0] += time.thread_time() - start
    return run

class Until(km.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        self.end = time.perf_counter() + STEP
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(max(0, self.end - time.perf_counter()))

panel = LivePanel()
for name in ("epoch_begin", "train_batch_end", "epoch_end", "test_begin", "test_batch_end"):
    setattr(panel, f"on_{name}", timed(getattr(panel, f"on_{name}")))
rng = np.random.default_rng(0)
steps, epochs = STEPS, EPOCHS
x, y = rng.random((128 * steps, 20), "float32"), rng.integers(0, 10, 128 * steps)
dense = km.layers.Dense
model = km.Sequential([km.Input((20,)), dense(64, "relu"), dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
start = time.perf_counter()
check = (x[:128], y[:128])
model.fit(x, y, 128, epochs, validation_data=check, callbacks=[Until(), panel])
seconds = time.perf_counter() - start
figures = {"seconds": seconds, "spent": spent[0], "steps": steps * epochs}
"""
PRINT = "print('FIGURES', json.dumps(figures))"


def measure(steps, epochs):
    """The figures of one training."""
    source = TRAINING.replace("STEPS", str(steps)).replace("EPOCHS", str(epochs))
    cells = [nbformat.v4.new_code_cell(text) for text in (source, PRINT)]
    book = nbformat.v4.new_notebook(cells=cells)
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            book, timeout=600, resources={"metadata": {"path": folder}}
        )
        client.execute()
    (out,) = cells[1].outputs
    return json.loads(out.text.split("FIGURES ")[1])


def main(steps=300, epochs=4):
    """Print the share for ordinary and for very short epochs; returns the first."""
    first = None
    for many, times, kind in (
        (steps, epochs, "long epochs"),
        (1, steps * epochs, "epochs of a step"),
    ):
        found = measure(many, times)
        share = found["spent"] / (found["steps"] * 0.005)
        first = share if first is None else first
        each = found["spent"] / found["steps"] * 1e6
        print(f"{kind:17} {found['steps']:6} steps  {each:6.1f} us a step  {share:.2%} of 5 ms")
    return first


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=4)
    arguments = parser.parse_args()
    main(arguments.steps, arguments.epochs)
