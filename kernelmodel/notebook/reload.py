"""Let a page that is loaded while a cell runs have its widgets at once.

Such a page asks the kernel what it is and waits some seconds for an answer, then asks for the state
of all widgets: it opens a comm for that, sends a request on it, and, where no answer comes, asks
which comms there are. The kernel would answer all of that after the running cell. Here the thread
that takes in shell messages hands these few to the subshell that also takes the widgets' own
messages. This leans on private names of ipykernel 7.4, as `subshell` does: each is asked for before
it is used.
"""

from __future__ import annotations

from typing import Any

STATES = "jupyter.widget.control"  # the comm target on which widgets' states are asked for
NEEDED = ("shell_stream", "shell_channel_thread", "shell_channel_thread_main", "session")

_routed: set[int] = set()


def answer_reloads(kernel: Any, subshell_id: str | None) -> bool:
    """Answer pages that are loaded while a cell runs; does so once for a kernel.

    Args:
        kernel: the ipykernel kernel object, or None.
        subshell_id: what `own_subshell` returned.

    Returns:
        Whether such pages are answered.
    """
    if subshell_id is None or not all(getattr(kernel, name, None) for name in NEEDED):
        return False
    manager = kernel.shell_channel_thread.manager
    if not hasattr(manager, "get_shell_channel_to_subshell_socket"):
        return False
    if id(manager) not in _routed:
        _routed.add(id(manager))
        router = Router(kernel, subshell_id)
        stream = kernel.shell_stream
        manager._shell_channel_io_loop.add_callback(
            lambda: stream.on_recv(router.receive, copy=False)
        )
    return True


class Router:
    """Takes in a kernel's shell messages in place of the kernel, which gets all but a few.

    Args:
        kernel: the ipykernel kernel object.
        subshell_id: the subshell that answers the few.
    """

    def __init__(self, kernel: Any, subshell_id: str) -> None:
        self._kernel = kernel
        self._subshell_id = subshell_id
        self._comms: set[str] = set()

    async def receive(self, frames: list[Any]) -> None:
        """Take one message, on the thread of the shell channel."""
        session = self._kernel.session
        idents, parts = session.feed_identities(frames, copy=False)
        message = session.deserialize(parts, content=False, copy=False)
        if not self._is_ours(message):
            await self._kernel.shell_channel_thread_main(frames)
            return
        message["header"]["subshell_id"] = self._subshell_id
        message["content"] = session.unpack(message["content"])
        manager = self._kernel.shell_channel_thread.manager
        socket = manager.get_shell_channel_to_subshell_socket(self._subshell_id)
        socket.send_multipart(session.serialize(message, ident=idents) + message["buffers"])

    def _is_ours(self, message: dict[str, Any]) -> bool:
        """Whether a message asks for widgets; a front end's own subshell would answer in part."""
        kind = message["header"]["msg_type"]
        if kind in ("kernel_info_request", "comm_info_request"):
            return message["header"].get("subshell_id") is None
        if kind not in ("comm_open", "comm_msg", "comm_close"):
            return False
        content = self._kernel.session.unpack(message["content"])
        comm = content.get("comm_id")
        if kind == "comm_open" and content.get("target_name") == STATES:
            self._comms.add(comm)
        ours = comm in self._comms
        if kind == "comm_close":
            self._comms.discard(comm)
        return ours
