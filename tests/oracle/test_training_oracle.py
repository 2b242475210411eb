"""Training from equal weights gives genuine Keras' outputs, gradients and histories."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import kernelmodel as km

keras = importlib.import_module("keras")
jax = importlib.import_module("jax")
pytestmark = pytest.mark.oracle

rng = np.random.default_rng(0)


def mlp(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((10,)),
            k.layers.Dense(16, activation="relu", kernel_regularizer=k.regularizers.L2(1e-3)),
            k.layers.Dense(8, activation="tanh", bias_regularizer=k.regularizers.L1(1e-3)),
            k.layers.Dense(4, activation="softmax", activity_regularizer="l2"),
        ]
    )


def cnn(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((10, 10, 2)),
            k.layers.Conv2D(6, 3, activation="relu", kernel_regularizer="l2"),
            k.layers.MaxPooling2D(2),
            k.layers.BatchNormalization(),
            k.layers.Conv2D(4, 2, padding="same"),
            k.layers.Flatten(),
            k.layers.Dense(4),
        ]
    )


def lstm(k: Any) -> Any:
    inputs = k.Input((None,), dtype="int32")
    x = k.layers.Embedding(20, 6, mask_zero=True)(inputs)
    x = k.layers.LSTM(5, return_sequences=True, recurrent_regularizer=k.regularizers.L2(1e-3))(x)
    x = k.layers.LSTM(6)(x)
    return k.Model(inputs, k.layers.Dense(1)(x))


def tokens() -> np.ndarray:
    x = rng.integers(1, 20, (48, 7)).astype("int32")
    for row, length in zip(x, rng.integers(2, 8, 48)):
        row[length:] = 0
    return x


LABELS = rng.integers(0, 4, 48)
MODELS: dict[str, tuple[Any, Any, Any, Any]] = {
    "mlp": (mlp, rng.standard_normal((48, 10)).astype("float32"), LABELS,
            lambda k: k.losses.SparseCategoricalCrossentropy()),
    "cnn": (cnn, rng.standard_normal((48, 10, 10, 2)).astype("float32"), LABELS,
            lambda k: k.losses.SparseCategoricalCrossentropy(from_logits=True)),
    "lstm": (lstm, tokens(), rng.integers(0, 2, (48, 1)).astype("float32"),
             lambda k: k.losses.BinaryCrossentropy(from_logits=True)),
}  # fmt: skip
OPTIMIZERS: dict[str, Any] = {
    "sgd": lambda k: k.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda k: k.optimizers.RMSprop(0.005),
    "adam": lambda k: k.optimizers.Adam(
        k.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9), clipnorm=1.0
    ),
}
WEIGHTS = rng.uniform(0.2, 2.0, 48).astype("float32")


def pair(name: str) -> tuple[Any, Any]:
    make = MODELS[name][0]
    keras.utils.set_random_seed(7)
    theirs, ours = make(keras), make(km)
    # No zeros: at 0 the derivative of abs is 0 here and in TensorFlow, but 1 in JAX.
    theirs.set_weights([w + np.float32(0.01) for w in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def relative(one: Any, other: Any) -> float:
    one, other = np.asarray(one, "float64"), np.asarray(other, "float64")
    return float((np.abs(one - other) / np.maximum(np.abs(other), 1e-6)).max())


@pytest.mark.parametrize("name", MODELS)
def test_outputs(name: str, record_property: Any) -> None:
    ours, theirs = pair(name)
    x = MODELS[name][1]
    difference = float(np.abs(ours.predict(x, verbose=0) - theirs.predict(x, verbose=0)).max())
    record_property("largest difference of outputs", difference)
    assert difference < 1e-5


@pytest.mark.parametrize("name", MODELS)
def test_gradients(name: str, record_property: Any) -> None:
    ours, theirs = pair(name)
    _, x, y, loss = MODELS[name]
    with km.GradientTape() as tape:
        y_pred = ours(x, training=True)
        value = km.losses.get(loss(km))(y, y_pred) + sum(ours.losses)
    found = tape.gradient(value, ours.trainable_weights)

    def objective(trainable: Any, fixed: Any) -> Any:
        out, _, losses = theirs.stateless_call(
            trainable, fixed, x, training=True, return_losses=True
        )
        return keras.losses.get(loss(keras))(y, out) + sum(losses)

    wanted_value, wanted = jax.value_and_grad(objective)(
        [v.value for v in theirs.trainable_variables],
        [v.value for v in theirs.non_trainable_variables],
    )
    assert float(value) == pytest.approx(float(wanted_value), rel=1e-5)
    # Relative to the largest entry of each weight's gradient: single entries may be about zero.
    difference = max(
        float(np.abs(g - w).max() / max(np.abs(w).max(), 1e-3)) for g, w in zip(found, wanted)
    )
    record_property("largest difference of gradients", difference)
    assert len(found) == len(wanted)
    assert difference < 1e-4


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [("mlp", "sgd"), ("mlp", "rmsprop"), ("mlp", "adam"), ("cnn", "sgd"), ("cnn", "adam"),
     ("lstm", "rmsprop"), ("lstm", "adam")],
)  # fmt: skip
def test_histories(name: str, optimizer: str, record_property: Any) -> None:
    """Three epochs with a partial last batch, sample weights, regularizers and validation."""
    ours, theirs = pair(name)
    _, x, y, loss = MODELS[name]
    histories = []
    for k, model in ((km, ours), (keras, theirs)):
        weighted = [k.metrics.MeanAbsoluteError(name="mae")] if name == "lstm" else None
        model.compile(
            OPTIMIZERS[optimizer](k), loss(k), metrics=["accuracy"], weighted_metrics=weighted,
        )  # fmt: skip
        fitted = model.fit(
            x, y, sample_weight=WEIGHTS, batch_size=10, epochs=3, shuffle=False,
            validation_split=0.25, verbose=0,
        )  # fmt: skip
        histories.append(fitted.history)
    found, wanted = histories
    assert set(found) == set(wanted)
    difference = max(relative(found[key], wanted[key]) for key in wanted)
    record_property("largest relative difference of histories", difference)
    assert difference <= 1e-4
    weights = max(
        float(np.abs(a - b).max()) for a, b in zip(ours.get_weights(), theirs.get_weights())
    )
    record_property("largest difference of trained weights", weights)
    assert weights < 1e-3
