"""The tape: dtypes kept through functions that autograd promotes, and results of fused ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kernelmodel import ops
from kernelmodel.engine.primitive import fused
from kernelmodel.engine.tape import backward, close_trace, open_trace, root_box, value_and_grad

PROMOTING: dict[str, Callable[[Any], Any]] = {
    "mean": lambda x: np.mean(x),
    "var": lambda x: np.var(x, axis=0).sum(),
    "std": lambda x: np.std(x, axis=0).sum(),
    "max": lambda x: np.max(x, axis=1).sum(),
    "where": lambda x: np.where(x > 0, x, 0).sum(),
    "maximum": lambda x: np.maximum(x, 0).sum(),
    "clip": lambda x: np.clip(x, -0.5, 0.5).sum(),
    "a chain": lambda x: np.maximum(x - np.mean(x, axis=0), np.std(x)).mean(),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PROMOTING)
def test_dtype_is_kept_at_every_node(name: str, dtype: str) -> None:
    """Not just the result: each gradient on the way has the dtype of its value."""
    seen: list[str] = []

    def look_backward(g: Any, out: Any, residuals: Any, arrays: Any, needed: Any) -> Any:
        seen.append(g.dtype.name)
        return (g,)

    spy = fused("spy", lambda x: (x * 1, None), look_backward, lambda x: x)
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(dtype)
    loss, _, gradients = value_and_grad(lambda w: (PROMOTING[name](spy(w["x"])), None), {"x": x})
    assert (loss.dtype, gradients["x"].dtype, seen) == (dtype, dtype, [dtype])


def test_mixed_dtypes_keep_their_own() -> None:
    weights = {"a": np.ones(3, "float32"), "b": np.ones(3, "float64")}
    _, _, gradients = value_and_grad(lambda w: ((w["a"] * w["b"]).sum(), None), weights)
    assert gradients["a"].dtype == "float32"
    assert gradients["b"].dtype == "float64"


def test_weight_without_influence_has_zeros() -> None:
    weights = {"a": np.ones(3), "b": np.ones((2, 2), "float32")}
    _, aux, gradients = value_and_grad(lambda w: (w["a"].sum(), "kept"), weights)
    assert aux == "kept"
    np.testing.assert_array_equal(gradients["b"], np.zeros((2, 2)))
    assert gradients["b"].dtype == "float32"


def test_a_gradient_that_arrives_twice_is_summed_without_changing_either() -> None:
    x = np.array([1.0, 2.0])

    def loss(w: dict[str, Any]) -> Any:
        parts = ops.unstack(ops.stack([w["x"], w["x"] * 3.0]))
        return (parts[0] * parts[1]).sum(), None

    np.testing.assert_allclose(value_and_grad(loss, {"x": x})[2]["x"], 6 * x)


def test_tuple_output_with_an_unused_entry() -> None:
    def both_backward(g: Any, out: Any, residuals: Any, arrays: Any, needed: Any) -> Any:
        assert g[1] is None
        return (2 * g[0],)

    both = fused("both", lambda x: ((2 * x, 3 * x), None), both_backward, None)
    _, _, gradients = value_and_grad(lambda w: (both(w["x"])[0].sum(), None), {"x": np.ones(2)})
    np.testing.assert_array_equal(gradients["x"], [2.0, 2.0])


def test_seed_and_roots() -> None:
    trace = open_trace()
    a, b = root_box(np.ones(3), trace), root_box(np.full(3, 2.0), trace)
    out = a * b
    close_trace()
    found = backward(out, np.array([1.0, 0.0, 5.0]), [a._node])
    assert set(found) == {a._node}
    np.testing.assert_array_equal(found[a._node], [2.0, 0.0, 10.0])


def test_the_trace_is_closed_after_an_error() -> None:
    def fails(w: dict[str, Any]) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        value_and_grad(fails, {"x": np.ones(2)})
    _, _, gradients = value_and_grad(lambda w: (w["x"].sum(), None), {"x": np.ones(2)})
    np.testing.assert_array_equal(gradients["x"], [1.0, 1.0])


def test_second_derivative_of_a_fused_op_is_refused_with_words() -> None:
    def inner(w: dict[str, Any]) -> Any:
        _, _, gradients = value_and_grad(lambda v: (ops.sigmoid(v["x"]).sum(), None), w)
        return gradients["x"].sum(), None

    with pytest.raises(NotImplementedError, match="sigmoid has no second derivative"):
        value_and_grad(inner, {"x": np.ones(2)})
