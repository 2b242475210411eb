"""plot_model and model_to_dot: files of each kind, options, errors; no Graphviz anywhere."""

import inspect
import re
import subprocess
import sys
from xml.etree import ElementTree

import graph_models
import numpy as np
import pytest

import kernelmodel as km

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def pixels(path):
    from matplotlib.image import imread

    return imread(path)


def test_the_default_file_is_a_png(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    km.utils.plot_model(graph_models.one_layer())
    assert (tmp_path / "model.png").read_bytes().startswith(b"\x89PNG")


def test_a_png_is_as_large_as_dpi_says_and_shows_something(tmp_path):
    sizes = {}
    for dpi in (72, 144):
        path = tmp_path / f"{dpi}.png"
        km.utils.plot_model(graph_models.twins(), path, dpi=dpi, expand_nested=True)
        picture = pixels(path)
        sizes[dpi] = picture.shape
        assert 0.02 < (picture[..., :3].mean(-1) < 0.9).mean() < 0.6, "neither empty nor full"
        colours = {tuple(c) for c in np.round(picture[..., :3] * 255).astype(int).reshape(-1, 3)}
        assert (230, 159, 0) in colours and (0, 114, 178) in colours, "families have colours"
    assert np.allclose(np.array(sizes[144][:2]) / sizes[72][:2], 2, atol=0.02)


@pytest.mark.parametrize("name", ["resnet50", "transformer", "odd_names", "recursive", "built"])
def test_each_kind_of_file(tmp_path, name):
    model = getattr(graph_models, name)()
    for kind, start in (("svg", b"<svg"), ("pdf", b"%PDF-"), ("PNG", b"\x89PNG")):
        path = tmp_path / f"m.{kind}"
        shown = km.utils.plot_model(model, str(path), dpi=50, show_layer_names=True)
        assert path.read_bytes().startswith(start) and path.stat().st_size > 1000
    svg = (tmp_path / "m.svg").read_text(encoding="utf-8")
    assert svg == shown.svg and shown._repr_mimebundle_()["image/svg+xml"] == svg
    ElementTree.fromstring(svg)


def test_the_same_model_gives_the_same_bytes(tmp_path):
    model = graph_models.twins()
    for kind in ("svg", "png", "pdf"):
        for name in ("a", "b"):
            km.utils.plot_model(model, tmp_path / f"{name}.{kind}")
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("show_shapes", ["in (None, 4)", "out (None, 2)"]),
        ("show_dtype", ["float32"]),
        ("show_layer_names", ["x", "y"]),
        ("show_trainable", ["not trainable"]),
        ("show_layer_activations", ["activation softmax"]),
    ],
)
def test_each_option_tells_more(option, words):
    layers = [km.Input((4,), name="x"), km.layers.Dense(2, activation="softmax", name="y")]
    model = km.Sequential(layers)
    model.layers[0].trainable = False
    plain = texts(km.utils.plot_model(model, None).svg)
    told = texts(km.utils.plot_model(model, None, **{option: True}).svg)
    assert "InputLayer" in plain and "Dense" in plain
    assert all(word in told and word not in plain for word in words)


def test_nested_models_are_drawn_inside_a_frame_when_asked():
    model = graph_models.twins()
    closed = texts(km.utils.plot_model(model, None, show_layer_names=True).svg)
    opened = texts(km.utils.plot_model(model, None, show_layer_names=True, expand_nested=True).svg)
    assert "edges" not in closed and "edges" in opened and "encoder · Functional" in opened


def size(svg):
    return [float(n) for n in re.search(r'width="([\d.]+)" height="([\d.]+)"', svg).groups()]


def test_rankdir_turns_the_picture():
    model = graph_models.chain(20)
    width, height = size(km.utils.plot_model(model, None).svg)
    assert height > 3 * width
    width, height = size(km.utils.plot_model(model, None, rankdir="LR").svg)
    assert width > 3 * height


