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


X = np.arange(24.0, dtype="float32").reshape(4, 6)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("kind", ["plain", "list", "traced"])
def test_shuffle_under_xla(axis: int, kind: str) -> None:
    def shuffled(state: Any, x: Any) -> Any:
        given = {"plain": X, "list": X.tolist(), "traced": XlaArray(x)}[kind]
        return unwrap(km.random.shuffle(given, axis, State(XlaArray(state))))

    first, second = (
        np.asarray(jax.jit(shuffled)(np.array([seed, 0], np.uint32), X)) for seed in (3, 8)
    )
    assert first.dtype == "float32"
    assert not np.array_equal(first, second)  # the order isn't a constant of the compiled code
    for values in (first, second):
        np.testing.assert_array_equal(np.sort(values, axis), X)
        other = 1 - axis % 2
        firsts = np.take(values, 0, other)  # whole rows or columns move
        order = np.searchsorted(np.take(X, 0, other), firsts)
        np.testing.assert_array_equal(values, np.take(X, order, axis))


def test_a_compiled_layer_shuffles_plain_arrays() -> None:
    class Shuffled(km.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.seeds = km.random.SeedGenerator(1)

        def call(self, inputs: Any) -> Any:
            return inputs + km.random.shuffle(np.arange(5, dtype="float32"), seed=self.seeds)

    inputs = km.Input((5,))
    model = km.Model(inputs, Shuffled()(inputs))
    model.compile(loss="mse", jit_compile=True)
    got = model.predict(np.zeros((2, 5)), verbose=0)
    np.testing.assert_array_equal(np.sort(got, 1), [np.arange(5.0)] * 2)
