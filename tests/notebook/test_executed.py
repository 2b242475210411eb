"""A notebook run by a program, with no front end for widgets: its pictures are in the file."""

import nbclient
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
