"""Compiled steps: state on the device that nobody misses, one compilation a shape, scans."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from typing import Any

import jax
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.training.xla_errors import as_untraceable
from kernelmodel.training.xla_step import Program, XlaStep

L, ops = km.layers, km.ops
X = np.random.default_rng(0).normal(size=(40, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 40)


def classifier(jit: bool | str = True, **compile_arguments: Any) -> km.Model:
    km.utils.set_random_seed(3)
    model = km.Sequential(
        [
            L.Input((6,)),
            L.Dense(8, activation="relu", kernel_regularizer="l2", name="hidden"),
            L.BatchNormalization(),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        **{"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"],
           "jit_compile": jit, **compile_arguments}
    )  # fmt: skip
    return model


def on_device(variable: Any) -> bool:
    return "_array" not in vars(variable)


@pytest.fixture
def programs(monkeypatch: Any) -> list[Program]:
    """The programs that are compiled."""
    made: list[Program] = []
    init = Program.__init__

    def note(self: Program, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        made.append(self)

    monkeypatch.setattr(Program, "__init__", note)
    return made


def same(one: list[Any], other: list[Any], **tolerance: float) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, **{"rtol": 2e-4, "atol": 2e-5, **tolerance})


# ---- the state ----


def test_the_state_stays_on_the_device_for_an_epoch(monkeypatch: Any) -> None:
    moved: list[int] = []
    put = jax.device_put
    monkeypatch.setattr(jax, "device_put", lambda x, **k: (moved.append(len(x)), put(x, **k))[1])
    model = classifier()
    at_batches: list[bool] = []
    look = km.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: at_batches.append(
            all(on_device(v) for v in model._all_variables())
        )
    )
    model.fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[look])
    assert at_batches == [True] * 15
    # All of it once, then only the metrics that an epoch sets back to zero.
    metrics = sum(len(metric.variables) for metric in model.metrics)
    assert moved == [len(model._all_variables()), metrics, metrics]


def test_callbacks_see_the_weights_of_each_step() -> None:
    seen: dict[bool, list[Any]] = {}
    for jit in (False, True):
        model, seen[jit] = classifier(jit), []

        def look(batch: int, logs: Any, model: Any = model, seen: Any = seen[jit]) -> None:
            kernel = model.get_layer("hidden").kernel
            seen.append([*model.get_weights(), kernel.numpy(), np.array(kernel), kernel[0]])

        watch = km.callbacks.LambdaCallback(on_train_batch_end=look)
        model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=[watch])
    for one, other in zip(seen[False], seen[True], strict=True):
        same(one, other)
    assert np.abs(seen[True][0][0] - seen[True][1][0]).max() > 0


def test_what_is_written_between_steps_counts(tmp_path: Any) -> None:
    model, other = classifier(), classifier()
    model.fit(X, Y, verbose=0)
    other.fit(X, Y, verbose=0)
    for one in (model, other):
        one.get_layer("hidden").kernel.assign(np.full((6, 8), 0.5))
        one.optimizer.learning_rate = 0.0
    before = model.get_weights()[0]
    assert (before == 0.5).all()
    model.train_on_batch(X, Y)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    model.save(tmp_path / "model.keras")
    loaded = km.models.load_model(tmp_path / "model.keras")
    same(loaded.get_weights(), model.get_weights(), rtol=0, atol=0)
    # An array of a weight stays what it was, and nobody can write into the state through it.
    held = model.get_layer("hidden").kernel.value
    with pytest.raises(ValueError, match="read-only"):
        held[...] = 0
    model.optimizer.learning_rate = 0.1
    model.train_on_batch(X, Y)
    assert (held == 0.5).all() and np.abs(model.get_weights()[0] - 0.5).max() > 0


def test_the_array_that_was_assigned_may_change_later() -> None:
    model = classifier(optimizer=km.optimizers.SGD(0.0))
    model.fit(X, Y, verbose=0)
    kernel = model.get_layer("hidden").kernel
    kernel.assign(np.ones((6, 8)))
    mine = kernel.value
    model.train_on_batch(X, Y)
    mine[...] = 7.0
    model.train_on_batch(X, Y)
    assert (kernel.numpy() == 1.0).all()


def test_models_that_share_layers_take_turns() -> None:
    """As in adversarial training: each step begins with what the other model's step left."""
    found = {}
    for jit in (False, True):
        inner = classifier(jit)
        inputs = km.Input((6,))
        outer = km.Model(inputs, L.Rescaling(2.0)(inner(inputs)))
        outer.compile(km.optimizers.SGD(0.1), "mse", jit_compile=jit)
        for _ in range(3):
            inner.train_on_batch(X, Y)
            outer.train_on_batch(X, np.eye(3)[Y])
        found[jit] = inner.get_weights()
    same(found[False], found[True])


