"""Training by programs gives the bits of training by NumPy's functions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.engine import commands, program
from kernelmodel.engine.program import KEY, Program, can_run
from tests.planning import machine_code_of_programs

pytestmark = pytest.mark.skipif(
    sys.platform not in ("linux", "darwin"), reason="there the flags of C's errors aren't known"
)
RNG = np.random.default_rng(0)
X = RNG.standard_normal((100, 12)).astype("float32")
CLASSES = RNG.integers(0, 3, 100)
Y = RNG.standard_normal((100, 3)).astype("float32")
L = km.layers

Layers = Callable[[], list[Any]]
MODELS: dict[str, tuple[Layers, Any, Any, list[Any]]] = {
    **{
        f"regression, {activation}": (
            lambda activation=activation: [L.Dense(8, activation=activation), L.Dense(3)],
            loss, Y, ["mae"],
        )
        for activation, loss in (
            ("relu", "mse"), ("tanh", "mae"), ("sigmoid", "huber"), ("gelu", "log_cosh"),
            ("elu", "mse"), ("softplus", "mse"), ("silu", "mse"), ("leaky_relu", "mse"),
            (None, "mse"),
        )
    },
    "classes": (
        lambda: [L.Dense(8, activation="relu"), L.Dense(3, activation="softmax")],
        "sparse_categorical_crossentropy", CLASSES, ["accuracy"],
    ),
    "logits": (
        lambda: [L.Dense(8, activation="relu"), L.Dense(3)],
        km.losses.SparseCategoricalCrossentropy(from_logits=True), CLASSES, ["accuracy"],
    ),
    "one-hot": (
        lambda: [L.Dense(8, "relu", kernel_regularizer="l2"), L.Dense(3, activation="softmax")],
        "categorical_crossentropy", np.eye(3, dtype="float32")[CLASSES], ["accuracy"],
    ),
    "binary": (
        lambda: [L.Dense(8, activation="relu"), L.Dense(1, activation="sigmoid")],
        "binary_crossentropy", (CLASSES > 1)[:, None].astype("float32"), ["accuracy", "auc"],
    ),
    "normalized, with dropout": (
        lambda: [L.Dense(8), L.BatchNormalization(), L.Dropout(0.5), L.LayerNormalization(),
                 L.Dropout(0.3), L.GaussianNoise(0.1), L.Dense(3)],
        "mse", Y, [],
    ),
    "convolutions": (
        lambda: [L.Reshape((2, 3, 2)), L.Conv2D(4, 2, activation="relu", padding="same"),
                 L.MaxPooling2D((1, 3)), L.SpatialDropout2D(0.2), L.Flatten(), L.Dense(3)],
        "mse", Y, ["cosine_similarity"],
    ),
    "sequences": (
        lambda: [L.Reshape((4, 3)), L.Bidirectional(L.LSTM(4, return_sequences=True, dropout=0.2)),
                 L.Conv1D(5, 2, activation="gelu"), L.GRU(3), L.Dense(3, activation="softmax")],
        km.losses.CategoricalFocalCrossentropy(), np.eye(3, dtype="float32")[CLASSES],
        ["precision", km.metrics.F1Score()],
    ),
    "words": (
        lambda: [L.Discretization(bin_boundaries=[-1.0, 0.0, 1.0]), L.Embedding(4, 6),
                 L.GlobalAveragePooling1D(), L.UnitNormalization(), L.Dense(3), L.Softmax()],
        "kl_divergence", np.eye(3, dtype="float32")[CLASSES], ["top_k_categorical_accuracy"],
    ),
}  # fmt: skip
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: km.optimizers.SGD(0.1),
    "momentum": lambda: km.optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda: km.optimizers.Adam(km.optimizers.schedules.ExponentialDecay(0.01, 5, 0.5)),
    "amsgrad": lambda: km.optimizers.Adam(0.01, amsgrad=True, clipnorm=0.1),
    "adamw": lambda: km.optimizers.AdamW(0.01, use_ema=True, ema_overwrite_frequency=3),
    "accumulating": lambda: km.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    **{
        name: (lambda name=name: getattr(km.optimizers, name)(0.01, global_clipnorm=1.0))
        for name in (
            "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Lion", "Adafactor",
        )
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def machine_code() -> Callable[..., None]:
    return machine_code_of_programs()


def trained(layers: Layers, loss: Any, y: np.ndarray, metrics: list[Any], optimizer: Any) -> Any:
    """Weights, history and predictions, the optimizer's variables among the weights."""
    km.utils.set_random_seed(3)
    model = km.Sequential([km.Input((12,)), *layers()])
    model.compile(optimizer(), loss, metrics=metrics)
    history = model.fit(
        X, y, batch_size=16, epochs=3, verbose=0, validation_split=0.2,
        sample_weight=np.linspace(0.1, 2, len(X), dtype="float32"),
    )  # fmt: skip
    variables = [*model.variables, *model.optimizer.variables]
    return [v.numpy() for v in variables] + [model.predict(X, verbose=0)], history.history


