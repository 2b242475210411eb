"""What the panel's controls do to a real training, without a browser."""

import gc
import os
import threading
import time
import weakref

import numpy as np
import pytest
from panels import Panel

import kernelmodel as km
from kernelmodel.notebook import live_panel
from kernelmodel.notebook.earlier_runs import EarlierRuns, earlier_runs
from kernelmodel.notebook.series import Series

X = np.linspace(-1, 1, 64, dtype="float32")[:, None]


@pytest.fixture(autouse=True)
def in_notebook(monkeypatch, tmp_path):
    monkeypatch.setattr(live_panel, "running_kernel", object)
    monkeypatch.chdir(tmp_path)
    yield
    live_panel.LivePanel._open_panels.clear()


def model(rate=0.1, name="line"):
    km.utils.set_random_seed(3)
    made = km.Sequential([km.Input((1,)), km.layers.Dense(1)], name=name)
    made.compile(km.optimizers.SGD(rate), "mse", metrics=["mae"])
    return made


class At(km.callbacks.Callback):
    """Does things at the start of steps: `{(epoch, batch): function}`."""

    def __init__(self, actions, epoch_ends=None, test_begins=None):
        self.actions, self.epoch_ends = actions, epoch_ends or {}
        self.test_begins = test_begins or {}
        self.epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        self.actions.get((self.epoch, batch), lambda: None)()

    def on_test_batch_begin(self, batch, logs=None):
        if batch == 0:
            self.test_begins.get(self.epoch, lambda: None)()


def fit(made, panel, actions, epochs=4, **more):
    callbacks = [At(actions, **more.pop("at", {})), panel]
    return made.fit(X, 3 * X, batch_size=16, epochs=epochs, callbacks=callbacks, **more)


def actions_of(history):
    return [(e["epoch"], e["step"], e["action"], e["value"]) for e in history.events]


def test_stop_now():
    panel = Panel()
    history = fit(model(), panel, {(1, 2): lambda: panel.click("stop")})
    assert actions_of(history) == [(1, 3, "stop", None)]
    assert len(history.history["loss"]) == 2
    assert panel.state.note == "Stopped by you at epoch 2, step 3"


def test_stop_after_the_epoch_lets_it_and_its_validation_end():
    panel = Panel()
    stop = {(1, 0): lambda: panel.click("stop_after_epoch", True)}
    history = fit(model(), panel, stop, validation_split=0.25)
    assert actions_of(history) == [(1, 1, "stop after epoch", None)]
    assert len(history.history["val_loss"]) == 2
    assert panel.state.note == "Stopped by you after epoch 2"
    assert panel.state.step == 3


def test_stop_after_the_epoch_can_be_taken_back():
    panel = Panel()
    clicks = {
        (1, 0): lambda: panel.click("stop_after_epoch", True),
        (1, 1): lambda: panel.click("stop_after_epoch", False),
    }
    history = fit(model(), panel, clicks)
    assert [event["value"] for event in history.events] == [None, "cancelled"]
    assert len(history.history["loss"]) == 4


def test_pause_waits_between_two_steps_until_resumed():
    panel, made, seen = Panel(), model(), []

    def later():
        while panel.state.status != "paused":
            time.sleep(0.01)
        time.sleep(0.1)
        seen.append(int(made.optimizer.iterations))
        time.sleep(0.2)
        seen.append(int(made.optimizer.iterations))
        panel.click("learning_rate", 0.05)
        time.sleep(0.1)
        seen.append(float(made.optimizer.learning_rate))
        panel.click("resume")

    person = threading.Thread(target=later)
    person.start()
    history = fit(made, panel, {(1, 1): lambda: panel.click("pause")})
    person.join()
    assert seen == [6, 6, pytest.approx(0.05)]
    assert [event["action"] for event in history.events] == ["pause", "learning rate", "resume"]
    assert history.events[2]["value"] == pytest.approx(0.4, abs=0.2)
    assert len(history.history["loss"]) == 4
    assert panel.state.progress()["elapsed"] < 0.3, "a pause is not part of the training"


def test_stop_ends_a_pause():
    panel = Panel()
    clicks = {(1, 1): lambda: (panel.click("pause"), panel.click("stop"))}
    history = fit(model(), panel, clicks)
    assert [event["action"] for event in history.events] == ["pause", "stop"]


