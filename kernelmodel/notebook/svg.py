"""Small parts of which the static pictures are drawn: escaping, colours, a card, a display bundle.

A saved picture is shown by programs that know nothing of the notebook's theme, so every picture
lies on a card of its own colour: light, or dark where the viewer asks for a dark picture. Training
and validation differ in colour (two that colour-blind people tell apart: Okabe and Ito, "Color
Universal Design", 2008), in dash and in marker.
"""

from __future__ import annotations

import base64
import html
from typing import Any

LIGHT = {
    "card": "#ffffff",
    "edge": "#d0d0d0",
    "text": "#202020",
    "soft": "#5c5c5c",
    "grid": "#e6e6e6",
    "train": "#0072b2",
    "val": "#c24e00",
    "fill": "#eef4f9",
}
DARK = {
    "card": "#1a1a1a",
    "edge": "#4a4a4a",
    "text": "#eeeeee",
    "soft": "#b4b4b4",
    "grid": "#333333",
    "train": "#56b4e9",
    "val": "#f0a030",
    "fill": "#20303c",
}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def escape(text: object) -> str:
    """Return text that is safe inside HTML and XML, in elements and in quoted attributes.

    Characters that XML cannot carry become the replacement character.

    >>> escape("<b>")
    '&lt;b&gt;'
    """
    clean = "".join(c if _in_xml(c) else "\ufffd" for c in str(text))
    return html.escape(clean, quote=True)


def shorten(text: str, limit: int) -> str:
    """Return text of at most `limit` characters, its middle left out when it was longer."""
    if len(text) <= limit:
        return text
    head = (limit - 1) // 2 + (limit - 1) % 2
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def number(value: float) -> str:
    """Return a coordinate with at most one decimal, without a needless zero."""
    rounded = f"{value:.1f}".removesuffix(".0")
    return "0" if rounded == "-0" else rounded


def card(width: float, height: float, title: str, description: str, body: str) -> str:
    """Return a whole SVG document: `body` on a card, with a title for screen readers.

    Args:
        width: pixels.
        height: pixels.
        title: plain text; escaped here.
        description: plain text; escaped here.
        body: SVG elements, already safe.
    """
    w, h = number(width), number(height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" '
        f'role="img" style="max-width:100%;height:auto" font-family="{FONT}" font-size="12">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
        f"<style>{_style()}</style>"
        f'<rect class="km-card km-edge" x="0.5" y="0.5" width="{number(width - 1)}" '
        f'height="{number(height - 1)}" rx="6"/>{body}</svg>'
    )


def text(x: float, y: float, words: str, css: str = "km-text", **attributes: object) -> str:
    """Return one SVG text element; `words` is escaped, attribute names take `_` for `-`."""
    more = "".join(f' {k.replace("_", "-")}="{escape(v)}"' for k, v in attributes.items())
    return f'<text class="{css}" x="{number(x)}" y="{number(y)}"{more}>{escape(words)}</text>'


def picture(svg: str, alt: str, plain: str) -> dict[str, Any]:
    """Return the display bundle of a picture that shows without a kernel and without script.

    It holds the SVG itself; HTML with the SVG as an image, since a notebook that is not trusted
    shows images but neither SVG nor script; and a text that stays the same from run to run.

    Args:
        svg: the document that `card` made.
        alt: what the picture shows, for screen readers.
        plain: the text/plain.
    """
    data = base64.b64encode(svg.encode()).decode()
    image = (
        f'<img alt="{escape(alt)}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">'
    )
    return {"text/html": image, "image/svg+xml": svg, "text/plain": plain}


def _in_xml(character: str) -> bool:
    code = ord(character)
    return (
        code in (9, 10, 13)
        or (0x20 <= code <= 0xD7FF)
        or (code >= 0xE000 and code & 0xFFFE != 0xFFFE)
    )


def _style() -> str:
    light, dark = _rules(LIGHT), _rules(DARK)
    return f".km-bold{{font-weight:600}}{light}@media (prefers-color-scheme:dark){{{dark}}}"


def _rules(c: dict[str, str]) -> str:
    return (
        f".km-card{{fill:{c['card']}}}.km-edge{{stroke:{c['edge']}}}.km-text{{fill:{c['text']}}}"
        f".km-soft{{fill:{c['soft']}}}.km-grid{{stroke:{c['grid']};fill:none}}"
        f".km-train{{stroke:{c['train']};fill:none}}.km-val{{stroke:{c['val']};fill:none}}"
        f".km-dot{{stroke:{c['train']};fill:{c['train']}}}.km-gem{{stroke:{c['val']};fill:{c['card']}}}"
        f".km-ring{{stroke:{c['text']};fill:none}}"
        f".km-box{{fill:{c['fill']};stroke:{c['train']}}}.km-wire{{stroke:{c['soft']};fill:none}}"
        f".km-tip{{fill:{c['soft']}}}.km-train-word{{fill:{c['train']}}}.km-val-word{{fill:{c['val']}}}"
    )
