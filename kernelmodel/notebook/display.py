"""What is shown in a notebook in place of text: the live panel, the summary's table, the graph."""

from __future__ import annotations

import sys
from typing import Any

from kernelmodel.core.hooks import hooks
from kernelmodel.notebook.cell_header import remember_cells
from kernelmodel.notebook.curves import curves_svg
from kernelmodel.notebook.graph.view import ModelGraph
from kernelmodel.notebook.history_points import history_points
from kernelmodel.notebook.live_panel import LivePanel
from kernelmodel.notebook.subshell import running_kernel
from kernelmodel.notebook.summary.view import show_summary
from kernelmodel.notebook.svg import picture


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook; imports nothing to find out."""
    return "ipykernel" in sys.modules and running_kernel() is not None


def install() -> bool:
    """Show progress, summaries and graphs as a notebook can, from now on.

    Returns:
        Whether this is a notebook; elsewhere nothing is changed.
    """
    if not in_notebook():
        return False
    remember_cells(sys.modules["IPython"].get_ipython())
    hooks.show_progress = show_progress
    hooks.show_summary = show_summary
    hooks.graph_repr = graph_repr
    hooks.history_repr = history_repr
    return True


def show_progress(model: Any, params: dict[str, Any]) -> LivePanel | None:
    """Return the live panel for a fit, or None with `verbose=0` (silent) and 2 (lines of text)."""
    return LivePanel() if params.get("verbose", 1) in (1, "auto") else None


def graph_repr(model: Any) -> dict[str, Any]:
    """Return the display bundle of a model: its graph.

    Args:
        model: has layers.
    """
    return ModelGraph(model)._repr_mimebundle_()


def history_repr(history: Any) -> dict[str, Any]:
    """Return the display bundle of a `History`: its curves.

    Args:
        history: has values.
    """
    title = str(getattr(history.model, "name", None) or "Training")
    plain = repr(history)
    return picture(curves_svg(history_points(history), title), f"{title}: {plain}", plain)