def test_other_threads_read_and_predict_while_it_trains() -> None:
    model = classifier()
    model.fit(X, Y, verbose=0)
    errors, sums, stop = [], set(), threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                sums.add(float(sum(np.abs(w).sum() for w in model.get_weights())))
                assert np.isfinite(model.predict(X[:4], verbose=0)).all()
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    model.fit(X, Y, batch_size=4, epochs=40, verbose=0)
    stop.set()
    thread.join()
    assert not errors and len(sums) > 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_error_behind_the_computation_changes_nothing(error: Any, monkeypatch: Any) -> None:
    model = classifier()
    model.fit(X, Y, verbose=0)
    before = [v.numpy() for v in model._all_variables()]
    run = Program.run

    def late(self: Program, *args: Any) -> Any:
        run(self, *args)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Program, "run", late)
        with pytest.raises(error):
            model.train_function(iter([(X, Y)]))
    same([v.numpy() for v in model._all_variables()], before, rtol=0, atol=0)


def test_interrupts_at_any_time_leave_whole_steps() -> None:
    def state(model: km.Model) -> list[np.ndarray]:
        return [v.numpy() for v in [*model.variables, *model.optimizer.variables]]

    model, states = classifier(), []
    for _ in range(300):
        model.train_on_batch(X, Y)
        states.append(state(model))

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    model, stops = classifier(), []
    model.train_on_batch(X, Y)
    old = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()  # JAX has it call a function, and Python drops an interrupt that comes within
    try:
        for i in range(40):
            with pytest.raises(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, 0.002 + 0.000137 * i)
                for _ in states:
                    model.train_on_batch(X, Y)
            stops.append(int(model.optimizer.iterations))
            same(state(model), states[stops[-1] - 1], rtol=0, atol=0)
            if stops[-1] > 250:
                break
    finally:
        gc.enable()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert len(set(stops)) > 5


def test_back_to_the_default_engine_and_again() -> None:
    mixed, plain = classifier(), classifier(False)
    for jit in (True, False, True, False):
        mixed.jit_compile = jit
        mixed.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
        plain.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
        assert on_device(mixed.get_layer("hidden").kernel) == jit
    same(mixed.get_weights(), plain.get_weights(), rtol=1e-3)


# ---- compilations ----


def test_one_compilation_a_shape(programs: list[Program]) -> None:
    model = classifier()
    model.fit(X, Y, batch_size=16, epochs=4, verbose=0, validation_data=(X, Y))
    # Batches of 16 and of 8 for training; of 16 and 8 for validation.
    assert len(programs) == 4
    assert all(program._compiled._cache_size() == 1 for program in programs)
    model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
    model.evaluate(X, Y, batch_size=16, verbose=0)
    assert len(programs) == 4


def test_batch_sizes_that_change_are_compiled_once_each(programs: list[Program]) -> None:
    """Whatever happens between the fits, as in a notebook, no shape is compiled anew."""
    model = classifier()
    for turn in range(3):
        for size in (16, 7, 40, 9):
            model.fit(X, Y, batch_size=size, epochs=2, verbose=0)
        model.optimizer.learning_rate = 0.01 / (turn + 1)
        model.get_layer("hidden").kernel.assign(np.full((6, 8), 0.1 * turn))
        model.reset_metrics()
        model.predict(X[:5], verbose=0)
        classifier(False).fit(X, Y, verbose=0)  # another model
        if turn == 0:
            first = len(programs)
    # Batches of 16 and 8, 7 and 5, 40, 9 and 4; and 5 to predict.
    assert len(programs) == first == 8
    assert all(program._compiled._cache_size() == 1 for program in programs)


