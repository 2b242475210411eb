"""Cells that train under the live panel, and where to find it in the page."""

import re

PREPARE = """
import time
import numpy as np
import kernelmodel as km

class Pace(km.callbacks.Callback):
    def __init__(self, pause, fail_at, check_pause):
        self.pause, self.fail_at, self.check_pause = pause, fail_at, check_pause

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        time.sleep(self.pause)
        if (self.epoch, batch) == self.fail_at:
            raise ValueError("a failing step")

    def on_test_batch_begin(self, batch, logs=None):
        time.sleep(self.check_pause)

def fit(name, epochs, steps, pause, fail_at=None, check_pause=0, share=0.125, metric="accuracy"):
    global model, history
    km.utils.set_random_seed(1)
    x = np.linspace(-1, 1, 8 * steps, dtype="float32")[:, None]
    y = (x[:, 0] > 0).astype("int32")
    made = km.Sequential([km.Input((1,)), km.layers.Dense(2, activation="softmax")], name=name)
    model = made  # the last one; another thread may put its own here
    metrics = [km.metrics.SparseCategoricalAccuracy(name=metric)]
    made.compile("adam", "sparse_categorical_crossentropy", metrics=metrics)
    pace = [Pace(pause, fail_at, check_pause)]
    history = made.fit(x, y, 8, epochs=epochs, validation_split=share, callbacks=pace)
    print("ENDED", time.time(), int(made.optimizer.iterations.numpy()), "steps")
    print("EVENTS", [(e["action"], e["value"]) for e in history.events])
"""


def training(name="tiny_cnn", epochs=200, steps=50, pause=0.02, **more):
    """Return the source of a cell that trains under the live panel and then prints ENDED."""
    settings = "".join(f", {key}={value!r}" for key, value in more.items())
    return f"fit({name!r}, epochs={epochs}, steps={steps}, pause={pause}{settings})"


def panel(page, name="tiny_cnn"):
    return page.get_by_role("group", name=f"Training of {name}", exact=True)


def button(page, text, name="tiny_cnn"):
    return panel(page, name).get_by_role("button", name=text, exact=True)


def pictures(page):
    """Return the still pictures that ended trainings have left, below a panel or not."""
    return page.locator(".jp-OutputArea-output img[alt*='History']")


def wait_for_pictures(page, count=1, seconds=30):
    page.wait_for_function(
        "count => document.querySelectorAll('img[alt*=History]').length === count",
        arg=count,
        timeout=1000 * seconds,
    )


def alternative(page):
    """Return what the only picture says to screen readers."""
    wait_for_pictures(page)
    return pictures(page).get_attribute("alt")


def when_training(page, name="tiny_cnn"):
    """Wait until the panel draws curves."""
    panel(page, name).locator(".km-plot").nth(1).wait_for(timeout=30_000)
    return panel(page, name)


def seconds_until_ended(notebook, clicked):
    said = notebook.page.locator(".jp-OutputArea-output").filter(has_text="ENDED")
    said.first.wait_for(timeout=10_000)
    return float(re.findall(r"ENDED ([\d.]+)", notebook.output())[-1]) - clicked
