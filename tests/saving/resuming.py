"""A program that trains, saves in the middle, and goes on; or loads and goes on.

    python tests/saving/resuming.py train FOLDER
    python tests/saving/resuming.py resume FOLDER

Both write what the further steps give, bit by bit, to a file in the folder.
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import kernelmodel as km
from kernelmodel.callbacks.console import say

X = np.random.default_rng(0).normal(size=(80, 6)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")
STEPS = 5


def dense() -> km.Model:
    inputs = km.Input((6,))
    x = km.layers.Dense(8, "relu")(inputs)
    x = km.layers.Dropout(0.4)(km.layers.BatchNormalization()(x))
    x = km.layers.GaussianNoise(0.1, seed=4)(km.layers.Dropout(0.2, seed=5)(x))
    return km.Model(inputs, km.layers.Dense(1, "sigmoid")(x))


def recurrent() -> km.Model:
    inputs = km.Input(batch_shape=(8, 6))
    x = km.layers.Reshape((3, 2))(inputs)
    x = km.layers.LSTM(4, stateful=True, return_sequences=True, recurrent_dropout=0.2)(x)
    x = km.layers.GRU(3, stateful=True, dropout=0.3, reset_after=True)(x)
    return km.Model(inputs, km.layers.Dense(1, "sigmoid")(x))


def augmented() -> km.Model:
    inputs = km.Input((6,))
    x = km.layers.RandomFlip()(km.layers.Reshape((2, 3, 1))(inputs))
    x = km.layers.RandomTranslation(0.2, 0.2)(x)
    x = km.layers.SpectralNormalization(km.layers.Conv2D(2, 2))(x)
    return km.Sequential([km.Model(inputs, km.layers.Flatten()(x)), km.layers.Dense(1, "sigmoid")])


OPT = km.optimizers
RATE = OPT.schedules.CosineDecay(0.05, 20, warmup_target=0.1, warmup_steps=4)
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "SGD": lambda: OPT.SGD(RATE, momentum=0.9, nesterov=True),
    "Adam, averages": lambda: OPT.Adam(0.02, use_ema=True, ema_momentum=0.9,
                                     ema_overwrite_frequency=4),
    "AdamW, accumulation": lambda: OPT.AdamW(RATE, gradient_accumulation_steps=3),
    "loss scale": lambda: OPT.LossScaleOptimizer(OPT.Adam(0.02), dynamic_growth_steps=3),
    "Adam, amsgrad": lambda: OPT.Adam(0.02, amsgrad=True),
    "RMSprop": lambda: OPT.RMSprop(0.01, momentum=0.5, centered=True),
    "Nadam": lambda: OPT.Nadam(0.01, clipnorm=0.5),
    "Adafactor": lambda: OPT.Adafactor(0.05),
    "Lamb": lambda: OPT.Lamb(0.02),
    "Ftrl": lambda: OPT.Ftrl(0.1),
    "Lion": lambda: OPT.Lion(0.01),
    "Muon": lambda: OPT.Muon(0.01),
}  # fmt: skip
MODELS = {"dense": dense, "recurrent": recurrent, "augmented": augmented}
CASES = [("dense", name) for name in OPTIMIZERS] + [
    (model, "Adam, averages") for model in ("recurrent", "augmented")
]


def steps(model: Any, first: int) -> list[Any]:
    """What some batches give; metrics run on from one to the next."""
    found = []
    for step in range(first, first + STEPS):
        rows = np.random.default_rng(step).integers(0, 80, 8)
        values = model.train_on_batch(X[rows], Y[rows], reset_metrics=False)
        found.append([float(v).hex() for v in values])
    return found


def further(model: Any) -> dict[str, Any]:
    found = {"steps": steps(model, STEPS)}
    km.utils.set_random_seed(7)  # the order of samples is the process's, not the model's
    history = model.fit(X, Y, 8, epochs=2, verbose=0).history
    found["fit"] = {name: [float(v).hex() for v in values] for name, values in history.items()}
    found["weights"] = [w.tobytes().hex() for w in model.get_weights()]
    found["optimizer"] = [w.tobytes().hex() for w in model.optimizer.get_weights()]
    return found


def train(folder: Path, model: str, optimizer: str) -> dict[str, Any]:
    km.utils.set_random_seed(3)
    made = MODELS[model]()
    metrics = ["accuracy", km.metrics.AUC(num_thresholds=20), km.metrics.MeanSquaredError()]
    made.compile(OPTIMIZERS[optimizer](), "binary_crossentropy", metrics)
    steps(made, 0)
    made.save(folder / f"{model} {optimizer}.keras")
    (folder / f"{model} {optimizer}.pickle").write_bytes(pickle.dumps(made))
    return further(made)


def resume(folder: Path, model: str, optimizer: str) -> dict[str, Any]:
    loaded = km.models.load_model(folder / f"{model} {optimizer}.keras")
    pickled = pickle.loads((folder / f"{model} {optimizer}.pickle").read_bytes())
    found = further(loaded)
    assert further(pickled) == found, f"{model} {optimizer}: the pickled model differs"
    return found


if __name__ == "__main__":
    what, where = {"train": train, "resume": resume}[sys.argv[1]], Path(sys.argv[2])
    results = {f"{m} {o}": what(where, m, o) for m, o in CASES}
    (where / f"{sys.argv[1]}.json").write_text(json.dumps(results))
    say(f"{len(results)} trainings")