def both(
    machine_code: Any, monkeypatch: pytest.MonkeyPatch, *arguments: Any
) -> tuple[Any, Any, list[Program]]:
    """By programs and without; and the programs."""
    made: list[Program] = []

    class Kept(Program):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    with monkeypatch.context() as patch:
        patch.setattr(commands.run, "ready", {KEY: machine_code})
        patch.setattr("kernelmodel.engine.plan_programs.Program", Kept)
        by_programs = trained(*arguments)
    with monkeypatch.context() as patch:
        patch.setenv("KERNELMODEL_NUMBA", "0")
        by_numpy = trained(*arguments)
    return by_programs, by_numpy, made


def assert_same(by_programs: Any, by_numpy: Any, made: list[Program]) -> None:
    assert made
    assert all(one.scratch[commands.DONE] for one in made), "a program left its work to the lines"
    for one, other in zip(by_programs[0], by_numpy[0], strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()
    np.testing.assert_equal(by_programs[1], by_numpy[1])


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str, machine_code: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(*both(machine_code, monkeypatch, *MODELS[name], OPTIMIZERS["adam"]))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name: str, machine_code: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(*both(machine_code, monkeypatch, *MODELS["classes"], OPTIMIZERS[name]))


def test_the_whole_step_of_a_small_model_is_one_program(
    machine_code: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def layers() -> list[Any]:
        return [L.Dense(8, "relu"), L.Dropout(0.2), L.Dense(3, activation="softmax")]

    *_, made = both(machine_code, monkeypatch, layers, *MODELS["classes"][1:], OPTIMIZERS["adam"])
    assert len(made) == 5  # training, and for two sizes of batch each evaluation and prediction


@pytest.mark.parametrize("name", ["adam", "amsgrad", "RMSprop"])
def test_weights_in_another_order_of_axes(
    name: str, machine_code: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again() -> Any:
        km.utils.set_random_seed(3)
        model = km.Sequential([km.Input((12,)), L.Dense(8, "relu"), L.Dense(3)])
        model.compile(OPTIMIZERS[name](), "mse")
        model.fit(X, Y, batch_size=20, epochs=2, verbose=0)
        for variable in model.weights:
            variable.assign(np.asfortranarray(variable.numpy() + 1))
        history = model.fit(X, Y, batch_size=20, epochs=2, verbose=0).history["loss"]
        return [v.numpy() for v in model.variables], history

    with monkeypatch.context() as patch:
        patch.setattr(commands.run, "ready", {KEY: machine_code})
        by_programs = again()
    with monkeypatch.context() as patch:
        patch.setenv("KERNELMODEL_NUMBA", "0")
        by_numpy = again()
    np.testing.assert_equal(by_programs, by_numpy)


def test_float64(machine_code: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    km.config.set_floatx("float64")
    try:
        assert_same(*both(machine_code, monkeypatch, *MODELS["classes"], OPTIMIZERS["adam"]))
    finally:
        km.config.set_floatx("float32")


def test_no_program_without_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "error_flags", lambda: None)
    assert not can_run()
