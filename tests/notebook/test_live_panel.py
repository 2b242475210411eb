"""The live panel without a browser: what it sends, how often, and how it ends."""

import json
import re
import sys
import threading
from types import SimpleNamespace

import pytest
from comm.base_comm import BaseComm
from panels import Panel

from kernelmodel.core.hooks import hooks
from kernelmodel.notebook import live_panel, panel_view, subshell
from kernelmodel.notebook.display import in_notebook, install
from kernelmodel.notebook.live_panel import LivePanel
from kernelmodel.notebook.run_state import RunState, wire
from kernelmodel.notebook.series import Series, Throttle


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Model:
    """What a panel needs of a model."""

    name = "tiny"
    stop_training = False


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def panel(clock, monkeypatch):
    monkeypatch.setattr(live_panel, "running_kernel", object)
    made = Panel(clock=clock)
    made.set_params({"epochs": 3, "steps": 10})
    made.set_model(Model())
    yield made
    LivePanel._open_panels.clear()


def fit(panel, clock, epochs=3, steps=10, seconds=0.01, at_step=lambda epoch, step: None):
    model = panel.model
    model.stop_training = False
    panel.on_train_begin()
    for epoch in range(epochs):
        panel.on_epoch_begin(epoch)
        for step in range(steps):
            clock.now += seconds
            at_step(epoch, step)
            panel.on_train_batch_end(step, {"loss": 1 / (1 + epoch * steps + step)})
            if model.stop_training:
                break
        panel.on_epoch_end(epoch, {"loss": 1 / (epoch + 1), "val_loss": 2 / (epoch + 1)})
        if model.stop_training:
            break
    panel.on_train_end()


def test_at_most_ten_messages_a_second(panel, clock):
    fit(panel, clock, epochs=10, steps=100, seconds=0.001)
    assert 9 <= len(panel.view.told()) <= 12
    assert all(len(json.dumps(message)) < 3000 for message in panel.view.told()[:-1])


def test_messages_only_add(panel, clock):
    fit(panel, clock, seconds=1.0)
    told = [m for m in panel.view.told() if m["type"] == "append"]
    seen = [x for m in told for x in m["curves"].get("loss", {}).get("train", [[]])[0]]
    assert seen == sorted(set(seen))


def test_stop_ends_after_the_running_batch_and_says_so(panel, clock):
    def click(epoch, step):
        if (epoch, step) == (1, 6):
            panel.click("stop")

    model = panel.model
    fit(panel, clock, at_step=click)
    assert model.stop_training
    assert {"type": "heard", "control": "stop"} in panel.view.sent
    text = "<History: 2 epochs; loss 1 -> 0.5; val_loss 2 -> 1; stopped by you at epoch 2, step 7>"
    assert panel.picture["text/plain"] == text


def test_stop_from_another_thread(panel, clock):
    def click(epoch, step):
        if (epoch, step) == (0, 3):
            thread = threading.Thread(target=panel.click, args=("stop",))
            thread.start()
            thread.join()

    fit(panel, clock, at_step=click)
    assert panel.state.note == "Stopped by you at epoch 1, step 4"


@pytest.mark.parametrize(
    "message", [None, 3, [], {}, {"type": "control"}, {"type": "control", "control": "rm"}]
)
def test_what_is_not_understood_is_ignored(panel, clock, message):
    fit(panel, clock, at_step=lambda *_: panel._controls.receive(None, message, []))
    assert panel.state.status == "done"


def test_a_late_view_gets_everything_once(panel, clock):
    def open_view(epoch, step):
        if (epoch, step) == (2, 0):
            panel._controls.receive(None, {"type": "hello"}, [])

    fit(panel, clock, at_step=open_view)
    sent = panel.view.told()
    at, end = [i for i, m in enumerate(sent) if m["type"] == "snapshot"]
    assert end == len(sent) - 1
    assert sent[at]["curves"]["loss"]["train"] == [[1.0, 2.0], [1.0, 0.5]]
    assert len(sent[at]["curves"]["loss"]["within"][0]) == 20
    after = [
        x for m in sent[at + 1 : end] for x in m["curves"].get("loss", {}).get("within", [[]])[0]
    ]
    assert after and min(after) > 2


@pytest.mark.parametrize(
    ("error", "status", "note"),
    [
        (ValueError("bad"), "failed", "ValueError at epoch 1, step 2"),
        (KeyboardInterrupt(), "stopped", "Interrupted at epoch 1, step 2"),
    ],
)
def test_an_exception_ends_the_panel(panel, clock, error, status, note):
    def fail(epoch, step):
        if step == 2:
            raise error

    with pytest.raises(type(error)), panel:
        fit(panel, clock, at_step=fail)
    assert (panel.state.status, panel.state.note) == (status, note)
    assert panel.picture["text/plain"].startswith("<History: 0 epochs; ")


def test_an_early_end_is_told(panel, clock):
    fit(panel, clock, epochs=2)
    assert panel.state.note == "Ended after epoch 2 of 3"


