"""The live view of a playground: what goes to the browser and what comes from it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.notebook.cell_watch import CellWatch, steps_of, weights_state
from kernelmodel.notebook.newest import Newest
from kernelmodel.notebook.subshell import delivers_while_busy

STATIC = Path(__file__).parent / "static"


@functools.cache
def playground_widget() -> type:
    """Return the class PlaygroundWidget; made on the first call, as it needs anywidget."""
    import anywidget
    import traitlets

    class PlaygroundWidget(anywidget.AnyWidget):
        """The view's connection to the browser."""

        _esm = (STATIC / "playground.js").read_text(encoding="utf-8")
        _css = (STATIC / "playground.css").read_text(encoding="utf-8")
        _key = traitlets.Unicode().tag(sync=True)
        _title = traitlets.Unicode().tag(sync=True)
        _parts: Any = traitlets.List().tag(sync=True)
        _start = traitlets.Bytes().tag(sync=True)
        _samples = traitlets.Bytes().tag(sync=True)
        _outputs: Any = traitlets.List().tag(sync=True)
        _numbers: Any = traitlets.List().tag(sync=True)

    return PlaygroundWidget


class LivePlayground:
    """The kernel's half of a live view: it answers with the prediction for the newest inputs.

    A message is `{"type": "inputs", "id": n}` with the values of all inputs as float32 in its
    buffer, or `{"type": "open"}` or `{"type": "closed"}` of a view.

    Args:
        shown: The `Playground`.
        key: By which the browser finds the place of the picture.
    """

    def __init__(self, shown: Any, key: str) -> None:
        self.shown = shown
        self.views: set[str] = set()
        self.last = (0, shown.values)
        self.newest = Newest(self.answer)
        parts = [part.spec() for part in shown.parts]
        for part, values in zip(parts, shown.values):
            part["count"] = len(values)
        self.widget = playground_widget()(
            _key=key,
            _title=shown.title,
            _parts=parts,
            _start=np.concatenate(shown.values).tobytes(),
            _samples=b"".join(np.concatenate(row).tobytes() for row in zip(*shown.samples)),
            _outputs=[group.spec() for group in shown.groups],
            _numbers=[numbers.tolist() for numbers in shown.outputs],
        )
        self.widget.on_msg(self.receive)
        delivers_while_busy(self.widget)
        self._seen = weights_state(shown.model)
        self.watch = CellWatch(self.look)

    def receive(self, widget: Any, content: Any, buffers: Any = None) -> None:
        """Take a message of the browser; what isn't understood is ignored."""
        if not isinstance(content, dict):
            return
        kind, view = content.get("type"), str(content.get("view"))
        if kind == "inputs" and buffers and isinstance(content.get("id"), int):
            values = self._split(buffers[0])
            if values is not None:
                self.newest.put((content["id"], values))
        elif kind == "open":
            self.views.add(view)
        elif kind == "closed":
            self.views.discard(view)
        self.watch.handled()

    def _split(self, buffer: Any) -> list[np.ndarray] | None:
        data = np.frombuffer(bytes(buffer), "float32")
        ends = np.cumsum([len(values) for values in self.shown.values])
        if len(data) != ends[-1] or not np.isfinite(data).all():
            return None
        return np.split(data, ends[:-1])

    def look(self) -> None:
        """Predict again if somebody is watching and the weights have changed."""
        state = weights_state(self.shown.model)
        if self.views and state != self._seen:
            self._seen = state
            self.newest.put(None)

    def answer(self, wish: tuple[int, list[np.ndarray]] | None) -> None:
        """Predict and tell the browser; None predicts again for the last inputs."""
        number, values = self.last if wish is None else wish
        self.last = (number, values)
        try:
            outputs = self.shown.predict(values)
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            self.widget.send({"type": "error", "id": number, "text": words})
            raise
        told = [[float(n) if np.isfinite(n) else None for n in numbers] for numbers in outputs]
        step = steps_of(self.shown.model) if wish is None else None
        self.widget.send({"type": "prediction", "id": number, "numbers": told, "step": step})

    def close(self) -> None:
        """End the view; its picture comes back."""
        self.watch.close()
        self.widget.close()
