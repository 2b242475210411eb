"""The least a training step can take: its matrix products alone, in NumPy's BLAS."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.benchmarks.workloads import CLASSES, Workload

Product = tuple[int, int, int, int]  # (count, m, k, n): count products (m, k) @ (k, n) in one call


def layer(rows: int, inputs: int, outputs: int, first: bool = False) -> list[Product]:
    """Products of a layer: forward, kernel's gradient and, unless it is the first, the input's."""
    back: list[Product] = [] if first else [(1, rows, outputs, inputs)]
    return [(1, rows, inputs, outputs), (1, inputs, rows, outputs), *back]


def mlp(batch: int, width: int, depth: int) -> list[Product]:
    """Products of a step."""
    hidden = [one for _ in range(depth - 1) for one in layer(batch, width, width)]
    return [*layer(batch, 784, width, first=True), *hidden, *layer(batch, width, CLASSES)]


def cnn(batch: int) -> list[Product]:
    """Products of a step, with convolutions as products of columns."""
    return [
        *layer(batch * 26 * 26, 9, 32, first=True), *layer(batch * 11 * 11, 288, 64),
        *layer(batch, 1600, CLASSES),
    ]  # fmt: skip


def lstm(batch: int, length: int, units: int = 64) -> list[Product]:
    """Products of a step: the recurrent ones a time step each, the gradient of their kernel not."""
    steps: list[Product] = [(1, batch, units, 4 * units), (1, batch, 4 * units, units)] * length
    recurrent: Product = (1, units, batch * length, 4 * units)
    return [*layer(batch * length, 64, 4 * units), *steps, recurrent, *layer(batch, units, CLASSES)]


def transformer(batch: int, length: int, width: int = 32, heads: int = 2) -> list[Product]:
    """Products of a step."""
    size, count = width // heads, batch * heads
    square: Product = (count, length, size, length)
    mix: Product = (count, length, length, size)
    projections = [one for _ in range(6) for one in layer(batch * length, width, width)]
    return [*projections, square, mix, *[square, mix] * 2, *layer(batch, width, CLASSES)]


KINDS: dict[str, Any] = {"mlp": mlp, "cnn": cnn, "lstm": lstm, "transformer": transformer}


class Run:
    """The matrices of a step, and room for their products.

    Args:
        workload: What it is.
        _: Unused: the library, for those that need one.
    """

    def __init__(self, workload: Workload, _: Any = None) -> None:
        self.batch, rng = workload.batch, np.random.default_rng(0)
        made: dict[tuple[int, ...], np.ndarray] = {}

        def matrix(name: int, *shape: int) -> np.ndarray:
            key = (name, *shape)
            if key not in made:
                made[key] = rng.random(shape, "float32")
            return made[key]

        self.products = [
            (matrix(0, c, m, k)[0 if c == 1 else slice(None)],
             matrix(1, c, k, n)[0 if c == 1 else slice(None)],
             matrix(2, c, m, n)[0 if c == 1 else slice(None)])
            for c, m, k, n in KINDS[workload.kind](workload.batch, **workload.options)
        ]  # fmt: skip

    def fit(self, x: np.ndarray, y: np.ndarray) -> float:
        """Multiply as often as an epoch has steps."""
        for _ in range(0, len(x), self.batch):
            for a, b, out in self.products:
                np.matmul(a, b, out=out)
        return 0.0
