"""What a person asked for in a panel; the training loop looks here between two steps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Controls:
    """Takes the front end's messages on whichever thread they arrive, and only notes what they ask.

    A message is `{"type": "control", "control": name, "value": ...}` or `{"type": "hello"}` from a
    view that has just opened. What is not understood is ignored: it comes from a browser.

    Args:
        on_hello: called when a view has opened and needs the whole history.
        on_heard: called with a control's name once its wish is noted.
    """

    def __init__(
        self, on_hello: Callable[[], None], on_heard: Callable[[str], None] | None = None
    ) -> None:
        self.stop = threading.Event()
        self._on_hello = on_hello
        self._on_heard = on_heard
        self._handlers: dict[str, Callable[[Any], None]] = {"stop": lambda value: self.stop.set()}

    def receive(self, widget: Any, content: Any, buffers: Any = None) -> None:
        """Note one message; the signature is that of ipywidgets' `on_msg`."""
        if not isinstance(content, dict):
            return
        if content.get("type") == "hello":
            self._on_hello()
            return
        name = content.get("control")
        if content.get("type") != "control" or not isinstance(name, str):
            return
        if handler := self._handlers.get(name):
            handler(content.get("value"))
            if self._on_heard is not None:
                self._on_heard(name)
