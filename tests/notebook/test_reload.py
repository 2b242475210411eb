"""Which of a kernel's messages are handed to the subshell, and that they arrive whole."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from jupyter_client.session import Session

from kernelmodel.notebook import reload
from kernelmodel.notebook.reload import Router, answer_reloads


class Socket:
    def __init__(self):
        self.sent = []

    def send_multipart(self, frames):
        self.sent.append(frames)


class Kernel:
    """The parts of an ipykernel kernel that the router uses, with a real session."""

    def __init__(self):
        self.session = Session(key=b"secret")
        self.socket, self.left = Socket(), []
        self.looked_for = []
        manager = SimpleNamespace(
            get_shell_channel_to_subshell_socket=self._socket,
            _shell_channel_io_loop=SimpleNamespace(add_callback=lambda callback: callback()),
        )
        self.shell_channel_thread = SimpleNamespace(manager=manager)
        self.shell_stream = SimpleNamespace(on_recv=self._on_recv)
        self.registered = []

    def _socket(self, subshell_id):
        self.looked_for.append(subshell_id)
        return self.socket

    def _on_recv(self, callback, copy):
        self.registered.append((callback, copy))

    async def shell_channel_thread_main(self, frames):
        self.left.append(frames)


class Frame:
    """What ZeroMQ hands over without copying."""

    def __init__(self, data):
        self.bytes = self.buffer = data


@pytest.fixture
def kernel():
    return Kernel()


def deliver(router, kernel, kind, content, subshell=None):
    message = kernel.session.msg(kind, content)
    message["header"]["subshell_id"] = subshell
    frames = [Frame(part) for part in kernel.session.serialize(message, ident=[b"browser"])]
    with ThreadPoolExecutor(1) as other:  # a browser test may have left a loop in this thread
        other.submit(asyncio.run, router.receive(frames)).result()
    return message


def handed_on(kernel):
    (frames,) = kernel.socket.sent
    idents, parts = kernel.session.feed_identities(frames)
    return idents, kernel.session.deserialize(parts)


@pytest.mark.parametrize("kind", ["kernel_info_request", "comm_info_request"])
def test_what_a_page_asks_first_is_handed_on(kernel, kind):
    sent = deliver(Router(kernel, "own"), kernel, kind, {"target_name": "jupyter.widget"})
    idents, message = handed_on(kernel)
    assert idents == [b"browser"] and kernel.left == [] and kernel.looked_for == ["own"]
    assert message["header"]["subshell_id"] == "own"
    assert message["header"]["msg_id"] == sent["header"]["msg_id"]
    assert message["content"] == {"target_name": "jupyter.widget"}


@pytest.mark.parametrize("subshell", [None, "the browser's"])
def test_the_comm_that_asks_for_states_is_handed_on_until_it_closes(kernel, subshell):
    router, comm = Router(kernel, "own"), {"comm_id": "a", "data": {}}
    opened = {**comm, "target_name": reload.STATES}
    for kind, content in (("comm_open", opened), ("comm_msg", comm), ("comm_close", comm)):
        deliver(router, kernel, kind, content, subshell)
    assert len(kernel.socket.sent) == 3
    deliver(router, kernel, "comm_msg", comm, subshell)
    assert len(kernel.socket.sent) == 3 and len(kernel.left) == 1


@pytest.mark.parametrize(
    ("kind", "content", "subshell"),
    [
        ("execute_request", {"code": "1"}, None),
        ("complete_request", {}, None),
        ("comm_open", {"comm_id": "b", "target_name": "jupyter.widget"}, None),
        ("comm_msg", {"comm_id": "b", "data": {}}, None),
        ("comm_info_request", {}, "the browser's"),
    ],
)
def test_all_else_is_left_to_the_kernel(kernel, kind, content, subshell):
    deliver(Router(kernel, "own"), kernel, kind, content, subshell)
    assert kernel.socket.sent == [] and len(kernel.left) == 1


def test_it_is_set_up_once_for_a_kernel(kernel):
    assert answer_reloads(kernel, "own") and answer_reloads(kernel, "own")
    ((callback, copy),) = kernel.registered
    assert callback.__self__._subshell_id == "own" and copy is False


def test_other_kernels_are_left_alone(kernel):
    assert not answer_reloads(None, "own") and not answer_reloads(kernel, None)
    assert not answer_reloads(SimpleNamespace(session=object()), "own")
    del kernel.shell_channel_thread.manager.get_shell_channel_to_subshell_socket
    assert not answer_reloads(kernel, "own") and kernel.registered == []
