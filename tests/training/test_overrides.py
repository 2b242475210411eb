"""What a subclass overrides is really called, and custom steps work under both engines."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import kernelmodel as km

layers, ops = km.layers, km.ops
X = np.random.default_rng(0).standard_normal((12, 3)).astype("float32")
Y = X.sum(1, keepdims=True)
SEAMS = [
    "train_step", "test_step", "predict_step", "compute_loss", "compute_metrics", "call",
    "make_train_function", "make_test_function", "make_predict_function", "reset_metrics",
    "get_metrics_result",
]  # fmt: skip


def counted() -> tuple[type[km.Model], dict[str, int]]:
    calls = dict.fromkeys(SEAMS, 0)

    def seam(name: str) -> Any:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return getattr(km.Model, name)(self, *args, **kwargs)

        return method

    members = {name: seam(name) for name in SEAMS if name != "call"}

    class Counted(km.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x: Any) -> Any:
            calls["call"] += 1
            return self.dense(x)

    return type("Counted", (Counted,), members), calls


def test_every_seam_is_called() -> None:
    cls, calls = counted()
    model = cls()
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(X, Y, batch_size=4, epochs=2, validation_data=(X, Y), verbose=0)
    assert calls["train_step"] == 6
    assert calls["test_step"] == 6
    assert calls["make_train_function"] >= 1
    assert calls["make_test_function"] >= 1
    assert calls["compute_loss"] >= 8
    assert calls["compute_metrics"] >= 8
    assert calls["get_metrics_result"] >= 8
    assert calls["reset_metrics"] >= 2
    assert calls["predict_step"] == calls["make_predict_function"] == 0
    model.predict(X, batch_size=4, verbose=0)
    assert calls["predict_step"] == 3
    before = dict(calls)
    model.train_on_batch(X, Y)
    model.test_on_batch(X, Y)
    model.predict_on_batch(X)
    for name in ("train_step", "test_step", "predict_step"):
        assert calls[name] == before[name] + 1
        assert calls[f"make_{name.split('_')[0]}_function"] > before[
            f"make_{name.split('_')[0]}_function"]  # fmt: skip


def test_own_train_function_is_used() -> None:
    class Own(km.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def make_train_function(self, force: bool = False) -> Any:
            def function(iterator: Any) -> Any:
                x, _ = next(iterator)
                return {"loss": float(len(x)), "other": 2.0}

            return function

        def make_predict_function(self, force: bool = False) -> Any:
            return lambda iterator: np.full((len(next(iterator)[0]), 1), 7.0)

    model = Own()
    model.compile("sgd", "mse")
    found = model.fit(X, Y, batch_size=8, verbose=0).history
    assert found == {"loss": [4.0], "other": [2.0]}
    assert set(model.predict(X, verbose=0).ravel()) == {7.0}


def test_functions_are_kept_until_compile_or_force() -> None:
    model = km.Sequential([km.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    for kind in ("train", "test", "predict"):
        make = getattr(model, f"make_{kind}_function")
        first = make()
        assert make() is first
        assert make(force=True) is not first
        second = make()
        model.compile("sgd", "mse")
        assert make() is not second


class Custom(km.Model):
    """The train_step of the guide: a tape, apply_gradients, metrics of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loss_tracker = km.metrics.Mean(name="loss")
        self.mae_metric = km.metrics.MeanAbsoluteError(name="mae")

    def train_step(self, data: Any) -> Any:
        x, y = data
        with km.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = ops.mean(ops.square(y_pred - y))
        variables = self.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables))
        self.loss_tracker.update_state(loss)
        self.mae_metric.update_state(y, y_pred)
        return {"loss": self.loss_tracker.result(), "mae": self.mae_metric.result()}

    @property
    def metrics(self) -> Any:
        return [self.loss_tracker, self.mae_metric]


def functional(cls: Any) -> km.Model:
    km.utils.set_random_seed(2)
    inputs = km.Input((3,))
    return cls(inputs, layers.Dense(1)(layers.Dense(4, "tanh")(inputs)))


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "xla"])
def test_custom_train_step_is_the_built_in_one(jit: bool) -> None:
    custom, plain = functional(Custom), functional(km.Model)
    custom.compile(km.optimizers.Adam(0.05), jit_compile=jit)
    plain.compile(km.optimizers.Adam(0.05), "mse", metrics=["mae"])
    settings = {"batch_size": 6, "epochs": 3, "shuffle": False, "verbose": 0}
    found, wanted = (m.fit(X, Y, **settings).history for m in (custom, plain))
    assert list(found) == ["loss", "mae"]
    for name in found:
        np.testing.assert_allclose(found[name], wanted[name], rtol=2e-5)
    for one, other in zip(custom.get_weights(), plain.get_weights()):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