def test_an_interrupt_ends_a_pause_cleanly(monkeypatch):
    panel = Panel()

    def interrupt(seconds):
        raise KeyboardInterrupt

    def pause():
        monkeypatch.setattr(panel._controls.asked, "wait", interrupt)
        panel.click("pause")

    history = fit(model(), panel, {(1, 1): pause})
    assert len(history.history["loss"]) == 1
    assert panel.state.note == "Interrupted at epoch 2, step 2"


def test_the_learning_rate_is_set_and_shown():
    panel, made = Panel(), model()
    history = fit(made, panel, {(1, 1): lambda: panel.click("learning_rate", 0.025)})
    assert actions_of(history) == [(1, 2, "learning rate", 0.025)]
    assert float(made.optimizer.learning_rate) == pytest.approx(0.025)
    assert panel.view.told()[-1]["progress"]["learning_rate"] == pytest.approx(0.025)


def test_a_learning_rate_that_a_callback_sets_is_shown():
    panel, made = Panel(), model()
    schedule = km.callbacks.LearningRateScheduler(lambda epoch: 0.5 / (epoch + 1))
    made.fit(X, X, epochs=2, callbacks=[schedule, panel])
    assert panel.view.told()[-1]["progress"]["learning_rate"] == 0.25


def test_a_learning_rate_that_follows_a_schedule_is_left_to_it():
    panel = Panel()
    made = model(km.optimizers.schedules.ExponentialDecay(0.1, 4, 0.5))
    history = fit(made, panel, {(1, 1): lambda: panel.click("learning_rate", 0.025)}, epochs=2)
    told = panel.view.told()[-1]["progress"]
    assert not told["rate_is_settable"] and told["learning_rate"] == pytest.approx(0.025)
    assert told["failed"] and "follows a schedule" in told["message"]
    assert history.events == []


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("value", [0, -1, "x", None, NAN, INF, [1], 10**400])
def test_nonsense_is_no_learning_rate(value):
    panel, made = Panel(), model()
    history = fit(made, panel, {(0, 1): lambda: panel.click("learning_rate", value)}, epochs=1)
    assert history.events == []


def test_of_many_learning_rates_the_last_counts():
    panel, made = Panel(), model()
    clicks = {(0, 1): lambda: [panel.click("learning_rate", r) for r in (0.5, 0.2, 0.01)]}
    assert actions_of(fit(made, panel, clicks)) == [(0, 2, "learning rate", 0.01)]


def test_save_writes_a_model_that_can_be_loaded():
    panel, made, then = Panel("../a/b <img src=x>"), model(), []

    def save():
        panel.click("save")

    def look():
        then.append(made.get_weights())

    history = fit(made, panel, {(1, 1): save, (1, 2): look})
    (event,) = history.events
    assert event["value"] == os.path.join("checkpoints", "a_b_img_src_x_epoch002_step0002.keras")
    loaded = km.models.load_model(event["value"])
    for ours, theirs in zip(then[0], loaded.get_weights()):
        assert np.array_equal(ours, theirs)
    assert event["value"] in panel.view.told()[-1]["progress"]["message"]
    assert os.listdir("checkpoints") == [os.path.basename(event["value"])], "no part is left"


def test_a_second_save_in_the_same_place_keeps_the_first():
    panel = Panel()
    history = fit(model(), panel, {(0, 1): lambda: (panel.click("save"), panel.click("save"))})
    paths = [event["value"] for event in history.events]
    assert len(set(paths)) == len(os.listdir("checkpoints")) == 2


def test_a_save_that_fails_is_told_and_training_goes_on():
    with open("checkpoints", "w") as file:
        file.write("no folder")
    panel = Panel()
    history = fit(model(), panel, {(0, 1): lambda: panel.click("save")})
    assert len(history.history["loss"]) == 4
    assert history.events[0]["action"] == "save failed"
    told = panel.view.told()[-1]["progress"]
    assert told["failed"] and "Not saved" in told["message"]


def worsen(made):
    """Return an action that makes the model bad, so that an earlier epoch stays the best."""
    return lambda: made.set_weights([w + 9 for w in made.get_weights()])


