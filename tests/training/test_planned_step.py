"""Plans of steps: when they are made, what makes them stale, and that nobody can tell."""

from __future__ import annotations

import gc
import signal
from typing import Any

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel import layers as L
from kernelmodel.engine.kernels.epilogue import add_row_relu
from kernelmodel.engine.numba_support import kind_of, layout
from kernelmodel.training.planned_step import MOST_PLANS, PlannedStep, PlannedSteps

X = np.random.default_rng(0).normal(size=(40, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 40)


@pytest.fixture
def plans(monkeypatch: Any) -> list[PlannedStep]:
    """The plans that are made."""
    made: list[PlannedStep] = []
    init = PlannedStep.__init__

    def note(self: PlannedStep, *args: Any) -> None:
        init(self, *args)
        made.append(self)

    monkeypatch.setattr(PlannedStep, "__init__", note)
    return made


def built_in(optimizer: Any = "adam", **compile_arguments: Any) -> km.Model:
    km.utils.set_random_seed(3)
    model = km.Sequential(
        [
            L.Input((6,)),
            L.Dense(8, activation="relu", kernel_regularizer="l2"),
            L.BatchNormalization(),
            L.Dropout(0.3, seed=1),
            L.Dense(3, activation="softmax"),
        ]
    )
    arguments = {"optimizer": optimizer, "loss": "sparse_categorical_crossentropy"}
    model.compile(**arguments, metrics=["accuracy"], **compile_arguments)
    return model


def scaled() -> Any:
    """An optimizer whose loss scale, a variable, is in every gradient."""
    return km.optimizers.LossScaleOptimizer(km.optimizers.Adam())


@pytest.mark.parametrize("optimizer", [lambda: "adam", scaled])
def test_training_is_the_same_to_the_last_bit(plans, optimizer):
    planned, plain = built_in(optimizer()), built_in(optimizer(), run_eagerly=True)
    histories = []
    for model in (planned, plain):
        km.utils.set_random_seed(5)
        histories.append(model.fit(X, Y, batch_size=16, epochs=5, verbose=0).history)
    assert len(plans) == 2  # one for whole batches, one for the last of each epoch
    assert histories[0] == histories[1]
    for one, other in zip(planned.variables, plain.variables):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert [float(v) for v in planned.losses] == [float(v) for v in plain.losses]
    assert planned.evaluate(X, Y, verbose=0) == plain.evaluate(X, Y, verbose=0)
    np.testing.assert_array_equal(planned.predict(X, verbose=0), plain.predict(X, verbose=0))


def test_kernels_that_are_compiled_already_are_in_plans(plans, monkeypatch):
    monkeypatch.setenv("KERNELMODEL_NUMBA", "1")
    monkeypatch.setattr(add_row_relu, "minimum", 1)
    monkeypatch.setattr(add_row_relu, "patience", 1)
    monkeypatch.setattr(add_row_relu, "ready", {})
    arrays = np.ones((2, 2), "float32"), np.ones(2, "float32")
    add_row_relu.prepare(layout(*arrays), [kind_of(array) for array in arrays])
    assert add_row_relu.ready
    built_in().fit(X, Y, batch_size=8, epochs=2, verbose=0)
    assert plans


def test_nested_outputs_and_weights(plans):
    def make(eager: bool) -> km.Model:
        km.utils.set_random_seed(1)
        a, b = L.Input((6,), name="a"), L.Input((6,), name="b")
        both = L.concatenate([a, L.Dense(4)(b)])
        outputs = {"one": L.Dense(1, name="c")(both), "two": L.Dense(2, name="d")(both)}
        model = km.Model({"a": a, "b": b}, outputs)
        losses = {"one": "mse", "two": "mae"}
        model.compile("rmsprop", losses, weighted_metrics={"two": ["mse"]}, run_eagerly=eager)
        return model

    x = {"a": X, "b": X[::-1]}
    y = {"one": X[:, :1], "two": X[:, :2]}
    weight = np.linspace(0, 1, 40, dtype="float32")
    found = [
        make(eager).fit(x, y, sample_weight=weight, epochs=4, batch_size=10, verbose=0).history
        for eager in (False, True)
    ]
    assert plans
    assert found[0] == found[1]


class Counting(L.Layer):
    calls = 0

    def call(self, inputs: Any) -> Any:
        Counting.calls += 1
        return inputs * 1


def test_code_of_the_user_always_runs(plans):
    Counting.calls = 0
    model = km.Sequential([L.Input((6,)), Counting(), L.Dense(3)])
    model.compile("sgd", "mse")
    before = Counting.calls
    model.fit(X, X[:, :3], batch_size=10, epochs=3, verbose=0)
    assert Counting.calls == before + 12 + 1  # the first batch is tried on zeros
    assert not plans


@pytest.mark.parametrize("part", ["loss", "metric", "rate", "activation", "train_step"])
def test_functions_of_the_user_always_run(part, plans):
    calls = []

    def noted(function: Any) -> Any:
        return lambda *args: (calls.append(part), function(*args))[1]

    class Own(km.Sequential):
        def train_step(self, data: Any) -> Any:
            calls.append(part)
            return super().train_step(data)

    kind = Own if part == "train_step" else km.Sequential
    activation = noted(lambda x: x * 2) if part == "activation" else None
    model = kind([L.Input((6,)), L.Dense(3, activation=activation)])
    rate = noted(lambda: 0.1) if part == "rate" else 0.1
    loss = noted(lambda y, p: km.ops.mean((y - p) ** 2, -1)) if part == "loss" else "mse"
    metric = noted(lambda y, p: km.ops.mean(p, -1)) if part == "metric" else "mae"
    model.compile(km.optimizers.SGD(rate), loss, metrics=[metric])
    model.fit(X, X[:, :3], batch_size=10, epochs=1, verbose=0)
    calls.clear()
    model.fit(X, X[:, :3], batch_size=10, epochs=3, verbose=0)
    assert len(calls) >= 12
    assert not plans


def test_a_changed_attribute_counts(plans):
    model = km.Sequential([L.Input((6,)), L.Dropout(0.5, seed=1), L.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], batch_size=10, epochs=2, verbose=0)
    model.layers[0].rate = 0.0
    model.optimizer.clipvalue = 1e-9
    before = model.get_weights()[0]
    model.fit(X, X[:, :1], batch_size=10, epochs=2, verbose=0)
    assert len(plans) == 2
    np.testing.assert_allclose(model.get_weights()[0], before, atol=1e-9)


def test_the_learning_rate_is_read_each_step(plans):
    model = km.Sequential([L.Input((6,)), L.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], batch_size=10, epochs=2, verbose=0)
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()[0]
    model.fit(X, X[:, :1], batch_size=10, epochs=2, verbose=0)
    assert len(plans) == 1
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_another_schedule_counts(plans):
    model = km.Sequential([L.Input((6,)), L.Dense(1)])
    model.compile(km.optimizers.SGD(km.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)), "mse")
    model.fit(X, X[:, :1], batch_size=10, epochs=2, verbose=0)
    model.optimizer.learning_rate = km.optimizers.schedules.ExponentialDecay(1e-9, 5, 0.5)
    before = model.get_weights()[0]
    model.fit(X, X[:, :1], batch_size=10, epochs=2, verbose=0)
    assert len(plans) == 2
    np.testing.assert_allclose(model.get_weights()[0], before, atol=1e-7)


