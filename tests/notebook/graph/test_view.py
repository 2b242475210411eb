"""The kernel's half of the live view: what it answers, what a saved notebook keeps."""

import json
import re

import graph_models
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.notebook import place
from kernelmodel.notebook.display import graph_repr
from kernelmodel.notebook.graph import view
from kernelmodel.notebook.graph.view import STATIC, LiveGraph
from kernelmodel.notebook.place import STILL


def live(model, **options):
    """A live view, and the list of what it sends, each message with its buffers."""
    shown = LiveGraph(model.graph(**options), "key")
    sent = []
    shown.widget.send = lambda content, buffers=None: sent.append(
        (json.loads(json.dumps(content, allow_nan=False)), buffers)
    )
    return shown, sent


def names(shown):
    return [box["lines"][0] for box in shown.widget._scene["boxes"] if box["kind"] != "output"]


def id_of(shown, name):
    return next(key for key, part in shown.by_id.items() if part.name == name)


def test_models_expand_and_collapse():
    shown, _ = live(graph_models.twins())
    closed = names(shown)
    assert closed == ["left", "right", "encoder", "both", "same", "other"]
    shown.receive(None, {"type": "expand", "ids": [id_of(shown, "encoder")], "open": True})
    assert "block" in names(shown) and "edges" not in names(shown)
    shown.receive(None, {"type": "expand", "ids": list(shown.by_id), "open": True})
    assert "edges" in names(shown) and "flat" in names(shown)
    shown.receive(None, {"type": "expand", "ids": list(shown.by_id), "open": False})
    assert names(shown) == closed


def test_a_layer_deep_inside_is_revealed():
    shown, _ = live(graph_models.twins())
    shown.receive(None, {"type": "reveal", "id": id_of(shown, "edges")})
    assert "edges" in names(shown) and "flat" not in names(shown)


def test_expanded_from_the_start():
    shown, _ = live(graph_models.twins(), expand_nested=True)
    assert "edges" in names(shown)


def test_details_of_a_layer():
    shown, sent = live(graph_models.twins())
    shown.receive(None, {"type": "details", "id": id_of(shown, "edges"), "sample": 0})
    ((told, buffers),) = sent
    assert (told["name"], told["class_name"], told["activations"]) == ("edges", "Conv2D", None)
    assert told["facts"] == [
        ["input", "(None, 16, 16, 3)"], ["output", "(None, 16, 16, 8)"], ["dtype", "float32"],
        ["parameters", "224"], ["trainable", "all"],
    ]  # fmt: skip
    config = dict(told["config"])
    assert config["kernel_size"] == "(3, 3)" and config["activation"] == "relu"
    assert config["kernel_initializer"] == "GlorotUniform()"
    kernel, bias = told["weights"]
    assert (kernel["name"], kernel["shape"], kernel["trained"]) == ("kernel", "(3, 3, 3, 8)", True)
    assert len(buffers[kernel["picture"]["data"]]) == 8 * 3 * 3 * 3
    assert bias["picture"]["values"] == [0] * 8


def test_frozen_and_mixed_weights_are_told():
    inputs = km.Input((4,))
    layer = km.layers.Dense(2, name="frozen")
    model = km.Model(inputs, km.layers.BatchNormalization(name="bn")(layer(inputs)))
    layer.trainable = False
    shown, sent = live(model)
    for name in ("frozen", "bn"):
        shown.receive(None, {"type": "details", "id": id_of(shown, name)})
    facts = [dict(told["facts"])["trainable"] for told, _ in sent]
    assert facts == ["none", "4, 4 not"]
    assert [w["trained"] for w in sent[1][0]["weights"]] == [True, True, False, False]


def test_activations_of_the_sample_asked_for():
    x = np.random.default_rng(1).integers(0, 100, (5, 12))
    model = graph_models.transformer()
    shown, sent = live(model, x=x)
    assert shown.widget._samples == [5, 5]
    for sample in (0, 4, 99, None):
        shown.receive(
            None, {"type": "details", "id": id_of(shown, "attention_1"), "sample": sample}
        )
    assert [told["activations"]["sample"] for told, _ in sent] == [0, 4, 4, 0]
    output, scores = sent[1][0]["activations"]["shown"]
    assert output["shape"] == "(12, 32)" and scores["shape"] == "(4, 12, 12)"
    assert scores["title"].startswith("attention: 4 heads")
    assert scores["picture"]["count"] == 4


def test_weights_that_are_not_numbers_can_be_sent():
    model = graph_models.one_layer()
    model.layers[0].set_weights([np.full((4, 2), np.nan), np.array([np.inf, -np.inf])])
    shown, sent = live(model, x=np.ones((1, 4)))
    shown.receive(None, {"type": "details", "id": id_of(shown, "y")})
    kernel, bias = sent[0][0]["weights"]
    assert kernel["statistics"] == {"size": 8, "bad": 8} and bias["statistics"]["bad"] == 2


