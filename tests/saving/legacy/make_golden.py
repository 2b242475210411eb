"""Write the files of Keras 2 that the tests read, and what tf_keras predicts with them.

Needs tf_keras and tensorflow-cpu: python -m tests.saving.legacy.make_golden FOLDER, where FOLDER
holds the unpacked packages that `real_files.PACKAGES` names.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from .real_files import FILES, deepcut_model, inputs_of

HERE = Path(__file__).parent / "files"


def stack(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Conv2D(3, 3, activation="relu", input_shape=(8, 8, 1), kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ],
        name="stack",
    )
    optimizer = keras.optimizers.Adam(0.01)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.random.rand(8, 8, 8, 1), np.arange(8) % 2, verbose=0)
    return model


def several(keras: Any) -> Any:
    layers = keras.layers
    a, b = keras.Input((4,), name="a"), keras.Input((6,), dtype="int32", name="b")
    words = layers.Embedding(9, 4, mask_zero=True)(b)
    lstm = layers.LSTM(3, recurrent_activation="hard_sigmoid")
    words = layers.Bidirectional(lstm)(words)
    shared = layers.Dense(6, name="shared")
    inner = keras.Sequential(
        [layers.Dense(6, input_shape=(6,)), layers.LeakyReLU(0.2)], name="inner"
    )
    one = layers.Add()([shared(a), inner(words)])
    two = layers.Dense(1, name="two")(layers.Concatenate()([one, shared(a)]))
    model = keras.Model([a, b], [one, two], name="several")
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), ["mse", "mae"], loss_weights=[0.5, 1.0])
    return model


def calls(keras: Any) -> Any:
    """Calls with more than one tensor, and two of an inner model."""
    layers = keras.layers
    a, b = keras.Input((5, 3), name="a"), keras.Input((3,), name="b")
    y = keras.Input((3,))
    inner = keras.Model(y, layers.Dense(3, activation="tanh")(y), name="inner")
    sequence, last = layers.GRU(3, return_sequences=True, return_state=True)(a, initial_state=b)
    found = layers.MultiHeadAttention(2, 3, name="attention")(sequence, value=a)
    _, hidden, carry = layers.LSTM(3, return_state=True)(found)
    both = layers.Bidirectional(layers.LSTM(3))(
        sequence, initial_state=[hidden, carry, inner(last), carry]
    )
    return keras.Model([a, b], [layers.Dense(2)(both), inner(hidden)], name="calls")


def attention(keras: Any) -> Any:
    a, b = keras.Input((5, 4)), keras.Input((6, 4))
    x = keras.layers.MultiHeadAttention(2, 3)(a, b)
    return keras.Model([a, b], keras.layers.Dense(1)(keras.layers.LayerNormalization()(x)))


def main() -> None:
    keras = importlib.import_module("tf_keras")
    keras.utils.set_random_seed(0)
    for make in (stack, several, calls):
        model = make(keras)
        model.save(HERE / f"{make.__name__}.h5")
        model.save_weights(HERE / f"{make.__name__}_weights.h5")
        outputs = model.predict(inputs_of(make.__name__), verbose=0)
        np.savez(HERE / f"{make.__name__}.npz", *(outputs if type(outputs) is list else [outputs]))
    attention(keras).save(HERE / "attention.h5")
    for name, path in FILES.items():
        file = Path(sys.argv[1]) / path
        if name == "deepcut":
            model = deepcut_model(keras)
            model.load_weights(file)
        else:
            model = keras.models.load_model(file, compile=False)
        np.savez(HERE / f"{name}.npz", model.predict(inputs_of(name), verbose=0))


if __name__ == "__main__":
    main()
