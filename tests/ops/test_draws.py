"""Draws from gamma, beta and binomial distributions: moments on both engines, seeds."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.engine.xla_array import XlaArray, unwrap

DRAWS = {
    "gamma": (lambda seed: km.random.gamma((40_000,), 2.5, seed=seed), 2.5, 2.5),
    "beta": (lambda seed: km.random.beta((40_000,), 2.0, 3.0, seed=seed), 0.4, 0.04),
    "binomial": (lambda seed: km.random.binomial((40_000,), 9, 0.3, seed=seed), 2.7, 1.89),
}


class State:
    """A seed whose state belongs to XLA."""

    def __init__(self, state: Any) -> None:
        self.state = state

    def next(self) -> Any:
        return self.state


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("engine", ["numpy", "xla"])
def test_moments(name: str, engine: str) -> None:
    draw, mean, variance = DRAWS[name]
    if engine == "numpy":
        values = draw(3)
        np.testing.assert_array_equal(values, draw(3))
        assert not np.array_equal(values, draw(4))
    else:
        state = np.array([3, 0], np.uint32)
        values = jax.jit(lambda s: unwrap(draw(State(XlaArray(s)))))(state)
    assert values.dtype == "float32"
    np.testing.assert_allclose(np.mean(values), mean, rtol=0.02)
    np.testing.assert_allclose(np.var(values), variance, rtol=0.05)


def test_parameters_broadcast() -> None:
    values = km.random.gamma((2000, 2), np.array([0.5, 9.0]), dtype="float64", seed=1)
    assert values.dtype == "float64"
    np.testing.assert_allclose(values.mean(0), [0.5, 9.0], rtol=0.1)
    counts = km.random.binomial((3, 2), [1, 100], [1.0, 0.0], dtype="int32", seed=1)
    np.testing.assert_array_equal(counts, [[1, 0]] * 3)
