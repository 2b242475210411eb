"""The panel's place in a notebook: a widget while the training runs, then a picture that stays.

A widget is not what a notebook should be saved with: reopened without its kernel it shows an error.
So when the training ends, the output is replaced by a still picture. The widget itself lives on as
long as its kernel does and shows the panel over the picture (see `place`), so that one can still go
through the epochs. The file, and every page without that kernel, has the picture.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kernelmodel.notebook.cell_header import output_of_the_cell
from kernelmodel.notebook.place import with_place
from kernelmodel.notebook.subshell import delivers_while_busy, show_busy

STATIC = Path(__file__).parent / "static"

_numbers = itertools.count(1)


@functools.cache
def live_panel_widget() -> type:
    """Return the class LivePanelWidget; made on the first call, as it needs anywidget."""
    import anywidget
    import traitlets

    class LivePanelWidget(anywidget.AnyWidget):
        """The panel's connection to the browser; all it shows comes as messages."""

        _esm = (STATIC / "live_panel.js").read_text(encoding="utf-8")
        _css = (STATIC / "live_panel.css").read_text(encoding="utf-8")
        _title = traitlets.Unicode("Training").tag(sync=True)
        _hears_while_busy = traitlets.Bool(True).tag(sync=True)
        _id = traitlets.Unicode("").tag(sync=True)
        _place = traitlets.Unicode("").tag(sync=True)

    return LivePanelWidget


class PanelView:
    """Shows a panel in the output of the running cell.

    Args:
        title: what is trained.
        on_message: called with the widget, the content and the buffers of what a view sends.
        on_cell_end: called with the exception that ended the cell, or None.

    Attributes:
        hears: whether what a view sends arrives while a cell runs.
    """

    def __init__(
        self,
        title: str,
        on_message: Callable[[Any, Any, Any], None],
        on_cell_end: Callable[[BaseException | None], None],
    ) -> None:
        from IPython import get_ipython
        from IPython.display import display

        self._widget: Any = live_panel_widget()(_title=title)
        self._widget.on_msg(on_message)
        self.hears = delivers_while_busy(self._widget)
        self._widget._hears_while_busy = self.hears
        self._widget._id = self._widget.model_id
        shown = self._widget._repr_mimebundle_()
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        data = {**data, "text/plain": "<LivePanel>"}
        with output_of_the_cell():
            self._handle: Any = display(data, metadata=metadata, raw=True, display_id=True)
        self._on_cell_end = on_cell_end
        self._events: Any = None
        if threading.current_thread() is threading.main_thread():
            self._events = get_ipython().events
            self._events.register("post_run_cell", self._cell_ended)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message to all views."""
        if self._widget is not None:
            self._widget.send(message)

    def stay_busy(self) -> None:
        """Say that the kernel is busy, after a message of a view has made it look idle."""
        if self.hears:
            show_busy()

    def settle(self, bundle: dict[str, Any]) -> None:
        """Put a still picture in the notebook, and the panel over it as long as it lives.

        Args:
            bundle: what `svg.picture` made.
        """
        if self._widget is None:
            return
        if self._events is not None:
            self._events.unregister("post_run_cell", self._cell_ended)
            self._events = None
        content = hashlib.sha256(bundle["text/html"].encode()).hexdigest()[:12]
        key = f"run{next(_numbers)}x{content}"
        bundle = with_place(bundle, key)
        self.send({"type": "still", "bundle": bundle})
        self._widget._place = key
        self._handle.update(bundle, raw=True)

    def close(self) -> None:
        """Leave the picture alone."""
        if self._widget is not None:
            widget, self._widget = self._widget, None
            widget.close()

    def _cell_ended(self, result: Any) -> None:
        """Tell what an exception left open: a callback is not told of it, the notebook is."""
        self._on_cell_end(getattr(result, "error_in_exec", None))
