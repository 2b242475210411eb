"""`history.plot()` and `history.frame()`: values where they belong, in every backend."""

from __future__ import annotations

import builtins
import json
import math
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.notebook.display import history_repr
from kernelmodel.notebook.history_plot import ON_ANY

NASTY = "<img src=x onerror=alert(1)>"


def history(epochs: int = 6, every: int = 1, first: int = 0, name: str = "loss") -> Any:
    made = km.callbacks.History()
    for epoch in range(first, first + epochs):
        logs = {name: 1 / (1 + epoch), "accuracy": epoch / 10}
        if (epoch + 1) % every == 0:
            logs |= {f"val_{name}": abs(epoch - 3.0) + 1, "val_accuracy": epoch / 12}
        made.on_epoch_end(epoch, logs)
    return made


def traces(figure: Any) -> dict[tuple[str, str], Any]:
    titles = {a.text: a for a in figure.layout.annotations}
    axes = {}
    for i, title in enumerate(titles):
        axes["y" if i == 0 else f"y{i + 1}"] = title
    return {(axes[t.yaxis], t.name): t for t in figure.data}


def test_each_metric_has_a_plot_of_training_against_validation() -> None:
    figure = history().plot()
    found = traces(figure)
    assert set(found) == {
        (metric, kind) for metric in ("loss", "accuracy") for kind in ("training", "validation")
    }
    assert list(found["loss", "validation"].x) == [1, 2, 3, 4, 5, 6]
    assert list(found["loss", "validation"].y) == [4, 3, 2, 1, 2, 3]
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert [line.x0 for line in lines] == [4, 4], "the best epoch, in each plot"
    assert "best epoch 4" in figure.layout.title.subtitle.text
    assert repr(figure) == "<Figure: loss, accuracy over 6 epochs, best epoch 4>"


def test_the_two_backends_show_the_same_values() -> None:
    made = history(every=2)
    explored = traces(made.plot())
    printed = made.plot(backend="matplotlib")
    for axes in printed.axes:
        for line in axes.get_lines():
            if line.get_label() in ("training", "validation"):
                trace = explored[axes.get_title(), line.get_label()]
                np.testing.assert_array_equal(line.get_xdata(), trace.x)
                np.testing.assert_array_equal(line.get_ydata(), trace.y)
    assert list(explored["loss", "validation"].x) == [2, 4, 6], "validated every second epoch"


def test_metrics_can_be_chosen() -> None:
    figure = history().plot("val_accuracy", monitor="val_accuracy")
    assert {metric for metric, _ in traces(figure)} == {"accuracy"}
    assert figure.layout.shapes[0].x0 == 6, "of an accuracy the largest is the best"
    two = history().plot(["accuracy", "loss"])
    assert [a.text for a in two.layout.annotations] == ["accuracy", "loss"]
    worst = history().plot(monitor="val_loss", mode="max")
    assert worst.layout.shapes[0].x0 == 1


def test_logarithmic_axes() -> None:
    both = history().plot(log=True)
    assert both.layout.yaxis.type == both.layout.yaxis2.type == "log"
    one = history().plot(log="loss")
    assert (one.layout.yaxis.type, one.layout.yaxis2.type) == ("log", "linear")
    printed = history().plot(log=["loss"], backend="matplotlib")
    assert [axes.get_yscale() for axes in printed.axes] == ["log", "linear"]
    words = list(re.findall(r">([^<>]+)</text>", printed.svg()))
    assert "0.5" in words and not any("mathdefault" in word for word in words)


def test_refusals_name_what_there_is() -> None:
    with pytest.raises(ValueError, match="Did you mean 'accuracy'"):
        history().plot("acuracy")
    with pytest.raises(ValueError, match="'plotly', 'matplotlib'"):
        history().plot(backend="bokeh")
    with pytest.raises(ValueError, match="no values yet"):
        km.callbacks.History().plot()
    with pytest.raises(ValueError, match="Did you mean 'val_loss'"):
        history().plot(monitor="vall_loss")
    with pytest.raises(ValueError, match="mode='max'"):
        history(name="score").plot(monitor="score")
    with pytest.raises(ValueError, match="`mode`"):
        history().plot(mode="least")


@pytest.mark.parametrize("backend", ["plotly", "matplotlib"])
@pytest.mark.parametrize(
    "values", [[1.0], [math.nan] * 3, [1.0, math.inf, 2.0], [0.0] * 400, [-1.0, 2.0]]
)
def test_values_of_any_kind(backend: str, values: list[float]) -> None:
    made = km.callbacks.History()
    for epoch, value in enumerate(values):
        made.on_epoch_end(epoch, {"loss": value})
    bundle = made.plot(backend=backend)._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    json.dumps(data.get("application/vnd.plotly.v1+json"), allow_nan=False)


