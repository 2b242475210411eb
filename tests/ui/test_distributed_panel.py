"""A training by the engines of a cluster, watched and stopped in a real JupyterLab."""

import pytest
from ui.panel_training import button, when_training

pytestmark = [pytest.mark.ui, pytest.mark.slow]

START = """
import numpy as np, kernelmodel as km
cluster = km.distribute.start_workers(2, log_level=40)
rng = np.random.default_rng(0)
x = rng.normal(size=(400_000, 6)).astype("float32")
y = (x[:, :1] > 0).astype("float32")
layers = [km.Input((6,)), km.layers.Dense(8, "relu"), km.layers.Dense(1)]
model = km.Sequential(layers, name="shared")
with km.distribute.DataParallel(cluster).scope():
    model.compile("adam", "mse", metrics=["mae"])
"""
FIT = "history = model.fit(x, y, batch_size=16, epochs=50)"
AFTER = (
    "print('reached', 0 < int(model.optimizer.iterations) < 25_000); cluster.stop_cluster_sync()"
)


def test_the_panel_shows_all_workers_and_stops_them(notebook):
    book = notebook("distributed.ipynb", [START, FIT, AFTER]).run_all()
    shown = when_training(book.page, "shared")
    shown.get_by_text("samples/s").first.wait_for(timeout=60_000)
    shown.locator("path.km-line, .km-plot path").first.wait_for(state="attached")
    button(book.page, "Stop", "shared").click()
    book.page.get_by_text("reached True").wait_for(timeout=60_000)
