"""LayerMonitor: numbers against NumPy, warnings for nets in trouble and none for healthy ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.callbacks import LayerMonitor
from kernelmodel.callbacks.layer_monitor.layer import LayerState
from kernelmodel.callbacks.layer_monitor.rules import RULES, Alarms
from kernelmodel.core.watching import WATCHERS

L = km.layers
RNG = np.random.default_rng(0)


def fit(model: Any, x: Any, y: Any, monitor: LayerMonitor | None = None, **more: Any) -> Any:
    monitor = LayerMonitor(every=1, verbose=0) if monitor is None else monitor
    model.fit(x, y, verbose=0, callbacks=[monitor], shuffle=False, **more)
    assert monitor not in WATCHERS
    return monitor


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_of_a_step(dtype: str) -> None:
    layer = L.Dense(3, name="only", dtype=dtype)
    model = km.Sequential([km.Input((5,), dtype=dtype), layer])
    model.compile(km.optimizers.SGD(0.1, clipnorm=0.01), "mse")
    x, y = RNG.normal(size=(8, 5)).astype(dtype), RNG.normal(size=(8, 3)).astype(dtype)
    kernel, bias = (w.astype("float64") for w in layer.get_weights())
    residual = (x @ kernel + bias - y) * 2 / y.size
    grads = x.T @ residual, residual.sum(axis=0)
    monitor = fit(model, x, y, batch_size=8)
    state = monitor.layers["only"]
    joined = np.concatenate([g.ravel() for g in grads])
    assert state.gradient_norm == pytest.approx(np.linalg.norm(joined), rel=1e-4)
    edges = np.histogram_bin_edges(grads[0], bins=20)
    assert state.gradients is not None and sum(state.gradients.counts) == 15
    assert state.gradients.low == pytest.approx(edges[0], rel=1e-3)
    new = [w.astype("float64") for w in layer.get_weights()]
    change = np.linalg.norm(np.concatenate([(n - o).ravel() for n, o in zip(new, (kernel, bias))]))
    before = np.linalg.norm(np.concatenate([kernel.ravel(), bias]))
    assert state.update_ratio == pytest.approx(change / before, rel=1e-4)
    assert state.weight_norm == pytest.approx(np.sqrt(sum((n**2).sum() for n in new)), rel=1e-5)
    assert state.weights is not None
    assert state.weights.counts == tuple(np.histogram(new[0], bins=20)[0])
    assert state.trained and state.is_output and state.gradient_share == 1


def test_half_precision_does_not_overflow() -> None:
    layer = L.Dense(300, name="only", dtype="float16", kernel_initializer=km.initializers.Ones())
    model = km.Sequential([km.Input((300,), dtype="float16"), layer])
    model.compile(km.optimizers.SGD(0.0), "mse")
    monitor = fit(model, np.ones((4, 300), "float16"), np.full((4, 300), 300, "float16"))
    assert monitor.layers["only"].weight_norm == pytest.approx(300)


def test_a_scaled_loss_does_not_scale_the_norm() -> None:
    norms = []
    for factor in (None, 1024.0):
        km.utils.set_random_seed(0)
        model = km.Sequential([km.Input((5,)), L.Dense(3, name="only")])
        model.compile(km.optimizers.SGD(0.1, loss_scale_factor=factor), "mse")
        x = np.random.default_rng(0).normal(size=(8, 5)).astype("float32")
        norms.append(fit(model, x, np.ones((8, 3))).layers["only"].gradient_norm)
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)


def classifier(*hidden: Any, classes: int = 3, optimizer: Any = "adam", inputs: int = 10) -> Any:
    model = km.Sequential([km.Input((inputs,)), *hidden, L.Dense(classes, "softmax", name="out")])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def data(samples: int = 320) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(1).normal(size=(samples, 10)).astype("float32")
    return x, x[:, :3].argmax(axis=1)


def test_shares_by_hand() -> None:
    bias = np.where(np.arange(8) < 6, -100.0, 0.0).astype("float32")
    relu = L.Dense(8, "relu", name="relu", bias_initializer=lambda shape, dtype=None: bias)
    tanh = L.Dense(4, "tanh", name="tanh", kernel_initializer=km.initializers.RandomNormal(0, 9))
    model = classifier(relu, tanh, optimizer=km.optimizers.SGD(0.0))
    x, y = data(32)
    monitor = fit(model, x, y)
    output = relu(x)
    assert monitor.layers["relu"].dead == (output == 0).all(axis=0).mean() == 0.75
    expected = (np.abs(tanh(output)) > 0.99).mean()
    assert monitor.layers["tanh"].saturated == pytest.approx(expected) and expected > 0.1
    assert monitor.layers["tanh"].dead is None and monitor.layers["relu"].saturated is None


def test_a_dead_net() -> None:
    dead = L.Dense(16, "relu", name="dead", bias_initializer=km.initializers.Constant(-50.0))
    monitor = fit(classifier(dead), *data())
    assert monitor.warnings == {"dead": ["dead"]}, "and no second warning that it has no gradient"


def test_exploding_gradients() -> None:
    wide = km.initializers.RandomNormal(stddev=3.0)
    hidden = [L.Dense(64, "relu", kernel_initializer=wide, name=f"layer_{i}") for i in range(6)]
    model = km.Sequential([km.Input((10,)), *hidden, L.Dense(1, name="out")])
    model.compile(km.optimizers.SGD(0.0), "mse")
    monitor = fit(model, data()[0], np.ones((320, 1)))
    assert monitor.warnings["layer_0"] == ["exploding"]
    assert "its gradient has a norm of" in monitor.report()


def test_a_net_that_diverges_is_warned_before_the_loss_is_nan() -> None:
    model = km.Sequential([km.Input((10,)), L.Dense(16, name="hidden"), L.Dense(1, name="out")])
    model.compile(km.optimizers.SGD(0.5), "mse")
    monitor = LayerMonitor(every=1, verbose=0)
    with pytest.raises(FloatingPointError), np.errstate(all="ignore"):
        fit(model, 3 * data()[0], np.ones((320, 1)), monitor, epochs=20)
    assert all("exploding" in kinds for kinds in monitor.warnings.values()) and monitor.warnings


def test_steps_that_are_too_large() -> None:
    model = classifier(L.Dense(16, "tanh", name="hidden"), optimizer=km.optimizers.Adam(1.0))
    monitor = fit(model, *data(96))
    assert "exploding" in monitor.warnings["hidden"]
    assert "of their size" in monitor.report()


def test_a_vanishing_net() -> None:
    hidden = [L.Dense(16, "sigmoid", name=f"layer_{i}") for i in range(12)]
    monitor = fit(classifier(*hidden, optimizer="sgd"), *data())
    assert monitor.warnings["layer_0"] == ["vanishing"]
    assert "layer_11" not in monitor.warnings and "out" not in monitor.warnings
    shares = [monitor.layers[f"layer_{i}"].gradient_share for i in range(12)]
    assert shares == sorted(shares)


def test_a_saturated_net() -> None:
    huge = km.initializers.RandomNormal(stddev=30.0)
    hidden = L.Dense(16, "tanh", kernel_initializer=huge, name="hidden")
    assert fit(classifier(hidden), *data()).warnings == {"hidden": ["saturated"]}


def test_a_layer_without_gradient() -> None:
    class Half(km.Model):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = L.Dense(3, name="used"), L.Dense(3, name="unused")

        def call(self, x: Any) -> Any:
            return self.used(x) + 0 * km.ops.stop_gradient(self.unused(x))

    model = Half()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="no gradient"):
        monitor = fit(model, data()[0], RNG.normal(size=(320, 3)))
    assert monitor.warnings == {"unused": ["no gradient"]}
    assert "no gradient reaches it" in monitor.report()


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_healthy_nets_get_no_warning(optimizer: str) -> None:
    km.utils.set_random_seed(0)
    hidden = [L.Dense(32, "relu", name="a"), L.BatchNormalization(name="b"),
              L.Dense(32, "tanh", name="c"), L.Dropout(0.2)]  # fmt: skip
    monitor = fit(classifier(*hidden, optimizer=optimizer), *data(960), epochs=4)
    assert monitor.warnings == {}
    image = km.Sequential([
        km.Input((12, 12, 1)), L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(),
        L.Conv2D(8, 3, activation="relu"), L.Flatten(), L.Dense(3, "softmax"),
    ])  # fmt: skip
    image.compile(optimizer, "sparse_categorical_crossentropy")
    x = np.random.default_rng(2).normal(size=(320, 12, 12, 1)).astype("float32")
    assert fit(image, x, (x.mean(axis=(1, 2, 3)) > 0).astype(int)).warnings == {}


def test_warnings_do_not_flicker() -> None:
    alarms, state = Alarms(), LayerState("layer", "Dense")

    def shown(share: float) -> list[str]:
        state.surely_dead = share
        alarms.update(state)
        return list(alarms.on)

    assert [shown(s) for s in (0.6, 0.3, 0.6)] == [[], [], []], "one alone is chance"
    assert shown(0.6) == ["dead"]
    assert [shown(s) for s in (0.45, 0.49, 0.45)] == [["dead"]] * 3, "not yet good enough"
    assert [shown(s) for s in (0.3, 0.6, 0.3, 0.3)] == [["dead"], ["dead"], ["dead"], []]


def test_every_rule_has_words_and_a_remedy() -> None:
    state = LayerState("layer", "Dense", gradient_norm=1e9, surely_dead=0.7, saturated=0.8,
                       gradient_share=1e-9)  # fmt: skip
    for rule in RULES:
        assert len(rule.words(state)) > 20 and rule.remedy.endswith(".")


def test_warnings_are_printed_once(capsys: Any) -> None:
    dead = L.Dense(16, "relu", name="dead", bias_initializer=km.initializers.Constant(-50.0))
    fit(classifier(dead), *data(), LayerMonitor(every=1), epochs=3)
    out = capsys.readouterr().out
    assert out.count("layer 'dead': dead: 100% of its units give 0 for every sample.") == 1
    assert "leaky_relu" in out


def test_nested_shared_and_subclassed() -> None:
    shared = L.Dense(4, "relu", name="shared")
    inner = km.Sequential([km.Input((4,)), shared, L.Dense(4, name="end")], name="inner")
    inputs = km.Input((4,))
    outputs = L.Dense(2, name="out")(inner(shared(inputs)))

    class Outer(km.Model):
        def __init__(self) -> None:
            super().__init__()
            self.body = km.Model(inputs, outputs, name="body")

        def call(self, x: Any) -> Any:
            return self.body(x)

    model = Outer()
    model.compile("sgd", "mse")
    x = RNG.normal(size=(32, 4)).astype("float32")
    monitor = fit(model, x, RNG.normal(size=(32, 2)))
    assert list(monitor.layers) == ["body/shared", "body/inner/end", "body/out"]
    first, second = shared(x), shared(shared(x))
    dead = ((np.asarray(first) == 0).all(axis=0) & (np.asarray(second) == 0).all(axis=0)).mean()
    assert abs(monitor.layers["body/shared"].dead - dead) <= 0.25
    assert [state.is_output for state in monitor.layers.values()] == [False, False, True]


def test_custom_steps_and_several_models() -> None:
    """As in adversarial training: two parts with optimizers of their own in one step."""

    class Pair(km.Model):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = L.Dense(3, name="one"), L.Dense(3, name="two")
            self.second = km.optimizers.SGD(0.1)

        def call(self, x: Any) -> Any:
            return self.two(self.one(x))

        def train_step(self, batch: Any) -> Any:
            x, y = batch
            for part, optimizer in ((self.one, self.optimizer), (self.two, self.second)):
                with km.GradientTape() as tape:
                    loss = km.ops.mean(km.ops.square(self(x) - y))
                grads = tape.gradient(loss, part.trainable_variables)
                optimizer.apply(grads, part.trainable_variables)
            return {"loss": loss}

    model = Pair()
    model.compile("sgd", "mse")
    other = classifier()
    elsewhere = LayerMonitor(every=1, verbose=0)
    elsewhere.set_model(other)
    elsewhere.start()
    try:
        monitor = fit(model, data()[0][:, :4], RNG.normal(size=(320, 3)))
        assert all(state.gradient_norm > 0 for state in monitor.layers.values())
        assert elsewhere.measured == 0, "another model's steps are no concern"
        other.train_on_batch(*data(8))
        assert elsewhere.measured == 1 and elsewhere.layers["out"].gradient_norm > 0
    finally:
        elsewhere.stop()


def test_validation_and_frozen_layers() -> None:
    model = classifier(L.Dense(8, "relu", name="frozen"))
    model.layers[0].trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    monitor = fit(model, *data(), validation_data=data(), epochs=2)
    assert monitor.steps == list(range(1, 21))
    frozen = monitor.layers["frozen"]
    assert not frozen.trained and frozen.gradient_norm is None and frozen.update_ratio is None
    assert frozen.weights is not None and frozen.dead is not None and monitor.warnings == {}


@pytest.mark.parametrize("steps_per_execution", [1, 5])
def test_under_xla_only_weights_show(steps_per_execution: int) -> None:
    model = classifier(L.Dense(8, "relu", name="hidden"))
    model.jit_compile = True
    model.steps_per_execution = steps_per_execution
    monitor = fit(model, *data())
    state = monitor.layers["hidden"]
    assert monitor.compiled and monitor.measured == 10
    assert state.update_ratio > 0 and state.weights is not None
    assert state.gradient_norm is None and state.dead is None
    assert "Compiled by XLA" in monitor.report()


def test_nobody_watches_after_an_error_or_an_interrupt() -> None:
    def stop(error: type[BaseException]) -> Any:
        def end(batch: int, logs: Any) -> None:
            raise error

        return km.callbacks.LambdaCallback(on_train_batch_end=end)

    model, (x, y) = classifier(), data()
    for error in (RuntimeError, KeyboardInterrupt):
        monitor = LayerMonitor(every=1, verbose=0)
        try:
            model.fit(x, y, verbose=0, callbacks=[monitor, stop(error)])
        except RuntimeError:
            assert error is RuntimeError
        assert monitor.measured == 1 and monitor not in WATCHERS


def test_a_second_run_starts_anew() -> None:
    model, monitor = classifier(), LayerMonitor(every=1, verbose=0)
    assert "Nothing was measured yet" in monitor.report()
    fit(model, *data(), monitor)
    fit(model, *data(), monitor)
    assert monitor.steps == list(range(11, 21))
    assert {len(v) for v in monitor.history["out"].values()} == {10}


def test_long_runs_keep_a_thousand_measurements() -> None:
    model, monitor = classifier(), LayerMonitor(every=1, verbose=0)
    fit(model, *data(64), monitor, batch_size=1, epochs=40)
    assert monitor.measured == 2560
    assert 500 <= len(monitor.steps) <= 1000
    assert set(np.diff(monitor.steps)) == {4}


def test_it_takes_little_time() -> None:
    monitor = LayerMonitor(verbose=0)
    fit(classifier(), *data(), monitor, epochs=20)
    assert 1 <= monitor.measured < 20 < 200, "a few times a second, not each step"


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "often"])
def test_bad_arguments(every: Any) -> None:
    with pytest.raises(ValueError, match="`every` must be a positive integer"):
        LayerMonitor(every=every)
