"""Models with every family of layer, made alike in kernelmodel and in genuine Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

rng = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype("float32")


def convolutional(k: Any) -> Any:
    x = inputs = k.Input((12, 12, 3))
    x = k.layers.Rescaling(0.5, offset=0.1)(x)
    x = k.layers.Conv2D(4, 3, padding="same", activation="relu", kernel_regularizer="l2")(x)
    x = k.layers.BatchNormalization()(x)
    x = k.layers.MaxPooling2D()(x)
    x = k.layers.Conv2D(5, 3, strides=2, use_bias=False, kernel_initializer="he_normal")(x)
    x = k.layers.LayerNormalization()(x)
    x = k.layers.Dropout(0.4)(x)
    x = k.layers.AveragePooling2D(2)(x)
    x = k.layers.Flatten()(x)
    return k.Model(inputs, k.layers.Dense(3, activation="softmax", bias_constraint="max_norm")(x))


def recurrent(k: Any) -> Any:
    x = inputs = k.Input((None,), dtype="int32")
    x = k.layers.Embedding(11, 4, mask_zero=True)(x)
    x = k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True))(x)
    x = k.layers.LSTM(4)(x)
    return k.Model(inputs, k.layers.Dense(2)(x))


def nested(k: Any) -> Any:
    inner = k.Sequential(
        [k.Input((4,)), k.layers.Dense(5, activation="tanh"), k.layers.Dense(4)], name="inner"
    )
    other = k.Sequential([k.Input((4,)), k.layers.Dense(4)], name="other")
    y = k.Input((4,))
    side = k.Model(y, k.layers.Add()([other(y), k.layers.Dense(4)(y)]), name="side")
    inputs = k.Input((4,))
    return k.Model(inputs, k.layers.Dense(2)(side(inner(inputs))))


def nested_and_shared(k: Any) -> Any:
    """A model inside two others. Keras 3.15 writes such a file but can't open it."""
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(4, activation="tanh")], name="inner")
    y = k.Input((4,))
    side = k.Model(y, k.layers.Add()([inner(y), k.layers.Dense(4)(y)]), name="side")
    inputs = k.Input((4,))
    return k.Model(inputs, k.layers.Dense(2)(side(inner(inputs))))


def called_twice(k: Any) -> Any:
    """Inner models with two calls each, and one of them last."""
    y = k.Input((4,))
    side = k.Model(y, k.layers.Dense(4, activation="tanh")(y), name="side")
    stack = k.Sequential([k.Input((4,)), k.layers.Dense(4), k.layers.BatchNormalization()])
    inputs = k.Input((4,))
    first = stack(side(inputs))
    second = stack(k.layers.Dense(4)(first))
    return k.Model(inputs, [k.layers.Dense(2)(second), side(second), second])


def shared(k: Any) -> Any:
    a, b = k.Input((3,), name="a"), k.Input((3,), name="b")
    twin = k.layers.Dense(4, name="twin")
    late = k.layers.Dense(3, name="late")(twin(a))
    return k.Model([a, b], k.layers.Concatenate()([twin(late), twin(b)]))


def named_ports(k: Any) -> Any:
    a, b = k.Input((3,), name="first"), k.Input((2,), name="second")
    x = k.layers.Concatenate()([a, b])
    outputs = {"p": k.layers.Dense(1, name="p")(x), "q": k.layers.Dense(2, name="q")(x)}
    return k.Model({"first": a, "second": b}, outputs)


def with_ops(k: Any) -> Any:
    inputs = k.Input((4,))
    x = k.layers.Dense(4)(inputs)
    x = 1.0 - 2.0 * x / (k.ops.exp(x) + 1.0)
    x = k.ops.concatenate([x[:, :2], k.ops.maximum(x, 0.1)], axis=-1)
    x = k.ops.mean(k.ops.reshape(x, (-1, 3, 2)), axis=1)
    return k.Model(inputs, k.layers.ReLU(max_value=2.0)(-x))


def stack(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((4, 2)),
            k.layers.Reshape((8,)),
            k.layers.Dense(6),
            k.layers.Activation("elu"),
            k.layers.Dense(3),
            k.layers.Softmax(),
        ]
    )


def attending(k: Any) -> Any:
    x = inputs = k.Input((4,), dtype="int32")
    embedding = k.layers.ReversibleEmbedding(9, 6, tie_weights=False)
    x = embedding(x)
    x = k.layers.GroupQueryAttention(3, 4, 2, use_gate=True)(x, x)
    x = k.layers.MultiHeadAttention(2, 3, use_gate=True, sliding_window=2)(x, x)
    x = k.layers.Attention(use_scale=True, score_mode="concat", dropout=0.1)([x, x])
    x = k.layers.AdditiveAttention()([x, x])
    return k.Model(inputs, embedding(x, reverse=True))


def filmed(k: Any) -> Any:
    x = inputs = k.Input((3, 6, 7, 2))
    x = k.layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True, dropout=0.2)(x)
    x = k.layers.ConvLSTM2D(2, 2)(x)
    x = k.layers.AdaptiveMaxPooling2D((3, 2))(x)
    x = k.layers.SpectralNormalization(k.layers.Conv2D(3, 2))(x)
    x = k.layers.BatchNormalization(renorm=True)(k.layers.AlphaDropout(0.3)(x))
    return k.Model(inputs, k.layers.AdaptiveAveragePooling2D(1)(x))


FAMILIES: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "convolutional": (convolutional, floats(5, 12, 12, 3)),
    "recurrent": (recurrent, np.array([[1, 5, 2, 0], [3, 0, 0, 0], [4, 4, 9, 10]], "int32")),
    "nested": (nested, floats(5, 4)),
    "nested_and_shared": (nested_and_shared, floats(5, 4)),
    "called_twice": (called_twice, floats(5, 4)),
    "shared": (shared, [floats(5, 3), floats(5, 3)]),
    "named_ports": (named_ports, {"first": floats(5, 3), "second": floats(5, 2)}),
    "with_ops": (with_ops, floats(5, 4)),
    "attending": (attending, np.array([[1, 5, 2, 0], [3, 0, 0, 8]], "int32")),
    "filmed": (filmed, floats(2, 3, 6, 7, 2)),
    "stack": (stack, floats(5, 4, 2)),
}


def shaken(model: Any) -> Any:
    """Weights that no initializer gives, so that an unread one shows."""
    source = np.random.default_rng(9)
    model.set_weights(
        [
            (np.abs(w) + source.uniform(0.1, 0.4, w.shape)).astype(w.dtype)
            for w in model.get_weights()
        ]
    )
    return model


def leaves(outputs: Any) -> list[np.ndarray]:
    if isinstance(outputs, dict):
        return [np.asarray(outputs[key]) for key in sorted(outputs)]
    if isinstance(outputs, (list, tuple)):
        return [np.asarray(part) for part in outputs]
    return [np.asarray(outputs)]


def largest_difference(one: Any, other: Any) -> float:
    """Largest difference, relative to the largest value if that is above one."""
    pairs = zip(leaves(one), leaves(other), strict=True)
    return max(float(np.abs(a - b).max()) / max(1.0, float(np.abs(b).max())) for a, b in pairs)
