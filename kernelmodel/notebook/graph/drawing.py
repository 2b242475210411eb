"""A model's graph as an SVG document that needs neither script nor style sheet."""

from __future__ import annotations

from kernelmodel.notebook.graph.families import FAMILIES, in_order
from kernelmodel.notebook.graph.parts import Part
from kernelmodel.notebook.graph.scene import INSIDE, NEXT_LINE, Box, Scene, Wire
from kernelmodel.notebook.svg import card, escape, number, shorten, text

PAD, TITLE, LEGEND, STRIPE = 18.0, 34.0, 22.0, 5.0
PER_WORD_CHARACTER, SWATCH = 6.2, 34.0


def graph_svg(scene: Scene, title: str = "Model") -> str:
    """Return the SVG document of a scene, with a title and a legend of the colours.

    Args:
        scene: what to draw.
        title: the model's name.
    """
    families = in_order(box.part.family for box in scene.boxes if not box.part.is_output)
    width = max(scene.width, 7.8 * min(len(title), 60), 180.0) + 2 * PAD
    legend, legend_height = _legend(families, width)
    top = PAD + TITLE + legend_height
    body = [f"<style>{_style()}</style>", text(PAD, 28, shorten(title, 60), "km-text km-bold", font_size=14), legend]
    body.append(f'<g transform="translate({number((width - scene.width) / 2)} {number(top)})">')
    body += [_box(box) for box in scene.boxes if box.is_open]
    body += [_wire(wire) for wire in scene.wires]
    body += [_box(box) for box in scene.boxes if not box.is_open]
    body += [_label(wire) for wire in scene.wires if wire.label]
    body.append("</g>")
    return card(width, scene.height + top + PAD, f"Graph of {title}", describe(scene), "".join(body))


def describe(scene: Scene) -> str:
    """Return in words what leads to what, for screen readers."""
    names = {box.part.id: box.part.name for box in scene.boxes}
    steps = (f"{names[w.link.source]} to {_target(w, names)}" for w in scene.wires)
    return "; ".join(steps)


def _target(wire: Wire, names: dict[str, str]) -> str:
    name = names[wire.link.target]
    is_output = wire.link.target.rpartition("/")[2].startswith("out")
    return f"output {name}" if is_output else name


def spoken(part: Part) -> str:
    """Return a part in words."""
    if part.is_output:
        return f"output of shape {part.name}"
    params = f"{part.params:,} parameters" if part.params else ""
    shapes = f"output {', '.join(part.outputs)}" if part.outputs else ""
    return ", ".join(word for word in (part.name, part.class_name, shapes, params) if word)


def _style() -> str:
    def rules(column: int) -> str:
        return "".join(f".km-f-{f}{{fill:{look[column]}}}" for f, look in FAMILIES.items())

    box = ".km-part{stroke-width:1}.km-rtl{unicode-bidi:plaintext}.km-halo{stroke-width:4px;paint-order:stroke;stroke-linejoin:round}"
    halo = ".km-halo{{stroke:{0}}}.km-part{{fill:{0};stroke:{1}}}.km-open{{fill:{2};stroke:{1}}}"
    light, dark = halo.format("#ffffff", "#8a8a8a", "#f5f5f5"), halo.format("#1a1a1a", "#7c7c7c", "#242424")
    return f"{box}{light}{rules(1)}@media (prefers-color-scheme:dark){{{dark}{rules(2)}}}"


def _legend(families: list[str], width: float) -> tuple[str, float]:
    out, x, y = [], PAD, 46.0
    for family in families:
        words = FAMILIES[family][0]
        room = SWATCH + PER_WORD_CHARACTER * len(words)
        if x > PAD and x + room > width:
            x, y = PAD, y + LEGEND
        out.append(
            f'<rect class="km-f-{family}" x="{number(x)}" y="{number(y - 9)}" width="10" '
            f'height="10" rx="2"/>{text(x + 15, y, words, "km-soft", font_size=11)}'
        )
        x += room
    return "".join(out), y - 46.0 + (LEGEND if families else 0.0)


def _box(box: Box) -> str:
    part, x, y = box.part, box.x, box.y
    middle = x + box.width / 2
    if part.is_output:
        line = text(middle, y + 14, box.lines[0], "km-soft", text_anchor="middle", font_size=11)
        return f'<g role="img"><title>{escape(spoken(part))}</title>{line}</g>'
    shape = f'x="{number(x)}" y="{number(y)}" width="{number(box.width)}" height="{number(box.height)}" rx="5"'
    dashed = ' stroke-dasharray="4 2"' if part.family == "input" else ""
    drawn = [f'<rect class="{"km-open" if box.is_open else "km-part"}" {shape}{dashed}/>']
    if part.inner is not None and not box.is_open:
        inner = f'x="{number(x + 2.5)}" y="{number(y + 2.5)}" width="{number(box.width - 5)}" height="{number(box.height - 5)}" rx="3"'
        drawn.append(f'<rect class="km-part" {inner}/>')
    drawn.append(
        f'<rect class="km-f-{part.family}" x="{number(x)}" y="{number(y)}" width="{STRIPE:g}" '
        f'height="{number(box.height)}" rx="2.5"/>'
    )
    if box.is_open:
        drawn.append(text(x + INSIDE, y + 21, box.lines[0], "km-text km-bold km-rtl"))
    else:
        for i, line in enumerate(box.lines):
            css = "km-soft km-rtl" if i else "km-text km-bold km-rtl"
            size = {"font_size": 11} if i else {}
            at = y + 18 + NEXT_LINE * i
            drawn.append(text(middle + STRIPE / 2, at, line, css, text_anchor="middle", **size))
    return f'<g role="img"><title>{escape(spoken(part))}</title>{"".join(drawn)}</g>'


def _wire(wire: Wire) -> str:
    if not wire.link.known:
        return f'<path class="km-wire" stroke-width="1.2" stroke-dasharray="2 4" d="{wire.path}"/>'
    tip = "L".join(f"{number(x)} {number(y)}" for x, y in wire.tip)
    return f'<path class="km-wire" stroke-width="1.4" d="{wire.path}"/><path class="km-tip" d="M{tip}z"/>'


def _label(wire: Wire) -> str:
    return text(*wire.at, wire.label, "km-soft km-halo", font_size=10)