@pytest.mark.parametrize("name", ["resnet50", "twins", "odd_names", "recursive", "built"])
def test_every_layer_of_every_model_has_small_details(name):
    shown, sent = live(getattr(graph_models, name)())
    for key in shown.by_id:
        shown.receive(None, {"type": "details", "id": key, "sample": 0})
    assert len(sent) == len(shown.by_id)
    assert max(len(json.dumps(told)) + sum(map(len, data)) for told, data in sent) < 60_000


def test_an_error_in_a_layer_is_told_and_raised():
    class Bad(km.layers.Layer):
        fails = False

        def call(self, x):
            if self.fails:
                raise RuntimeError("<b>broken</b>")
            return x * 1.0

    bad = Bad(name="bad")
    model = km.Sequential([km.Input((4,)), km.layers.Dense(4), bad])
    shown, sent = live(model, x=np.ones((2, 4)))
    bad.fails = True
    with pytest.raises(RuntimeError):
        shown.receive(None, {"type": "details", "id": id_of(shown, "bad"), "sample": 1})
    assert sent[0][0] == {
        "type": "error", "id": id_of(shown, "bad"), "text": "RuntimeError: <b>broken</b>",
    }  # fmt: skip


@pytest.mark.parametrize(
    "message",
    [None, "x", {}, {"type": "details", "id": "nope"}, {"type": "expand", "ids": "all"},
     {"type": "expand", "ids": ["0", 7], "open": 1}, {"type": "reveal"}],
)  # fmt: skip
def test_what_is_not_understood_is_ignored(message):
    shown, sent = live(graph_models.twins())
    before = shown.widget._scene
    shown.receive(None, message)
    assert shown.widget._scene == before and sent == []


def test_the_still_picture_has_no_script_no_widget_and_a_stable_text():
    bundle = graph_models.twins().graph()._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert bundle["text/plain"] == "<Graph of twins: 6 layers, 6 connections>"
    tags = re.findall(r"<(\w+)", bundle["text/html"])
    assert tags == ["div", "div", "img"] and f'data-km-place="{STILL}"' in bundle["text/html"]
    assert bundle == graph_repr(graph_models.twins())
    assert repr(graph_models.built().graph()) == "<Graph of own: 3 layers, 0 connections>"


def test_names_are_escaped():
    bundle = graph_models.odd_names().graph()._repr_mimebundle_()
    for kind in ("text/html", "image/svg+xml"):
        assert graph_models.NASTY not in bundle[kind]
        assert "<img src=x" not in bundle[kind]


def test_in_a_notebooks_kernel_the_picture_carries_the_key_of_its_live_view(monkeypatch):
    monkeypatch.setattr(view, "has_browser", lambda: True)
    monkeypatch.setattr(place, "_live", type(place._live)())
    shown = graph_models.one_layer().graph()
    keys = [
        re.search(r'data-km-place="(\w+)"', shown._repr_mimebundle_()["text/html"]).group(1)
        for _ in range(place.MOST_VIEWS + 3)
    ]
    assert len(set(keys)) == len(keys)
    assert [live.widget._key for live in place._live] == keys[3:], "the oldest are closed"


def test_outside_of_a_server_there_is_no_widget(monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setattr(place, "running_kernel", object)
    assert not place.has_browser()
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    assert place.has_browser()
    monkeypatch.setattr(place, "running_kernel", lambda: None)
    assert not place.has_browser()


@pytest.mark.parametrize(
    ("options", "says"),
    [({"rankdir": "up"}, "TB, BT, LR, RL, got 'up'"), ({"height": 10}, "pixels from 240, got 10")],
)
def test_options_that_mean_nothing(options, says):
    with pytest.raises(ValueError, match=says):
        graph_models.one_layer().graph(**options)


def test_models_without_layers_or_weights():
    with pytest.raises(ValueError, match="has no layers, so"):
        km.Sequential(name="empty").graph()
    with pytest.raises(ValueError, match="'own' isn't built yet, so it gives no activations"):
        graph_models.Subclassed().graph(x=np.ones((1, 3)))
    assert repr(graph_models.Subclassed().graph()) == "<Graph of own: 3 layers, 0 connections>"


def test_the_bundle_is_small_and_names_no_other_host():
    for name in ("graph.js", "graph.css"):
        source = (STATIC / name).read_text(encoding="utf-8")
        assert len(source.encode()) < 100_000
        assert set(re.findall(r"https?://[^\"'` )]+", source)) <= {"http://www.w3.org/2000/svg"}
