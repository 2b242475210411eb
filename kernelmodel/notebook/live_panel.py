"""The live panel under a running `fit`: progress, curves, Stop; afterwards a still picture."""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kernelmodel.callbacks import Callback
from kernelmodel.callbacks.history_text import history_text
from kernelmodel.notebook.controls import Controls
from kernelmodel.notebook.curves import curves_svg
from kernelmodel.notebook.run_state import RunState
from kernelmodel.notebook.series import Throttle
from kernelmodel.notebook.subshell import delivers_while_busy, running_kernel, show_busy
from kernelmodel.notebook.svg import picture

STATIC = Path(__file__).parent / "static"
INTERVAL = 0.1
BUSY_INTERVAL = 1.0
UNASKED_INTERVAL = 2.0  # where a new view cannot ask for the history, it comes by itself

Logs = Mapping[str, Any] | None


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

    return LivePanelWidget


class LivePanel(Callback):
    """Shows a fit while it runs, and stops it when asked; a Keras callback.

    The panel opens in the output of the running cell. It gets at most ten small messages a second,
    holds a bounded number of points, and when the training ends, in whichever way, is replaced by
    a still picture that needs neither kernel nor script. Outside a notebook it does nothing.

    Used in a loop of one's own, as a context manager, it also notices an exception at once; in
    `fit` it notices at the latest when the cell ends.

    Args:
        title: what is trained; the model's name when not given.
        batch_size: samples a step, to tell samples rather than steps per second.
        clock: a function that returns seconds; tests bring their own.

    Source: the callback protocol of Keras, https://keras.io/api/callbacks/base_callback/
    """

    shows_progress = True

    def __init__(
        self,
        title: str | None = None,
        batch_size: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.title = title
        self.batch_size = batch_size
        self.clock = clock
        self.model: Any = None
        self.params: dict[str, Any] = {}
        self._lock = threading.RLock()
        self._reset()

    def _reset(self) -> None:
        name = self.title or getattr(self.model, "name", None) or "Training"
        self.state = RunState(str(name), self.clock)
        self.controls = Controls(self._send_all, self._acknowledge)
        self._throttle = Throttle(INTERVAL, self.clock)
        self._stopped_at = ""
        self._widget: Any = None
        self._display_id: str | None = None
        self._outer_error: BaseException | None = None
        self._hears = True
        self._watches_cell = False
        self._busy = Throttle(BUSY_INTERVAL, self.clock)
        self._unasked = Throttle(UNASKED_INTERVAL, self.clock)

    # ---- the callback protocol

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the run's parameters: "epochs", "steps", and "batch_size" where known."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take the model; its `stop_training` is set when a person asks to stop."""
        self.model = model

    def on_train_begin(self, logs: Logs = None) -> None:
        """Open the panel."""
        self.close()
        self._reset()
        self._outer_error = sys.exception()
        own = {} if self.batch_size is None else {"batch_size": self.batch_size}
        self.state.begin({**(self.params or {}), **own})
        if running_kernel() is not None:
            self._open()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note which epoch runs."""
        with self._lock:
            self.state.begin_epoch(epoch)
        self._tell()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Take a step's values, and stop the training when a person asked to."""
        with self._lock:
            self.state.end_batch(batch, logs)
        self._obey()
        self._tell()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Take an epoch's values."""
        with self._lock:
            self.state.end_epoch(epoch, logs)
        self._obey()
        self._tell()

    def on_test_begin(self, logs: Logs = None) -> None:
        """Show that validation runs."""
        self.state.validating = True
        self._tell()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Heed a wish to stop."""
        self._obey()
        self._tell()

    def on_test_end(self, logs: Logs = None) -> None:
        """Show that validation is over."""
        self.state.validating = False

    def on_train_end(self, logs: Logs = None) -> None:
        """Replace the panel by a still picture."""
        error = sys.exception()
        self.close(None if error is self._outer_error else error)

    # ---- loops of one's own

    @property
    def stop_requested(self) -> bool:
        """Whether a person has asked to stop."""
        return self.controls.stop.is_set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close(error)

    def close(self, error: BaseException | None = None) -> None:
        """End the panel, leaving a still picture that says how the training ended.

        Args:
            error: what ended the training, when it did not end by itself.
        """
        if self.state.status not in ("running", "stopping"):
            return
        with self._lock:
            self.state.end(*self._ending(error))
        if self._widget is not None:
            self._swap()

    # ---- inside

    def _obey(self) -> None:
        if not self.controls.stop.is_set():
            return
        if not self._stopped_at:
            with self._lock:
                self._stopped_at = self.state.where()
                self.state.status = "stopping"
        if self.model is not None:
            self.model.stop_training = self.model.stop_evaluating = True

    def _ending(self, error: BaseException | None) -> tuple[str, str]:
        if self._stopped_at:
            return "stopped", f"Stopped by you at {self._stopped_at}"
        if isinstance(error, KeyboardInterrupt):
            return "stopped", f"Interrupted at {self.state.where()}"
        if error is not None:
            return "failed", f"{type(error).__name__} at {self.state.where()}"
        if self.state.epoch_is_open:
            return "stopped", f"Ended at {self.state.where()}"
        planned = self.state.epochs
        if planned is not None and self.state.epoch + 1 < planned:
            return "done", f"Ended after epoch {self.state.epoch + 1} of {planned}"
        return "done", ""

    def _open(self) -> None:
        from IPython import get_ipython
        from IPython.display import display

        self._widget = live_panel_widget()(_title=self.state.title)
        self._widget.on_msg(self.controls.receive)
        self._hears = delivers_while_busy(self._widget)
        self._widget._hears_while_busy = self._hears
        shown = self._widget._repr_mimebundle_()
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        data = {**data, "text/plain": "<LivePanel>"}
        handle = display(data, metadata=metadata, raw=True, display_id=True)
        self._display_id = handle.display_id
        self._watches_cell = threading.current_thread() is threading.main_thread()
        if self._watches_cell:
            get_ipython().events.register("post_run_cell", self._cell_ended)

    def _tell(self) -> None:
        if self._widget is None or not self._throttle.ready():
            return
        if not self._hears and self._unasked.ready():
            self._send_all()
        with self._lock:
            self._widget.send(self.state.news())
        if self._hears and self._busy.ready():
            show_busy()

    def _send_all(self) -> None:
        with self._lock:
            if self._widget is not None:
                self.state.forget_news()
                self._widget.send(self.state.snapshot())

    def _acknowledge(self, control: str) -> None:
        with self._lock:
            if self._widget is not None:
                self._widget.send({"type": "heard", "control": control})

    def _cell_ended(self, result: Any) -> None:
        """Close what an exception left open: a callback is not told of it, the notebook is."""
        self.close(getattr(result, "error_in_exec", None))

    def _swap(self) -> None:
        from IPython import get_ipython
        from IPython.display import update_display

        with self._lock:
            widget, self._widget = self._widget, None
            widget.send(self.state.news())
        update_display(self.still(), raw=True, display_id=self._display_id)
        widget.close()
        if self._watches_cell:
            get_ipython().events.unregister("post_run_cell", self._cell_ended)

    def still(self) -> dict[str, Any]:
        """Return the display bundle of the curves as they are now: pictures and a stable text."""
        state = self.state
        curves = {
            metric: {kind: (s.x, s.y) for kind, s in kinds.items()}
            for metric, kinds in state.curves.items()
        }
        history = {name: series.y for name, series in state.history.items()}
        note = state.note[:1].lower() + state.note[1:] if state.status != "failed" else state.note
        plain = history_text(history, state.epochs_done, note)
        return picture(
            curves_svg(curves, state.title, state.note), f"{state.title}: {plain}", plain
        )