def test_a_huge_picture_is_made_with_fewer_dots(tmp_path):
    km.utils.plot_model(graph_models.chain(400), tmp_path / "m.png", dpi=300)
    assert 60_000 < pixels_high(tmp_path / "m.png") < 2**16


def pixels_high(path):
    return int.from_bytes(path.read_bytes()[20:24], "big")


@pytest.mark.parametrize(
    ("model", "arguments", "error", "says"),
    [
        ("one_layer", {"to_file": "m.jpg"}, ValueError, r"png, svg, pdf.*'m\.jpg'.*'m\.png'"),
        ("one_layer", {"to_file": "model"}, ValueError, "extensions"),
        ("one_layer", {"rankdir": "XY"}, ValueError, "TB, BT, LR, RL, got 'XY'"),
        ("one_layer", {"dpi": 0}, ValueError, "`dpi`.*got 0"),
        ("one_layer", {"to_file": "no/such/folder/m.png"}, OSError, "no/such"),
        ("Subclassed", {}, ValueError, r"'own' isn't built.*build\(input_shape\)"),
    ],
)
def test_errors_say_what_to_do_and_write_nothing(
    tmp_path, monkeypatch, model, arguments, error, says
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=says):
        km.utils.plot_model(getattr(graph_models, model)(), **arguments)
    assert list(tmp_path.iterdir()) == []


def test_only_models_are_drawn():
    with pytest.raises(TypeError, match=r"plot_model\(\) draws models, got 'm' of type str"):
        km.utils.plot_model("m", None)
    with pytest.raises(TypeError, match=r"model_to_dot\(\) draws models"):
        km.utils.model_to_dot(km.layers.Dense(2))


def test_dot(tmp_path):
    dot = km.utils.model_to_dot(graph_models.twins(), expand_nested=True, rankdir="LR", dpi=96)
    text = dot.to_string()
    assert text.startswith('digraph "twins" {') and "rankdir=LR, dpi=96" in text
    assert text.count("subgraph") == 3 and text.count("{") == text.count("}")
    nodes = set(re.findall(r'^\s*("[^"]+") \[label', text, re.M))
    ends = {end for edge in re.findall(r'("[^"]+") -> ("[^"]+")', text) for end in edge}
    assert ends <= nodes and len(nodes) == 12
    dot.write(tmp_path / "m.dot")
    assert (tmp_path / "m.dot").read_text() == text == str(dot)
    ElementTree.fromstring(dot._repr_svg_())


def test_dot_escapes_names_and_can_be_a_part():
    text = km.utils.model_to_dot(graph_models.odd_names(), subgraph=True).to_string()
    assert text.startswith(f'subgraph "cluster_{graph_models.NASTY}" {{')
    layer = km.layers.Dense(2, name='a"b\\N')
    model = km.Sequential([km.Input((2,)), layer])
    assert '"a\\"b\\\\N\\nDense"' in km.utils.model_to_dot(model).to_string()


@pytest.mark.oracle
def test_the_signatures_are_those_of_keras(keras):

    for name in ("plot_model", "model_to_dot"):
        own, theirs = (inspect.signature(getattr(u, name)) for u in (km.utils, keras.utils))
        extra = {"splines", "kwargs"}
        wanted = [(p.name, p.default) for p in theirs.parameters.values() if p.name not in extra]
        assert [(p.name, p.default) for p in own.parameters.values()] == wanted


def test_a_script_loads_the_drawing_only_when_it_draws():
    code = (
        "import sys, kernelmodel as km\n"
        "names = lambda: {'kernelmodel.notebook.graph.plot', 'matplotlib'} & set(sys.modules)\n"
        "assert not names()\n"
        "model = km.Sequential([km.Input((2,)), km.layers.Dense(1)])\n"
        "km.utils.plot_model(model, None)\n"
        "assert names() == {'kernelmodel.notebook.graph.plot'}\n"
        "print(repr(model.graph()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("<Graph of sequential")
