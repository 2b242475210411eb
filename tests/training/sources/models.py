"""A model that notes what it is trained on, and what may not change."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

import kernelmodel as km


class Noting(km.Model):
    """y = x, trained at the rate zero: it notes every batch that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = km.layers.Dense(1, use_bias=False, kernel_initializer="ones")
        self.batches: list[Any] = []
        self.tested: list[Any] = []

    def call(self, x: Any) -> Any:
        return self.dense(x)

    def train_step(self, data: Any) -> Any:
        self.batches.append(data)
        return super().train_step(data)

    def test_step(self, data: Any) -> Any:
        self.tested.append(data)
        return super().test_step(data)

    def seen(self, part: int = 0) -> list[list[float]]:
        return [np.ravel(batch[part]).tolist() for batch in self.batches]

    def samples(self, first: int = 0, last: int | None = None) -> list[float]:
        """The inputs of some batches, one after the other."""
        return [value for values in self.seen()[first:last] for value in values]

    def firsts(self) -> list[float]:
        return [batch[0] for batch in self.seen()]


def noting(**settings: Any) -> Noting:
    model = Noting()
    model.compile(km.optimizers.SGD(0.0), "mse", **settings)
    return model


def batch(index: int, size: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Batch number `index` of the numbers that count on."""
    x = np.arange(index * size, (index + 1) * size, dtype="float32")[:, None]
    return x, np.zeros((size, 1), "float32")


def loaders() -> list[str]:
    """Names of the loading threads that are alive."""
    return [one.name for one in threading.enumerate() if one.name.startswith("kernelmodel-data")]
