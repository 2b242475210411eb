"""What threads display stays in their cell while messages of widgets come in."""

import queue
import sys
from types import SimpleNamespace

import pytest
from jupyter_client.manager import start_new_kernel

from kernelmodel.notebook import cell_header

# The cell goes on when the panel's message has been handled, so the order is always the same.
CELL = """
import threading
import time
import kernelmodel as km

heard = threading.Event()
panel = km.callbacks.LivePanel("first", epochs=1, steps=1).__enter__()
controls = panel._messages.view._widget
controls.on_msg(lambda *message: heard.set())
print("COMM", controls.model_id, flush=True)
assert heard.wait(30)

def display_all():
    print("on a thread", flush=True)
    with km.callbacks.LivePanel("second", epochs=1, steps=1):
        time.sleep(0.01)
    print("at its end", flush=True)

thread = threading.Thread(target=display_all)
thread.start()
thread.join()
panel.close()
"""


def until_idle(client, sent, on_text):
    """Return what the kernel publishes until the cell has ended."""
    messages = []
    while not messages or not (
        messages[-1]["content"].get("execution_state") == "idle"
        and messages[-1]["parent_header"]["msg_id"] == sent
    ):
        messages.append(client.get_iopub_msg(timeout=60))
        on_text(messages[-1]["content"].get("text", ""))
    return messages


@pytest.mark.slow
def test_a_thread_displays_in_its_cell_after_a_message_of_a_widget(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    manager, client = start_new_kernel(kernel_name="python3")

    def press(text):
        if text.startswith("COMM"):
            data = {"method": "custom", "content": {"type": "snapshot"}}
            message = client.session.msg("comm_msg", {"comm_id": text.split()[1], "data": data})
            client.shell_channel.send(message)

    try:
        sent = client.execute(CELL)
        messages = until_idle(client, sent, press)
    except queue.Empty:
        pytest.fail("the kernel has not ended the cell")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    shown = [m for m in messages if m["msg_type"] in ("display_data", "stream", "error")]
    assert any(m["parent_header"]["msg_type"] == "comm_msg" for m in messages)
    assert {m["parent_header"]["msg_id"] for m in shown} == {sent}
    assert [m["msg_type"] for m in shown].count("display_data") == 2
    text = "".join(m["content"].get("text", "") for m in shown)
    assert "on a thread" in text and "at its end" in text
    assert not [m for m in shown if m["msg_type"] == "error"]


def test_a_shell_without_headers_is_left_alone(monkeypatch):
    monkeypatch.setattr(cell_header, "_newest", {})
    cell_header.remember_cells(SimpleNamespace())
    assert cell_header._newest == {}
    cell_header.give_back()
    monkeypatch.setattr(cell_header, "_newest", {"header": {}})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=SimpleNamespace))
    cell_header.give_back()
    with cell_header.output_of_the_cell():
        pass