def test_what_a_notebook_keeps() -> None:
    figure = history().plot()
    bundle = figure._repr_mimebundle_()
    assert set(bundle) == {
        *("application/vnd.plotly.v1+json", "text/html", "image/svg+xml", "text/plain"),
    }
    assert bundle == history().plot()._repr_mimebundle_(), "the same again"
    assert figure._ipython_display_ is None, "or plotly would show it without the still picture"
    assert bundle["text/html"].startswith("<img ") and bundle["text/html"].count("<") == 1
    names = {e.tag.split("}")[1] for e in ElementTree.fromstring(bundle["image/svg+xml"]).iter()}
    assert not names & {"script", "image", "a", "foreignObject"}
    whole = json.dumps(bundle)
    assert "cdn" not in whole and "plot.ly" not in whole
    assert bundle["application/vnd.plotly.v1+json"]["config"]["displaylogo"] is False
    assert len(whole) < 120_000


def test_names_are_no_markup() -> None:
    made = history(name=NASTY)
    made.set_model(km.Sequential([km.Input((1,)), km.layers.Dense(1)], name=NASTY))
    figure = made.plot()
    assert "<img" not in json.dumps(figure.to_plotly_json()["layout"], default=str)
    bundle = figure._repr_mimebundle_()
    assert "<img" not in bundle["image/svg+xml"] and bundle["text/html"].count("<") == 1


def test_colours_are_legible_on_white_and_on_black() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    for name, least in (("train", 3), ("val", 3), ("text", 4)):
        for ground in ("#ffffff", "#111111"):
            dark, bright = sorted((light(ON_ANY[name]), light(ground)))
            assert (bright + 0.05) / (dark + 0.05) >= least, (name, ground)


def test_printing_to_a_vector_file(tmp_path: Any) -> None:
    figure = history().plot(backend="matplotlib")
    figure.savefig(tmp_path / "curves.pdf")
    figure.savefig(tmp_path / "curves.svg")
    assert (tmp_path / "curves.pdf").read_bytes().startswith(b"%PDF")
    assert ">accuracy</text>" in (tmp_path / "curves.svg").read_text()


# ---- where values belong


def test_the_frame_has_a_row_for_each_epoch() -> None:
    table = history(4, every=2).frame()
    assert table.index.name == "epoch" and table.index.tolist() == [0, 1, 2, 3]
    assert list(table.columns) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert table["val_loss"].isna().tolist() == [True, False, True, False]
    assert table["val_loss"].dropna().tolist() == [3.0, 1.0]
    assert table["val_loss"].idxmin() == 3


def test_a_fit_that_validates_now_and_then() -> None:
    x = np.linspace(-1, 1, 32, dtype="float32")[:, None]
    model = km.Sequential([km.Input((1,)), km.layers.Dense(1)])
    model.compile("sgd", "mse")
    done = model.fit(x, x, epochs=7, initial_epoch=2, validation_split=0.5, validation_freq=[4, 7],
                     verbose=0)  # fmt: skip
    table = done.frame()
    assert table.index.tolist() == [2, 3, 4, 5, 6] == done.epoch
    assert table["val_loss"].dropna().index.tolist() == [3, 6]
    svg = history_repr(done)["image/svg+xml"]
    assert svg.count('class="km-gem"') == 2 + 1, "two values and the legend's"
    assert list(traces(done.plot())["loss", "validation"].x) == [4, 7]


def test_several_runs_in_one_history() -> None:
    made = history(3)
    made.on_train_begin()
    made.on_epoch_end(0, {"loss": 0.1})
    assert made.frame().index.tolist() == [0, 1, 2, 0]
    assert list(traces(made.plot())["loss", "training"].x) == [1, 2, 3, 4]


def test_values_put_in_by_hand() -> None:
    made = km.callbacks.History()
    made.history = {"loss": [3.0, 2.0, 1.0], "val_loss": [2.0]}
    assert made.frame()["val_loss"].isna().tolist() == [False, True, True]
    assert list(traces(made.plot())["loss", "training"].x) == [1, 2, 3]


def test_without_pandas_the_extra_is_named(monkeypatch: Any) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'kernelmodel\[pandas\]'"):
        history().frame()


def test_the_repr_is_a_picture() -> None:
    bundle = history_repr(history())
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert bundle["text/plain"].startswith("<History: 6 epochs; loss 1 -> 0.167")
