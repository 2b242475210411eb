"""`km.remat` and `km.RematScope`: the same results and gradients, with less kept in between."""

from __future__ import annotations

import copy
import gc
import pickle
import tracemalloc
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.training.planned_step import PlannedStep

L = km.layers
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(6, 8, 8, 2)).astype("float32")
SERIES = RNG.normal(size=(6, 5, 4)).astype("float32")
WORDS = np.array([[1, 2, 3, 0], [4, 0, 0, 0], [5, 6, 7, 8]])
ROWS = RNG.normal(size=(6, 4)).astype("float32")


class Several(L.Layer):
    """Two inputs by name, two outputs in a dict, a loss and a metric of its own."""

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(4, 4), name="kernel")
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")

    def call(self, inputs: Any) -> Any:
        self.seen.assign_add(1.0)
        left = km.ops.gelu(inputs["a"] @ self.kernel)
        self.add_loss(km.ops.mean(left**2))
        return {"sum": left + inputs["b"], "unused": left * 2, "count": km.ops.argmax(left, -1)}


def several(**_: Any) -> km.Model:
    a, b = km.Input((4,), name="a"), km.Input((4,), name="b")
    found = Several()({"a": a, "b": b})
    return km.Model({"a": a, "b": b}, found["sum"])


def nested() -> km.Model:
    inner = km.Sequential(
        [L.Dense(8, "gelu", activity_regularizer="l2"), L.Dropout(0.5), L.BatchNormalization()]
    )
    return km.Sequential([km.Input((4,)), inner, km.Sequential([inner.layers[1], L.Dense(3)])])


def masked() -> km.Model:
    layers = [L.Embedding(9, 4, mask_zero=True), L.LSTM(4, return_sequences=True), L.GRU(3)]
    return km.Sequential([km.Input((4,), dtype="int32"), *layers])


MODELS: dict[str, tuple[Callable[[], km.Model], Any]] = {
    "dense and dropout": (
        lambda: km.Sequential([km.Input((4,)), L.Dense(8, "gelu"), L.Dropout(0.5), L.Dense(2)]),
        ROWS,
    ),
    "batch norm": (
        lambda: km.Sequential(
            [km.Input((8, 8, 2)), L.Conv2D(3, 3), L.BatchNormalization(), L.ReLU(), L.Flatten()]
        ),
        IMAGES,
    ),
    "lstm": (
        lambda: km.Sequential(
            [km.Input((5, 4)), L.LSTM(3, return_sequences=True, dropout=0.3), L.LSTM(2)]
        ),
        SERIES,
    ),
    "stateful": (
        lambda: km.Sequential([km.Input(batch_shape=(6, 5, 4)), L.GRU(3, stateful=True)]),
        SERIES,
    ),
    "masks": (masked, WORDS),
    "spectral norm": (
        lambda: km.Sequential([km.Input((4,)), L.SpectralNormalization(L.Dense(3, "gelu"))]),
        ROWS,
    ),
    "attention": (
        lambda: km.Model(x := km.Input((5, 4)), L.MultiHeadAttention(2, 3, dropout=0.2)(x, x)),
        SERIES,
    ),
    "several": (several, {"a": ROWS, "b": ROWS[::-1]}),
    "nested": (nested, ROWS),
    "half": (
        lambda: km.Sequential(
            [km.Input((4,)), L.Dense(8, "gelu", dtype="mixed_bfloat16"), L.Dense(2)]
        ),
        ROWS,
    ),
}


def made(build: Callable[[], km.Model], scope: Any = None) -> km.Model:
    km.utils.set_random_seed(1)
    km.utils.clear_session()
    with scope or nullcontext():
        return build()


def look(model: km.Model, call: Any, x: Any) -> Any:
    """Loss, gradients and all variables after a step of training."""
    with km.GradientTape() as tape:
        loss = km.ops.sum(call(x, training=True) ** 2) + sum(model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    return [loss.numpy(), *gradients, *(variable.numpy() for variable in model.variables)]


def assert_same(ours: Any, theirs: Any) -> None:
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs):
        assert (one is None, np.shape(one)) == (other is None, np.shape(other))
        assert getattr(one, "dtype", None) == getattr(other, "dtype", None)
        assert one is None or np.asarray(one).tobytes() == np.asarray(other).tobytes()


SCOPES = {
    "full": lambda: km.RematScope(),
    "larger_than": lambda: km.RematScope("larger_than", output_size_threshold=20),
    "activations": lambda: km.RematScope("activations"),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("scope", ["remat", *SCOPES])
def test_same_numbers_to_the_last_bit(name: str, scope: str) -> None:
    build, x = MODELS[name]
    plain = made(build)
    expected = look(plain, plain, x)
    model = made(build, SCOPES[scope]() if scope in SCOPES else None)
    assert_same(look(model, model if scope in SCOPES else km.remat(model), x), expected)


@pytest.mark.parametrize("name", MODELS)
def test_fit_gives_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build, x = MODELS[name]
    plans: list[Any] = []
    run = PlannedStep.run
    monkeypatch.setattr(PlannedStep, "run", lambda *given: plans.append(1) or run(*given))
    results = []
    for scope in (None, km.RematScope()):
        model = made(build, scope)
        model.compile(km.optimizers.SGD(0.1), "mse")
        y = np.zeros(np.shape(model(x)), "float32")
        plans.clear()
        history = model.fit(x, y, epochs=4, batch_size=len(y), shuffle=False, verbose=0)
        results.append((history.history, len(plans), model.get_weights()))
    assert results[0][:2] == results[1][:2]  # steps are written down with it as without
    assert_same(results[1][2], results[0][2])


def peak(function: Callable[[], Any]) -> int:
    """Most bytes that a function needed at a time."""
    function()
    gc.collect()
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def deep(width: int = 256) -> km.Model:
    """Twelve blocks, each with four arrays in between."""
    blocks = []
    for i in range(12):
        x = inputs = km.Input((16,))
        x = L.Dense(width, "gelu")(x)
        x = L.Dense(width, "gelu")(x)
        blocks.append(km.Model(inputs, L.Dense(16)(x), name=f"block_{i}"))
    return km.Sequential([km.Input((16,)), *blocks])


X = RNG.normal(size=(512, 16)).astype("float32")
ONE = 512 * 256 * 4  # bytes of an array in between


def test_a_step_needs_less_memory() -> None:
    plain = made(deep)
    saving = made(deep)
    for block in saving.layers:
        block.call = km.remat(block.call)
    needs = [peak(lambda m=model: look(m, m, X)) for model in (plain, saving)]
    assert needs[0] > 12 * 4 * ONE
    assert needs[1] < needs[0] / 4


@pytest.mark.parametrize("eager", [True, False], ids=["on the tape", "written down"])
def test_fit_needs_less_memory(eager: bool) -> None:
    needs = []
    for names in ([], [f"block_{i}" for i in range(12)]):
        model = made(deep, km.RematScope("list_of_layers", layer_names=names))
        model.compile("sgd", "mse", run_eagerly=eager)
        model.fit(X, X, batch_size=512, epochs=3, verbose=0)
        fit = lambda m=model: m.fit(X, X, batch_size=512, epochs=2, verbose=0)  # noqa: E731
        needs.append(peak(fit))
    assert needs[1] < needs[0] / 2.5, needs


@pytest.mark.parametrize("name", ["dense and dropout", "batch norm", "lstm", "nested", "several"])
def test_fit_under_xla_gives_the_same(name: str) -> None:
    build, x = MODELS[name]
    found = []
    for scope in (None, km.RematScope()):
        model = made(build, scope)
        model.compile(km.optimizers.SGD(0.1), "mse", jit_compile=True)
        y = np.zeros(np.shape(model(x)), "float32")
        model.fit(x, y, epochs=3, batch_size=len(y), shuffle=False, verbose=0)
        found.append(model.get_weights())
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_xla_is_kept_from_finding_that_it_computes_twice() -> None:
    import jax

    from kernelmodel.engine.tape import value_and_grad
    from kernelmodel.engine.xla_array import XlaArray, unwrap

    def gradient(function: Any) -> Any:
        def of(array: Any) -> Any:
            loss = lambda w: (km.ops.sum(function(w["x"])), None)  # noqa: E731
            return unwrap(value_and_grad(loss, {"x": XlaArray(array)})[2]["x"])

        return jax.make_jaxpr(of)(np.ones(3, "float32"))

    function = lambda x: km.ops.tanh(km.ops.exp(x))  # noqa: E731
    texts = [str(gradient(f)) for f in (function, km.remat(function))]
    assert [text.count("optimization_barrier") for text in texts] == [0, 1]
    assert texts[1].count("exp ") == texts[0].count("exp ") + 1


def test_copies_and_pickles_remember_the_scope() -> None:
    with km.RematScope("list_of_layers", layer_names=["b"]):
        layer = L.Dense(3, name="b")
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert other._remat_mode == layer._remat_mode is not None
    assert type(layer).from_config(layer.get_config())._remat_mode is None


def test_the_innermost_scope_counts() -> None:
    with km.RematScope():
        with km.RematScope(None):
            assert L.Dense(1)._remat_mode is None
        assert L.Dense(1)._remat_mode.mode == "full"
    assert L.Dense(1)._remat_mode is None


def test_an_array_of_elsewhere_keeps_its_history() -> None:
    x, y = km.Variable(np.float32(2.0)), km.Variable(np.float32(3.0))
    with km.GradientTape() as tape:
        outside = x * x
        result = km.remat(lambda a: a * outside)(y * 1.0)
    gradients = tape.gradient(result, [x, y])
    assert [float(g) for g in gradients] == [12.0, 4.0]


def test_other_variables_the_second_time_are_an_error() -> None:
    x, calls = km.Variable(np.float32(2.0)), []

    def changing(a: Any) -> Any:
        calls.append(1)
        return a * x if len(calls) == 1 else a * 2.0

    with km.GradientTape() as tape:
        result = km.remat(changing)(km.ops.ones(()))
    with pytest.raises(RuntimeError, match="changing used other variables"):
        tape.gradient(result, x)


def test_bad_arguments() -> None:
    with pytest.raises(TypeError, match="must be a function or a layer, got 3"):
        km.remat(3)
    with pytest.raises(ValueError, match="mode must be one of"):
        km.RematScope("some")