def test_partial_executions_are_compiled_once(programs: list[Program]) -> None:
    model = classifier(steps_per_execution=3)
    model.fit(X, Y, batch_size=9, epochs=2, verbose=0)
    first = len(programs)
    model.fit(X, Y, batch_size=9, epochs=4, verbose=0)
    # Three of 9 at once; alone, one of 9 and one of 4.
    assert len(programs) == first == 3
    assert all(program._compiled._cache_size() == 1 for program in programs)


def test_auto_leaves_xla_alone() -> None:
    plain = classifier(False)
    plain.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    auto = classifier("auto")
    auto.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    assert auto.jit_compile is False and not auto._xla_steps
    same(plain.get_weights(), auto.get_weights(), rtol=0, atol=0)
    auto.jit_compile = True
    auto.jit_compile = "auto"
    assert auto.jit_compile is False
    code = (
        "import sys, kernelmodel as km, numpy as np\n"
        "model = km.Sequential([km.layers.Dense(1)])\n"
        "model.compile('sgd', 'mse', jit_compile='auto')\n"
        "model.fit(np.ones((4, 2)), np.ones(4), verbose=0)\n"
        "sys.exit('jax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_auto_trains_what_xla_refuses() -> None:
    model = km.Sequential([L.Input((6,)), Branches(), L.Dense(1)])
    model.compile("sgd", "mse", jit_compile="auto")
    model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("value", ["always", 1, 0.5])
def test_other_values_are_refused(value: Any) -> None:
    model = classifier(False)
    with pytest.raises(TypeError, match=rf"`jit_compile` must be .*'auto'.* got {value!r}"):
        model.compile("sgd", "mse", jit_compile=value)
    with pytest.raises(TypeError, match="jit_compile"):
        model.jit_compile = value


def test_a_partial_batch_has_exact_numbers() -> None:
    plain, compiled = classifier(False), classifier()
    histories = [
        m.fit(X, Y, batch_size=16, epochs=3, shuffle=False, verbose=0).history
        for m in (plain, compiled)
    ]
    for name in histories[0]:
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=2e-4)
    same(plain.get_weights(), compiled.get_weights())


class TwoOptimizers(km.Model):
    """As in adversarial training; a variable outside of it scales the loss."""

    def __init__(self, scale: Any) -> None:
        super().__init__()
        self.parts = [L.Dense(2), L.Dense(1)]
        self.scale = [lambda: scale]

    def compile(self, *own: Any, **arguments: Any) -> None:
        super().compile(**arguments)
        self.own = own

    def build(self, shape: Any) -> None:
        for part, optimizer in zip(self.parts, self.own):
            part.build(shape)
            optimizer.build(part.trainable_variables)

    def call(self, x: Any) -> Any:
        return self.parts[1](x)

    def train_step(self, data: Any) -> Any:
        x, y, _ = km.utils.unpack_x_y_sample_weight(data)
        logs = {}
        for i, (part, optimizer) in enumerate(zip(self.parts, self.own)):
            weights = part.trainable_variables
            with km.GradientTape() as tape:
                loss = ops.mean(ops.square(part(x) - y)) * self.scale[0]()
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
            logs[f"loss_{i}"] = loss
        return logs