def test_layers_added_and_taken_away_count(plans):
    model = km.Sequential([L.Input((6,)), L.Rescaling(2.0)])
    for factor in (2.0, 6.0, 2.0):
        for _ in range(4):
            np.testing.assert_allclose(model.predict(X, verbose=0), X * factor, rtol=1e-6)
        model.pop() if factor == 6.0 else model.add(L.Rescaling(3.0))
    assert plans


def test_frozen_layers_count_from_compile_on(plans):
    model = km.Sequential([L.Input((6,)), L.Dense(4), L.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], batch_size=10, epochs=2, verbose=0)
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    first, last = (layer.get_weights()[0] for layer in model.layers)
    model.fit(X, X[:, :1], batch_size=10, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], first)
    assert (model.layers[1].get_weights()[0] != last).any()
    assert len(plans) == 2


def test_a_loss_that_is_not_a_number_changes_nothing(plans):
    model = built_in()
    model.fit(X, Y, batch_size=10, epochs=2, verbose=0)
    assert plans
    before = [v.numpy() for v in model.variables]
    bad = X.copy()
    bad[:] = np.nan
    with pytest.raises(FloatingPointError):
        model.train_on_batch(bad[:10], Y[:10], reset_metrics=False)
    for variable, value in zip(model.variables, before):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_bad_labels_are_found(plans):
    model = built_in()
    model.fit(X, Y, batch_size=10, epochs=2, verbose=0)
    with pytest.raises(ValueError, match="labels"):
        model.fit(X, Y + 3, batch_size=10, epochs=1, verbose=0)


