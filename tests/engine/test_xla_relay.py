"""Compiled functions that the host interrupts: what it is given, when, and how often."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from kernelmodel.engine.xla_array import Untraceable, XlaArray, unwrap
from kernelmodel.engine.xla_relay import Relay, later

X = np.arange(6, dtype="float32").reshape(2, 3)


@pytest.fixture
def asked() -> list[Any]:
    """What the host was asked."""
    return []


def test_the_host_is_asked_in_order_each_time_with_arrays(asked: list[Any]) -> None:
    traced = []

    def double(x: Any, name: Any) -> Any:
        asked.append((type(x), np.array(x), name))
        return 2 * x

    def function(x: Any, y: Any) -> Any:
        traced.append(1)
        first = later(double, (XlaArray(jnp.sin(x)), None), XlaArray(x))
        second = later(double, (first + y, {"of": first}), first)
        return {"both": unwrap(first) * unwrap(second), "given": y, "fixed": 3.0}

    relay = Relay(function)
    for factor in (1.0, 2.0):
        x = X * np.float32(factor)
        found = relay(x, X)
        one = 2 * np.sin(x)
        np.testing.assert_allclose(found["both"], one * 2 * (one + X), rtol=1e-6)
        np.testing.assert_array_equal(found["given"], X)
        assert float(found["fixed"]) == 3.0
    assert len(traced) == 1 and len(asked) == 4
    assert all(kind is np.ndarray for kind, _, _ in asked)
    np.testing.assert_allclose(asked[3][1], 2 * np.sin(2 * X) + X, rtol=1e-6)
    np.testing.assert_allclose(asked[3][2]["of"], 2 * np.sin(2 * X), rtol=1e-6)


def test_a_call_whose_result_nobody_reads_is_made(asked: list[Any]) -> None:
    def note(x: Any) -> Any:
        asked.append(float(x))
        return x

    def function(x: Any) -> Any:
        later(note, (np.float32(7.0),), np.float32(0.0))  # a constant of the step
        return x + 1

    relay = Relay(function)
    np.testing.assert_array_equal(relay(X), X + 1)
    np.testing.assert_array_equal(relay(X), X + 1)
    assert asked == [7.0, 7.0]


def test_results_have_the_structure_and_dtypes_that_were_said() -> None:
    def split(x: Any) -> list[Any]:
        return [x[0], (x[1] > 4).astype("int32")]

    def function(x: Any) -> Any:
        like = [np.zeros(3, "float32"), np.zeros(3, "int32")]
        one, two = later(split, (XlaArray(x),), like)
        return unwrap(one + two)

    np.testing.assert_array_equal(Relay(function)(X), [0.0, 1.0, 3.0])


def test_an_error_of_the_host_is_what_it_is() -> None:
    class Lost(RuntimeError):
        pass

    def fail(x: Any) -> Any:
        raise Lost("worker 1")

    relay = Relay(lambda x: unwrap(later(fail, (XlaArray(x),), x)))
    for _ in range(2):
        with pytest.raises(Lost, match="worker 1"):
            relay(X)


def test_not_in_a_loop_of_xla() -> None:
    def function(x: Any) -> Any:
        def body(carried: Any, row: Any) -> Any:
            return carried + unwrap(later(np.sum, (XlaArray(row),), np.float32(0))), row

        return jax.lax.scan(body, jnp.float32(0), x)

    with pytest.raises(Untraceable, match="within a loop or branch"):
        Relay(function)(X)
