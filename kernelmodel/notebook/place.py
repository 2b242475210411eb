"""A still picture in a notebook, over which a live view lays itself while the kernel runs.

What a notebook saves is the picture alone: a widget in a notebook that is opened again without its
kernel would only say that its model is not found. So the widget is never displayed: its browser
half (widgets/src/places.ts) looks for the picture's place in the page by a key and opens the live
view there. Where no browser half runs, the picture stays what it is.
"""

from __future__ import annotations

import os
from collections import deque
from typing import Any, Protocol

from kernelmodel.notebook.subshell import running_kernel

MOST_VIEWS = 12  # live at a time; of older ones the picture is left, so that their models can go

STILL = "still"  # the key of a picture without a live view


class Live(Protocol):
    """The kernel's half of a live view."""

    def close(self) -> None:
        """End the view; its picture comes back."""


_live: deque[Live] = deque()


def has_browser() -> bool:
    """Return whether a notebook's server started this kernel, not a program that runs notebooks."""
    return running_kernel() is not None and "JPY_SESSION_NAME" in os.environ


def keep(live: Live) -> None:
    """Keep a live view open, and close the oldest of too many."""
    _live.append(live)
    while len(_live) > MOST_VIEWS:
        _live.popleft().close()


def with_place(bundle: dict[str, Any], key: str = STILL) -> dict[str, Any]:
    """Return the display bundle of a picture with a place for a live view.

    Args:
        bundle: what `svg.picture` made.
        key: letters and digits, by which the browser half finds the place.
    """
    return {**bundle, "text/html": f'<div data-km-place="{key}">{bundle["text/html"]}</div>'}
