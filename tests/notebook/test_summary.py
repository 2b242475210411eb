"""The kernel's half of the live summary, and what a notebook saves of it."""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import graph_models
import nbclient
import nbconvert
import nbformat
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.core.watching import WATCHERS
from kernelmodel.models.summary import Summary
from kernelmodel.notebook.summary import measured
from kernelmodel.notebook.summary.table import summary_html
from kernelmodel.notebook.summary.view import LiveSummary, summary_bundle

L = km.layers
NASTY = graph_models.NASTY


@pytest.fixture
def live() -> Any:
    """Make live summaries, and close them."""
    made: list[LiveSummary] = []

    def make(model: Any, **options: Any) -> LiveSummary:
        made.append(LiveSummary(Summary(model, **options), False, f"key{len(made)}"))
        return made[-1]

    yield make
    for one in made:
        one.close()
    assert not [w for w in WATCHERS if w in [one.watched.monitor for one in made]]


def compiled(model: Any) -> Any:
    model.compile("adam", "mse")
    return model


def until(condition: Any) -> None:
    """Wait for a thread."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ---- what is saved


def test_the_table() -> None:
    summary = Summary(compiled(graph_models.twins()))
    root = ElementTree.fromstring(summary_html(summary, show_trainable=True).replace("<br>", " "))
    heads = ["Layer", "Type", "Output shape", "Parameters", "Weights", "Activations", "FLOPs",
             "Connected to", "Trainable"]  # fmt: skip
    assert [cell.text for cell in root.iter("th")] == heads
    rows = [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")][1:]
    assert rows[2] == ["encoder", "Model", "(None, 144)", "516", "2.02 KB", "22.25 KB", "275 k",
                       "left right", "yes"]  # fmt: skip
    text = "".join(root.itertext())
    assert "1,961 parameters (7.66 KB) · 1,961 trainable · 0 not trainable" in text
    assert "one sample: 278 k FLOPs" in text


def test_every_string_is_escaped() -> None:
    model = compiled(graph_models.odd_names())
    monitor = km.callbacks.LayerMonitor(every=1, verbose=0)
    model.fit(np.ones((8, 4)), np.ones((8, 4)), verbose=0, callbacks=[monitor])
    monitor.layers[next(iter(monitor.layers))].warnings = ["dead"]
    html = summary_html(Summary(model)) + measured.measured_html(monitor, [NASTY])
    assert "<img" not in html and html.count("&lt;img src=x") >= 4
    html = re.sub("<br>|<!--.*?-->", "", html)
    ElementTree.fromstring(f"<div>{html}</div>")


def test_the_saved_table_stays_and_what_was_measured_follows_it(live: Any) -> None:
    model = compiled(graph_models.twins())
    shown = live(model)
    table = summary_bundle(Summary(model))
    before = shown.bundle()
    assert before["text/plain"] == table["text/plain"] and measured.BEGIN not in before["text/html"]
    x = np.random.default_rng(0).normal(size=(2, 4, 16, 16, 3)).astype("float32")
    model.fit(list(x), [np.ones((4, 1)), np.ones((4, 4))], verbose=0)
    model.get_layer("encoder").trainable = False
    shown.look()
    after = shown.bundle()
    assert after["text/plain"] == table["text/plain"]
    pattern = re.escape(measured.BEGIN) + r"[\s\S]*?" + re.escape(measured.END)
    assert re.sub(pattern, "", after["text/html"]) == before["text/html"], "as nbval compares it"
    told = re.findall(pattern, after["text/html"])[0]
    for words in ("encoder/block/edges", "Measured after step 1", "Trainable now: encoder: no"):
        assert words in told


EXECUTED = """
import numpy as np
import kernelmodel as km
model = km.Sequential([km.Input((4,), name="x"), km.layers.Dense(2, "relu", name="y")], name="tiny")
model.compile("sgd", "mse")
model.summary()
"""
TRAINED = "model.fit(np.ones((64, 4)), np.ones((64, 2)), epochs=3, verbose=0);"


def executed(tmp_path: Path, monkeypatch: Any, in_browser: bool) -> Any:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    if in_browser:
        monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(c) for c in (EXECUTED, TRAINED)]
    )
    nbclient.NotebookClient(book, timeout=60, kernel_name="python3").execute()
    return book


@pytest.mark.slow
def test_a_notebook_that_a_program_runs_has_the_table_alone(
    tmp_path: Any, monkeypatch: Any
) -> None:
    book = executed(tmp_path, monkeypatch, in_browser=False)
    (shown,) = book.cells[0].outputs
    assert set(shown.data) == {"text/html", "text/plain"} and "widgets" not in book.metadata
    assert 'data-km-place="still"' in shown.data["text/html"]
    assert measured.BEGIN not in shown.data["text/html"]
    assert shown.data["text/plain"].startswith('Model: "tiny"')
    page, _ = nbconvert.HTMLExporter().from_notebook_node(book)
    assert page.count("(None, 2)") == 1 and "<b>y</b>" in page


@pytest.mark.slow
def test_with_a_browser_the_file_keeps_what_was_measured_last(
    tmp_path: Any, monkeypatch: Any
) -> None:
    book = executed(tmp_path, monkeypatch, in_browser=True)
    (shown,) = book.cells[0].outputs
    assert set(shown.data) == {"text/html", "text/plain"}
    html = shown.data["text/html"]
    assert re.search('data-km-place="[0-9a-f]{32}"', html) and "Measured after step" in html
    assert "<script" not in html and "widget-view" not in json.dumps(shown)
    page, _ = nbconvert.HTMLExporter().from_notebook_node(book)
    assert "Measured after step" in page


def test_text_in_terminals(capsys: Any) -> None:
    graph_models.one_layer().summary()
    out = capsys.readouterr().out
    assert re.search(r"Param # .* Weights .* Activations .* FLOPs", out)
    assert " FLOPs for one sample: 18\n" in out


# ---- what is shown live


def test_rows_and_state(live: Any) -> None:
    model = compiled(graph_models.twins())
    widget = live(model, expand_nested=True).widget
    rows = {row[3]: row for row in widget._rows}
    assert rows["edges"][:5] == ["2/1/1", 2, False, "edges", "Conv2D"] and rows["edges"][11]
    assert rows["tail"][2] is True and not rows["flat"][11]
    assert widget._connected and widget._expanded and widget._measured == {}
    assert set(widget._state["trainable"].values()) == {True} and widget._state["waiting"] == []
    assert widget._state["totals"][0].startswith("1,961 parameters")
    json.dumps([widget._rows, widget._state])


def test_a_range_shows_those_rows_and_what_is_in_them(live: Any) -> None:
    widget = live(graph_models.twins(), layer_range=("encoder", "both")).widget
    shown = [row[3] for row in widget._rows]
    assert shown[0] == "encoder" and shown[-1] == "both" and "edges" in shown
    assert "left" not in shown and "same" not in shown


def test_the_switch_sets_trainable(live: Any) -> None:
    model = compiled(graph_models.twins())
    shown = live(model)
    encoder = model.get_layer("encoder")
    shown.receive(None, {"type": "trainable", "id": "2", "value": False})
    until(lambda: shown.widget._state["waiting"])
    assert not encoder.trainable and not encoder.get_layer("block").get_layer("edges").trainable
    assert shown.widget._state["trainable"]["2/1/1"] is False, "all that is in it follows"
    assert "2/1/1" in shown.widget._state["waiting"]
    assert "1,445 trainable · 516 not" in shown.widget._state["totals"][0]
    model.compile("adam", "mse")
    shown.look()
    assert shown.widget._state["waiting"] == []


@pytest.mark.parametrize(
    "message",
    [None, "x", {}, {"type": "trainable"}, {"type": "trainable", "id": "99", "value": False},
     {"type": "trainable", "id": "2", "value": "no"}, {"type": "open"}, {"type": ["closed"]}],
)  # fmt: skip
def test_what_isnt_understood_is_ignored(live: Any, message: Any) -> None:
    model = graph_models.twins()
    live(model).receive(None, message)
    assert all(layer.trainable for layer in model.layers)


def test_a_flag_set_in_a_step_is_not_lost(live: Any) -> None:
    """The step has the flags of compile(); a switch that is moved meanwhile keeps its wish."""
    model = compiled(graph_models.one_layer())
    shown = live(model)
    layer = model.layers[0]
    inside, go = threading.Event(), threading.Event()

    class Slow(km.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            inside.set()
            go.wait(5)
            return km.ops.mean(y_pred, axis=-1)

    layer.trainable = False
    model.compile("sgd", Slow())
    layer.trainable = True
    model.optimizer.build(model.trainable_variables)
    x = np.ones((1, 4), "float32")
    trainer = threading.Thread(target=model.train_on_batch, args=(x, np.ones((1, 2))))
    trainer.start()
    inside.wait(5)
    shown.receive(None, {"type": "trainable", "id": "0", "value": False})
    time.sleep(0.05)
    go.set()
    trainer.join(10)
    until(lambda: not layer.trainable)
    time.sleep(0.05)
    assert not layer.trainable


def test_what_is_measured_reaches_the_browser(live: Any) -> None:
    model = compiled(graph_models.twins())
    shown = live(model)
    x = np.random.default_rng(0).normal(size=(2, 4, 16, 16, 3)).astype("float32")
    model.train_on_batch(list(x), [np.ones((4, 1)), np.ones((4, 4))])
    shown.look()
    told = shown.widget._measured
    edges = told["rows"]["2/1/1"]
    assert told["step"] == 1 and told["note"] == "" and told["warnings"] == []
    assert re.fullmatch("[0-9a-z]{20}", edges["weights"][0]) and "z" in edges["gradients"][0]
    assert edges["dead"].endswith("%") and edges["saturated"] == "-" and edges["kinds"] == []
    whole = np.hypot(*(float(told["rows"][key]["norm"]) for key in ("2/1/1", "2/2/0")))
    assert float(told["rows"]["2"]["norm"]) == pytest.approx(whole, rel=0.1)
    json.dumps(told, allow_nan=False)


def test_it_measures_while_a_view_is_open(live: Any) -> None:
    model = graph_models.one_layer()
    first, second = live(model), live(model)
    monitor = first.watched.monitor
    assert second.watched is first.watched and monitor in WATCHERS, "measured once"
    for shown, view in ((first, "a"), (second, "b")):
        shown.receive(None, {"type": "open", "view": view})
    first.receive(None, {"type": "closed", "view": "a"})
    assert monitor in WATCHERS
    second.receive(None, {"type": "closed", "view": "b"})
    assert monitor not in WATCHERS
    second.receive(None, {"type": "open", "view": "c"})
    assert monitor in WATCHERS
    second.receive(None, {"type": "closed", "view": "c"})
