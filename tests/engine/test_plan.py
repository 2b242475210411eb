"""Plans: what is written down, what can't be, and what the function does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kernelmodel.engine.plan import Plan, Unplannable, as_one, unfolds
from kernelmodel.engine.plan_functions import OF_VALUES

A = np.arange(12, dtype="float32").reshape(3, 4)
B = np.linspace(-2, 2, 12, dtype="float32").reshape(3, 4)


def planned(function: Any, *arrays: np.ndarray) -> Any:
    """What a plan of the function gives for other arrays than it was made with."""
    plan = Plan()
    results = function(*(plan.input(array) for array in arrays))
    run = plan.compile(results if isinstance(results, (list, tuple)) else [results])
    return lambda *others: run(*(other.copy() for other in others))


def in_place(x: Any, y: Any) -> Any:
    total = x + 1
    total += y
    total[0, 1:] = y[1, 1:]
    np.multiply(total, 2, out=total)
    np.add.at(total, ([0, 0], [0, 0]), 5)
    return total


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: x @ y.T - 3,
        lambda x, y: 2**y + x**2 + y**3,
        lambda x, y: -x / np.where(y > 0, y, 1),
        lambda x, y: np.concatenate([x, y], axis=1)[:, ::-2],
        lambda x, y: list(np.split(x, 3)),
        lambda x, y: np.stack([x.sum(0), y.mean(axis=0)]).astype("float64"),
        lambda x, y: x[np.argmax(y, axis=0)],
        lambda x, y: x.reshape(4, 3).T.max(),
        lambda x, y: np.einsum("ij,kj->ik", x, y),
        lambda x, y: sorted_parts(x, y),
        in_place,
    ],
)
def test_the_same_bits_for_other_arrays(function):
    run = planned(function, A, B)
    for x, y in ((A, B), (B * 3, A - 5)):
        expected = function(x.copy(), y.copy())
        for one, other in zip(run(x, y), expected if isinstance(expected, list) else [expected]):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype


def sorted_parts(x: Any, y: Any) -> list[Any]:
    values, order = as_one(lambda a: (np.sort(a, axis=None), np.argsort(a, axis=None)), y)
    return [values, x.reshape(-1)[order]]


def test_a_function_of_ones_own_is_one_line_and_may_return_anything():
    calls = []

    def pair(x: np.ndarray) -> Any:
        calls.append(type(x))
        return x * 2, {"rest": [x + 1, None]}, "token"

    def use(double: np.ndarray, rest: Any, token: str) -> np.ndarray:
        assert token == "token"
        return double + rest

    plan = Plan()
    double, rest, token = as_one(pair, plan.input(A))
    result = plan.call(use, (double, rest["rest"][0], token), {})
    run = plan.compile([result])
    np.testing.assert_array_equal(run(B)[0], 2 * B + (B + 1))
    assert calls == [np.ndarray, np.ndarray]


def test_lines_that_nobody_needs_are_left_out():
    calls = []
    plan = Plan()
    x = plan.input(A)
    as_one(lambda a: calls.append("unused") or a, x)
    run = plan.compile([x + 1])
    calls.clear()
    run(A)
    assert not calls


def test_memory_is_let_go_of_as_soon_as_it_can_be():
    import gc
    import weakref

    alive: list[Any] = []

    class Watched(np.ndarray):
        pass

    def make(x: np.ndarray) -> np.ndarray:
        made = x.copy().view(Watched)
        alive.append(weakref.ref(made))
        return made

    def count(x: np.ndarray) -> np.ndarray:
        gc.collect()
        return x + sum(ref() is not None for ref in alive)

    plan = Plan()
    x = plan.input(A)
    half = as_one(make, x).sum()
    run = plan.compile([as_one(count, x), half])
    alive.clear()
    np.testing.assert_array_equal(run(A)[0], A)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[x > 0],
        lambda x: float(x.sum()),
        lambda x: 1 if x.sum() > 3 else 0,
        lambda x: np.asarray(x),
        lambda x: np.array([1, 2, 3])[x[0, 0].astype(int)],
        lambda x: np.where(x > 0),
        lambda x: np.repeat(x[0], x[1].astype(int)),
        lambda x: np.add(x, 1, out=np.zeros_like(A)),
        lambda x: np.full(A.shape, x[0, 0], "float32"),
        lambda x: np.copyto(np.zeros_like(A), x),
        lambda x: range(x[0, 0].astype(int)),
        lambda x: x.tolist(),
    ],
)
def test_what_hangs_on_values_is_refused(function):
    with pytest.raises((Unplannable, IndexError)):
        function(Plan().input(A))


@pytest.mark.parametrize("function", sorted(OF_VALUES, key=lambda function: function.__name__))
def test_results_of_unknown_shape_are_refused(function):
    x = Plan().input(A.reshape(-1))
    two = {"compress", "extract", "intersect1d", "setdiff1d", "setxor1d", "union1d"}
    with pytest.raises(Unplannable):
        function(*[x] * (2 if function.__name__ in two else 1))


def test_error_settings_are_those_of_the_step():
    plan = Plan()
    x = plan.input(A)
    with np.errstate(divide="ignore"):
        quiet = 1 / x
    run = plan.compile([quiet])
    with np.errstate(all="raise"):
        assert np.isinf(run(A)[0][0, 0])


def test_functions_that_unfold_leave_their_calls():
    calls: list[str] = []

    @unfolds
    def doubled(x: Any) -> Any:
        calls.append("doubled")
        y = np.empty_like(x)
        np.copyto(y, x)
        y += x
        return y

    run = planned(lambda x: as_one(doubled, x), A)
    np.testing.assert_array_equal(run(B)[0], 2 * B)
    assert calls == ["doubled"]


def test_results_that_stay_the_same_are_copies():
    constant = np.ones(3)
    plan = Plan()
    plan.input(A)
    run = plan.compile([constant])
    run(A)[0][:] = 7
    np.testing.assert_array_equal(run(A)[0], np.ones(3))