def test_restore_best_gives_back_that_epochs_weights():
    panel, made, kept = Panel(), model(0.01), {}
    clicks = {
        (2, 0): lambda: (kept.update(best=made.get_weights()), worsen(made)()),
        (3, 1): lambda: panel.click("restore_best"),
        (3, 2): lambda: kept.update(restored=made.get_weights()),
    }
    history = fit(made, panel, clicks)
    assert actions_of(history) == [(3, 2, "restore best", 1)]
    assert all(np.array_equal(a, b) for a, b in zip(kept["best"], kept["restored"]))
    assert panel.view.told()[-1]["progress"]["best"]["epoch"] in (2, 4)


def test_restore_best_waits_for_the_end_of_a_validation():
    panel, made, seen = Panel(), model(0.01), {}

    class Look(km.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen[epoch] = made.get_weights()

    at = At({(2, 0): worsen(made)}, test_begins={2: lambda: panel.click("restore_best")})
    history = made.fit(
        X, 3 * X, batch_size=16, epochs=3, callbacks=[at, Look(), panel], validation_split=0.5
    )
    best = int(np.argmin(history.history["val_loss"]))
    assert actions_of(history) == [(2, 2, "restore best", best)] and best < 2
    assert np.array_equal(made.get_weights()[0], seen[best][0])
    assert not np.array_equal(seen[2][0], seen[best][0]), "the epoch's own weights were validated"


def test_the_best_epoch_is_that_of_the_validation_or_of_a_chosen_metric():
    made = model()
    panel = Panel()
    fit(made, panel, {}, validation_split=0.25)
    assert panel.view.told()[-1]["progress"]["best"]["name"] == "val_loss"
    panel = Panel(monitor="mae")
    fit(made, panel, {})
    assert panel.view.told()[-1]["progress"]["best"]["name"] == "mae"


def test_after_the_training_any_kept_epoch_can_come_back():
    panel, made, seen = Panel(), model(), []
    keep = km.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: seen.append(made.get_weights()))
    history = made.fit(X, 3 * X, batch_size=16, epochs=6, callbacks=[keep, panel])
    kept = panel.view.told()[-1]["kept"]
    assert kept["epochs"] == [1, 2, 3, 4, 5, 6] and kept["at"] == 5 and not kept["ends_apart"]
    assert kept["values"]["loss"] == pytest.approx(history.history["loss"], rel=1e-5)
    panel.click("roll_back", 2)
    assert np.array_equal(made.get_weights()[0], seen[2][0])
    assert history.events[-1] == {"epoch": 5, "step": 4, "action": "roll back", "value": 2}
    assert panel.view.told()[-1]["kept"]["at"] == 2
    panel.roll_back(5)
    assert np.array_equal(made.get_weights()[0], seen[5][0])
    with pytest.raises(ValueError, match="expected one of kept_epochs"):
        panel.roll_back(6)
    made.train_on_batch(X, X)
    assert np.array_equal(panel._steering.kept[5].arrays[0], seen[5][0]), "kept as they were"


def test_an_end_within_an_epoch_can_come_back_too():
    panel, made = Panel(), model()
    error = {(2, 1): lambda: (_ for _ in ()).throw(KeyboardInterrupt)}
    fit(made, panel, error)
    check_that_the_end_comes_back(made, panel, ends=[1, 2])


def test_weights_that_a_callback_restored_are_the_end():
    panel, made = Panel(), model(0.01)
    stopping = km.callbacks.EarlyStopping("loss", restore_best_weights=True, patience=9)
    at = At({(3, 0): worsen(made)})
    made.fit(X, 3 * X, batch_size=16, epochs=4, callbacks=[at, stopping, panel])
    check_that_the_end_comes_back(made, panel, ends=[1, 2, 3, 4])


def check_that_the_end_comes_back(made, panel, ends):
    kept = panel.view.told()[-1]["kept"]
    assert kept["ends_apart"] and kept["epochs"][:-1] == ends and kept["at"] == len(ends)
    end = made.get_weights()
    panel.click("roll_back", 0)
    assert not np.array_equal(made.get_weights()[0], end[0])
    panel.click("roll_back", -1)
    assert np.array_equal(made.get_weights()[0], end[0])


def test_weights_beyond_the_limit_are_not_kept_and_that_is_told():
    panel = Panel(weights_memory=4e-6)
    fit(model(), panel, {})
    told = panel.view.told()[-1]
    assert told["kept"]["epochs"] == [] and not told["progress"]["can_restore"]
    assert told["progress"]["too_large"].startswith("The weights take 8 bytes, more than the 4 by")
    with pytest.raises(ValueError, match="weights_memory"):
        Panel(weights_memory=-1)


