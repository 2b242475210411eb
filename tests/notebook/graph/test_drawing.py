"""The SVG of a graph: well-formed, escaped, stable, readable for machines and people."""

import re
from xml.etree import ElementTree

import graph_models
import pytest

from kernelmodel.notebook.graph.drawing import graph_svg
from kernelmodel.notebook.graph.families import FAMILIES
from kernelmodel.notebook.graph.parts import model_parts
from kernelmodel.notebook.graph.scene import Look, make_scene

SVG = "{http://www.w3.org/2000/svg}"


def drawn(name, **options):
    model = getattr(graph_models, name)()
    parts = model_parts(model)
    scene = make_scene(parts, Look(**options), {part.id for part in parts.walk()})
    return graph_svg(scene, model.name)


@pytest.mark.parametrize("name", ["twins", "odd_names", "recursive", "built", "one_layer"])
def test_it_is_well_formed_and_loads_nothing(name):
    svg = drawn(name)
    root = ElementTree.fromstring(svg)
    used = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert used <= {"svg", "title", "desc", "style", "rect", "text", "g", "path"}
    assert set(re.findall(r"https?://[^\"' )]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert "<img" not in svg and svg == drawn(name)


def test_screen_readers_are_told_everything():
    root = ElementTree.fromstring(drawn("one_layer"))
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert titles == [
        "Graph of tiny", "x, InputLayer, output (None, 4)",
        "y, Dense, output (None, 2), 10 parameters", "output of shape (None, 2)",
    ]  # fmt: skip
    assert root.find(f"{SVG}desc").text == "x to y; y to output (None, 2)"


def test_the_legend_names_the_families_that_are_there_and_no_others():
    texts = {element.text for element in ElementTree.fromstring(drawn("twins")).iter(f"{SVG}text")}
    there = {"input", "conv", "pool", "merge", "dense", "model"}
    for family, (words, _, _) in FAMILIES.items():
        assert (words in texts) == (family in there)


def test_light_and_dark_colours():
    style = list(ElementTree.fromstring(drawn("one_layer")).iter(f"{SVG}style"))[1].text
    light, dark = style.split("@media (prefers-color-scheme:dark)")
    for _, on_light, on_dark in FAMILIES.values():
        assert on_light in light and on_dark in dark


def test_families_differ_in_colour():
    for column in (1, 2):
        colours = [look[column] for key, look in FAMILIES.items() if key not in ("input", "other")]
        assert len(set(colours)) == len(colours)


def test_no_wire_is_claimed_where_the_way_is_unknown():
    assert 'class="km-tip"' not in drawn("built")
    assert "dotted: in the order of the attributes" in drawn("built")
    assert "dotted" not in drawn("twins")
    assert drawn("built").count("stroke-dasharray") == 3
