"""The playground without a browser: its inputs, its answers, its picture, its messages."""

from __future__ import annotations

import base64
import io
import threading
import time
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pandas
import pytest

import kernelmodel as km
from kernelmodel import layers as L
from kernelmodel.notebook import cell_watch, place, playground_live
from kernelmodel.notebook.newest import Newest
from kernelmodel.notebook.playground import Playground
from kernelmodel.notebook.playground_inputs import nice_step, slider_for
from kernelmodel.notebook.playground_live import LivePlayground
from kernelmodel.notebook.playground_svg import playground_svg, png

NASTY = "<img src=x onerror=alert(1)>"
RANDOM = np.random.default_rng(0)
TABLE = np.stack([RANDOM.uniform(10, 20, 50), RANDOM.integers(0, 5, 50)], 1)


def tabular(units: int = 3, activation: str | None = "softmax", name: str = "wine") -> Any:
    km.utils.set_random_seed(1)
    return km.Sequential([km.Input((2,)), L.Dense(units, activation, name="out")], name=name)


def drawn(shape: tuple[int, ...] = (28, 28, 1), data_format: str = "channels_last") -> Any:
    km.utils.set_random_seed(2)
    return km.Sequential(
        [
            km.Input(shape),
            L.Conv2D(2, 3, data_format=data_format),
            L.Flatten(),
            L.Dense(10, "softmax"),
        ],
        name="drawn",
    )


# ---- inputs


def test_sliders_come_from_the_data() -> None:
    play = Playground(tabular(), x=TABLE, feature_names=["alcohol", "count"])
    alcohol, count = play.parts[0].sliders  # type: ignore[attr-defined]
    assert (alcohol.name, count.name) == ("alcohol", "count")
    assert alcohol.low <= TABLE[:, 0].min() and alcohol.high >= TABLE[:, 0].max()
    assert alcohol.high - alcohol.low < 1.1 * np.ptp(TABLE[:, 0]) and alcohol.step == 0.05
    assert (count.low, count.high, count.step) == (0, 4, 1)
    np.testing.assert_allclose(play.values[0], np.median(TABLE, axis=0), atol=0.05)
    expected = play.model.predict(play.values[0][None])[0]
    np.testing.assert_allclose(play.outputs[0], expected, rtol=1e-5)


def test_a_frame_gives_the_names() -> None:
    frame = pandas.DataFrame(TABLE, columns=["a", "b"])
    play = Playground(tabular(), x=frame)
    assert [s.name for s in play.parts[0].sliders] == ["a", "b"]  # type: ignore[attr-defined]


def test_sliders_of_ones_own_with_preprocessing() -> None:
    def to_model(values: np.ndarray) -> np.ndarray:
        return values[:, :1] * [[1.0, 2.0]]

    play = Playground(tabular(), {"size": (0.0, 10.0, 4.0)}, preprocess=to_model)
    expected = play.model.predict(np.array([[4.0, 8.0]]))[0]
    np.testing.assert_allclose(play.outputs[0], expected, rtol=1e-5)
    whole = Playground(tabular(), {"n": (0, 9), "m": (0, 1)})
    assert [s.step for s in whole.parts[0].sliders] == [1.0, 1.0]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([0.0, 1.0, 1.0], (0, 1, 1, 1)),
        ([3.0, 3.0], (2, 4, 1, 3)),
        ([float("nan"), 2.0, 4.5], (2, 4.5, 0.02, 3.24)),
        ([1e-6, 3e-6], (1e-6, 3e-6, 1e-8, 2e-6)),
        (None, (-1, 1, 0.01, 0)),
    ],
)
def test_ranges(column: Any, expected: tuple[float, ...]) -> None:
    made = slider_for("x", None if column is None else np.array(column))
    found = (made.low, made.high, made.step, made.value)
    assert found == pytest.approx(expected, rel=0.02)


def test_steps_are_round() -> None:
    assert [nice_step(e) for e in (1, 3, 200, 1e6)] == [0.005, 0.02, 1, 5000]