class TwoOptimizers(km.Model):
    """A GAN-like model: two parts, two optimizers, no call of the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.first = km.Sequential([km.Input((3,)), layers.Dense(1)])
        self.second = km.Sequential([km.Input((1,)), layers.Dense(1)])

    def compile(self, first: Any, second: Any) -> None:
        super().compile()
        self.first_optimizer, self.second_optimizer = first, second

    def train_step(self, data: Any) -> Any:
        x, y = data
        losses = {}
        for name, part, optimizer in (
            ("first", self.first, self.first_optimizer),
            ("second", self.second, self.second_optimizer),
        ):
            with km.GradientTape() as tape:
                loss = ops.mean(ops.square(self.second(self.first(x)) - y))
            gradients = tape.gradient(loss, part.trainable_weights)
            optimizer.apply_gradients(zip(gradients, part.trainable_weights))
            losses[name] = loss
        return losses


def test_two_optimizers_and_no_call() -> None:
    model = TwoOptimizers()
    model.compile(km.optimizers.SGD(0.05), km.optimizers.Adam(0.05))
    found = model.fit(X, Y, epochs=4, verbose=0).history
    assert set(found) == {"first", "second"}
    assert found["first"][-1] < found["first"][0]
    assert int(model.first_optimizer.iterations.numpy()) == 4


def test_a_step_must_return_a_dict() -> None:
    class Wrong(km.Model):
        def train_step(self, data: Any) -> Any:
            return 3.0

    model = functional(Wrong)
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"must return a dict.*get_metrics_result"):
        model.fit(X, Y, verbose=0)


# ---- XLA ----


def everything(jit: bool) -> tuple[Any, list[np.ndarray], km.Model]:
    km.utils.set_random_seed(4)
    inputs = km.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.LayerNormalization()(layers.Dense(8, "tanh")(x))
    model = km.Model(inputs, layers.Dense(3, "softmax")(x))
    rate = km.optimizers.schedules.ExponentialDecay(0.01, 3, 0.9)
    model.compile(
        km.optimizers.Adam(rate, clipnorm=1.0), "sparse_categorical_crossentropy",
        metrics=["accuracy"], jit_compile=jit,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 8, 8, 1)), rng.integers(0, 3, 40)
    history = model.fit(
        x, y, batch_size=16, epochs=3, shuffle=False, validation_split=0.25, verbose=0,
        sample_weight=rng.uniform(size=40),
    )  # fmt: skip
    return history.history, model.get_weights(), model


def test_the_same_fit_under_xla() -> None:
    (plain, weights, _), (compiled, xla_weights, model) = everything(False), everything(True)
    assert list(plain) == list(compiled)
    for name in plain:
        np.testing.assert_allclose(plain[name], compiled[name], rtol=1e-3, atol=1e-5, err_msg=name)
    for one, other in zip(weights, xla_weights):
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-4)
    x = np.random.default_rng(1).standard_normal((5, 8, 8, 1)).astype("float32")
    compiled_out = model.predict(x, verbose=0)
    np.testing.assert_allclose(compiled_out, model(x), rtol=1e-4, atol=1e-6)
    # Back to the default engine, with the arrays that XLA left behind.
    model.compile("adam", "sparse_categorical_crossentropy")
    assert np.isfinite(model.fit(x, np.zeros(5), verbose=0).history["loss"][0])


@pytest.mark.parametrize("jit_compile", [False, True])
def test_freezing_takes_effect_with_the_next_compile(jit_compile: bool) -> None:
    model = functional(km.Model)
    model.compile(km.optimizers.SGD(0.1), "mse", jit_compile=jit_compile)
    model.train_on_batch(X, Y)
    model.layers[1].trainable = False
    before = model.get_weights()
    with pytest.warns(UserWarning, match="call compile\\(\\) again"):
        model.fit(X, Y, verbose=0)
    after = model.get_weights()
    assert not np.array_equal(before[0], after[0])
    assert not model.layers[1].trainable
    model.compile(km.optimizers.SGD(0.1), "mse", jit_compile=jit_compile)
    model.train_on_batch(X, Y)
    last = model.get_weights()
    np.testing.assert_array_equal(after[0], last[0])
    assert not np.array_equal(after[2], last[2])


def test_nan_under_xla_changes_nothing() -> None:
    model = functional(km.Model)
    model.compile(km.optimizers.Adam(0.1), "mse", jit_compile=True)
    model.train_on_batch(X, Y)
    before = model.get_weights()
    with pytest.raises(FloatingPointError, match="`x` holds"):
        model.train_on_batch(X * np.nan, Y)
    for one, other in zip(before, model.get_weights()):
        np.testing.assert_array_equal(one, other)


class Branches(layers.Layer):
    def call(self, x: Any) -> Any:
        return x if ops.sum(x) > 0 else -x


def test_branches_on_values_are_refused_with_the_fix() -> None:
    inputs = km.Input((3,))
    model = km.Model(inputs, layers.Dense(1)(Branches(name="branches")(inputs)))
    model.compile("sgd", "mse", jit_compile=True)
    with pytest.raises(TypeError, match=r"ops\.where.*jit_compile=False") as caught:
        model.fit(X, Y, verbose=0)
    assert "branches" in "".join(caught.value.__notes__)


WITHOUT_JAX = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name == "jax" or name.startswith("jax."):
            raise ModuleNotFoundError("No module named 'jax'", name="jax")
sys.meta_path.insert(0, Block())
import numpy as np
import kernelmodel as km
model = km.Sequential([km.Input((3,)), km.layers.Dense(1)])
try:
    model.compile("sgd", "mse", jit_compile=True)
except ImportError as error:
    assert "kernelmodel[xla]" in str(error) and "jit_compile=False" in str(error), error
else:
    raise SystemExit("no error")
assert not model.compiled
model.compile("sgd", "mse")
model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
print("fine")
"""


def test_without_jax_the_error_names_the_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_JAX], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr
