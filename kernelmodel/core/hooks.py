"""Places where a front end plugs in: the notebook registers its views here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Hooks:
    """How things are shown, and who saves models.

    Attributes:
        show_progress: `(model, params) -> callback or None`: shows a running fit in place of the
            progress bar.
        show_summary: `(summary, show_trainable) -> bool`: shows a summary, or returns False.
        graph_repr: `model -> mimebundle`: the picture of a model as a cell's last line.
        history_repr: `history -> mimebundle`: the picture of a history as a cell's last line.
        live_panel: `() -> class`: imports the callback `LivePanel`, which stands above `callbacks`.
        note: `text -> None`: says something in passing.
        save_model, save_weights, load_weights, load_model: Set by the saving package.
    """

    show_progress: Callable[[Any, dict[str, Any]], Any] | None = None
    show_summary: Callable[[Any, bool], bool] | None = None
    graph_repr: Callable[[Any], Any] | None = None
    history_repr: Callable[[Any], Any] | None = None
    live_panel: Callable[[], type] | None = None
    save_model: Callable[..., None] | None = None
    save_weights: Callable[..., None] | None = None
    load_weights: Callable[..., None] | None = None
    load_model: Callable[..., Any] | None = None

    @staticmethod
    def note(text: str) -> None:
        """Print a line."""
        print(text)  # noqa: T201


hooks = Hooks()
