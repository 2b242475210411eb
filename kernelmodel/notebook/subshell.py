"""Let the messages of a widget through while a cell is running.

A kernel handles a widget's message on the shell that also runs the cells, so a click on a button
waits until the cell has ended. A subshell that the kernel itself makes, named as the shell that
receives what the widget's front end sends, takes those messages on a thread of its own. This leans
on private names of ipykernel 7.4: each is asked for before it is used, and where one is missing
the front end falls back to interrupting the kernel. Earlier kernels of the 7 series route widget
messages to subshells by themselves.

Handlers then run on the subshell's thread: they set an Event or a float and nothing more.
"""

from __future__ import annotations

import sys
import threading
import weakref
from typing import Any

from kernelmodel.notebook.cell_header import give_back
from kernelmodel.notebook.reload import answer_reloads

_lock = threading.Lock()
_subshell_of: dict[int, str] = {}


def running_kernel() -> Any | None:
    """Return the IPython kernel this process runs, or None outside a kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None)


def own_subshell(kernel: Any, timeout: float = 5.0) -> str | None:
    """Return the id of the one subshell this module keeps in a kernel, making it when needed.

    Args:
        kernel: the ipykernel kernel object, or None.
        timeout: seconds to wait for the kernel to make the subshell.

    Returns:
        The id, or None where the kernel has no subshell to give.
    """
    manager = getattr(getattr(kernel, "shell_channel_thread", None), "manager", None)
    if not hasattr(manager, "_create_subshell") or not hasattr(manager, "_shell_channel_io_loop"):
        return None
    with _lock:
        known = _subshell_of.get(id(manager))
        if known is not None and _is_alive(manager, known):
            return known
        made = _create(manager, timeout)
        if made is not None:
            _subshell_of[id(manager)] = made
        return made


def receive_on(widget: Any, subshell_id: str | None) -> bool:
    """Deliver what a widget's front end sends to a subshell.

    Args:
        widget: an ipywidgets widget with an open comm; call this for every widget of a composite.
        subshell_id: what `own_subshell` returned.

    Returns:
        True when the messages will arrive while a cell runs.
    """
    comm: Any = getattr(widget, "comm", None)
    if subshell_id is None or not hasattr(comm, "_reply_subshell_for"):
        return False
    comm._reply_subshell_for = lambda *args, **kwargs: subshell_id
    return True


def leave_cells_alone(widget: Any) -> None:
    """Handle a widget's messages without IPython's events "pre_execute" and "post_execute".

    The library `comm` triggers both for each message, on the thread that handles it. In the middle
    of a running cell the second would take the cell's unfinished figures away from it: matplotlib
    shows and closes all open figures then. What other threads display stays in the cell, too.

    Args:
        widget: an ipywidgets widget with an open comm.
    """
    comm: Any = getattr(widget, "comm", None)
    if not hasattr(comm, "handle_msg") or not hasattr(comm, "_msg_callback"):
        return
    known = weakref.ref(comm)

    def handle_msg(message: Any) -> None:
        callback = getattr(known(), "_msg_callback", None)
        give_back()
        if callback is not None:
            callback(message)

    comm.handle_msg = handle_msg


def delivers_while_busy(widget: Any) -> bool:
    """Make a widget's messages arrive while a cell runs, and tell whether they will.

    Args:
        widget: an ipywidgets widget with an open comm.

    Returns:
        True when they will; False when only an interrupt of the kernel can end a running cell.
    """
    leave_cells_alone(widget)
    kernel = running_kernel()
    subshell = own_subshell(kernel)
    if receive_on(widget, subshell):
        answer_reloads(kernel, subshell)
        return True
    return bool(getattr(kernel, "_supports_kernel_subshells", False))


def show_busy() -> None:
    """Say again that the kernel is busy: each message a subshell has handled ends with "idle".

    Otherwise front ends would show, and servers that cull idle kernels believe, that nothing runs.
    Only the main thread says so, which is inside a cell whose end says "idle" again.
    """
    publish = getattr(running_kernel(), "_publish_status", None)
    if publish is not None and threading.current_thread() is threading.main_thread():
        publish("busy", "shell")


def _is_alive(manager: Any, subshell_id: str) -> bool:
    list_subshell = getattr(manager, "list_subshell", None)
    return list_subshell is None or subshell_id in list_subshell()


def _create(manager: Any, timeout: float) -> str | None:
    made: dict[str, str] = {}
    ready = threading.Event()

    def create() -> None:
        try:
            made["id"] = manager._create_subshell()
        finally:
            ready.set()

    manager._shell_channel_io_loop.add_callback(create)
    return made.get("id") if ready.wait(timeout) else None
