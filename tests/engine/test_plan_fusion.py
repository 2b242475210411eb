"""Rules that make one line of a plan of several."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kernelmodel.engine.plan import Plan, as_one
from kernelmodel.engine.plan_fusion import RULES, Line, Lines, rule

A = np.arange(6, dtype="float32")
CALLS: list[str] = []


def double(x: np.ndarray) -> tuple[np.ndarray, None]:
    CALLS.append("double")
    return x * 2, None


def add(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    CALLS.append("add")
    return x + y


def double_and_add(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    CALLS.append("both")
    return x * 2 + y, y


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the rule was told of the arguments."""
    found: list[Any] = []
    monkeypatch.setitem(RULES, double, None)

    @rule(double)
    def fuse(lines: Lines, doubling: Line) -> None:
        (part,) = lines.users(doubling)
        users = lines.users(part)
        found.append(doubling.args[0])
        if [user.function for user in users] != [add] or lines.change_in_place(part, users[0]):
            return
        name = f"{users[0].target}_pair"
        args = (doubling.args[0], users[0].args[1])
        both = lines.write(double_and_add, args, {}, name, doubling.errors)
        total = lines.part(both, 0)
        total.target = users[0].target
        lines.replace([doubling, part], users[0], [both, total])

    return found


def calls_of(function: Any) -> list[str]:
    """What a plan of the function calls; it must return what the function does."""
    plan = Plan()
    run = plan.compile([function(plan.input(A.copy()), plan.input(A + 1))])
    expected = function(A.copy(), A + 1)
    CALLS.clear()
    np.testing.assert_array_equal(run(A.copy(), A + 1)[0], expected)
    return list(CALLS)


def test_lines_are_replaced(seen: list[Any]) -> None:
    assert calls_of(lambda x, y: as_one(add, as_one(double, x)[0], y) - 1) == ["both"]
    (x,) = seen
    assert (x.name, x.shape, x.ndim, x.dtype) == ("i0", (6,), 1, np.float32)


def test_a_second_user() -> None:
    def function(x: Any, y: Any) -> Any:
        twice, _ = as_one(double, x)
        return as_one(add, twice, y) * twice

    assert calls_of(function) == ["double", "add"]


def test_users_that_nobody_needs_do_not_count() -> None:
    def function(x: Any, y: Any) -> Any:
        twice, _ = as_one(double, x)
        as_one(add, twice, twice)
        return as_one(add, twice, y)

    assert calls_of(function) == ["both"]


def test_results_are_used() -> None:
    assert calls_of(lambda x, y: as_one(double, x)[0]) == ["double"]


def test_a_change_in_place_between() -> None:
    def function(x: Any, y: Any) -> Any:
        twice, _ = as_one(double, x)
        x[0] = 7
        return as_one(add, twice, y)

    assert calls_of(function) == ["double", "add"]
