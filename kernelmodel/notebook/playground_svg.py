"""The still picture of a playground: its inputs at the start, and what the model says to them."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np

from kernelmodel.callbacks.history_text import short_number
from kernelmodel.notebook.playground_inputs import Pad, Part, Sliders
from kernelmodel.notebook.playground_outputs import Group
from kernelmodel.notebook.svg import card, number, shorten, text

WIDTH, HEAD, PAD, ROW = 634, 44, 14, 24
LEFT, RIGHT = 290, 300
MOST_ROWS = 10
SIDE = 224
SOFT = {"text_anchor": "end", "font_size": 11}


def playground_svg(
    title: str, parts: list[Part], values: list[np.ndarray], groups: list[Group], outputs: list[Any]
) -> str:
    """Return an SVG document of a playground.

    Args:
        title: Of the playground.
        parts: Its inputs.
        values: What the inputs are set to.
        groups: Its outputs.
        outputs: The numbers of each output.
    """
    left, depth = _inputs(parts, values)
    right, other = _outputs(groups, outputs)
    words = "; ".join(spoken(group, numbers) for group, numbers in zip(groups, outputs))
    body = [text(PAD, 26, shorten(title, 60), "km-text km-bold", font_size=14), *left, *right]
    return card(WIDTH, max(depth, other) + PAD, f"Playground of {title}", words, "".join(body))


def spoken(group: Group, numbers: Any) -> str:
    """Return what an output tells in words: the most probable class, or the first values."""
    name = f"{group.name}: " if group.name else ""
    if group.kind == "image":
        return f"{name}an image of {group.shape[0]} x {group.shape[1]}"
    if group.kind == "bars" and len(numbers) > 1:
        best = int(np.argmax(numbers))
        return f"{name}{group.labels[best]} {100 * numbers[best]:.0f} %"
    said = [f"{label} {short_number(float(n))}" for label, n in zip(group.labels, numbers)]
    return name + ", ".join(said[:5]) + (", …" if len(said) > 5 else "")


def top(numbers: Any) -> list[int]:
    """Return which numbers are shown: all, or the largest of many, the largest first."""
    if len(numbers) <= MOST_ROWS:
        return list(range(len(numbers)))
    return [int(i) for i in np.argsort(-np.asarray(numbers), kind="stable")[:MOST_ROWS]]


def _inputs(parts: list[Part], values: list[np.ndarray]) -> tuple[list[str], float]:
    out: list[str] = []
    y = float(HEAD)
    for part, now in zip(parts, values):
        if len(parts) > 1:
            out.append(text(PAD, y + 12, shorten(part.name, 40), "km-soft"))
            y += 20
        if isinstance(part, Pad):
            drawn, y = _pad(part, now, y)
            out.append(drawn)
            continue
        assert isinstance(part, Sliders)
        for slider, value in zip(part.sliders, now):
            share = (float(value) - slider.low) / (slider.high - slider.low)
            x = PAD + 110 + share * 110
            out.append(text(PAD + 100, y + 16, shorten(slider.name, 16), "km-text", **SOFT))
            out.append(f'<path class="km-wire" d="M{PAD + 110} {number(y + 12)}h110"/>')
            out.append(f'<circle class="km-dot" cx="{number(x)}" cy="{number(y + 12)}" r="5"/>')
            shown = short_number(float(value))
            out.append(text(PAD + 232, y + 16, shown, "km-soft", font_size=11))
            y += ROW
    return out, y


def _pad(part: Pad, values: np.ndarray, y: float) -> tuple[str, float]:
    rows, columns = part.cells
    ink = np.clip(values, 0, 1).reshape(rows, columns)
    shade = np.round(255 * (1 - ink if part.ink < part.ground else ink)).astype("uint8")
    return _image(shade, PAD, y)


def _image(pixels: np.ndarray, x: float, y: float) -> tuple[str, float]:
    """An image of bytes with its upper left corner at (x, y), and how far down it goes."""
    rows, columns = pixels.shape[:2]
    scale = SIDE / max(rows, columns)
    data = base64.b64encode(png(pixels)).decode()
    width, height = number(columns * scale), number(rows * scale)
    return (
        f'<image x="{number(x)}" y="{number(y)}" width="{width}" height="{height}" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
        f'<rect class="km-edge" fill="none" x="{number(x)}" y="{number(y)}" width="{width}" '
        f'height="{height}"/>'
    ), y + rows * scale + 10


def _outputs(groups: list[Group], outputs: list[Any]) -> tuple[list[str], float]:
    out: list[str] = []
    y = float(HEAD)
    x = WIDTH - PAD - RIGHT
    for group, numbers in zip(groups, outputs):
        if group.name:
            out.append(text(x, y + 12, shorten(group.name, 40), "km-soft"))
            y += 20
        if group.kind == "image":
            pixels = np.nan_to_num(numbers, posinf=0, neginf=0).reshape(group.shape)
            drawn, y = _image(pixels.astype("uint8"), x, y)
            out.append(drawn)
            continue
        best = int(np.argmax(numbers)) if group.kind == "bars" and len(numbers) > 1 else -1
        for i in top(numbers):
            css = "km-text km-bold" if i == best else "km-text"
            value = float(numbers[i])
            out.append(text(x + 90, y + 16, shorten(group.labels[i], 14), css, **SOFT))
            if group.kind == "bars":
                width = number(140 * min(max(value, 0.0), 1.0))
                bar = f'y="{number(y + 6)}" height="12" rx="2"'
                out.append(f'<rect class="km-edge" fill="none" x="{x + 98}" {bar} width="140"/>')
                out.append(f'<rect class="km-dot" x="{x + 98}" {bar} width="{width}"/>')
                shown, at = f"{100 * value:.1f} %", x + RIGHT
            else:
                shown, at = short_number(value), x + 180
            out.append(text(at, y + 16, shown, css, **SOFT))
            y += ROW
        if len(numbers) > MOST_ROWS:
            rest = f"and {len(numbers) - MOST_ROWS} more"
            out.append(text(x + 98, y + 14, rest, "km-soft", font_size=11))
            y += ROW
    return out, y


def png(pixels: np.ndarray) -> bytes:
    """Return a picture of bytes as a PNG file, the same on every machine.

    Args:
        pixels: (rows, columns) or (rows, columns, 1), grey, or (rows, columns, 3), in colour.

    Source: PNG Specification, https://www.w3.org/TR/png/
    """
    rows, columns = pixels.shape[:2]
    colour = 2 if pixels.shape[2:] == (3,) else 0
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", columns, rows, 8, colour, 0, 0, 0)
    packed = zlib.compress(lines, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )
