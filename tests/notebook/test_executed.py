"""A notebook run by a program, with no front end for widgets: its pictures are in the file."""

import subprocess
import sys

import nbclient
import nbconvert
import nbformat
import pytest

TRAINING = """
import time
from kernelmodel.notebook.live_panel import LivePanel
panel = LivePanel(title="tiny")
panel.set_params({"epochs": 2, "steps": 3})
panel.on_train_begin()
for epoch in range(2):
    panel.on_epoch_begin(epoch)
    for step in range(3):
        time.sleep(0.05)
        panel.on_train_batch_end(step, {"loss": 1 / (step + 1)})
    panel.on_epoch_end(epoch, {"loss": 0.5 - epoch / 4})
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["panel.on_train_end()", "raise ValueError('bad')"])
def test_the_file_holds_the_picture_and_no_widget(tmp_path, monkeypatch, end):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    cell = nbformat.v4.new_code_cell(TRAINING + end)
    cell.metadata["tags"] = ["raises-exception"]
    book = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(book, timeout=60, kernel_name="python3").execute()
    (picture,) = [out for out in cell.outputs if out.output_type == "display_data"]
    assert set(picture.data) == {"text/html", "image/svg+xml", "text/plain"}
    assert picture.data["text/plain"].startswith("<History: 2 epochs; loss 0.5 -> 0.25")
    assert ("ValueError at epoch 2" in picture.data["text/plain"]) == ("raise" in end)


GRAPHS = """
import numpy as np
import kernelmodel as km
km.utils.clear_session()
model = km.Sequential([km.Input((4,), name="x"), km.layers.Dense(2, name="y")], name="tiny")
model
"""


@pytest.mark.slow
def test_a_graph_is_a_picture_in_files_that_programs_make(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    sources = [GRAPHS, "model.graph(x=np.ones((3, 4)))", "km.utils.plot_model(model, None)"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    as_saved, _ = nbconvert.HTMLExporter().from_notebook_node(book)
    assert "data-km-place" not in as_saved
    nbclient.NotebookClient(book, timeout=60, kernel_name="python3").execute()
    shown = [cell.outputs[0].data for cell in book.cells]
    assert all(set(data) == {"text/html", "image/svg+xml", "text/plain"} for data in shown)
    texts = ["<Graph of tiny: 2 layers, 1 connection>"] * 2 + ["<Picture of tiny>"]
    assert [data["text/plain"] for data in shown] == texts
    assert "widgets" not in book.metadata, "no widget was made, so none is kept"
    page, _ = nbconvert.HTMLExporter().from_notebook_node(book)
    assert page.count(" of tiny") >= 3 and page.count("<img ") == 3
    assert page.count("data-km-place") == 2 and "widget-state" not in page


LOOKING = [
    """
import numpy as np
import kernelmodel as km
model = km.Sequential([km.Input((8, 8, 1)), km.layers.Conv2D(2, 3, name="conv"),
                       km.layers.Flatten(), km.layers.Dense(2, "softmax")], name="tiny")
model.compile("sgd", "sparse_categorical_crossentropy")
x, y = np.random.default_rng(0).random((8, 8, 8, 1)), np.arange(8) % 2
history = model.fit(x, y, epochs=2, verbose=0)
km.notebook.Playground(model, x=x)
""",
    "history.plot()",
    "history.plot(backend='matplotlib')",
    "km.explain.plot_heatmaps(x[:2], km.explain.saliency(model, x[:2]))",
]


@pytest.mark.slow
def test_playground_history_and_explain_are_pictures_in_files(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in LOOKING])
    nbclient.NotebookClient(book, timeout=60, kernel_name="python3").execute()
    shown = [cell.outputs[-1].data for cell in book.cells]
    still = {"text/html", "image/svg+xml", "text/plain"}
    png = {"image/png", "text/plain"}
    plotly = "application/vnd.plotly.v1+json"
    assert [set(data) for data in shown] == [still, still | {plotly}, png, png]
    assert shown[0]["text/plain"].startswith("<Playground of tiny: a drawing for input -> ")
    assert shown[1]["text/plain"] == shown[2]["text/plain"]
    assert shown[3]["text/plain"] == "<Figure: heat on 2 images of 8 x 8>"
    assert "widgets" not in book.metadata
    page, _ = nbconvert.HTMLExporter().from_notebook_node(book)
    assert page.count("<img ") == 4
    assert "widget-state" not in page and "cdn.plot.ly" not in page


def test_a_terminal_shows_text(tmp_path):
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c"]
    source = f"{GRAPHS.rstrip().removesuffix('model')}print(repr(model.graph())); display(model)"
    done = subprocess.run(
        [*command, source], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "<Graph of tiny: 2 layers, 1 connection>" in done.stdout
    assert "<Sequential name=tiny, built=True>" in done.stdout
