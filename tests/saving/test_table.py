"""The table: kind of file × direction × library, with the worst relative difference of each.

`pytest tests/saving/test_table.py -s` prints it.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saving import families

import kernelmodel as km

keras = importlib.import_module("keras")
pytestmark = pytest.mark.oracle

# Keras can't open what it wrote of a model inside two others. HDF5 files hold no ops: not those of
# a model, nor the comparison that Keras 3 notes for masks; and their ports have no names. Ours
# count the calls of inner models and note the shapes of MultiHeadAttention as tf_keras does, which
# Keras 3 doesn't read.
EVERYWHERE = [name for name in families.FAMILIES if name != "nested_and_shared"]
IN_HDF5 = [name for name in EVERYWHERE if name not in ("with_ops", "named_ports", "recurrent")]
FOR_KERAS_2 = ("nested", "attending")
DIRECTIONS = [("to Keras", km, keras), ("from Keras", keras, km)]


def whole(here: Any, there: Any, name: str, ending: str, folder: Path) -> float:
    """The difference between a model and what the other library makes of its file."""
    make, x = families.FAMILIES[name]
    model = families.shaken(make(here))
    # Keras 3 can't open an HDF5 file with a loss or a metric that was given by name.
    named = {"loss": "mse", "metrics": ["mae"]}
    model.compile("adam", **(named if ending == ".keras" else {}))
    path = folder / f"{name}{ending}"
    model.save(path)
    other = there.models.load_model(path)
    return families.largest_difference(other.predict(x, verbose=0), model.predict(x, verbose=0))


def weights(here: Any, there: Any, name: str, ending: str, folder: Path) -> float:
    """The difference between a model and one of the other library with its weights."""
    make, x = families.FAMILIES[name]
    model, other = families.shaken(make(here)), make(there)
    path = folder / f"{name}{ending}"
    settings = {"max_shard_size": 0.001} if ending.endswith(".json") else {}
    model.save_weights(path, **settings)
    other.load_weights(path)
    return families.largest_difference(other.predict(x, verbose=0), model.predict(x, verbose=0))


KINDS = [
    ("model.keras", whole, ".keras", EVERYWHERE),
    ("model.h5", whole, ".h5", IN_HDF5),
    ("x.weights.h5", weights, ".weights.h5", EVERYWHERE),
    ("x.weights.json", weights, ".weights.json", EVERYWHERE),
]


@pytest.mark.parametrize("direction,here,there", DIRECTIONS, ids=[d[0] for d in DIRECTIONS])
@pytest.mark.parametrize("kind,trip,ending,names", KINDS, ids=[k[0] for k in KINDS])
def test_the_worst_difference(
    kind: str, trip: Any, ending: str, names: Any, direction: str, here: Any, there: Any,
    tmp_path: Path, record_property: Any, capsys: Any,
) -> None:  # fmt: skip
    if ending == ".h5" and here is km:
        names = [name for name in names if name not in FOR_KERAS_2]
    found = {name: trip(here, there, name, ending, tmp_path) for name in names}
    worst = max(found, key=lambda name: found[name])
    record_property("worst", found[worst])
    with capsys.disabled():
        print(f"\n{kind:16} {direction:12} {len(found)} models, {found[worst]:.1e} ({worst})")  # noqa: T201
    assert found[worst] < 1e-5


RULES = {
    "SGD": {"momentum": 0.9, "nesterov": True}, "RMSprop": {"momentum": 0.5, "centered": True},
    "Adam": {"amsgrad": True}, "AdamW": {}, "Adamax": {}, "Nadam": {}, "Adagrad": {},
    "Adadelta": {}, "Ftrl": {}, "Lion": {}, "Lamb": {},
}  # fmt: skip
FIT = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0}


# Keras 3 itself can't train on from an HDF5 file: it begins with an optimizer that wasn't built.
RESUMED = [(".keras", *direction) for direction in DIRECTIONS] + [(".h5", *DIRECTIONS[1])]


@pytest.mark.parametrize(
    "ending,direction,here,there", RESUMED, ids=[f"{end} {name}" for end, name, _, _ in RESUMED]
)
def test_training_resumes_with_the_same_losses(
    ending: str, direction: str, here: Any, there: Any, tmp_path: Path, record_property: Any,
    capsys: Any,
) -> None:  # fmt: skip
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((32, 4)).astype("float32"), rng.integers(0, 3, 32)
    found = {}
    for rule, settings in RULES.items():
        stack = [here.layers.Dense(8, activation="tanh"), here.layers.Dense(3)]
        model = here.Sequential([here.Input((4,)), *stack])
        loss = here.losses.SparseCategoricalCrossentropy(from_logits=True)
        optimizer = getattr(here.optimizers, rule)(0.01, **settings)
        model.compile(optimizer, loss, metrics=["accuracy"])
        model.fit(x, y, **FIT)
        model.save(tmp_path / f"{rule}{ending}")
        other = there.models.load_model(tmp_path / f"{rule}{ending}")
        losses = [np.array(m.fit(x, y, **FIT).history["loss"]) for m in (model, other)]
        found[rule] = float(np.abs(losses[1] / losses[0] - 1).max())
    worst = max(found, key=lambda name: found[name])
    record_property("worst", found[worst])
    line = f"resumed {ending:8} {direction:12} {len(found)} rules, {found[worst]:.1e} ({worst})"
    with capsys.disabled():
        print(f"\n{line}")  # noqa: T201
    assert found[worst] < 1e-5
