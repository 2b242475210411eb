"""What a person asked for in a panel; the training loop looks here between two steps."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

MOST_WISHES = 64

Wish = tuple[str, Any]


def _nothing(value: Any) -> Any:
    return None


def _positive(value: Any) -> float:
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"expected a positive number, got {value!r}")
    return number


CONTROLS: dict[str, Callable[[Any], Any]] = {
    "stop": _nothing,
    "stop_after_epoch": bool,
    "pause": _nothing,
    "resume": _nothing,
    "learning_rate": _positive,
    "save": _nothing,
    "restore_best": _nothing,
    "roll_back": int,
}


class Controls:
    """Takes the front end's messages on whichever thread they arrive, and only notes what they ask.

    A message is `{"type": "control", "control": name, "value": ...}` or `{"type": "hello"}` from a
    view that has just opened. What is not understood is ignored: it comes from a browser.

    Args:
        on_hello: called when a view has opened and needs the whole history.
        on_wish: called with a control's name once its wish is noted.

    Attributes:
        asked: set while there is a wish that nobody has taken.
    """

    def __init__(self, on_hello: Callable[[], None], on_wish: Callable[[str], None]) -> None:
        self.asked = threading.Event()
        self._wishes: deque[Wish] = deque(maxlen=MOST_WISHES)
        self._on_hello = on_hello
        self._on_wish = on_wish

    def receive(self, widget: Any, content: Any, buffers: Any = None) -> None:
        """Note one message; the signature is that of ipywidgets' `on_msg`."""
        if not isinstance(content, dict):
            return
        if content.get("type") == "hello":
            self._on_hello()
            return
        name = content.get("control")
        if content.get("type") != "control" or not isinstance(name, str) or name not in CONTROLS:
            return
        try:
            value = CONTROLS[name](content.get("value"))
        except (TypeError, ValueError, OverflowError):
            return
        self._wishes.append((name, value))
        self.asked.set()
        self._on_wish(name)

    def take(self) -> list[Wish]:
        """Return the wishes noted since the last call, in order; of learning rates, the last."""
        self.asked.clear()
        wishes: list[Wish] = []
        while self._wishes:
            name, value = self._wishes.popleft()
            if name == "learning_rate":
                wishes = [wish for wish in wishes if wish[0] != name]
            wishes.append((name, value))
        return wishes