@pytest.mark.parametrize("steps", [1, 2])
def test_variables_that_the_model_does_not_hold_are_kept_too(steps: int) -> None:
    found = []
    for jit in (False, True):
        km.utils.set_random_seed(0)
        scale = km.Variable(1.0, trainable=False)
        model = TwoOptimizers(scale)
        own = km.optimizers.Adam(0.1), km.optimizers.Adam(0.05)
        model.compile(*own, jit_compile=jit, steps_per_execution=steps)
        grow = km.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs, scale=scale: scale.assign_add(1.0)
        )
        history = model.fit(
            X, X[:, :1], epochs=4, batch_size=10, shuffle=False, verbose=0, callbacks=[grow]
        ).history
        assert [int(optimizer.iterations) for optimizer in own] == [16, 16]
        assert len(model.weights) == 4
        found.append([*model.get_weights(), history["loss_0"], history["loss_1"]])
    same(*found, rtol=1e-3)


# ---- several steps as one program ----


@pytest.mark.parametrize("batch_size", [8, 6])
def test_several_steps_an_execution_give_the_same_numbers(
    batch_size: int, programs: list[Program]
) -> None:
    found = []
    for steps in (1, 3):
        model = classifier(steps_per_execution=steps)
        calls: list[int] = []
        note = km.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, calls=calls: calls.append(batch)
        )
        history = model.fit(
            X, Y, batch_size=batch_size, epochs=3, shuffle=False, verbose=0, callbacks=[note]
        ).history
        scores = model.evaluate(X, Y, batch_size=batch_size, verbose=0)
        predicted = model.predict(X, batch_size=batch_size, verbose=0)
        found.append((history, [*model.get_weights(), scores, predicted]))
        batches = -(-40 // batch_size)
        assert len(calls) == 3 * -(-batches // steps)
        assert predicted.flags.writeable and predicted.shape == (40, 3)
    (one, weights), (three, others) = found
    for name in one:
        np.testing.assert_allclose(one[name], three[name], rtol=1e-5)
    same(weights, others, rtol=1e-5, atol=1e-6)
    # Full executions are one program, what is left runs step by step: two or three a kind of step.
    assert len(programs) <= 3 * (2 + 3)


def test_random_streams_go_on_from_step_to_step_in_an_execution() -> None:
    found = []
    for steps in (1, 4):
        km.utils.set_random_seed(1)
        model = km.Sequential([L.Input((6,)), L.Dropout(0.5, seed=2), L.Dense(1)])
        model.compile("sgd", "mse", jit_compile=True, steps_per_execution=steps)
        model.fit(X, X[:, :1], batch_size=10, epochs=2, shuffle=False, verbose=0)
        found.append(model.get_weights())
    same(*found, rtol=1e-5)


def test_a_loss_that_is_not_a_number_stops_at_its_step() -> None:
    x = X.copy()
    x[17] = np.nan
    states = []
    for jit in (False, True):
        model = classifier(jit, steps_per_execution=5)
        with pytest.raises(FloatingPointError, match="`x` holds"):
            model.fit(x, Y, batch_size=8, shuffle=False, verbose=0)
        assert int(model.optimizer.iterations) == 2  # those before it are kept
        states.append(model.get_weights())
    same(*states)


# ---- what can't be compiled ----


class Branches(L.Layer):
    def call(self, x: Any) -> Any:
        return x if ops.sum(x) > 0 else -x  # the line


class AsArray(L.Layer):
    def call(self, x: Any) -> Any:
        return x * float(np.asarray(x).mean())  # the line


class Method(L.Layer):
    def call(self, x: Any) -> Any:
        return x * x.tolist()[0][0]  # the line


class JaxBranch(L.Layer):
    def call(self, x: Any) -> Any:
        return x if getattr(x, "array", x).sum() > 0 else -x  # the line


class InPlace(L.Layer):
    def call(self, x: Any) -> Any:
        x = x * 1
        x[0] = 0.0  # the line
        return x


class Formats(L.Layer):
    def call(self, x: Any) -> Any:
        self.said = f"{x[0, 0]:.2f}"  # the line
        return x


@pytest.mark.parametrize("cls", [Branches, AsArray, Method, JaxBranch, InPlace, Formats])
def test_the_error_names_the_layer_the_line_and_the_fix(cls: Any) -> None:
    block = km.Sequential([L.Input((6,)), cls(name="mine")], name="block")
    model = km.Sequential([L.Input((6,)), block, L.Dense(1)], name="whole")
    model.compile("sgd", "mse", jit_compile=True)
    before = model.get_weights()
    for run in (
        lambda: model.fit(X, Y, verbose=0),
        lambda: model.evaluate(X, Y, verbose=0),
        lambda: model.predict(X, verbose=0),
    ):
        with pytest.raises(TypeError) as caught:
            run()
        said = str(caught.value)
        assert f"'whole/block/mine' ({cls.__name__})" in said, said
        assert "# the line" in said and "test_xla_step.py" in said and "in call" in said, said
        assert "ops." in said, said
    same(before, model.get_weights(), rtol=0, atol=0)


class OfTraining(km.Model):
    def train_step(self, data: Any) -> Any:
        logs = super().train_step(data)
        if logs["loss"] > 0:  # the line
            logs["positive"] = 1.0
        return logs


def test_a_step_of_the_users_own() -> None:
    inputs = km.Input((6,))
    model = OfTraining(inputs, L.Dense(1)(inputs))
    model.compile("sgd", "mse", jit_compile=True)
    with pytest.raises(TypeError, match=r"(?s)^The step can't.*in train_step.*# the line.*ops\."):
        model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("cls", [AsArray, Method, Formats])
def test_also_where_gradients_are_recorded(cls: Any) -> None:
    model = km.Sequential([L.Input((6,)), L.Dense(6), cls(name="mine"), L.Dense(1)], name="whole")
    model.compile("sgd", "mse", jit_compile=True)
    with pytest.raises(TypeError) as caught:
        model.fit(X, Y, verbose=0)
    said = str(caught.value)
    assert said.startswith(f"Layer 'whole/mine' ({cls.__name__}) can't be compiled"), said
    assert "# the line" in said and "ops." in said, said


def wrong_loss(y_true: Any, y_pred: Any) -> Any:
    return ops.abs(y_true - y_pred) if ops.sum(y_pred) > 0 else y_pred  # the line


class WrongLoss(km.losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return y_pred[:, 0] * float(np.asarray(y_pred).mean())  # the line


def wrong_metric(y_true: Any, y_pred: Any) -> Any:
    return float(ops.sum(y_pred))  # the line


class WrongMetric(km.metrics.Mean):
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if ops.sum(y_pred) > 0:  # the line
            super().update_state(y_pred)


class WrongConstraint(km.constraints.Constraint):
    def __call__(self, x: Any) -> Any:
        return x if ops.sum(x) > 0 else -x  # the line


class WrongRegularizer(km.regularizers.Regularizer):
    def __call__(self, x: Any) -> Any:
        return 0.0 if ops.sum(x) > 0 else 1.0  # the line


@pytest.mark.parametrize(
    ("compiled", "layer", "who"),
    [
        ({"loss": wrong_loss}, {}, "Loss 'wrong_loss' ("),
        ({"loss": WrongLoss(name="own")}, {}, "Loss 'own' (WrongLoss)"),
        ({"metrics": [wrong_metric]}, {}, "Metric 'wrong_metric' ("),
        ({"metrics": [WrongMetric(name="own")]}, {}, "Metric 'own' (WrongMetric)"),
        ({}, {"kernel_constraint": WrongConstraint()}, "Constraint WrongConstraint"),
        ({}, {"kernel_regularizer": WrongRegularizer()}, "Regularizer WrongRegularizer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_losses_metrics_and_the_like_are_named_too(
    compiled: dict[str, Any], layer: dict[str, Any], who: str
) -> None:
    model = km.Sequential([L.Input((6,)), L.Dense(1, **layer)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", "jit_compile": True, **compiled})
    with pytest.raises(TypeError) as caught:
        model.fit(X, Y, verbose=0)
    said = str(caught.value)
    assert said.startswith(who), said
    assert "# the line" in said and "test_xla_step.py" in said and "ops." in said, said


def test_other_errors_stay_as_they_are() -> None:
    assert as_untraceable(TypeError("something else")) is None
    assert as_untraceable(ValueError("XlaArray")) is None


def test_predict_and_evaluate_are_compiled(monkeypatch: Any) -> None:
    ran: list[str] = []
    run = XlaStep.run

    def note(self: XlaStep, *args: Any) -> Any:
        ran.append(self.step.__name__)
        return run(self, *args)

    monkeypatch.setattr(XlaStep, "run", note)
    plain, compiled = classifier(False), classifier()
    np.testing.assert_allclose(
        plain.predict(X, batch_size=16, verbose=0), compiled.predict(X, batch_size=16, verbose=0),
        rtol=1e-4, atol=1e-6,
    )  # fmt: skip
    same(
        plain.evaluate(X, Y, batch_size=16, verbose=0),
        compiled.evaluate(X, Y, batch_size=16, verbose=0),
    )
    compiled.predict_on_batch(X)
    compiled.test_on_batch(X, Y)
    assert ran == ["predict_step"] * 3 + ["test_step"] * 3 + ["predict_step", "test_step"]


@pytest.mark.filterwarnings("ignore:Optimizer .* got no gradient for")
@pytest.mark.parametrize(
    "use",
    [
        lambda x, w, row: x @ w,
        lambda x, w, row: x * row,
        lambda x, w, row: 1 / (row - x),
        lambda x, w, row: np.matmul(x, w),
        lambda x, w, row: np.dot(x, w),
        lambda x, w, row: np.concatenate([x[:1], w]).sum(0) * x,
        lambda x, w, row: np.where(x > 0, x, row),
        lambda x, w, row: np.einsum("ij,jk->ik", x, w),
        lambda x, w, row: np.maximum(x, row),
        lambda x, w, row: np.add(x, w[0]),
    ],
)
def test_a_variable_beside_an_input_has_its_gradient(use: Any) -> None:
    """NumPy asks the input first, which knows nothing of tapes."""

    class Plain(km.layers.Layer):
        def build(self, shape: Any) -> None:
            self.w = self.add_weight(shape=(4, 4), initializer="glorot_uniform", name="w")
            self.row = self.add_weight(shape=(4,), initializer="glorot_uniform", name="row")

        def call(self, x: Any) -> Any:
            return use(x, self.w, self.row)

    x, found = np.random.default_rng(0).normal(size=(8, 4)).astype("float32"), []
    for jit in (False, True):
        km.utils.set_random_seed(0)
        model = km.Sequential([Plain()])
        model.compile(km.optimizers.SGD(0.1), "mse", jit_compile=jit)
        y = np.zeros_like(model(x))
        before = np.concatenate([w.ravel() for w in model.get_weights()])
        model.fit(x, y, batch_size=8, epochs=2, verbose=0)
        found.append(np.concatenate([w.ravel() for w in model.get_weights()]))
        assert (found[-1] != before).any()
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)


OPTIMIZED = """
import numpy as np, kernelmodel as km
L = km.layers
rng = np.random.default_rng(0)
x, y = rng.normal(size=(32, 8, 8, 3)).astype("float32"), rng.integers(0, 3, 32)
losses = []
for jit in (False, True):
    km.utils.set_random_seed(3)
    inputs = L.Input((8, 8, 3))
    z = L.MaxPooling2D()(L.BatchNormalization()(L.Conv2D(4, 3, activation="relu")(inputs)))
    z = L.LayerNormalization()(L.Reshape((9, 4))(z))
    z = L.LSTM(5)(L.MultiHeadAttention(2, 3)(z, z))
    model = km.Model(inputs, L.Dense(3, activation="softmax")(z))
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=jit)
    history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    losses.append([*history.history["loss"], model.evaluate(x, y, verbose=0)])
np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
assert losses[0][0] > losses[0][2], losses
"""


def test_training_is_the_same_with_all_passes_of_xla() -> None:
    """All other tests compile without the costly ones, see tests/conftest.py."""
    usual = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    subprocess.run([sys.executable, "-c", OPTIMIZED], env=usual, check=True)
