"""Callbacks: who is called when, and what each does."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from kernelmodel import callbacks, metrics, optimizers


class Model:
    """As much of a model as callbacks use."""

    def __init__(self):
        self.stop_training = False
        self.metrics = [metrics.BinaryAccuracy(name="accuracy"), metrics.MeanSquaredError()]
        self.optimizer = optimizers.SGD(1.0)
        self.saved = []
        self.weights = None

    def save(self, path, overwrite=True):
        self.saved.append(path)

    save_weights = save

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


@pytest.fixture
def model():
    return Model()


def run(callback, model, values, monitor="val_loss"):
    """Call a callback as training with such values would; the epochs that it lasted."""
    callback.set_model(model)
    model.stop_training = False
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {monitor: value})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch + 1


# ---- the list ----


def test_callbacks_are_called_in_order_and_share_logs(model):
    class Adds(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["extra"] = epoch

    together = callbacks.CallbackList([[Adds()]], add_history=True, model=model, epochs=1)
    together.on_epoch_end(3, {"loss": 1.0})
    assert model.history.history == {"loss": [1.0], "extra": [3]}
    assert together.history is model.history


def test_old_names_of_hooks(model):
    class Old(callbacks.Callback):
        def __init__(self):
            self.seen = []

        def on_batch_end(self, batch, logs=None):
            self.seen.append(batch)

    old = Old()
    together = callbacks.CallbackList([old], model=model)
    together.on_train_batch_end(2, {})
    together.on_train_batch_begin(3)
    assert old.seen == [2] and not together.listens("on_train_batch_begin")


def test_things_that_are_no_callbacks():
    with pytest.raises(TypeError, match=r"History\(\)"):
        callbacks.CallbackList([callbacks.History])
    with pytest.raises(TypeError, match="LambdaCallback"):
        callbacks.CallbackList([len])


def test_append(model):
    together = callbacks.CallbackList(model=model, epochs=1)
    together.append(seen := callbacks.History())
    together.on_epoch_end(0, {"loss": 1.0})
    assert seen.history == {"loss": [1.0]} and seen.params == {"epochs": 1}


def test_what_is_there_is_not_added_twice():
    bar, history = callbacks.ProgbarLogger(), callbacks.History()
    together = callbacks.CallbackList([bar, history], add_history=True, add_progbar=True)
    assert together.callbacks == [bar, history]
    assert len(callbacks.CallbackList(add_history=True, add_progbar=True).callbacks) == 2


def test_lambda_callback():
    seen = []
    callback = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(batch),
        on_test_end=lambda logs: seen.append("test"),
    )
    together = callbacks.CallbackList([callback])
    together.on_train_batch_end(1, {})
    together.on_test_end({})
    assert seen == [1, "test"] and not together.listens("on_epoch_end")
    with pytest.raises(TypeError, match="on_epoch_over"):
        callbacks.LambdaCallback(on_epoch_over=print)


def test_history_counts_the_epochs_of_one_run():
    history = callbacks.History()
    for _ in range(2):
        history.on_train_begin()
        history.on_epoch_end(0, {"loss": 1.0})
    assert history.epoch == [0] and history.history == {"loss": [1.0, 1.0]}


# ---- early stopping ----


@pytest.mark.parametrize(
    ("options", "values", "epochs"),
    [
        ({}, [3, 2, 1, 1, 0], 4),
        ({"patience": 2}, [3, 2, 2, 2, 1], 4),
        ({"patience": 2}, [3, 4, 2, 3, 1], 5),
        ({"min_delta": 0.5}, [3, 2.4, 2, 0], 3),
        ({"mode": "max"}, [1, 2, 3, 3, 4], 4),
        ({"mode": "max", "min_delta": 1}, [1, 2.5, 3, 9], 3),
        ({"baseline": 1.5, "patience": 2}, [3, 2.5, 2.2, 2.1, 2.3], 5),
        ({"start_from_epoch": 3}, [1, 2, 3, 4, 5, 6], 5),
        ({}, [1, float("nan"), 0.5], 2),
        ({"patience": 3}, [float("nan"), float("nan"), 3, 2, 2, 2, 2, 1], 7),
    ],
)
def test_early_stopping(options, values, epochs, model):
    assert run(callbacks.EarlyStopping(**options), model, values) == epochs


def test_best_weights_come_back(model, capsys):
    stopping = callbacks.EarlyStopping(patience=2, restore_best_weights=True, verbose=1)
    assert run(stopping, model, [3, 1, 2, 2, 0]) == 4
    assert model.weights == 1 and stopping.best_epoch == 1 and stopping.stopped_epoch == 3
    said = capsys.readouterr().out
    assert "Epoch 4" in said and "epoch 2" in said
    run(stopping, model, [3, 2, 1])
    assert model.weights == 2


def test_direction_is_that_of_the_metric(model):
    for name, values in {
        "val_accuracy": [0.1, 0.2, 0.2],
        "mean_squared_error": [0.3, 0.2, 0.2],
        "val_head_accuracy": [0.1, 0.2, 0.2],
        "head_loss": [0.3, 0.2, 0.2],
        "acc": [0.1, 0.2, 0.2],
    }.items():
        assert run(callbacks.EarlyStopping(name), model, values, name) == 3
    with pytest.raises(ValueError, match="mode='max'"):
        run(callbacks.EarlyStopping("speed"), model, [1, 2], "speed")
    with pytest.warns(UserWarning, match="'auto'"):
        callbacks.EarlyStopping(mode="sideways")


@pytest.mark.parametrize("cls", [callbacks.EarlyStopping, callbacks.ReduceLROnPlateau])
def test_unknown_monitors_are_explained(cls, model):
    with pytest.warns(UserWarning, match=r"'val_loss'.*accuracy"):
        run(cls(), model, [0.1], "accuracy")
    assert not model.stop_training


def test_terminate_on_nan(model):
    guard = callbacks.TerminateOnNaN()
    guard.set_model(model)
    guard.on_train_batch_end(0, {"loss": 1.0})
    guard.on_train_batch_end(0, {})
    assert not model.stop_training
    guard.on_train_batch_end(1, {"loss": float("inf")})
    assert model.stop_training
    with pytest.raises(RuntimeError, match="Batch 7"):
        callbacks.TerminateOnNaN(raise_error=True).on_train_batch_end(7, {"loss": np.nan})


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(8))
def test_early_stopping_as_keras(seed, model, keras):
    rng = np.random.default_rng(seed)
    values = list(rng.uniform(size=30))
    options = {
        "patience": int(rng.integers(0, 5)),
        "min_delta": float(rng.choice([0, 0.05])),
        "mode": str(rng.choice(["min", "max"])),
        "baseline": [None, 0.5][seed % 2],
        "restore_best_weights": True,
        "start_from_epoch": int(rng.integers(0, 3)),
    }
    found = run(callbacks.EarlyStopping(**options), model, values), model.weights
    assert found == (run(keras.callbacks.EarlyStopping(**options), model, values), model.weights)


# ---- checkpoints ----


def test_checkpoint_names(model, tmp_path):
    path = tmp_path / "deep" / "{epoch:02d}-{val_loss:.2f}.keras"
    run(callbacks.ModelCheckpoint(path), model, [0.5, 0.25])
    assert model.saved == [str(tmp_path / "deep" / n) for n in ("01-0.50.keras", "02-0.25.keras")]
    assert (tmp_path / "deep").is_dir()
    with pytest.raises(KeyError, match="val_loss"):
        run(callbacks.ModelCheckpoint(path), model, [0.5], "loss")


def test_best_only(model, tmp_path, capsys):
    path = str(tmp_path / "{epoch}.weights.h5")
    best = callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True, verbose=1)
    run(best, model, [3, 2, 2.5, float("nan"), 1])
    assert [p[-12:-11] for p in model.saved] == ["1", "2", "5"]
    assert "no better" in capsys.readouterr().out
    model.saved.clear()
    run(
        callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True,
                                  initial_value_threshold=2.2),
        model, [3, 2, 1],
    )  # fmt: skip
    assert len(model.saved) == 2
    with pytest.warns(UserWarning, match="val_loss"):
        run(best, model, [1], "loss")


def test_every_few_batches(model, tmp_path):
    checkpoint = callbacks.ModelCheckpoint(str(tmp_path / "{epoch}-{batch}.keras"), save_freq=3)
    checkpoint.set_model(model)
    for epoch in range(2):
        checkpoint.on_epoch_begin(epoch)
        for batch in range(4):
            checkpoint.on_train_batch_end(batch, {"loss": 0.5})
        checkpoint.on_epoch_end(epoch, {"loss": 0.5})
    assert [p.rsplit("/", 1)[1] for p in model.saved] == ["1-3.keras", "2-2.keras"]


def test_wrong_arguments_of_checkpoints(model, tmp_path):
    with pytest.raises(ValueError, match=r"\.keras"):
        callbacks.ModelCheckpoint("model.txt")
    with pytest.raises(ValueError, match=r"\.weights\.h5"):
        callbacks.ModelCheckpoint("model.h5", save_weights_only=True)
    with pytest.raises(ValueError, match="save_freq"):
        callbacks.ModelCheckpoint("model.h5", save_freq="batch")
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(IsADirectoryError, match="folder"):
        run(callbacks.ModelCheckpoint(tmp_path / "folder.keras"), model, [1])


# ---- learning rates ----


def test_learning_rate_scheduler(model, capsys):
    for schedule in (lambda epoch: 0.5 / (epoch + 1), lambda epoch, rate: rate / 2):
        model.optimizer.learning_rate = 1.0
        scheduler = callbacks.LearningRateScheduler(schedule, verbose=1)
        scheduler.set_model(model)
        scheduler.on_epoch_begin(0)
        scheduler.on_epoch_end(0, logs := {})
        assert logs == {"learning_rate": 0.5}
    assert "0.5" in capsys.readouterr().out
    with pytest.raises(ValueError, match="number"):
        run(callbacks.LearningRateScheduler(lambda epoch: None), model, [1])


def test_errors_in_a_schedule_are_not_swallowed(model):
    def broken(epoch, rate):
        raise TypeError("broken")

    with pytest.raises(TypeError, match="broken"):
        run(callbacks.LearningRateScheduler(broken), model, [1])


def test_reduce_on_plateau(model, capsys):
    reduce = callbacks.ReduceLROnPlateau(
        factor=0.5, patience=2, cooldown=2, min_lr=0.2, verbose=1, min_delta=0
    )
    rates = []
    reduce.set_model(model)
    reduce.on_train_begin()
    for epoch, value in enumerate([1.0] * 14):
        reduce.on_epoch_end(epoch, {"val_loss": value})
        rates.append(round(float(model.optimizer.learning_rate), 3))
    assert rates == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]
    assert "Epoch 3" in capsys.readouterr().out
    with pytest.raises(ValueError, match="factor"):
        callbacks.ReduceLROnPlateau(factor=1.0)


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(6))
def test_reduce_on_plateau_as_keras(seed, keras):
    rng = np.random.default_rng(seed)
    values = list(rng.uniform(size=40))
    options = {
        "patience": int(rng.integers(1, 4)),
        "cooldown": int(rng.integers(0, 4)),
        "mode": str(rng.choice(["min", "max"])),
        "factor": 0.7,
        "min_lr": 0.01,
    }
    rates = []
    for reduce, optimizer in [
        (callbacks.ReduceLROnPlateau(**options), optimizers.SGD(1.0)),
        (keras.callbacks.ReduceLROnPlateau(**options), keras.optimizers.SGD(1.0)),
    ]:
        model = Model()
        model.optimizer = optimizer
        reduce.set_model(model)
        reduce.on_train_begin()
        found = []
        for epoch, value in enumerate(values):
            reduce.on_epoch_end(epoch, {"val_loss": value})
            found.append(float(np.asarray(optimizer.learning_rate)))
        rates.append(found)
    assert rates[0] == pytest.approx(rates[1], rel=1e-6)


# ---- progress ----


def epochs_of(bar, count=2):
    bar.on_train_begin()
    for epoch in range(count):
        bar.on_epoch_begin(epoch)
        for batch in range(3):
            bar.on_train_batch_end(batch, {"loss": 0.5})
        bar.on_test_begin()
        bar.on_test_end({"loss": 1.0})
        bar.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 1e-5})
    bar.on_train_end()


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_lines_in_a_log(verbose, capsys):
    bar = callbacks.ProgbarLogger()
    bar.set_params({"epochs": 2, "steps": 3, "verbose": verbose})
    assert not bar.listens("on_train_batch_end")
    epochs_of(bar)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2"
    assert lines[1].startswith("3/3 - 0s - ")
    assert lines[1].endswith("s/step - loss: 0.5000 - val_loss: 1.0000e-05")


def test_silence(capsys):
    bar = callbacks.ProgbarLogger()
    bar.set_params({"epochs": 2, "steps": 3, "verbose": 0})
    assert not any(bar.listens(hook) for hook in ("on_epoch_end", "on_train_batch_end"))
    epochs_of(bar)
    assert capsys.readouterr().out == ""


def test_unknown_number_of_steps(capsys):
    bar = callbacks.ProgbarLogger()
    bar.set_params({"epochs": 1, "steps": None, "verbose": 2})
    assert bar.listens("on_train_batch_end")
    epochs_of(bar, 1)
    assert capsys.readouterr().out.startswith("3/3 - ")


def test_evaluation_and_prediction(capsys):
    bar = callbacks.ProgbarLogger()
    bar.set_params({"epochs": 1, "steps": 2, "verbose": 2})
    bar.on_test_begin()
    bar.on_test_batch_end(0, {"loss": 1.0})
    bar.on_test_end({"loss": 1.0})
    bar.on_predict_begin()
    bar.on_predict_batch_end(1, {"outputs": None})
    bar.on_predict_end()
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("loss: 1.0000") and second.endswith("/step")


def test_a_bar_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("kernelmodel.callbacks.progress.INTERVAL", 0.0)
    bar = callbacks.ProgbarLogger()
    bar.set_params({"epochs": 1, "steps": 3, "verbose": 1})
    assert bar.listens("on_train_batch_end")
    bar.on_epoch_begin(0)
    for batch in range(3):
        bar.on_train_batch_end(batch, {"loss": 0.5})
    assert "2/3" in screen.getvalue() and "\x1b" in screen.getvalue()
    bar.on_epoch_end(0, {"loss": 0.5})
    assert screen.getvalue().splitlines()[-1].endswith("loss: 0.5000")
    bar.on_epoch_begin(1)
    bar.on_train_end()  # interrupted: the bar is taken away
    assert bar._bar is None
