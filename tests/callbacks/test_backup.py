"""BackupAndRestore: a training that is broken off goes on as if it hadn't been."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import kernelmodel as km

X = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


class Break(Exception):
    """A crash."""


class Crash(km.callbacks.Callback):
    """Raises after so many batches."""

    def __init__(self, after):
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise Break


class Steps(km.callbacks.Callback):
    """Notes which batches were trained on."""

    def __init__(self):
        self.seen = []

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append((self.epoch, batch))


def make_model():
    km.utils.set_random_seed(3)
    model = km.Sequential(
        [
            km.Input((4,)),
            km.layers.Dense(8, "relu"),
            km.layers.BatchNormalization(),
            km.layers.Dropout(0.5),
            km.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(km.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy", "AUC"])
    return model


def batches(order):
    """A generator without end, whose batches depend on what came before."""
    rng = np.random.default_rng(order)
    while True:
        rows = rng.integers(0, 60, 10)
        yield X[rows], Y[rows]


DATA = {
    "arrays": lambda: {"x": X, "y": Y, "batch_size": 10},
    "parts of the data": lambda: {"x": X, "y": Y, "batch_size": 10, "steps_per_epoch": 4},
    "a generator": lambda: {"x": batches(5), "steps_per_epoch": 5},
    "validation": lambda: {"x": X, "y": Y, "batch_size": 10, "validation_split": 0.2},
}


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("save_freq", ["epoch", 1, 4])
def test_the_result_is_that_of_a_run_without_a_break(tmp_path, data, save_freq):
    def rate(epoch, old):
        return old * 0.9

    def others():
        return [km.callbacks.LearningRateScheduler(rate)]

    whole = make_model()
    expected = whole.fit(**DATA[data](), epochs=4, verbose=0, callbacks=others())
    for crash in (7, 6):  # twice broken off
        model = make_model()
        backup = km.callbacks.BackupAndRestore(tmp_path / "backup", save_freq)
        with pytest.raises(Break):
            model.fit(
                **DATA[data](), epochs=4, verbose=0, callbacks=[backup, *others(), Crash(crash)]
            )
    model, steps = make_model(), Steps()
    backup = km.callbacks.BackupAndRestore(tmp_path / "backup", save_freq)
    history = model.fit(**DATA[data](), epochs=4, verbose=0, callbacks=[backup, *others(), steps])
    for one, other in zip(model.get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(model.optimizer.get_weights(), whole.optimizer.get_weights()):
        np.testing.assert_array_equal(one, other)
    for name, values in history.history.items():
        np.testing.assert_array_equal(values, expected.history[name][-len(values) :])
    assert steps.seen[-1][0] == 3 and len(steps.seen) < 4 * 6
    assert not (tmp_path / "backup").exists()


def test_the_backup_stays_if_it_should(tmp_path):
    for keep in (False, True):
        backup = km.callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=not keep)
        make_model().fit(X, Y, verbose=0, callbacks=[backup])
        assert backup.path.exists() is keep
    steps = Steps()
    backup = km.callbacks.BackupAndRestore(tmp_path / "b")
    make_model().fit(X, Y, verbose=0, epochs=1, callbacks=[backup, steps])
    assert steps.seen == []  # it was done


def test_an_interrupt_keeps_the_backup(tmp_path):
    class Interrupt(km.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    backup = km.callbacks.BackupAndRestore(tmp_path / "b")
    make_model().fit(X, Y, verbose=0, epochs=4, callbacks=[backup, Interrupt()])
    assert backup.path.exists()
    steps = Steps()
    make_model().fit(X, Y, verbose=0, epochs=4, callbacks=[backup, steps])
    assert {epoch for epoch, _ in steps.seen} == {2, 3} and not backup.path.exists()


def test_a_damaged_backup(tmp_path):
    backup = km.callbacks.BackupAndRestore(tmp_path / "b", 2, double_checkpoint=True)
    with pytest.raises(Break):
        make_model().fit(X, Y, batch_size=10, verbose=0, callbacks=[backup, Crash(5)])
    whole = backup.path.read_bytes()
    backup.path.write_bytes(whole[: len(whole) // 2])
    steps = Steps()
    make_model().fit(
        X, Y, batch_size=10, verbose=0,
        callbacks=[km.callbacks.BackupAndRestore(tmp_path / "b"), steps],
    )  # fmt: skip
    assert steps.seen[0] == (0, 2)  # from the one before
    backup.path.parent.mkdir()
    backup.path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"can't be read .* Delete the folder"):
        make_model().fit(X, Y, verbose=0, callbacks=[backup])


def test_a_backup_of_another_model_is_refused(tmp_path):
    backup = km.callbacks.BackupAndRestore(tmp_path / "b", 1)
    with pytest.raises(Break):
        make_model().fit(X, Y, verbose=0, callbacks=[backup, Crash(1)])
    other = km.Sequential([km.Input((4,)), km.layers.Dense(1)])
    other.compile("sgd", "mse")
    before = other.get_weights()
    with pytest.raises(ValueError, match="of another model"):
        other.fit(X, Y, verbose=0, callbacks=[backup])
    np.testing.assert_array_equal(other.get_weights()[0], before[0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"backup_dir": ""}, "must be a folder"), ({"backup_dir": "b", "save_freq": 0}, "save_freq")],
)
def test_wrong_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        km.callbacks.BackupAndRestore(**arguments)


def stateful():
    km.utils.set_random_seed(3)
    layers = [km.layers.Reshape((2, 2)), km.layers.LSTM(3, stateful=True), km.layers.Dropout(0.3)]
    model = km.Sequential([km.Input(batch_shape=(20, 4)), *layers, km.layers.Dense(1)])
    model.compile(km.optimizers.Adam(0.05, gradient_accumulation_steps=2), "mse", metrics=["mae"])
    return model


class Kill(km.callbacks.Callback):
    """Kills the process after so many batches."""

    def __init__(self, after):
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="forks")
@pytest.mark.parametrize("make", [make_model, stateful])
@pytest.mark.parametrize("save_freq", ["epoch", 1, 2])
@pytest.mark.parametrize("backup_first", [True, False])
def test_killed_after_any_step(tmp_path, make, save_freq, backup_first):
    whole = make()
    whole.fit(X, Y, 20, epochs=3, verbose=0)
    for step in range(1, 10):
        folder = tmp_path / str(step)
        process = os.fork()
        if process == 0:
            try:
                backup = km.callbacks.BackupAndRestore(folder, save_freq)
                both = [backup, Kill(step)] if backup_first else [Kill(step), backup]
                make().fit(X, Y, 20, epochs=3, verbose=0, callbacks=both)
            finally:
                os._exit(1)
        assert os.WTERMSIG(os.waitpid(process, 0)[1]) == signal.SIGKILL
        model, steps = make(), Steps()
        backup = km.callbacks.BackupAndRestore(folder, save_freq)
        model.fit(X, Y, 20, epochs=3, verbose=0, callbacks=[backup, steps])
        for one, other in zip(model.variables, whole.variables, strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())
        for one, other in zip(model.optimizer.get_weights(), whole.optimizer.get_weights()):
            np.testing.assert_array_equal(one, other)
        saved = {"epoch": (step - 1) // 3 * 3, 1: step, 2: step // 2 * 2}
        assert len(steps.seen) >= 9 - saved[save_freq]
        assert not folder.exists()


PROGRAM = """
    import sys
    import numpy as np
    import kernelmodel as km

    km.utils.set_random_seed(1)
    x = np.random.default_rng(0).normal(size=(1600, 8)).astype("float32")
    model = km.Sequential([km.Input((8,)), km.layers.Dense(64, "relu"), km.layers.Dropout(0.2),
                           km.layers.Dense(1)])
    model.compile("adam", "mse")
    callbacks = [] if sys.argv[1] == "none" else [km.callbacks.BackupAndRestore(sys.argv[1], 1)]
    model.fit(x, x[:, :1], batch_size=8, epochs=3, verbose=0, callbacks=callbacks)
    np.savez(sys.argv[2], *model.get_weights())
"""


@pytest.mark.slow
def test_a_killed_process_goes_on(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    folder, result, expected = tmp_path / "backup", tmp_path / "a.npz", tmp_path / "b.npz"
    kills = 0
    while not result.exists():
        run = subprocess.Popen([sys.executable, program, folder, result])
        if kills < 3:
            known = os.stat(folder / "latest.npz").st_mtime_ns if folder.exists() else 0
            began = time.monotonic()
            while run.poll() is None and time.monotonic() - began < 60:
                path = folder / "latest.npz"
                if path.exists() and path.stat().st_mtime_ns > known:
                    time.sleep(0.05 + 0.037 * kills)
                    break
                time.sleep(0.01)
            run.send_signal(signal.SIGKILL)
            kills += 1
        run.wait(timeout=120)
        if kills >= 3 and not result.exists():
            assert run.returncode in (0, -signal.SIGKILL)
    subprocess.run([sys.executable, program, "none", expected], check=True, timeout=120)
    with np.load(result) as one, np.load(expected) as other:
        for name in other.files:
            np.testing.assert_array_equal(one[name], other[name])
    assert not folder.exists()
