"""`history.plot()`: the curves of a training for exploring (plotly) and for papers (matplotlib)."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass
from typing import Any

from kernelmodel.callbacks import History
from kernelmodel.callbacks.history_text import short_number
from kernelmodel.explain.figure import new_figure, styled
from kernelmodel.notebook.history_points import (
    Curves,
    best_epoch,
    chosen_metrics,
    history_points,
)
from kernelmodel.notebook.svg import LIGHT, picture

BACKENDS = ("plotly", "matplotlib")
NAMES = {"train": "training", "val": "validation"}
MOST_MARKS = 30
COLUMNS = 3
# plotly draws on a transparent ground, which may be light or dark: these have a contrast of at
# least 3 (lines) and 4 (text) on white and on the black of dark themes, and colour-blind people
# tell the two lines apart, which also differ in dash and marker.
ON_ANY = {"train": "#2f86c6", "val": "#cf6a12", "text": "#777777", "grid": "rgba(128,128,128,0.25)"}
DASHES = {"train": "solid", "val": "dash"}
SYMBOLS = {"train": "circle", "val": "diamond"}
EXPORT = {"format": "svg", "filename": "history"}


@dataclass
class Plan:
    """What both backends draw.

    Attributes:
        title: The model's name.
        curves: Metric -> kind -> (x, y), in order.
        log: Metrics with a logarithmic axis.
        best: x of the best epoch, or None.
        text: The picture in words.
    """

    title: str
    curves: Curves
    log: set[str]
    best: float | None
    text: str

    @property
    def columns(self) -> int:
        """How many plots stand side by side."""
        return {4: 2}.get(len(self.curves), min(COLUMNS, len(self.curves)))

    @property
    def rows(self) -> int:
        """How many rows of plots there are."""
        return math.ceil(len(self.curves) / self.columns)


def plot_history(
    history: History,
    metrics: Any = None,
    backend: str = "plotly",
    log: Any = False,
    monitor: str | None = None,
    mode: str = "auto",
) -> Any:
    """Return what `history.plot()` does, which documents the arguments."""
    if backend not in BACKENDS:
        raise ValueError(f"`backend` must be one of {BACKENDS}, got {backend!r}.")
    points = history_points(history)
    names = chosen_metrics(points, metrics)
    logged = names if log is True else [] if log is False else chosen_metrics(points, log)
    best = best_epoch(history, monitor, mode)
    epochs = len(history.rows()[0])
    text = f"{', '.join(names)} over {epochs} epoch{'s' * (epochs != 1)}"
    if best is not None:
        text += f", best epoch {best:.0f}"
    title = str(getattr(history.model, "name", None) or "Training")
    plan = Plan(title, {name: points[name] for name in names}, set(logged), best, text)
    return explorable(plan) if backend == "plotly" else printable(plan)


def printable(plan: Plan) -> Any:
    """Return the curves as a matplotlib figure."""
    figure = new_figure(plan.text, 3.1 * plan.columns + 0.3, 2.3 * plan.rows + 0.45)
    with styled():
        from matplotlib.ticker import LogLocator, MaxNLocator

        grid = figure.subplots(plan.rows, plan.columns, squeeze=False).ravel()
        for axes in grid[len(plan.curves) :]:
            axes.set_axis_off()
        shown: dict[str, Any] = {}
        for axes, (metric, kinds) in zip(grid, plan.curves.items()):
            for kind, (x, y) in kinds.items():
                (shown[kind],) = axes.plot(
                    x, y, color=LIGHT[kind], linestyle="-" if kind == "train" else "--",
                    marker=("o" if kind == "train" else "D") if len(x) <= MOST_MARKS else None,
                    markersize=3, markerfacecolor="white" if kind == "val" else None,
                    linewidth=1.4, label=NAMES[kind],
                )  # fmt: skip
            if plan.best is not None:
                shown["best"] = axes.axvline(
                    plan.best, color="#5c5c5c", linewidth=1, linestyle=":",
                    label=f"best epoch ({plan.best:.0f})", zorder=0,
                )  # fmt: skip
            axes.set(title=metric, xlabel="epoch", yscale="log" if metric in plan.log else "linear")
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
            if metric in plan.log:
                low, high = axes.get_ylim()
                axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
                axes.yaxis.set_major_formatter(lambda value, _: short_number(value))
                few = high < 30 * low  # so few powers of ten that what is between counts
                axes.yaxis.set_minor_formatter(
                    lambda value, _, few=few: short_number(value) if few else ""
                )
            axes.grid(axis="y")
        order = [shown[kind] for kind in ("train", "val", "best") if kind in shown]
        figure.legend(handles=order, loc="outside upper left", ncols=3)
    return figure


def explorable(plan: Plan) -> Any:
    """Return the curves as a plotly figure."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    gap = min(0.11, 0.5 / plan.rows)
    grid = make_subplots(
        plan.rows,
        plan.columns,
        subplot_titles=[clean(name) for name in plan.curves],
        horizontal_spacing=0.09 if plan.columns > 2 else 0.12,
        vertical_spacing=gap if plan.rows > 1 else 0,
    )
    figure = history_figure()(grid)
    figure._still = plan
    told: set[str] = set()
    for number, (metric, kinds) in enumerate(plan.curves.items()):
        place = {"row": number // plan.columns + 1, "col": number % plan.columns + 1}
        for kind, (x, y) in kinds.items():
            figure.add_trace(
                go.Scatter(
                    x=list(x),
                    y=list(y),
                    name=NAMES[kind],
                    legendgroup=kind,
                    showlegend=kind not in told,
                    mode="lines+markers" if len(x) <= MOST_MARKS else "lines",
                    line={"color": ON_ANY[kind], "dash": DASHES[kind], "width": 2},
                    marker={"symbol": SYMBOLS[kind], "size": 6},
                    hovertemplate="%{y:.4g}",
                ),
                **place,
            )
            told.add(kind)
        if plan.best is not None:
            figure.add_vline(
                plan.best, line={"color": ON_ANY["text"], "dash": "dot", "width": 1}, **place
            )
        figure.update_yaxes(type="log" if metric in plan.log else "linear", **place)
        figure.update_xaxes(title={"text": "epoch", "standoff": 4}, **place)
    axes = {"gridcolor": ON_ANY["grid"], "zeroline": False, "linecolor": ON_ANY["text"]}
    figure.update_xaxes(**axes, showgrid=False, showline=True, tickformat="d", minallowed=0)
    figure.update_yaxes(**axes, exponentformat="power")
    best = "" if plan.best is None else f"best epoch {plan.best:.0f} (dotted line)"
    figure.update_layout(
        template=go.layout.Template(),
        title={
            "text": clean(plan.title),
            "subtitle": {"text": best},
            "x": 0.01,
            "yref": "container",
        },
        font={"color": ON_ANY["text"]},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="x unified",
        hoverlabel={"bgcolor": "#fafafa", "font": {"color": "#202020"}},
        legend={
            "orientation": "h",
            "xref": "container",
            "x": 0.96,
            "xanchor": "right",
            "yref": "container",
            "y": 0.96,
            "yanchor": "top",
        },
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": ON_ANY["text"], "orientation": "v"},
        margin={"l": 50, "r": 30, "t": 112, "b": 44},
        height=140 + 230 * plan.rows,
    )
    return figure


def clean(text: str) -> str:
    """Return text in which plotly finds no markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@functools.cache
def history_figure() -> type:
    """Return the class HistoryFigure; made on the first call, as it needs plotly."""
    import plotly.graph_objects as go

    class HistoryFigure(go.Figure):
        """A plotly figure that leaves a still picture beside its data.

        A front end with plotly's renderer (it comes with the Python package, so that nothing is
        loaded from elsewhere) shows the figure, also from a saved notebook without a kernel; all
        others show the picture.
        """

        _still: Plan
        _ipython_display_ = None  # plotly's own would show it without the picture

        def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
            plan = self._still
            described = f"{plan.title}: {plan.text}"
            still = picture(printable(plan).svg(), described, repr(self))
            data = json.loads(self.to_json(validate=False))
            config = {"displaylogo": False, "responsive": True, "toImageButtonOptions": EXPORT}
            return {"application/vnd.plotly.v1+json": {**data, "config": config}, **still}

        def __repr__(self) -> str:
            return f"<Figure: {self._still.text}>"

    return HistoryFigure
