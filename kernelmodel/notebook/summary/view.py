"""`model.summary()` in a notebook: a table for every viewer, over which a live view lays itself.

What is saved is the table, and below it, after training, what was measured last.
"""

from __future__ import annotations

import functools
import threading
import time
import uuid
from pathlib import Path
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from kernelmodel.callbacks.layer_monitor import LayerMonitor
from kernelmodel.callbacks.layer_monitor.monitor import watched_layers
from kernelmodel.core.weights import Weights
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.models.summary import Summary, SummaryRow
from kernelmodel.models.summary_text import flops_text, memory_text, table_lines
from kernelmodel.notebook.cell_watch import CellWatch
from kernelmodel.notebook.place import has_browser, keep, with_place
from kernelmodel.notebook.subshell import delivers_while_busy
from kernelmodel.notebook.summary.measured import measured_html, measured_message
from kernelmodel.notebook.summary.table import summary_html, totals_words

STATIC = Path(__file__).parents[1] / "static"
SHARE = 0.01  # of the time may be spent on telling the browser

_watched: WeakValueDictionary[int, Watched] = WeakValueDictionary()
_open: WeakSet[LiveSummary] = WeakSet()


def show_summary(summary: Summary, show_trainable: bool = False) -> bool:
    """Display a summary: live where a browser can be, as a table elsewhere.

    Args:
        summary: of a built model.
        show_trainable: whether a column of the saved table says which layers are trainable.

    Returns:
        True: it is shown.
    """
    from IPython.display import display

    if has_browser():
        live = LiveSummary(summary, show_trainable, uuid.uuid4().hex)
        keep(live)
        live.handle = display(live.bundle(), raw=True, display_id=True)
    else:
        display(with_place(summary_bundle(summary, show_trainable)), raw=True)
    return True


def summary_bundle(summary: Summary, show_trainable: bool = False) -> dict[str, Any]:
    """Return the display bundle of a summary's table.

    Args:
        summary: of a built model.
        show_trainable: whether a column says which layers are trainable.
    """
    plain = "\n".join(table_lines(summary, show_trainable=show_trainable, costs=True))
    return {"text/html": summary_html(summary, show_trainable), "text/plain": plain}


class Watched:
    """A model's monitor, on while any live summary of the model is open.

    Args:
        model: a built model.
    """

    def __init__(self, model: Any) -> None:
        self.monitor = LayerMonitor(verbose=0)
        self.monitor.set_model(model)
        self.monitor.start()
        self._open: set[str] = set()

    def fits(self, model: Any) -> bool:
        """Whether it watches all layers that the model has now."""
        now = [one.state.path for one in watched_layers(model)]
        return self.monitor.model is model and now == list(self.monitor.layers)

    def opened(self, view: str) -> None:
        """Count a view."""
        self._open.add(view)
        self.monitor.resume()

    def closed(self, view: str) -> None:
        """Count a view no more."""
        self._open.discard(view)
        if not self._open:
            self.monitor.stop()


def watched(model: Any) -> Watched:
    """Return the one monitor of a model that all its live summaries share."""
    found = _watched.get(id(model))
    if found is None or not found.fits(model):
        found = _watched[id(model)] = Watched(model)
    return found


@functools.cache
def summary_widget() -> type:
    """Return the class SummaryWidget; made on the first call, as it needs anywidget."""
    import anywidget
    import traitlets

    class SummaryWidget(anywidget.AnyWidget):
        """The view's connection to the browser."""

        _esm = (STATIC / "summary.js").read_text(encoding="utf-8")
        _css = (STATIC / "summary.css").read_text(encoding="utf-8")
        _key = traitlets.Unicode().tag(sync=True)
        _title = traitlets.Unicode().tag(sync=True)
        _rows: Any = traitlets.List().tag(sync=True)
        _connected = traitlets.Bool().tag(sync=True)
        _expanded = traitlets.Bool().tag(sync=True)
        _state = traitlets.Dict().tag(sync=True)
        _measured = traitlets.Dict().tag(sync=True)

    return SummaryWidget


