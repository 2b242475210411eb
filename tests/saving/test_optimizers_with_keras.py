"""Files with any optimizer's state open in Keras, as Keras' files open here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kernelmodel as km

pytestmark = [pytest.mark.oracle, pytest.mark.usefixtures("quick_weights")]

NAMES = [
    "Adadelta", "Adafactor", "Adagrad", "Adam", "Adamax", "Ftrl", "Lamb", "Lion", "Muon", "Nadam",
    "RMSprop", "ScheduleFreeAdamW", "SGD",
]  # fmt: skip
X = np.random.default_rng(0).normal(size=(32, 5)).astype("float32")
Y = X[:, :1]


def trained(k: Any, name: str) -> Any:
    model = k.Sequential([k.Input((5,)), k.layers.Dense(4, "tanh"), k.layers.Dense(1)])
    optimizer = getattr(k.optimizers, name)(0.01)
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    return model


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ours_first", [True, False])
def test_training_goes_on(tmp_path: Any, name: str, ours_first: bool, keras: Any) -> None:
    path = tmp_path / "model.keras"
    first, second = (km, keras) if ours_first else (keras, km)
    one = trained(first, name)
    one.save(path)
    other = second.models.load_model(path)
    for model in (one, other):
        model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    for mine, theirs in zip(one.get_weights(), other.get_weights()):
        np.testing.assert_allclose(mine, theirs, rtol=2e-4, atol=1e-6)
