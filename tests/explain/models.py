"""Models of every kind that the functions of `km.explain` must work on, with data for them."""

from __future__ import annotations

from typing import Any

import numpy as np

import kernelmodel as km
from kernelmodel import layers as L


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def sequential() -> Any:
    return km.Sequential([km.Input((5,)), L.Dense(8, "tanh"), L.Dense(3, "softmax")])


def images(data_format: str = "channels_last") -> Any:
    shape = (9, 8, 2) if data_format == "channels_last" else (2, 9, 8)
    return km.Sequential(
        [
            km.Input(shape),
            L.Conv2D(4, 3, activation="tanh", name="first", data_format=data_format),
            L.BatchNormalization(axis=-1 if data_format == "channels_last" else 1),
            L.Conv2D(6, 2, activation="tanh", name="last", data_format=data_format),
            L.Dropout(0.5),
            L.Flatten(),
            L.Dense(3, "softmax", name="classes"),
        ]
    )


def signals() -> Any:
    return km.Sequential(
        [
            km.Input((12, 2)),
            L.Conv1D(4, 3, activation="tanh", name="conv"),
            L.GlobalAveragePooling1D(),
            L.Dense(1, "sigmoid"),
        ]
    )


def volumes() -> Any:
    return km.Sequential(
        [
            km.Input((6, 5, 4, 1)),
            L.Conv3D(3, 2, activation="tanh", name="conv"),
            L.GlobalAveragePooling3D(),
            L.Dense(2),
        ]
    )


class Block(km.Model):
    """A subclassed model."""

    def __init__(self) -> None:
        super().__init__(name="block")
        self.first = L.Dense(6, "tanh", name="first")
        self.second = L.Dense(3, name="second")
        self.drop = L.Dropout(0.5, name="drop")

    def call(self, inputs: Any, training: Any = None) -> Any:
        return self.second(self.drop(self.first(inputs), training=training))


class Outer(km.Model):
    """A subclassed model around another, which it calls twice."""

    def __init__(self) -> None:
        super().__init__(name="outer")
        self.block = Block()

    def call(self, inputs: Any) -> Any:
        return km.ops.softmax(self.block(inputs) + self.block(inputs * 0.5))


def nested() -> Any:
    inner = km.Sequential([km.Input((5,)), L.Dense(4, "tanh", name="deep")], name="inner")
    inputs = km.Input((5,))
    return km.Model(inputs, L.Dense(3, "softmax", name="end")(inner(inputs)))


def two_inputs() -> Any:
    """Two inputs in a dict, two outputs by name."""
    left, right = km.Input((3,), name="left"), km.Input((4, 4, 1), name="right")
    joined = L.Concatenate()([L.Dense(4, "tanh")(left), L.Flatten()(L.Conv2D(2, 3)(right))])
    outputs = {
        "kind": L.Dense(3, "softmax", name="kind")(joined),
        "size": L.Dense(1, name="size")(joined),
    }
    return km.Model({"left": left, "right": right}, outputs)


def tokens(dtype: str = "int32") -> Any:
    inputs = km.Input((6,), dtype=dtype)
    x = L.Embedding(20, 4, mask_zero=True, name="words", embeddings_initializer="normal")(inputs)
    x = L.LSTM(5)(x)
    return km.Model(inputs, L.Dense(2, "softmax")(x))


IDS = np.random.default_rng(3).integers(1, 20, (4, 6))
IDS[1, 4:] = 0

CASES: dict[str, Any] = {
    "sequential": (sequential, draw(4, 5)),
    "images": (images, draw(4, 9, 8, 2)),
    "channels first": (lambda: images("channels_first"), draw(4, 2, 9, 8)),
    "signals": (signals, draw(4, 12, 2)),
    "volumes": (volumes, draw(4, 6, 5, 4, 1)),
    "subclassed": (Block, draw(4, 5)),
    "nested subclassed": (Outer, draw(4, 5)),
    "nested": (nested, draw(4, 5)),
}
