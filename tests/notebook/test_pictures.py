"""Still pictures: well-formed, escaped, the same from run to run."""

import base64
import re
from xml.etree import ElementTree

import pytest

from kernelmodel.callbacks.history_text import history_text, short_number
from kernelmodel.notebook.curves import curves_svg
from kernelmodel.notebook.svg import escape, picture, shorten

NASTY = "<img onerror=alert(1)>\"'&\x00"
HISTORY = {
    "loss": [0.9, float("nan"), 0.1],
    "val_loss": [0.8, float("inf"), 0.2],
    "mae": [1.0, 1.0, 1.0],
}


def elements(svg):
    """Return the names of all elements of an SVG document, which must be well-formed."""
    return {
        element.tag.removeprefix("{http://www.w3.org/2000/svg}")
        for element in ElementTree.fromstring(svg).iter()
    }


def history_curves(history):
    """Return metric -> {"train": (x, y), "val": (x, y)}."""
    curves = {}
    for name, values in history.items():
        kind = "val" if name.startswith("val_") else "train"
        x = [i + 1.0 for i in range(len(values))]
        curves.setdefault(name.removeprefix("val_"), {})[kind] = (x, values)
    return curves


@pytest.mark.parametrize(
    "history",
    [{}, {"loss": []}, {"loss": [1.0]}, {"loss": [float("nan")]}, HISTORY, {"loss": [0.0] * 500}],
)
def test_curves_are_well_formed(history):
    assert "title" in elements(curves_svg(history_curves(history), "model", "note"))


def test_curves_escape_every_string():
    history = {NASTY: [1.0, 2.0], f"val_{NASTY}": [1.0, 2.0]}
    svg = curves_svg(history_curves(history), NASTY, NASTY)
    bundle = picture(svg, NASTY, history_text(history, note=NASTY))
    assert "img" not in elements(bundle["image/svg+xml"])
    assert bundle["text/html"].count("<") == 1


def test_the_html_holds_the_same_picture():
    bundle = picture(curves_svg(history_curves(HISTORY), "model"), "model", "text")
    data = re.search(r"base64,([^\"]+)", bundle["text/html"]).group(1)
    assert base64.b64decode(data).decode() == bundle["image/svg+xml"]


def test_pictures_load_nothing():
    svg = curves_svg(history_curves(HISTORY), "model")
    assert set(re.findall(r"https?://[^\"' )]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert not elements(svg) & {"script", "image", "use", "a", "foreignObject"}


def test_a_gap_is_left_where_a_value_is_missing():
    svg = curves_svg(history_curves({"loss": [1.0, 2.0, float("nan"), 3.0, 4.0]}))
    assert re.search(r'km-train"[^>]* d="M[\d. ]+L[\d. ]+M[\d. ]+L[\d. ]+"', svg)


def test_the_text_is_short_and_the_same_for_almost_equal_histories():
    first = {"loss": [0.42111, 0.3, 0.10123], "val_loss": [0.5, 0.3, 0.2]}
    second = {name: [v * (1 + 1e-6) for v in values] for name, values in first.items()}
    text = "<History: 3 epochs; loss 0.421 -> 0.101; val_loss 0.5 -> 0.2>"
    assert history_text(first) == history_text(second) == text
    assert history_text({}) == "<History: 0 epochs>"
    assert history_text({"loss": [2.0]}, note="stopped") == "<History: 1 epoch; loss 2; stopped>"


def test_numbers_are_short():
    numbers = [0, 0.10123, 12.3456, 5000, 123456, 1.5e-7, 1e-5, -0.04, float("nan"), -float("inf")]
    short = "0 0.101 12.3 5000 1.23e5 1.5e-7 1e-5 -0.04 nan -inf"
    assert " ".join(map(short_number, numbers)) == short


def test_text_for_xml():
    assert escape("a\x00b\ud800<") == "a\ufffdb\ufffd&lt;"
    assert shorten("abcdefghij", 5) == "ab…ij" and shorten("abc", 5) == "abc"


def test_the_legend_lies_within_the_picture():
    points = ([1.0, 2.0], [0.5, 0.4])
    svg = curves_svg({"loss": {"within": points, "train": points, "val": points}}, best=118)
    width = float(ElementTree.fromstring(svg).attrib["viewBox"].split()[2])
    (place,) = re.findall(r'<text[^>]* x="([0-9.]+)"[^>]*>best epoch: 119<', svg)
    assert float(place) + 6.2 * len("best epoch: 119") <= width
