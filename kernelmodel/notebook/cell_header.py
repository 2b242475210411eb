"""Under which cell's output a thread's output is filed, while messages of widgets come in.

A kernel files what a thread displays under the last message that any of its threads has begun to
handle. Once widgets' messages are handled during a cell, on a subshell's thread, that may be one of
theirs, and a front end drops such output. So the newest cell's header is remembered: the handler of
a widget's message gives it back to all other threads, and what must not get lost is displayed
under it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

_newest: dict[str, Any] = {}


def remember_cells(shell: Any) -> None:
    """Note the header of the running cell, and from now on that of each newer one.

    Args:
        shell: the IPython shell of a kernel; where it has no such headers nothing is done.
    """
    if not hasattr(shell, "get_parent") or not hasattr(shell, "events"):
        return

    def note(info: Any = None) -> None:
        _newest["header"] = shell.get_parent()

    note()
    shell.events.register("pre_run_cell", note)


def give_back() -> None:
    """Undo, for all threads but the calling one, that it has begun to handle a widget's message."""
    shell = _shell()
    if shell is None:
        return
    own = shell.get_parent()
    shell.set_parent(_newest["header"])
    shell.set_thread_parent(own)


@contextlib.contextmanager
def output_of_the_cell() -> Iterator[None]:
    """File what is displayed inside under the newest cell, whichever thread displays it."""
    shell = _shell()
    if shell is None or threading.current_thread() is threading.main_thread():
        yield
        return
    tokens = shell.set_thread_parent(_newest["header"])
    try:
        yield
    finally:
        shell.reset_thread_parent(tokens)


def _shell() -> Any | None:
    """Return the shell whose cells are remembered, if it knows headers for each thread."""
    if not _newest:
        return None
    from IPython import get_ipython

    shell: Any = get_ipython()
    return shell if hasattr(shell, "set_thread_parent") else None
