"""The context: a step is pure, and its end is all or nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.core.context import Context, current, interrupts_held


@pytest.fixture
def pair() -> list[km.Variable]:
    return [km.Variable(np.zeros(2, "float32"), name=n) for n in "ab"]


def test_writes_are_seen_inside_and_outside_only_after_commit(pair: list[km.Variable]) -> None:
    a, _ = pair
    with Context(pure=True) as context:
        a.assign([1.0, 2.0])
        np.testing.assert_array_equal(a.value, [1, 2])
        seen = []
        thread = threading.Thread(target=lambda: seen.append(a.numpy()))
        thread.start()
        thread.join()
        np.testing.assert_array_equal(seen[0], [0, 0])
        context.commit()
    np.testing.assert_array_equal(a.numpy(), [1, 2])
    assert current() is None


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_in_the_middle_leaves_everything(pair: list[km.Variable], error: Any) -> None:
    with pytest.raises(error), Context(pure=True) as context:
        for variable in pair:
            variable.assign([1.0, 1.0])
        raise error
    assert all(not v.numpy().any() for v in pair)
    assert current() is None
    context.commit()  # what a stray commit would still write is the step's whole result


def test_writes_go_through_where_the_context_is_not_pure(pair: list[km.Variable]) -> None:
    with Context():
        pair[0].assign([3.0, 3.0])
    np.testing.assert_array_equal(pair[0].numpy(), [3, 3])


def test_an_interrupt_waits_until_all_is_written() -> None:
    """SIGINT in the middle of a commit: every variable is written, then the interrupt comes."""
    variables = [km.Variable(np.zeros(1, "float32")) for _ in range(4)]

    class Trap(km.Variable):
        def __setattr__(self, name: str, value: Any) -> None:
            if name == "_array" and "_array" in self.__dict__:
                os.kill(os.getpid(), signal.SIGINT)
            super().__setattr__(name, value)

    variables.insert(2, Trap(np.zeros(1, "float32")))
    with pytest.raises(KeyboardInterrupt), Context(pure=True) as context:
        for variable in variables:
            variable.assign([1.0])
        context.commit()
    assert [float(v.numpy()[0]) for v in variables] == [1.0] * 5


def test_interrupts_held_restores_the_handler() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts_held():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(ZeroDivisionError), interrupts_held():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


# ---- a model's step ----


class Bomb(km.layers.Layer):
    """Counts its calls, and fails in one of them."""

    error: Any = None

    def build(self, input_shape: Any) -> None:
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, inputs: Any) -> Any:
        self.calls.assign_add(1.0)
        if self.error is not None:
            raise self.error
        return inputs * self.scale


def state(model: km.Model) -> list[np.ndarray]:
    found = [v.numpy() for v in model._all_variables()]
    return [*found, np.array(model.optimizer.iterations)]


def bomb_model() -> tuple[km.Model, Bomb]:
    bomb = Bomb()
    model = km.Sequential(
        [km.Input((2,)), km.layers.Dense(3), km.layers.BatchNormalization(),
         km.layers.Dropout(0.5), bomb, km.layers.Dense(1)]
    )  # fmt: skip
    model.compile("adam", "mse", metrics=["mae"])
    return model, bomb


@pytest.mark.parametrize("error", [ZeroDivisionError("boom"), KeyboardInterrupt()])
def test_a_step_that_fails_changes_nothing(error: BaseException) -> None:
    model, bomb = bomb_model()
    x, y = np.ones((4, 2)), np.ones((4, 1))
    model.train_on_batch(x, y)
    before = state(model)
    bomb.error = error
    with pytest.raises(type(error)):
        model.train_on_batch(x, y, reset_metrics=False)
    for one, other in zip(before, state(model), strict=True):
        np.testing.assert_array_equal(one, other)
    bomb.error = None
    model.train_on_batch(x, y)
    assert int(model.optimizer.iterations.numpy()) == 2
    assert float(bomb.calls) == 2.0


def test_a_nan_loss_is_an_error_that_changes_nothing() -> None:
    model, _ = bomb_model()
    x, y = np.ones((4, 2)), np.ones((4, 1))
    model.train_on_batch(x, y)
    before = state(model)
    with pytest.raises(FloatingPointError, match="`x` holds values that are not finite"):
        model.train_on_batch(np.full((4, 2), np.nan), y, reset_metrics=False)
    with pytest.raises(FloatingPointError, match="`y` holds"):
        model.train_on_batch(x, np.full((4, 1), np.inf), reset_metrics=False)
    for one, other in zip(before, state(model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_layer_whose_output_is_not_finite_is_named() -> None:
    inputs = km.Input((2,))
    x = km.layers.Dense(2, name="fine")(inputs)
    x = km.layers.Lambda(lambda t: km.ops.log(t - t), name="culprit")(x)
    model = km.Model(inputs, km.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="'culprit'"):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)


INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np
import kernelmodel as km
km.utils.set_random_seed(0)
model = km.Sequential([km.Input((8,)), km.layers.Dense(16, "relu"), km.layers.Dense(1)])
model.compile("adam", "mse")
x = np.random.normal(size=(2000, 8)).astype("float32")
y = x[:, :1]
started = threading.Event()
threading.Thread(target=lambda: (started.wait(20), time.sleep(0.05),
                                 os.kill(os.getpid(), signal.SIGINT)), daemon=True).start()
begin = km.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: started.set() if e == 1 else None)
history = model.fit(x, y, epochs=100000, batch_size=8, verbose=0, callbacks=[begin])
assert model.history is history
lengths = {len(values) for values in history.history.values()} | {len(history.epoch)}
assert len(lengths) == 1 and 2 <= lengths.pop() < 100000, history.history
steps = int(model.optimizer.iterations.numpy())
assert all(np.isfinite(w).all() for w in model.get_weights())
again = model.fit(x, y, epochs=1, batch_size=8, verbose=0)
assert len(again.history["loss"]) == 1
assert int(model.optimizer.iterations.numpy()) == steps + 250
print("went on")
"""


def test_a_real_interrupt_ends_fit_and_the_next_fit_goes_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "went on" in done.stdout
    assert "interrupted" in done.stdout
