"""matplotlib figures that show themselves in a notebook, and leave its state alone.

They are made without pyplot: nothing is shown twice, no window opens, and no figure stays open.
The text beside the picture is the same from run to run.
"""

from __future__ import annotations

import functools
import io
from typing import Any

DPI = 144  # two pixels of the picture for one of the page, which is sharp on today's screens

STYLE: dict[Any, Any] = {
    "figure.facecolor": "white",
    "figure.constrained_layout.h_pad": 0.06,
    "image.interpolation": "auto",
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": "#5c5c5c",
    "axes.labelcolor": "#202020",
    "axes.titlecolor": "#202020",
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#e6e6e6",
    "xtick.color": "#5c5c5c",
    "ytick.color": "#5c5c5c",
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "text.color": "#202020",
    "text.parse_math": False,  # a name with dollar signs is a name
    "font.family": ["sans-serif"],
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "kernelmodel",
    "pdf.fonttype": 42,
}


@functools.cache
def figure_class() -> type:
    """The class of the figures; made on the first call, as it needs matplotlib."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A matplotlib figure on white, which can be read in light and in dark notebooks."""

        def __init__(self, text: str, **kwargs: Any) -> None:
            with rc_context(STYLE):
                super().__init__(layout="constrained", dpi=72, **kwargs)
            FigureCanvasAgg(self)
            self.described = text

        def savefig(self, fname: Any, **kwargs: Any) -> None:
            """Write the figure to a file: png, svg, pdf and others, by the name's ending."""
            with rc_context(STYLE):
                super().savefig(fname, **kwargs)

        def svg(self) -> str:
            """The figure as an SVG document, the same from run to run."""
            with io.StringIO() as file:
                self.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
                return file.getvalue()

        def __repr__(self) -> str:
            return f"<Figure: {self.described}>"

        __str__ = __repr__

        def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
            with io.BytesIO() as file:
                self.savefig(file, format="png", dpi=DPI)
                data = file.getvalue()
            width, height = (round(inches * 72 * 1.25) for inches in self.get_size_inches())
            shown = {"width": width, "height": height, "alt": self.described}
            return {"image/png": data, "text/plain": repr(self)}, {"image/png": shown}

    return Picture


def new_figure(text: str, width: float, height: float) -> Any:
    """An empty figure.

    Args:
        text: What it shows: its text/plain, and its description for screen readers.
        width: Inches.
        height: Inches.
    """
    return figure_class()(text, figsize=(width, height))


def styled() -> Any:
    """The context in which a figure's parts are made."""
    from matplotlib import rc_context

    return rc_context(STYLE)
