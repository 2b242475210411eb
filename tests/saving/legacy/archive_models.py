"""Models of tf_keras whose `.keras` files the tests read."""

from __future__ import annotations

from typing import Any

import numpy as np

rng = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype("float32")


def doubling(k: Any) -> Any:
    """A layer of a user, in either library."""

    @k.utils.register_keras_serializable("tests", "Doubling")
    class Doubling(k.layers.Layer):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return 2.0 * (inputs @ self.kernel)

        def get_config(self) -> Any:
            return {**super().get_config(), "units": self.units}

    return Doubling


def sequential(k: Any) -> Any:
    layers = [k.layers.Dense(5, activation="relu"), k.layers.BatchNormalization()]
    return k.Sequential([k.layers.InputLayer((4,)), *layers, k.layers.Dense(2)])


def several(k: Any) -> Any:
    a, b = k.Input((3,), name="a"), k.Input((2,), name="b")
    x = k.layers.Concatenate()([k.layers.Dense(3)(a), b])
    return k.Model([a, b], [k.layers.Dense(2, name="p")(x), k.layers.Dense(1, name="q")(x)])


def nested(k: Any) -> Any:
    dense = k.layers.Dense(4, activation="tanh")
    inner = k.Sequential([k.layers.InputLayer((4,)), dense], name="inner")
    x = k.Input((4,))
    shared = k.layers.Dense(4)
    return k.Model(x, k.layers.Dense(2)(k.layers.Add()([shared(inner(x)), shared(x)])))


def recurrent(k: Any) -> Any:
    tokens = k.Input((None,), dtype="int32")
    x = k.layers.Embedding(11, 4, mask_zero=True)(tokens)
    x = k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True))(x)
    return k.Model(tokens, k.layers.Dense(2)(k.layers.GRU(3)(x)))


def convolutional(k: Any) -> Any:
    image = k.Input((8, 8, 3))
    x = k.layers.BatchNormalization()(k.layers.Conv2D(4, 3, padding="same")(image))
    x = k.layers.SeparableConv2D(3, 3)(k.layers.MaxPooling2D()(x))
    return k.Model(image, k.layers.Dense(2)(k.layers.GlobalAveragePooling2D()(x)))


def attending(k: Any) -> Any:
    x = steps = k.Input((5, 4))
    x = k.layers.LayerNormalization()(k.layers.MultiHeadAttention(2, 3)(x, x))
    return k.Model(steps, k.layers.Dense(2)(k.layers.TimeDistributed(k.layers.Dense(3))(x)))


def custom(k: Any) -> Any:
    return k.Sequential([k.layers.InputLayer((4,)), doubling(k)(3), k.layers.Dense(2)])


def functions(k: Any) -> Any:
    import tensorflow as tf

    a, b = k.Input((4,)), k.Input((4,))
    x = 1.0 - 2.0 * k.layers.Dense(4)(a) / (tf.exp(b) + 1.0)
    x = tf.concat([x[:, 1:3], tf.nn.relu(x), tf.clip_by_value(b, 0.0, 1.0)], axis=-1)
    x = tf.reduce_mean(tf.reshape(x, (-1, 5, 2)), axis=2, keepdims=True)
    x = tf.squeeze(tf.transpose(x, (0, 2, 1)), axis=1) - 0.5
    return k.Model([a, b], k.layers.Dense(2)(tf.maximum(x, tf.abs(x) ** 2)))


TOKENS = np.array([[1, 5, 2, 0], [3, 0, 0, 0], [4, 4, 9, 10]], "int32")
# What makes each model, the optimizer it is trained with, and inputs.
MODELS: dict[str, tuple[Any, tuple[str, dict[str, Any]], list[np.ndarray]]] = {
    "sequential": (sequential, ("Adam", {}), [floats(6, 4)]),
    "several": (several, ("SGD", {"momentum": 0.9}), [floats(6, 3), floats(6, 2)]),
    "nested": (nested, ("RMSprop", {"momentum": 0.5, "centered": True}), [floats(6, 4)]),
    "recurrent": (recurrent, ("AdamW", {}), [TOKENS]),
    "convolutional": (convolutional, ("Adam", {"amsgrad": True}), [floats(6, 8, 8, 3)]),
    "attending": (attending, ("Adagrad", {}), [floats(6, 5, 4)]),
    "custom": (custom, ("Adamax", {}), [floats(6, 4)]),
    "functions": (functions, ("Ftrl", {}), [floats(6, 4), floats(6, 4)]),
}
FIT = {"epochs": 3, "batch_size": 3, "shuffle": False, "verbose": 0}
