"""Places where a front end plugs in: the notebook registers its views here."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any


def imported(module: str, name: str) -> Any:
    """Something of a package above, imported now: few scripts need it."""
    return getattr(importlib.import_module(module), name)


def on_demand(module: str, name: str) -> Callable[..., Any]:
    """A function of a package above, imported when it is called first."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return imported(module, name)(*args, **kwargs)

    return call


class Hooks:
    """How things are shown, and who saves models.

    Attributes:
        show_progress: `(model, params) -> callback or None`: shows a running fit in place of the
            progress bar.
        show_summary: `(summary, show_trainable) -> bool`: shows a summary, or returns False.
        graph_repr: `model -> mimebundle`: the picture of a model as a cell's last line.
        graph: `(model, x, ...) -> view`: what `model.graph()` returns, also outside of notebooks.
        plot_model, model_to_dot: What the functions of `kernelmodel.utils` do.
        history_repr: `history -> mimebundle`: the picture of a history as a cell's last line.
        live_panel: `() -> class`: the callback `LivePanel`, which stands above `callbacks`.
        plot_history: What `history.plot()` does, also outside of notebooks.
        note: `text -> None`: says something in passing.
        save_model, save_weights, load_weights, load_model, export, reduce_model,
            model_of_old_config: Set by the saving package.
    """

    show_progress: Callable[[Any, dict[str, Any]], Any] | None = None
    show_summary: Callable[[Any, bool], bool] | None = None
    graph_repr: Callable[[Any], Any] | None = None
    graph: Callable[..., Any] = staticmethod(on_demand("kernelmodel.notebook.graph.view", "graph"))
    plot_model: Callable[..., Any] = staticmethod(
        on_demand("kernelmodel.notebook.graph.plot", "plot_model")
    )
    model_to_dot: Callable[..., Any] = staticmethod(
        on_demand("kernelmodel.notebook.graph.plot", "model_to_dot")
    )
    history_repr: Callable[[Any], Any] | None = None
    live_panel: Callable[[], type] = staticmethod(
        partial(imported, "kernelmodel.notebook.live_panel", "LivePanel")
    )
    plot_history: Callable[..., Any] = staticmethod(
        on_demand("kernelmodel.notebook.history_plot", "plot_history")
    )
    save_model: Callable[..., None] | None = None
    save_weights: Callable[..., None] | None = None
    load_weights: Callable[..., None] | None = None
    load_model: Callable[..., Any] | None = None
    export: Callable[..., None] | None = None
    reduce_model: Callable[[Any], Any] | None = None
    model_of_old_config: Callable[[Any], Any] | None = None

    @staticmethod
    def note(text: str) -> None:
        """Print a line."""
        print(text)  # noqa: T201


hooks = Hooks()
