"""A model's graph as an SVG document that needs neither script nor style sheet."""

from __future__ import annotations

from kernelmodel.notebook.graph.families import FAMILIES, in_order
from kernelmodel.notebook.graph.parts import Part
from kernelmodel.notebook.graph.scene import INSIDE, NEXT_LINE, Box, Scene, Wire
from kernelmodel.notebook.svg import card, escape, number, shorten, text

PAD, TITLE, LEGEND, STRIPE = 18.0, 34.0, 22.0, 5.0
PER_WORD_CHARACTER, SWATCH = 6.2, 34.0
GUESSED = "dotted: in the order of the attributes"


def graph_svg(scene: Scene, title: str = "Model") -> str:
    """Return the SVG document of a scene, with a title and a legend of the colours.

    Args:
        scene: what to draw.
        title: the model's name.
    """
    families = in_order(box.part.family for box in scene.boxes if not box.part.is_output)
    width = max(scene.width, 7.8 * min(len(title), 60), 220.0) + 2 * PAD
    guessed = not all(wire.link.known for wire in scene.wires)
    legend, legend_height = _legend(families, width, GUESSED if guessed else "")
    top = PAD + TITLE + legend_height
    heading = text(PAD, 28, shorten(title, 60), "km-text km-bold", font_size=14)
    body = [f"<style>{_style()}</style>", heading, legend]
    body.append(f'<g transform="translate({number((width - scene.width) / 2)} {number(top)})">')
    body += [_box(box) for box in scene.boxes if box.is_open]
    body += [_wire(wire) for wire in scene.wires]
    body += [_box(box) for box in scene.boxes if not box.is_open]
    body += [_label(wire) for wire in scene.wires if wire.label]
    body.append("</g>")
    height = scene.height + top + PAD
    return card(width, height, f"Graph of {title}", describe(scene), "".join(body))


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

    def boxes(card: str, edge: str, inside: str) -> str:
        return (
            f".km-halo{{stroke:{card}}}.km-part{{fill:{card};stroke:{edge}}}"
            f".km-open{{fill:{inside};stroke:{edge}}}"
        )

    lines = (
        ".km-rtl{unicode-bidi:plaintext}"
        ".km-halo{stroke-width:4px;paint-order:stroke;stroke-linejoin:round}"
    )
    light, dark = boxes("#ffffff", "#8a8a8a", "#f5f5f5"), boxes("#1a1a1a", "#7c7c7c", "#242424")
    on_dark = f"@media (prefers-color-scheme:dark){{{dark}{rules(2)}}}"
    return f"{lines}{light}{rules(1)}{on_dark}"


def _legend(families: list[str], width: float, note: str) -> tuple[str, float]:
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
    if note:
        y += LEGEND if families else 0.0
        out.append(text(PAD, y, note, "km-soft", font_size=11))
    return "".join(out), y - 46.0 + (LEGEND if out else 0.0)


def _rect(css: str, box: Box, inset: float = 0, more: str = "") -> str:
    return (
        f'<rect class="{css}" x="{number(box.x + inset)}" y="{number(box.y + inset)}" '
        f'width="{number(box.width - 2 * inset)}" height="{number(box.height - 2 * inset)}" '
        f'rx="{5 - inset / 2:g}"{more}/>'
    )


def _box(box: Box) -> str:
    part, middle = box.part, box.x + box.width / 2
    if part.is_output:
        look = {"text_anchor": "middle", "font_size": 11}
        line = text(middle, box.y + 14, box.lines[0], "km-soft", **look)
        return f'<g role="img"><title>{escape(spoken(part))}</title>{line}</g>'
    dashed = ' stroke-dasharray="4 2"' if part.family == "input" else ""
    drawn = [_rect("km-open" if box.is_open else "km-part", box, more=dashed)]
    if part.inner is not None and not box.is_open:
        drawn.append(_rect("km-part", box, 2.5))
    drawn.append(
        f'<rect class="km-f-{part.family}" x="{number(box.x)}" y="{number(box.y)}" '
        f'width="{STRIPE:g}" height="{number(box.height)}" rx="2.5"/>'
    )
    if box.is_open:
        drawn.append(text(box.x + INSIDE, box.y + 21, box.lines[0], "km-text km-bold km-rtl"))
    else:
        for i, line in enumerate(box.lines):
            css = "km-soft km-rtl" if i else "km-text km-bold km-rtl"
            look = {"text_anchor": "middle", **({"font_size": 11} if i else {})}
            at = box.y + 18 + NEXT_LINE * i
            drawn.append(text(middle + STRIPE / 2, at, line, css, **look))
    return f'<g role="img"><title>{escape(spoken(part))}</title>{"".join(drawn)}</g>'


def _wire(wire: Wire) -> str:
    if not wire.link.known:
        return f'<path class="km-wire" stroke-width="1.2" stroke-dasharray="2 4" d="{wire.path}"/>'
    return (
        f'<path class="km-wire" stroke-width="1.4" d="{wire.path}"/>'
        f'<path class="km-tip" d="{tip_path(wire)}"/>'
    )


def tip_path(wire: Wire) -> str:
    """Return the tip of a wire as SVG path data."""
    return f"M{'L'.join(f'{number(x)} {number(y)}' for x, y in wire.tip)}z"


def _label(wire: Wire) -> str:
    return text(*wire.at, wire.label, "km-soft km-halo", font_size=10)