class LiveSummary:
    """The kernel's half of a live summary.

    Args:
        summary: of a built model.
        show_trainable: whether the saved table tells which layers are trainable.
        key: by which the browser finds the place of the table.
    """

    def __init__(self, summary: Summary, show_trainable: bool, key: str) -> None:
        from IPython import get_ipython

        self.summary, self.key = summary, key
        # As it is now: what is saved stays the same from run to run but for what was measured.
        self._table = summary_bundle(summary, show_trainable)
        self.handle: Any = None
        self.watched = watched(summary.model)
        self._views = {key}
        self.watched.opened(key)  # training may begin before the browser has opened the view
        self._layers = {
            row.place.id: row.place.operation for row in summary.tree if row.place and row.params
        }
        self._known: tuple[Any, ...] = ()
        self._told = 0
        self._next = 0.0
        self._lock = threading.Lock()
        self._flags: dict[str, bool] = {}
        self.widget = summary_widget()(
            _key=key,
            _title=summary.name,
            _rows=[row_data(row) for row in summary.tree],
            _connected=not summary.linear,
            _expanded=summary.expand_nested,
        )
        self.look()
        self._first_flags, self._saved = self._flags, self._to_save()
        self.watch = CellWatch(self.look)
        self.widget.on_msg(self.receive)
        delivers_while_busy(self.widget)
        _open.add(self)
        self._shell = get_ipython()
        if self._shell is not None:
            self._shell.events.register("post_run_cell", self.save)

    def bundle(self) -> dict[str, Any]:
        """Return what the notebook shows and saves: the table, and what was measured last."""
        measured = measured_html(self.watched.monitor, self._news())
        table = self._table["text/html"]
        return with_place({**self._table, "text/html": f"{table}{measured}"}, self.key)

    # ---- what the browser says

    def receive(self, widget: Any, content: Any, buffers: Any = None) -> None:
        """Take a message of the browser; what isn't understood is ignored.

        A message is `{"type": "trainable", "id": ..., "value": bool}`, or `{"type": "open"}` or
        `{"type": "closed"}` of a `"view"`.
        """
        self.watch.handled()
        if not isinstance(content, dict):
            return
        kind, view = content.get("type"), content.get("view")
        if kind == "trainable" and isinstance(content.get("value"), bool):
            layer = self._layers.get(str(content.get("id")))
            if layer is not None:
                # On a thread: it waits for the end of a training step, which other views shouldn't.
                arguments = (layer, content["value"])
                threading.Thread(target=self._set_trainable, args=arguments, daemon=True).start()
        elif kind == "open" and isinstance(view, str):
            self.watched.opened(view)
            self.watched.closed(self.key)
            self._views.add(view)
        elif kind == "closed" and isinstance(view, str):
            self.watched.closed(view)
            self._views.discard(view)

    def _set_trainable(self, layer: Any, value: bool) -> None:
        with ENGINE_LOCK:
            layer.trainable = value
        for one in list(_open):  # other views may show the layer too
            one.look()

    # ---- what it says to the browser

    def look(self) -> None:
        """Tell the browser what has changed: flags, totals, and what was measured."""
        with self._lock:
            model, monitor = self.summary.model, self.watched.monitor
            flags = getattr(model, "_trainable_flags", None)
            known = (Weights.freezings, id(flags), len(getattr(model.optimizer, "variables", ())))
            if known != self._known:
                with ENGINE_LOCK:  # within a step, flags may be those of compile() for a moment
                    self._known = known
                    self.widget._state = self._state()
            if monitor.measured != self._told and time.monotonic() >= self._next:
                began = time.thread_time()  # waiting for the training's thread is no cost
                self._told = monitor.measured
                self.widget._measured = measured_message(self.summary.tree, monitor)
                self._next = time.monotonic() + (time.thread_time() - began) / SHARE

    def _state(self) -> dict[str, Any]:
        self.summary.count()
        self._flags = {key: bool(layer.trainable) for key, layer in self._layers.items()}
        waiting = {id(layer) for layer in self._waiting()}
        return {
            "trainable": self._flags,
            "waiting": [key for key, layer in self._layers.items() if id(layer) in waiting],
            "totals": totals_words(self.summary),
        }

    def _waiting(self) -> list[Any]:
        """The layers whose flag counts only from the next compile() on."""
        flags = getattr(self.summary.model, "_trainable_flags", None)
        return [] if flags is None else flags.changed()

    def _news(self) -> list[str]:
        """What the saved table doesn't show of the flags as they are now."""
        now = self._flags
        changed = [key for key, value in self._first_flags.items() if now[key] != value]
        words = [f"{self._layers[key].name}: {'yes' if now[key] else 'no'}" for key in changed]
        return [f"Trainable now: {', '.join(words)}"] if words else []

    def _to_save(self) -> tuple[Any, ...]:
        return (self.watched.monitor.measured, *self._flags.values())

    def save(self, result: Any = None) -> None:
        """Bring what the notebook saves up to date: at the end of each cell."""
        self.look()
        with self._lock:
            wanted = self._to_save()
            if self.handle is None or wanted == self._saved:
                return
            self._saved = wanted
        self.handle.update(self.bundle(), raw=True)

    def close(self) -> None:
        """End the view; its table comes back."""
        _open.discard(self)
        if self._shell is not None:
            self._shell.events.unregister("post_run_cell", self.save)
        self.watch.close()
        for view in self._views:
            self.watched.closed(view)
        self.widget.close()


def row_data(row: SummaryRow) -> list[Any]:
    """Return a row for the browser."""
    assert row.place is not None
    return [
        row.place.id, row.depth, row.place.nested, row.name, row.class_name, row.output_shape,
        f"{row.params:,}", memory_text(row.bytes), memory_text(row.cost.bytes),
        flops_text(row.cost), ", ".join(row.connected_to), row.params > 0,
    ]  # fmt: skip