@pytest.mark.parametrize(
    ("shape", "data_format"),
    [((28, 28, 1), "channels_last"), ((8, 8, 3), "channels_last"), ((1, 12, 10), "channels_first"),
     ((120, 90, 1), "channels_last"), ((None, None, 1), "channels_last")],
)  # fmt: skip
def test_pads_for_images(shape: tuple[Any, ...], data_format: str) -> None:
    if None in shape:
        model = km.Sequential(
            [km.Input(shape), L.Conv2D(2, 3), L.GlobalMaxPooling2D(), L.Dense(2, "softmax")]
        )
    else:
        model = drawn(shape, data_format)
    play = Playground(model)
    (part,) = play.parts
    rows, columns = part.cells  # type: ignore[attr-defined]
    assert max(rows, columns) <= 56
    image = part.to_input(np.ones(rows * columns, "float32"))
    assert image.shape[1:] == tuple(28 if n is None else n for n in shape)
    np.testing.assert_allclose(image, 1)
    cell = np.zeros((rows, columns), "float32")
    cell[0, -1] = 1
    image = part.to_input(cell.ravel())
    plane = image[0, 0] if data_format == "channels_first" else image[0, ..., 0]
    assert plane[0, -1] > 0.9 and plane[-1, 0] == 0


def test_ink_has_the_range_of_the_data() -> None:
    x = np.zeros((4, 28, 28, 1), "uint8")
    x[:, 5:9, 5:9] = 255
    (part,) = Playground(drawn(), x=x).parts
    assert (part.ground, part.ink) == (0, 255)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(part.to_input(part.start), x[:1])
    assert part.to_input(part.start).dtype == "uint8"
    (paper,) = Playground(drawn(), x=255 - x).parts
    assert paper.spec()["dark_ink"]
    np.testing.assert_array_equal(paper.to_input(paper.start), 255 - x[:1])
    np.testing.assert_array_equal(paper.start, part.start)


def test_a_flat_image() -> None:
    model = km.Sequential([km.Input((64,)), L.Dense(2, "softmax")])
    with pytest.raises(ValueError, match=r"64 features.*inputs=\(8, 8\)"):
        Playground(model)
    x = RANDOM.random((5, 64)).astype("float32")
    play = Playground(model, (8, 8), x=x)
    assert play.parts[0].cells == (8, 8)  # type: ignore[attr-defined]
    np.testing.assert_allclose(play.outputs[0], model.predict(x[:1])[0], atol=0.02)


def test_several_inputs_in_their_structure() -> None:
    left, right = km.Input((2,), name="left"), km.Input((8, 8), name="right")
    joined = L.Concatenate()([left, L.Flatten()(right)])
    model = km.Model({"left": left, "right": right}, {"y": L.Dense(1)(joined)})
    x = {"left": TABLE[:5], "right": RANDOM.random((5, 8, 8))}
    play = Playground(model, x=x)
    assert [part.name for part in play.parts] == ["left", "right"]
    sample = [part.to_input(v) for part, v in zip(play.parts, play.values)]
    expected = model.predict({"left": sample[0], "right": sample[1]})["y"]
    np.testing.assert_allclose(play.outputs[0], expected[0], rtol=1e-5)


def test_subclassed_models() -> None:
    class Own(km.Model):
        def __init__(self) -> None:
            super().__init__(name="own")
            self.end = L.Dense(1)

        def call(self, x: Any) -> Any:
            return self.end(x)

    with pytest.raises(ValueError, match="Pass some samples as `x`"):
        Playground(Own())
    play = Playground(Own(), x=TABLE)
    assert repr(play).startswith("<Playground of own: input 1 ")


def test_inputs_that_have_neither() -> None:
    signal = km.Sequential([km.Input((100, 5, 9, 2)), L.Flatten(), L.Dense(1)])
    with pytest.raises(ValueError, match=r"neither a row of features nor an image"):
        Playground(signal)
    for bad, words in (
        ((3,), "sliders, .name"),
        ({"a": (1, 1)}, "low < high"),
        ({"a": "b"}, "low, high"),
    ):
        with pytest.raises(ValueError, match=words):
            Playground(tabular(), bad)
    with pytest.raises(ValueError, match="2 features, but there are 1"):
        Playground(tabular(), feature_names=["a"])
    with pytest.raises(ValueError, match="`x` has 2 arrays"):
        Playground(tabular(), x=[TABLE, TABLE])


# ---- outputs


@pytest.mark.parametrize(
    ("units", "activation", "given", "kind", "labels"),
    [
        (3, "softmax", None, "bars", ["0", "1", "2"]),
        (3, "softmax", ["a", "b", "c"], "bars", ["a", "b", "c"]),
        (1, "sigmoid", None, "bars", ["out"]),
        (1, "sigmoid", ["no", "yes"], "bars", ["no", "yes"]),
        (1, None, ["price"], "values", ["price"]),
        (2, None, None, "values", ["0", "1"]),
    ],
)
def test_bars_for_probabilities_numbers_for_the_rest(
    units: int, activation: Any, given: Any, kind: str, labels: list[str]
) -> None:
    play = Playground(tabular(units, activation), outputs=given)
    (group,) = play.groups
    assert (group.kind, group.labels) == (kind, labels)
    if given == ["no", "yes"]:
        assert play.outputs[0].sum() == pytest.approx(1)
        assert play.outputs[0][1] == pytest.approx(
            float(play.model.predict(play.values[0][None])[0, 0])
        )


