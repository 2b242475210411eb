"""The live panel where there is no notebook, and in files made of one."""

import os
import re
import subprocess
import sys

import nbclient
import nbformat
import pytest
from nbconvert import HTMLExporter

TRAIN = """
import numpy as np
import kernelmodel as km
model = km.Sequential([km.Input((1,)), km.layers.Dense(1)], name="line")
model.compile("sgd", "mse")
x = np.ones((8, 1))
"""
FIT = "history = model.fit(x, x, epochs=2, callbacks=[km.callbacks.LivePanel()], verbose=2)\n"


def run(*arguments, **more):
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, **more
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_script_trains_with_its_progress_lines():
    code = TRAIN + FIT + "print(history.events, 'anywidget' in __import__('sys').modules)"
    out = run("-c", code)
    assert "Epoch 2/2" in out and "loss" in out and "[] False" in out


def test_the_weights_of_epochs_come_back_in_a_script_too():
    code = TRAIN + (
        "panel = km.callbacks.LivePanel()\n"
        "model.fit(x, x, epochs=3, callbacks=[panel], verbose=0)\n"
        "last = model.get_weights()[0].copy()\n"
        "panel.roll_back(0)\n"
        "print(panel.kept_epochs, bool((model.get_weights()[0] != last).all()))"
    )
    assert run("-c", code).strip() == "[0, 1, 2] True"


def test_an_ipython_terminal_trains_with_its_progress_lines(tmp_path):
    out = run(
        *("-m", "IPython", "--no-banner", "--colors=nocolor", "-c", TRAIN + FIT),
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
    )
    assert "Epoch 2/2" in out and "Traceback" not in out


@pytest.mark.slow
@pytest.mark.parametrize("executed", [True, False])
def test_nbconvert_shows_the_picture_and_no_script_of_ours(tmp_path, monkeypatch, executed):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    fit = "model.fit(x, x, epochs=2);"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(TRAIN + fit)])
    if executed:
        nbclient.NotebookClient(book, timeout=60, kernel_name="python3").execute()
    page, _ = HTMLExporter().from_notebook_node(book)
    (main,) = re.findall(r"<main>.*?</main>", page, re.S)
    assert ("data:image/svg+xml;base64" in main or "<svg" in main) == executed
    assert ("Training curves of line" in main or "line: &lt;History" in main) == executed
    assert "<script" not in main and "widget-view" not in main


@pytest.mark.slow
def test_verbose_0_shows_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    cell = nbformat.v4.new_code_cell(TRAIN + "model.fit(x, x, epochs=2, verbose=0);")
    book = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(book, timeout=60, kernel_name="python3").execute()
    assert cell.outputs == []