def test_outputs_belong_to_the_caller(plans):
    model = km.Sequential([L.Input((6,)), L.Flatten(), L.Lambda(km.ops.zeros_like)])
    first = [model.predict_on_batch(X) for _ in range(4)]
    first[-1] += 5
    np.testing.assert_array_equal(model.predict_on_batch(X), np.zeros_like(X))
    assert plans


def test_an_interrupt_leaves_all_or_nothing(plans):
    """Interrupts between any two instructions find weights of one and the same step."""
    model = km.Sequential([L.Input((1,)), L.Dense(1, use_bias=False)])
    model.compile(km.optimizers.SGD(0.0), "mse")
    x = np.ones((4000, 1), "float32")
    model.fit(x[:64], x[:64], verbose=0)
    for seconds in np.linspace(0.001, 0.02, 15):
        model.reset_metrics()
        done = int(model.optimizer.iterations)
        old = signal.signal(signal.SIGALRM, signal.default_int_handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            model.fit(x, x, batch_size=1, verbose=0)
        except KeyboardInterrupt:
            pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, old)
        # Both are written by each step; batches have one sample.
        assert int(model.compiled_loss.total.count) == int(model.optimizer.iterations) - done
    assert len(plans) <= 2


def test_batches_of_another_structure_have_a_plan_of_their_own(plans):
    """Arrays of the same shapes, once as targets and weights, once under other names."""

    def make() -> km.Model:
        km.utils.set_random_seed(2)
        a, b = L.Input((2,), name="a"), L.Input((2,), name="b")
        model = km.Model({"a": a, "b": b}, L.Dense(2, name="y")(a - 2 * b))
        model.compile("sgd", "mse")
        return model

    one, two = X[:8, :2], X[8:16, :2]
    batches = [{"a": one, "b": two}] * 3 + [{"b": one, "a": two}] * 3 + [[one, two]] * 3
    planned, plain = make(), make()
    plain.run_eagerly = True
    for batch in batches:
        found = [model.train_on_batch(batch, one) for model in (planned, plain)]
        assert found[0] == found[1]
    assert len(plans) == 3

    seen = PlannedSteps(lambda data: data[1])
    assert seen.find((one, two, None))[0] is None
    assert seen.find((one, None, two))[0] is None


def test_what_goes_wrong_in_a_plan_shows_in_the_plain_step(monkeypatch):
    """A fault in writing it down costs the plan, not the training."""

    def broken(self: Any, *args: Any) -> None:
        raise AttributeError("no such thing")

    monkeypatch.setattr(PlannedStep, "__init__", broken)
    model = built_in()
    history = model.fit(X, Y, batch_size=10, epochs=2, verbose=0).history
    plain = built_in(run_eagerly=True)
    assert sorted(history) == sorted(plain.fit(X, Y, batch_size=10, epochs=2, verbose=0).history)


def test_batches_of_many_shapes_keep_few_plans():
    model = km.Sequential([L.Input((None, 2)), L.GlobalAveragePooling1D(), L.Dense(1)])
    steps = PlannedSteps(model.predict_step)
    for length in [*range(1, 40), *range(1, 40)]:
        for time in range(2):
            plan, _ = steps.find((np.ones((2, length, 2), "float32"),))
            assert (plan is None) == (time == 0)
    assert len(steps._plans) == MOST_PLANS


def test_a_profiler_sees_the_plain_step(plans):
    import cProfile

    model = km.Sequential([L.Input((6,)), L.Dense(1)])
    model.compile("sgd", "mse")
    with cProfile.Profile():
        model.fit(X, X[:, :1], batch_size=10, epochs=2, verbose=0)
    assert not plans
    model.fit(X, X[:, :1], batch_size=10, epochs=2, verbose=0)
    assert plans


def test_what_the_garbage_collector_calls_is_no_part_of_a_step(plans, monkeypatch):
    unraisable = []
    monkeypatch.setattr("sys.unraisablehook", unraisable.append)

    def watch(phase: str, info: Any) -> None:
        """As JAX's: code of a foreign module, whenever garbage is collected."""

    model = km.Sequential([L.Input((6,)), L.Dense(1)])
    model.compile("sgd", "mse")
    thresholds = gc.get_threshold()
    gc.callbacks.append(watch)
    gc.set_threshold(1)
    try:
        model.fit(X, X[:, :1], batch_size=10, epochs=2, verbose=0)
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(watch)
    assert plans and not unraisable and gc.isenabled()