@pytest.mark.parametrize(("units", "loss"), [(3, "Sparse"), (1, "Binary")])
def test_logits_are_shown_as_probabilities(units: int, loss: str) -> None:
    model = tabular(units, None)
    name = {"Sparse": "SparseCategoricalCrossentropy", "Binary": "BinaryCrossentropy"}[loss]
    model.compile("sgd", getattr(km.losses, name)(from_logits=True))
    play = Playground(model)
    assert play.groups[0].kind == "bars"
    assert 0 < play.outputs[0].max() < 1
    if units == 3:
        assert play.outputs[0].sum() == pytest.approx(1)


def test_several_outputs() -> None:
    inputs = km.Input((2,))
    outputs = [L.Dense(2, "softmax", name="kind")(inputs), L.Dense(1, name="size")(inputs)]
    model = km.Model(inputs, outputs)
    play = Playground(model, outputs={"kind": ["a", "b"]})
    assert [(g.name, g.kind, g.labels) for g in play.groups] == [
        ("kind", "bars", ["a", "b"]),
        ("size", "values", ["size"]),
    ]
    with pytest.raises(ValueError, match="names 'king'"):
        Playground(model, outputs={"king": ["a", "b"]})
    with pytest.raises(ValueError, match="a list of names for each"):
        Playground(model, outputs=["a", "b"])
    with pytest.raises(ValueError, match="has 3 values, but there are 2"):
        Playground(tabular(), outputs=["a", "b"])


# ---- the picture


def elements(svg: str) -> set[str]:
    return {e.tag.split("}")[1] for e in ElementTree.fromstring(svg).iter()}


@pytest.mark.parametrize("kind", ["sliders", "pad", "values"])
def test_the_picture_stands_by_itself(kind: str) -> None:
    def make() -> Playground:
        if kind == "pad":
            return Playground(drawn(), x=np.arange(784.0).reshape(1, 28, 28, 1))
        return Playground(tabular(3, "softmax" if kind == "sliders" else None), x=TABLE)

    bundle = make()._repr_mimebundle_()
    assert bundle == make()._repr_mimebundle_(), "the same again"
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert bundle["text/plain"] == repr(make())
    assert not elements(bundle["image/svg+xml"]) & {"script", "a", "foreignObject"}
    assert "http" not in bundle["image/svg+xml"].replace("http://www.w3.org/2000/svg", "")


def test_many_classes_and_names_of_any_kind() -> None:
    names = [NASTY, *map(str, range(29))]
    play = Playground(tabular(30, name=NASTY), x=TABLE, feature_names=[NASTY, "b"], outputs=names)
    bundle = play._repr_mimebundle_()
    assert "img" not in elements(bundle["image/svg+xml"])
    assert bundle["text/html"].count("<img") == 1
    assert "and 20 more" in bundle["image/svg+xml"]


def test_a_png_of_our_own_is_read_by_others() -> None:
    from io import BytesIO

    from PIL import Image

    grey = RANDOM.integers(0, 255, (5, 7)).astype("uint8")
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(png(grey)))), grey)


def test_the_place_of_the_live_view(monkeypatch: Any) -> None:
    closed = []

    class Live:
        def __init__(self, shown: Any, key: str) -> None:
            self.key = key

        def close(self) -> None:
            closed.append(self.key)

    monkeypatch.setattr("kernelmodel.notebook.playground.has_browser", lambda: True)
    monkeypatch.setattr("kernelmodel.notebook.playground.LivePlayground", Live)
    monkeypatch.setattr(place, "_live", type(place._live)())
    play = Playground(tabular())
    keys = []
    for _ in range(place.MOST_VIEWS + 2):
        html = play._repr_mimebundle_()["text/html"]
        assert html.startswith('<div data-km-place="') and html.count("<img") == 1
        keys.append(html.split('"')[1])
    assert len(set(keys)) == len(keys) and closed == keys[:2]


# ---- the live half


class Widget:
    def __init__(self, **traits: Any) -> None:
        self.traits, self.sent = traits, []  # type: ignore[var-annotated]

    def on_msg(self, function: Any) -> None:
        self.function = function

    def send(self, message: Any) -> None:
        self.sent.append(message)

    def close(self) -> None:
        self.sent.append("closed")