def test_an_exception_in_validation_leaves_the_controls_working():
    panel, made = Panel(), model()

    def fail():
        raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"), panel:
        at = At({}, test_begins={2: fail})
        made.fit(X, X, 16, epochs=4, callbacks=[at, panel], validation_split=0.25)
    panel.click("restore_best")
    assert panel.events[-1]["action"] == "restore best"


def test_a_new_training_lets_go_of_the_weights_of_the_last():
    made, first, second = model(), Panel(), Panel()
    fit(made, first, {})
    fit(made, second, {})
    assert first.kept_epochs == [] and len(second.kept_epochs) == 4
    assert first.view.told()[-1]["kept"]["epochs"] == [] and not first.view.closed
    before = made.get_weights()
    first.click("restore_best")
    first.click("save")
    assert np.array_equal(made.get_weights()[0], before[0]) and not os.path.exists("checkpoints")


def test_only_the_last_few_panels_stay_open():
    panels = [Panel() for _ in range(6)]
    for panel in panels:
        fit(model(), panel, {}, epochs=1)
    assert [panel.view.closed for panel in panels] == [True, True, False, False, False, False]


def test_an_ended_panel_does_not_keep_the_model():
    panel, made = Panel(), model()
    fit(made, panel, {})
    gone = weakref.ref(made)
    del made
    gc.collect()
    assert gone() is None and panel.kept_epochs == []
    panel.click("restore_best")
    assert panel._steering.final is None
    assert "no model" in panel.view.told()[-1]["progress"]["message"]


def test_earlier_runs_of_the_same_model_are_sent_with_the_history():
    made = model()
    for _ in range(6):
        panel = Panel()
        history = fit(made, panel, {}, epochs=2)
    panel._controls.receive(None, {"type": "hello"}, [])
    earlier = panel.view.told()[-1]["earlier"]
    assert len(earlier) == 4
    assert earlier[0]["loss"]["train"][0] == [1.0, 2.0]
    assert set(earlier[0]["loss"]) == {"train"}, "values within epochs are not sent"
    assert len(earlier_runs.of(made)) == 4 and history is made.history


def test_earlier_runs_are_bounded_and_go_with_the_model():
    runs, made, series = EarlierRuns(most=2), model(), Series()
    for i in range(1000):
        series.append(i, i)
    for _ in range(5):
        runs.remember(made, {"loss": {"train": series, "within": series}})
    assert len(runs.of(made)) == 2 and len(runs.of(made)[0]["loss"]["train"][0]) <= 100
    assert runs.of(None) == [] and len(runs._runs) == 1
    del made
    gc.collect()
    assert len(runs._runs) == 0


def test_a_loop_of_ones_own():
    made, panel = model(), Panel(batch_size=16, epochs=3, steps=4)
    panel.set_model(made)
    done = []
    with panel:
        for epoch in range(3):
            panel.on_epoch_begin(epoch)
            for step in range(4):
                logs = made.train_on_batch(X[:16], X[:16], return_dict=True)
                if (epoch, step) == (1, 2):
                    panel.click("stop")
                panel.on_train_batch_end(step, logs)
                done.append(step)
                if panel.stop_requested:
                    break
            panel.on_epoch_end(epoch, logs)
            if panel.stop_requested:
                break
    assert len(done) == 7 and panel.state.note == "Stopped by you at epoch 2, step 3"
    assert [event["action"] for event in panel.events] == ["stop"]


def test_fit_inside_with_uses_the_open_panel():
    made, panel = model(), Panel()
    with panel:
        view = panel.view
        made.fit(X, X, epochs=2, callbacks=[panel])
        assert panel.view is view
    assert panel.state.epochs_done == 2


def test_a_click_that_comes_with_the_end_is_not_lost():
    made, panel = model(), Panel()
    last = km.callbacks.LambdaCallback(on_train_end=lambda logs: panel.click("save"))
    history = made.fit(X, X, epochs=1, callbacks=[last, panel])
    assert [event["action"] for event in history.events] == ["save"]


def test_stop_after_the_end_changes_nothing():
    made, panel = model(), Panel()
    history = fit(made, panel, {}, epochs=1)
    for control in ("stop", "pause", "resume", "stop_after_epoch"):
        panel.click(control, True)
    assert history.events == [] and panel.state.status == "done"
