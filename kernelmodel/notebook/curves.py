"""The curves of a finished training as a still picture, drawn like the live panel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from kernelmodel.callbacks.history_text import short_number
from kernelmodel.notebook.svg import card, number, shorten, text

Points = tuple[Sequence[float], Sequence[float]]

PLOT_WIDTH, PLOT_HEIGHT = 300, 172
HEAD, GAP, PAD = 58, 10, 12
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 28, 24
COLUMNS = 2
MIN_WIDTH = 460
MOST_MARKS = 30
LOOK = {
    "within": 'class="km-train" stroke-width="1" opacity="0.6"',
    "train": 'class="km-train" stroke-width="2"',
    "val": 'class="km-val" stroke-width="2" stroke-dasharray="5 3"',
}


def curves_svg(
    curves: Mapping[str, Mapping[str, Points]],
    title: str = "Training",
    note: str = "",
    best: int | None = None,
) -> str:
    """Return an SVG document with one small plot a metric.

    Args:
        curves: metric -> kind -> (x, y); kinds are "within" (after each batch), "train" and "val"
            (after each epoch); x in epochs; y may hold NaN, where the curve has a gap.
        title: what was trained.
        note: how the training ended, when that is worth saying.
        best: the best epoch, counted from 0, to be marked.
    """
    columns = max(1, min(COLUMNS, len(curves)))
    rows = max(1, math.ceil(len(curves) / columns))
    legend, right = _legend(curves, best)
    width = max(2 * PAD + columns * PLOT_WIDTH + (columns - 1) * GAP, MIN_WIDTH, right + PAD)
    height = HEAD + rows * PLOT_HEIGHT + (rows - 1) * GAP + PAD
    body = [text(PAD, 24, shorten(title, 60), "km-text km-bold", font_size=14)]
    if note:
        body.append(text(width - PAD, 24, note, "km-soft", text_anchor="end"))
    body.append(legend)
    if not curves:
        body.append(text(PAD, HEAD + 30, "No epoch was finished.", "km-soft"))
    for i, (metric, kinds) in enumerate(curves.items()):
        x = PAD + (i % columns) * (PLOT_WIDTH + GAP)
        y = HEAD + (i // columns) * (PLOT_HEIGHT + GAP)
        body.append(f'<g transform="translate({x} {y})">{_plot(metric, kinds, best)}</g>')
    spoken = "; ".join(_spoken(metric, kinds) for metric, kinds in curves.items())
    return card(width, height, f"Training curves of {title}", spoken or "No curves.", "".join(body))


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return about `count` round numbers that lie between two bounds.

    >>> nice_ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.7)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def bounds(values: Sequence[float]) -> tuple[float, float]:
    """Return the least and the greatest finite value with a little air around them."""
    finite = [v for v in values if math.isfinite(v)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    air = (high - low) * 0.06 or abs(high) * 0.1 or 0.5
    return low - air, high + air


def _plot(metric: str, kinds: Mapping[str, Points], best: int | None) -> str:
    xs = [x for px, _ in kinds.values() for x in px]
    x0, x1 = (0.0 if "within" in kinds else 1.0), max([*xs, 1.0])
    if x1 <= x0:
        x0 = x1 - 1.0
    y0, y1 = bounds([y for _, py in kinds.values() for y in py])

    def sx(x: float) -> float:
        return LEFT + (x - x0) / (x1 - x0) * (PLOT_WIDTH - LEFT - RIGHT)

    def sy(y: float) -> float:
        return TOP + (y1 - y) / (y1 - y0) * (PLOT_HEIGHT - TOP - BOTTOM)

    end = {"text_anchor": "end", "font_size": 11}
    out = [
        text(LEFT, 14, shorten(metric, 22), "km-text km-bold"),
        _ends(kinds),
        text(LEFT - 10, PLOT_HEIGHT - 8, "epoch", "km-soft", **end),
    ]
    for tick in nice_ticks(y0, y1):
        y = number(sy(tick))
        out.append(f'<path class="km-grid" d="M{LEFT} {y}H{PLOT_WIDTH - RIGHT}"/>')
        out.append(
            text(
                LEFT - 5,
                sy(tick) + 4,
                short_number(tick),
                "km-soft",
                text_anchor="end",
                font_size=11,
            )
        )
    for tick in nice_ticks(x0, x1):
        if tick == int(tick):
            label = {"text_anchor": "middle", "font_size": 11}
            out.append(text(sx(tick), PLOT_HEIGHT - 8, f"{tick:.0f}", "km-soft", **label))
    for kind in ("within", "train", "val"):
        if kind in kinds:
            points = [(sx(x), sy(y)) for x, y in zip(*kinds[kind], strict=True)]
            out.append(_curve(kind, points))
    if best is not None:
        at, value = _nearest(kinds.get("val") or kinds.get("train"), best + 1.0)
        out.append(_ring(sx(at), sy(value)) if math.isfinite(value) else "")
    return "".join(out)


def _ends(kinds: Mapping[str, Points]) -> str:
    spans = [
        f'<tspan class="km-{kind}-word">{short_number(kinds[kind][1][-1])}</tspan>'
        for kind in ("train", "val")
        if kind in kinds and kinds[kind][1]
    ]
    separator = '<tspan class="km-soft"> / </tspan>'
    return f'<text x="{PLOT_WIDTH - RIGHT}" y="14" text-anchor="end">{separator.join(spans)}</text>'


def _curve(kind: str, points: list[tuple[float, float]]) -> str:
    path, pen_up = [], True
    for x, y in points:
        if not math.isfinite(y):
            pen_up = True
            continue
        path.append(f"{'M' if pen_up else 'L'}{number(x)} {number(y)}")
        pen_up = False
    marked = kind != "within" and len(points) <= MOST_MARKS
    marks = "".join(_mark(kind, x, y) for x, y in points if math.isfinite(y)) if marked else ""
    return (
        f'<path {LOOK[kind]} stroke-linejoin="round" d="{"".join(path)}"/>' if path else ""
    ) + marks


def _mark(kind: str, x: float, y: float) -> str:
    if kind == "train":
        return f'<circle class="km-dot" cx="{number(x)}" cy="{number(y)}" r="2.5"/>'
    corner = f"M{number(x)} {number(y - 4)}"
    return f'<path class="km-gem" stroke-width="1.5" d="{corner}l4 4l-4 4l-4 -4z"/>'


def _nearest(points: Points | None, x: float) -> tuple[float, float]:
    pairs = list(zip(*points, strict=True)) if points else []
    return min(pairs, key=lambda pair: abs(pair[0] - x), default=(x, math.nan))


def _ring(x: float, y: float) -> str:
    return f'<circle class="km-ring" cx="{number(x)}" cy="{number(y)}" r="6" stroke-width="1.5"/>'


def _legend(curves: Mapping[str, Mapping[str, Points]], best: int | None) -> tuple[str, float]:
    """The legend, and how far to the right it goes."""
    kinds = {kind for each in curves.values() for kind in each}
    words = {"within": "within the epoch", "train": "training", "val": "validation"}
    out, x = [], float(PAD)
    for kind in ("train", "within", "val"):
        if kind in kinds:
            line = f'<path {LOOK[kind]} d="M{number(x)} 42h26"/>'
            out.append(line + ("" if kind == "within" else _mark(kind, x + 13, 42)))
            out.append(text(x + 32, 46, words[kind], "km-soft"))
            x += 32 + 6.2 * len(words[kind]) + 22
    if kinds and best is not None:
        told = f"best epoch: {best + 1}"
        out += [_ring(x + 6, 42), text(x + 18, 46, told, "km-soft")]
        x += 18 + 6.2 * len(told)
    return "".join(out), x


def _spoken(metric: str, kinds: Mapping[str, Points]) -> str:
    names = {"train": "training", "val": "validation"}
    ends = [
        f"{names[k]} {short_number(kinds[k][1][-1])}" for k in names if k in kinds and kinds[k][1]
    ]
    return f"{metric}: {', '.join(ends)}" if ends else metric
