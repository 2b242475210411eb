"""Fill the caches on disk: that of the compiled kernels, matplotlib's of the fonts."""

import importlib
import pkgutil
import threading
from pathlib import Path

import matplotlib.font_manager
import numpy as np

import kernelmodel as km
from kernelmodel.engine import commands, keep_mask, kernels
from kernelmodel.engine.numba_support import Twin, background


def twins() -> list[Twin]:
    """Every kernel that has a compiled twin."""
    modules = [
        importlib.import_module(f"{kernels.__name__}.{module.name}")
        for module in pkgutil.iter_modules(kernels.__path__)
    ]
    found = (value for module in [*modules, commands, keep_mask] for value in vars(module).values())
    return list({id(value): value for value in found if isinstance(value, Twin)}.values())


def train() -> None:
    """Take a step of three small networks that use them, and one by a plan."""
    layers = km.layers
    pictures = km.Sequential([
        layers.Conv2D(4, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(4, 2, activation="relu"),
        layers.Flatten(),
        layers.Dense(8, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    inputs = km.Input((5,), dtype="int32")
    x = layers.Embedding(8, 4)(inputs)
    x = layers.MultiHeadAttention(2, 2)(x, x)
    x = layers.GRU(4, return_sequences=True)(layers.LSTM(4, return_sequences=True)(x))
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    words = km.Model(inputs, layers.Dense(2, activation="softmax")(x))
    masked = km.Sequential([
        km.Input((5,), dtype="int32"),
        layers.Embedding(8, 4, mask_zero=True),
        layers.LSTM(4),
        layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    for model, x in (
        (pictures, np.zeros((8, 8, 8, 1), "float32")),
        (words, np.zeros((8, 5), "int32")),
        (masked, np.zeros((8, 5), "int32")),
    ):
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, np.zeros(8), batch_size=8, epochs=2, verbose=0)


def main() -> None:
    """Compile at once what otherwise waits for large arrays, then wait for the compiler."""
    for twin in (compiled := twins()):
        twin.minimum = twin.patience = twin.planned = 0
    train()
    done = threading.Event()
    background().queue.put(done.set)
    done.wait()
    cold = [twin.loops.__name__ for twin in compiled if not twin.ready]
    if cold:
        raise SystemExit(f"No step of the networks above uses the kernels {', '.join(cold)}.")
    fonts = len(matplotlib.font_manager.fontManager.ttflist)
    print(f"{len(compiled)} kernels compiled in {Path(km.__file__).parent}, {fonts} fonts found")


if __name__ == "__main__":
    main()
