"""The workloads on everything that has Keras' interface, kernelmodel among them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.benchmarks.workloads import CLASSES, VOCABULARY, Workload


def mlp(keras: Any, width: int, depth: int) -> Any:
    """784 inputs, hidden layers of one width, dropout after the first."""
    layers = keras.layers
    stack = [keras.Input((784,)), layers.Dense(width, activation="relu"), layers.Dropout(0.2)]
    stack += [layers.Dense(width, activation="relu") for _ in range(depth - 1)]
    return keras.Sequential([*stack, layers.Dense(CLASSES, activation="softmax")])


def cnn(keras: Any) -> Any:
    """Two convolutions with pooling on 28 x 28 pixels."""
    layers = keras.layers
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Flatten(), layers.Dropout(0.5), layers.Dense(CLASSES, activation="softmax"),
    ])  # fmt: skip


def lstm(keras: Any, length: int) -> Any:
    """An embedding of tokens and an LSTM."""
    layers = keras.layers
    return keras.Sequential([
        keras.Input((length,), dtype="int32"), layers.Embedding(VOCABULARY, 64), layers.LSTM(64),
        layers.Dense(CLASSES, activation="softmax"),
    ])  # fmt: skip


def transformer(keras: Any, length: int, width: int = 32) -> Any:
    """An embedding of tokens and one encoder block, averaged over time."""
    layers = keras.layers
    inputs = keras.Input((length,), dtype="int32")
    x = layers.Embedding(VOCABULARY, width)(inputs)
    attended = layers.MultiHeadAttention(num_heads=2, key_dim=width // 2)(x, x)
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, attended]))
    hidden = layers.Dense(width)(layers.Dense(width, activation="relu")(x))
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, hidden]))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(x))


KINDS = {"mlp": mlp, "cnn": cnn, "lstm": lstm, "transformer": transformer}


class Run:
    """A compiled model.

    Args:
        workload: What it is.
        keras: The library.
    """

    def __init__(self, workload: Workload, keras: Any) -> None:
        self.batch = workload.batch
        self.model = KINDS[workload.kind](keras, **workload.options)
        self.model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    def parameters(self) -> int:
        """How many weights are trained."""
        return self.model.count_params()

    def fit(self, x: np.ndarray, y: np.ndarray) -> float:
        """Train for an epoch; returns the loss."""
        history = self.model.fit(x, y, batch_size=self.batch, epochs=1, verbose=0)
        return history.history["loss"][-1]

    def predict(self, x: np.ndarray, batch: int) -> Any:
        """Outputs in batches."""
        return self.model.predict(x, batch_size=batch, verbose=0)

    def call(self, x: np.ndarray) -> Any:
        """Outputs of a direct call, on the host."""
        found = self.model(x)
        return np.asarray(found.detach() if hasattr(found, "detach") else found)