def test_an_end_inside_an_epoch_is_told(panel):
    panel.on_train_begin()
    panel.on_epoch_begin(1)
    panel.on_train_batch_end(3, {"loss": 1.0})
    panel.on_train_end()
    assert panel.state.note == "Ended at epoch 2, step 4"


def test_one_panel_serves_several_fits(panel, clock):
    model = panel.model
    fit(panel, clock)
    first, view = panel.picture, panel.view
    panel.set_model(model)
    fit(panel, clock)
    assert panel.picture == first and panel.view is not view and view.closed


def test_the_picture_tells_no_times(panel, clock):
    fit(panel, clock, seconds=0.01)
    first = panel.picture
    panel.set_model(Model())
    fit(panel, clock, seconds=0.7)
    assert panel.picture == first


def test_outside_a_notebook_nothing_is_shown(clock):
    panel = Panel(clock=clock)
    panel.set_params({"epochs": 1, "steps": 1})
    panel.set_model(Model())
    fit(panel, clock, epochs=1, steps=1)
    assert panel.view is None and panel.state.status == "done" and not panel.shows_progress


def test_memory_is_bounded(clock):
    state = RunState("long", clock)
    state.begin({"epochs": 1, "steps": 100_000})
    state.begin_epoch(0)
    for step in range(100_000):
        state.end_batch(step, {"loss": 1.0})
        if step % 100 == 0:
            state.new_curves()
    assert len(state.curves["loss"]["within"]) <= 400
    assert len(json.dumps(state.all_curves())) < 30_000


def test_progress(clock):
    state = RunState("model", clock)
    state.begin({"epochs": 4, "steps": 10, "batch_size": 32})
    state.begin_epoch(0)
    for step in range(10):
        clock.now += 0.5
        state.end_batch(step, {"loss": float("nan"), "words": "no number"})
    state.end_epoch(0, {"loss": float("inf")})
    told = state.progress()
    assert (told["elapsed"], told["remaining"]) == (5.0, 15.0)
    assert (told["rate"], told["unit"]) == (64.0, "samples")
    assert told["latest"] == {"loss": "Infinity"}


def test_steps_that_are_not_known_are_learnt_in_the_first_epoch(clock):
    state = RunState("model", clock)
    state.begin({"epochs": 2, "steps": None})
    state.begin_epoch(0)
    for step in range(5):
        state.end_batch(step, {"loss": 1.0})
    assert state.progress()["remaining"] is None
    state.end_epoch(0, {"loss": 1.0})
    assert state.steps == 5


def test_a_series_keeps_its_first_and_newest_point():
    series = Series(capacity=10)
    for i in range(1234):
        series.append(i, -i)
        assert len(series) <= 10 and (series.x[0], series.x[-1]) == (0, i)
    assert series.x == sorted(series.x) and len(series) >= 5


def test_throttle():
    clock = Clock()
    throttle = Throttle(0.1, clock)
    assert [throttle.ready(), throttle.ready()] == [True, False]
    clock.now = 0.11
    assert throttle.ready()


def test_numbers_for_json():
    assert [wire(v) for v in (0.5, float("nan"), float("inf"), -float("inf"))] == [
        *(0.5, "NaN", "Infinity", "-Infinity"),
    ]


def test_a_kernel_without_the_private_names_is_left_alone():
    assert subshell.own_subshell(None) is None
    assert subshell.own_subshell(SimpleNamespace(shell_channel_thread=SimpleNamespace())) is None
    assert subshell.receive_on(SimpleNamespace(comm=SimpleNamespace()), "id") is False
    assert subshell.receive_on(SimpleNamespace(), None) is False


def test_a_message_leaves_the_running_cell_alone(monkeypatch):
    events, heard = [], []
    shell = SimpleNamespace(events=SimpleNamespace(trigger=events.append))
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    channel = BaseComm(primary=False)
    channel.on_msg(heard.append)
    channel.handle_msg("before")
    assert events == ["pre_execute", "post_execute"], "else there is nothing to mend"
    subshell.leave_cells_alone(SimpleNamespace(comm=channel))
    channel.handle_msg("after")
    assert heard == ["before", "after"] and len(events) == 2
    channel.on_msg(None)
    channel.handle_msg("closed")
    assert len(heard) == 2
    subshell.leave_cells_alone(SimpleNamespace(comm=None))


def test_hooks_are_set_in_a_notebook_only(monkeypatch):
    for name in ("show_progress", "show_summary", "graph_repr"):
        monkeypatch.setattr(hooks, name, None)
    assert not in_notebook() and not install() and hooks.show_progress is None
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())
    assert in_notebook() and install()
    assert isinstance(hooks.show_progress(None, {"verbose": 1}), LivePanel)
    assert hooks.show_progress(None, {"verbose": 0}) is None
    assert hooks.show_progress(None, {"verbose": 2}) is None


def test_the_bundle_is_small_and_names_no_other_host():
    for path in panel_view.STATIC.iterdir():
        source = path.read_text(encoding="utf-8")
        assert len(source.encode()) < 100_000
        assert set(re.findall(r"https?://[^\"'` )]+", source)) <= {"http://www.w3.org/2000/svg"}