@pytest.fixture
def live(monkeypatch: Any) -> Any:
    monkeypatch.setattr(playground_live, "playground_widget", lambda: Widget)
    return LivePlayground(Playground(tabular(), x=TABLE), "key")


def wait_for(condition: Any, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def buffer(*values: float) -> memoryview:
    return memoryview(np.array(values, "float32").tobytes())


def test_an_answer_to_the_newest_inputs(live: Any) -> None:
    live.receive(None, {"type": "inputs", "id": 3}, [buffer(12, 2)])
    wait_for(lambda: live.widget.sent)
    (message,) = live.widget.sent
    assert (message["type"], message["id"], message["step"]) == ("prediction", 3, None)
    expected = live.shown.model.predict(np.array([[12.0, 2.0]]))
    np.testing.assert_allclose(message["numbers"], expected, rtol=1e-5)
    samples = np.frombuffer(live.widget.traits["_samples"], "float32").reshape(-1, 2)
    assert len(samples) == 24 and (samples[0] == TABLE[0].astype("float32")).all()


@pytest.mark.parametrize(
    ("message", "buffers"),
    [
        (None, []),
        ([], []),
        ({"type": "inputs", "id": 1}, []),
        ({"type": "inputs", "id": "x"}, [buffer(1, 2)]),
        ({"type": "inputs", "id": 1}, [buffer(1, 2, 3)]),
        ({"type": "inputs", "id": 1}, [buffer(1, float("nan"))]),
        ({"type": "rm"}, [buffer(1, 2)]),
    ],
)
def test_what_is_not_understood_is_ignored(live: Any, message: Any, buffers: Any) -> None:
    live.receive(None, message, buffers)
    live.receive(None, {"type": "inputs", "id": 9}, [buffer(12, 2)])
    wait_for(lambda: live.widget.sent)
    assert [sent["id"] for sent in live.widget.sent] == [9]


def test_values_outside_a_slider_are_taken_to_its_end(live: Any) -> None:
    live.answer((1, [np.array([1e9, -1e9], "float32")]))
    first, second = live.shown.parts[0].sliders
    expected = live.shown.model.predict(np.array([[first.high, second.low]]))
    np.testing.assert_allclose(live.widget.sent[0]["numbers"], expected, rtol=1e-5)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_is_told_and_the_next_input_is_answered(live: Any) -> None:
    def broken(values: Any) -> Any:
        raise ValueError("a bad preprocess")

    works, live.shown.preprocess = live.shown.preprocess, broken
    live.receive(None, {"type": "inputs", "id": 1}, [buffer(12, 2)])
    wait_for(lambda: live.widget.sent)
    assert live.widget.sent[0] == {"type": "error", "id": 1, "text": "ValueError: a bad preprocess"}
    live.shown.preprocess = works
    live.receive(None, {"type": "inputs", "id": 2}, [buffer(12, 2)])
    wait_for(lambda: len(live.widget.sent) == 2)
    assert live.widget.sent[1]["type"] == "prediction"


def test_what_is_no_number_can_be_sent(live: Any) -> None:
    live.shown.groups[0].kind = "values"
    live.shown.model.set_weights([np.full((2, 3), np.nan), np.zeros(3)])
    live.answer((1, live.shown.values))
    assert live.widget.sent[0]["numbers"] == [[None, None, None]]


def test_the_newest_wish_only() -> None:
    done: list[int] = []
    gate = threading.Event()

    def work(value: int) -> None:
        gate.wait(5)
        done.append(value)

    newest = Newest(work)
    for i in range(100):
        newest.put(i)
    gate.set()
    wait_for(lambda: newest._thread is None)
    assert done[-1] == 99 and len(done) <= 2
    newest.put(7)
    wait_for(lambda: done[-1] == 7)


class Events:
    def __init__(self) -> None:
        self.calls: dict[str, list[Any]] = {"pre_run_cell": [], "post_run_cell": []}

    def register(self, name: str, function: Any) -> None:
        self.calls[name].append(function)

    def unregister(self, name: str, function: Any) -> None:
        self.calls[name].remove(function)


def test_predictions_follow_a_training(monkeypatch: Any) -> None:
    shell = SimpleNamespace(events=Events())
    said: list[str] = []
    kernel = SimpleNamespace(_publish_status=lambda status, channel: said.append(status))
    monkeypatch.setattr(playground_live, "playground_widget", lambda: Widget)
    monkeypatch.setattr(cell_watch, "_shell", lambda: shell)
    monkeypatch.setattr(cell_watch, "running_kernel", lambda: kernel)
    live = LivePlayground(Playground(tabular(), x=TABLE), "key")
    begin, end = (shell.events.calls[f"{when}_run_cell"][0] for when in ("pre", "post"))
    model, watch = live.shown.model, live.watch
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = TABLE.astype("float32"), np.zeros(50, "int32")
    model.fit(x, y, epochs=1, verbose=0)
    time.sleep(0.3)
    assert not live.widget.sent, "nobody is watching"
    live.receive(None, {"type": "open", "view": "a"}, [])
    model.fit(x, y, epochs=3, verbose=0)
    wait_for(lambda: live.widget.sent and said)
    end(None)
    wait_for(lambda: watch._thread is None and live.newest._thread is None)
    last = live.widget.sent[-1]
    assert last["step"] == int(model.optimizer.iterations.numpy())
    np.testing.assert_allclose(
        last["numbers"][0], model.predict(live.shown.values[0][None])[0], rtol=1e-5
    )
    told, count = len(said), len(live.widget.sent)
    live.receive(None, {"type": "inputs", "id": 1}, [buffer(12, 2)])
    wait_for(lambda: len(live.widget.sent) > count)
    time.sleep(0.3)
    assert len(said) == told, "no cell runs, so the kernel is idle"
    model.set_weights([w + 1 for w in model.get_weights()])
    begin(None)
    wait_for(lambda: len(live.widget.sent) > count + 1)
    live.close()
    assert not shell.events.calls["pre_run_cell"] and not shell.events.calls["post_run_cell"]
    wait_for(lambda: watch._thread is None)


def test_lazy_imports_of_the_package() -> None:
    assert km.notebook.Playground is Playground
    assert {"notebook", "explain"} <= set(dir(km))
    with pytest.raises(AttributeError, match="no attribute 'notebooks'"):
        km.notebooks  # noqa: B018


# ---- images as outputs


@pytest.mark.parametrize("channels", [1, 3])
def test_an_output_of_pixels_is_an_image(channels: int) -> None:
    model = km.Sequential(
        [
            km.Input((2,)),
            L.Dense(4 * 5 * channels, use_bias=False),
            L.Reshape((4, 5, channels)),
            L.Activation("sigmoid"),
        ],
        name="painter",
    )
    play = Playground(model, {"a": (-1, 1, 0.0), "b": (-1, 1, 0.0)})
    (group,) = play.groups
    assert group.spec() == {"name": "", "kind": "image", "labels": [], "shape": [4, 5, channels]}
    assert (play.outputs[0] == 128).all(), "half of full brightness"
    moved = [np.array([1.0, -1.0], "float32")]
    np.testing.assert_array_equal(
        play.predict(moved)[0], np.round(255 * model.predict(moved[0][None])[0].ravel())
    )
    assert repr(play).endswith("-> an image of 4 x 5>")
    drawing = playground_svg(play.title, play.parts, play.values, play.groups, play.outputs)
    places = ElementTree.fromstring(drawing).findall(".//{http://www.w3.org/2000/svg}image")
    assert len(places) == 1
    data = base64.b64decode(places[0].attrib["href"].partition(",")[2])
    seen = matplotlib.image.imread(io.BytesIO(data), format="png")
    assert seen.shape == ((4, 5) if channels == 1 else (4, 5, 3))
    np.testing.assert_allclose(seen, 128 / 255)


def test_pixels_of_any_range_and_pixels_that_are_no_numbers() -> None:
    image = km.Input((4, 4, 1))
    model = km.Model(image, L.Rescaling(10.0, -5.0)(image))
    play = Playground(model)
    ramp = np.linspace(0, 1, 16, dtype="float32")
    assert play.predict([ramp])[0].tolist() == np.round(255 * ramp.astype(float)).tolist()
    ramp[3] = np.nan
    shown = playground_svg("", play.parts, play.values, play.groups, play.predict([ramp]))
    assert "<image" in shown


def test_names_make_values_of_a_small_image() -> None:
    image = km.Input((4, 4, 1))
    model = km.Model(image, L.Rescaling(2.0)(image))
    play = Playground(model, outputs=[f"cell {i}" for i in range(16)])
    assert play.groups[0].kind == "values" and len(play.outputs[0]) == 16


def test_an_image_that_is_too_large_says_so() -> None:
    model = km.Sequential([km.Input((2,)), L.Dense(130 * 130), L.Reshape((130, 130, 1))])
    with pytest.raises(ValueError, match=r"16900 values a sample, too many .*16384"):
        Playground(model, {"a": (0, 1), "b": (0, 1)})
