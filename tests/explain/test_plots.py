"""The pictures: what they show, that they show themselves, and that they stay the same."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.explain.images import as_heat, as_images

E = km.explain
NASTY = "<img onerror=alert(1)>$x_1$"
RANDOM = np.random.default_rng(0)


X = RANDOM.random((4, 9, 8, 1))
WORST = {
    "index": np.array([2, 0]),
    "loss": np.array([3.0, 1.0]),
    "true": np.array([1, 0]),
    "predicted": np.array([0, 1]),
}
POINTS = RANDOM.random((9, 2))
PICTURES: dict[str, Callable[[], Any]] = {
    "images": lambda: E.plot_images(X, [NASTY] * 4),
    "heat": lambda: E.plot_heatmaps(X, X[..., 0] - 0.5, [NASTY] * 4),
    "worst": lambda: E.plot_worst_predictions(X, WORST, [NASTY, "b"]),
    "attributions": lambda: E.plot_attributions(X[:2, 0, :, 0] - 0.5, [NASTY] * 8, ["a", NASTY]),
    "confusion": lambda: E.plot_confusion([[1, 2], [3, 4]], [NASTY, "b"], NASTY),
    "activations": lambda: E.plot_activations({NASTY: X, "dense": X[:, 0, :, 0]}),
    "projection": lambda: E.plot_projection(POINTS, np.arange(9) % 3, [NASTY, "b", "c"]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_itself_as_a_sharp_image_and_a_stable_text(name: str) -> None:
    first, second = PICTURES[name](), PICTURES[name]()
    data, metadata = first._repr_mimebundle_()
    assert set(data) == {"image/png", "text/plain"}
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == repr(second)
    assert "0x" not in data["text/plain"]
    width = int.from_bytes(data["image/png"][16:20], "big")
    assert 1.5 < width / metadata["image/png"]["width"] < 1.7
    assert metadata["image/png"]["alt"] in data["text/plain"]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_as_svg_is_well_formed_escaped_and_the_same_again(name: str) -> None:
    svg = PICTURES[name]().svg()
    names = {element.tag.split("}")[1] for element in ET.fromstring(svg).iter()}
    assert "script" not in names and "img" not in names
    assert "&lt;img onerror=alert(1)&gt;$x_1$" in svg, "a name is no formula"
    assert svg == PICTURES[name]().svg()


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_any_images(count: int, channels: tuple[int, ...], dtype: str) -> None:
    x = (RANDOM.random((count, 6, 7, *channels)) * (255 if dtype == "uint8" else 1)).astype(dtype)
    figure = E.plot_images(x)
    shown = [axes.get_images()[0] for axes in figure.axes if axes.get_images()]
    assert len(shown) == count
    first = shown[0].get_array()
    assert first.shape[:2] == (6, 7)
    if channels and channels[0] > 1:
        expected = x[0] / (255 if dtype == "uint8" else 1)
        np.testing.assert_allclose(first, expected, atol=1e-6)
    heat = E.plot_heatmaps(x, np.ones((count, 6, 7)))
    assert len([a for a in heat.axes if a.get_images()]) == 2 * count


@pytest.mark.parametrize(("count", "shape"), [(3, (1, 3)), (6, (2, 4)), (25, (5, 5))])
def test_a_grid_is_about_square(count: int, shape: tuple[int, int]) -> None:
    figure = E.plot_images(np.zeros((count, 2, 2)))
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == shape
    assert sum(bool(axes.get_images()) for axes in figure.axes) == count


def test_images_in_other_forms() -> None:
    assert as_images(np.zeros((5, 7))).shape == (1, 5, 7)
    assert as_images(np.zeros((5, 7, 3))).shape == (1, 5, 7, 3)
    assert as_images(np.zeros((2, 3, 5, 7))).shape == (2, 5, 7, 3)
    assert as_images(np.zeros((2, 1, 5, 7))).shape == (2, 5, 7)
    scaled = as_images(np.array([-1.0, 1.0]).reshape(1, 1, 2, 1).repeat(3, -1))
    assert scaled.min() == 0 and scaled.max() == 1
    assert as_images(np.full((1, 2, 2, 3), 255.0)).max() == 1
    with pytest.raises(ValueError, match="1, 3 or 4 channels"):
        as_images(np.zeros((2, 5, 7, 2)))
    with pytest.raises(ValueError, match="1 to 64 samples, got 65"):
        E.plot_images(np.zeros((65, 2, 2)))
    with pytest.raises(ValueError, match="3 pictures, but 1 `titles`"):
        E.plot_images(np.zeros((3, 2, 2)), ["a"])


def test_heat_of_several_channels_keeps_the_strongest() -> None:
    heat = np.zeros((1, 2, 2, 3))
    heat[0, 0, 1] = [1, -5, 2]
    np.testing.assert_array_equal(as_heat(heat, (1, 2, 2))[0], [[0, -5], [0, 0]])
    np.testing.assert_array_equal(
        as_heat(np.moveaxis(heat, -1, 1), (1, 2, 2))[0], [[0, -5], [0, 0]]
    )
    with pytest.raises(ValueError, match="doesn't fit images"):
        as_heat(np.zeros((1, 3, 3)), (1, 2, 2))


def test_heat_with_a_sign_has_zero_in_the_middle() -> None:
    heat = np.array([[[-1.0, 4.0]], [[0.5, -2.0]]])
    figure = E.plot_heatmaps(np.zeros((2, 1, 2)), heat)
    maps = [a.get_images()[1] for a in figure.axes if len(a.get_images()) == 2]
    assert [image.get_clim() for image in maps] == [(-4, 4), (-2, 2)]
    unsigned = E.plot_heatmaps(np.zeros((2, 1, 2)), np.abs(heat))
    assert unsigned.axes[1].get_images()[1].get_clim() == (0, 4)


def test_the_confusion_says_its_numbers() -> None:
    figure = E.plot_confusion([[8, 2], [0, 10]], ["cat", "dog"])
    axes = figure.axes[0]
    assert [t.get_text() for t in axes.texts] == ["8", "2", "10"]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["cat", "dog"]
    assert repr(figure) == "<Figure: confusion of 2 classes, 90 % right>"
    shares = E.plot_confusion(E.confusion_matrix([0, 0, 1], [0, 1, 1], normalize="true"))
    assert [t.get_text() for t in shares.axes[0].texts] == [".50", ".50", "1.00"]
    assert not E.plot_confusion(np.eye(100, dtype=int)).axes[0].texts
    with pytest.raises(ValueError, match="2 classes, but 1 `labels`"):
        E.plot_confusion(np.eye(2), ["a"])


def test_bars() -> None:
    figure = E.plot_attributions(np.arange(40.0) - 20)
    assert len(figure.axes[0].patches) == 30, "those that count most"
    words = E.plot_attributions(np.ones((2, 2)), [["the", "cat"], ["a", "dog"]])
    assert [t.get_text() for t in words.axes[1].get_yticklabels()] == ["a", "dog"]
    assert len(E.plot_attributions(np.ones((1, 4, 3))).axes[0].patches) == 4
    with pytest.raises(ValueError, match="2 features, but 3 `names`"):
        E.plot_attributions(np.ones((1, 2)), ["a", "b", "c"])


@pytest.mark.parametrize("shape", [(7,), (6, 5), (4, 4, 9), (3, 4, 4, 2), ()])
def test_activations_of_any_shape(shape: tuple[int, ...]) -> None:
    figure = E.plot_activations(RANDOM.random((2, *shape)), sample=1)
    assert any(axes.get_images() for axes in figure.axes)


def test_pictures_leave_pyplot_alone_and_go_to_files(tmp_path: Any) -> None:
    code = (
        "import sys, numpy as np, kernelmodel as km\n"
        "f = km.explain.plot_confusion(np.eye(3))\n"
        f"f.savefig({str(tmp_path / 'a.pdf')!r}); f._repr_mimebundle_()\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
