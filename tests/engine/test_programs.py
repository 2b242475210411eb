"""Programs: the same bits as the NumPy calls that they stand for, and those calls when in doubt."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kernelmodel.engine import commands, plan_fusion
from kernelmodel.engine.keep_mask import KeepMask
from kernelmodel.engine.kernels.crossentropy import checked
from kernelmodel.engine.kernels.probability import sparse_backward, sparse_forward
from kernelmodel.engine.kernels.product import product
from kernelmodel.engine.plan import Plan, as_one
from kernelmodel.engine.program import KEY, MOST_FAILURES, Program
from tests.planning import machine_code_of_programs

pytestmark = pytest.mark.skipif(
    sys.platform not in ("linux", "darwin"), reason="there the flags of C's errors aren't known"
)
RNG = np.random.default_rng(0)
X = RNG.standard_normal((9, 4)).astype("float32")
Y = RNG.standard_normal((9, 4)).astype("float32")
Arrays = tuple[np.ndarray, ...]


@pytest.fixture(scope="module")
def machine_code() -> Callable[..., None]:
    return machine_code_of_programs()


def as_written(words: np.ndarray, scratch: np.ndarray, objects: Any) -> None:
    """The loops as Python runs them."""
    commands.run_commands(words, scratch, id(objects))


@pytest.fixture(params=["machine code", "as written"])
def runner(request: Any) -> Callable[..., None]:
    if request.param == "as written":
        return as_written
    return request.getfixturevalue("machine_code")


class Planned:
    """A function as a plan, and its programs.

    Args:
        function: Of arrays, returns arrays.
        arrays: Those that the plan is made with.
        runner: Runs the programs; with None their lines do.
    """

    def __init__(self, function: Any, arrays: Arrays, runner: Any = None) -> None:
        plan = Plan()
        self.programs: list[Program] = []
        results = function(*map(plan.input, arrays))
        self.run = plan.compile(results if isinstance(results, (list, tuple)) else [results])
        self.programs = [v for v in plan.constants.values() if isinstance(v, Program)]
        for program in self.programs:
            program.function = runner or commands.not_run

    def done(self) -> list[bool]:
        """Whether each program did all that it was to do, when it was last called."""
        return [bool(program.scratch[commands.DONE]) for program in self.programs]


def same(mine: Any, theirs: Any) -> None:
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs):
        assert type(one) is type(other)
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        assert one.tobytes() == other.tobytes()


def changed(x: Any, y: Any) -> Any:
    total = x + 1
    total += y
    np.multiply(total, 2, out=total)
    np.maximum(total, 0, out=total)
    return total, total.T @ x


def losses(x: Any, labels: Any) -> Any:
    loss, residuals = sparse_forward.__wrapped__(np.exp(x), labels)
    arrays = x, labels
    gradient, _ = sparse_backward.__wrapped__(loss + 1, loss, residuals, arrays, None)
    right = np.argmax(x, axis=-1) == labels
    return loss, gradient, right.astype("float32").sum() / np.float32(9)


def logistic(x: Any, y: Any) -> Any:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x)), (x - 2) * (y - 1)


FUNCTIONS: dict[str, tuple[Any, Arrays]] = {
    "in place": (changed, (X, Y)),
    "rows": (lambda x, y: (x - x.sum(-1, keepdims=True)) * y[0:1].sum(0), (X, Y)),
    "broadcast": (lambda x, y: [(x[:, None] * y[None]) + 1 - x[:, None], x * y.sum(1)[:, None]],
                  (X, Y)),
    "three axes": (lambda x, y: [x[:, :, None] * y[:, None, :] - x[:, :, None] + 1, x * x],
                   (RNG.random((9, 4)), RNG.random((9, 7)))),
    "float64": (lambda x, y: [np.tanh(x) @ y.T, (x - y).mean(), np.log(x * x), np.exp(y).sum(1)],
                (X.astype("float64"), Y.astype("float64"))),
    "scalars": (lambda x, y: [x.sum() / 3 + y.mean(), (x.sum() + 1) * 2, x.max(axis=0)], (X, Y)),
    "scalar inputs": (lambda x, y: [x + 1, (x - y) * 3, y / x, (x + y) * y],
                      (np.float32(3), np.float32(4))),
    "integers": (lambda x, y: [x + y, (x * 2 - y).astype("float32") / 3, (x == y).sum(), -x],
                 (np.arange(6), np.array([0, 2, 2, 9, 4, 4]))),
    "uint32": (lambda x, y: [x + np.uint32(7), y + x, x * y, x - y],
               (np.arange(4, dtype="uint32"), np.array([9, 8, 7, 6], "uint32"))),
    "casts": (lambda x, y: [np.multiply(x, y > 0, dtype="float32"), (x > y).view("uint8") * x,
                            x.astype("float64") + y, x.astype("int32") * 3],
              (X * 5, Y)),
    "one column": (lambda x, y: [np.add.reduce(x, 0), np.add.reduce(x, -1), x.mean(), x @ y.T,
                                 np.maximum.reduce(x, 0)],
                   (RNG.random((300, 1), "float32"), RNG.random((300, 1), "float32"))),
    "one row": (lambda x, y: [np.add.reduce(x, 0), np.add.reduce(x, -1), x.mean(), x @ y.T,
                              np.minimum.reduce(x, -1, keepdims=True)],
                (RNG.random((1, 300), "float32"), RNG.random((1, 300), "float32"))),
    "losses": (losses, (X, np.array([0, 3, 1, 1, 2, 0, 3, 3, 2], "int32"))),
    "losses of floats": (losses, (X, np.array([0, 3, 1, 1, 2, 0, 3, 3, 2], "float32"))),
    "logistic": (logistic, (X, Y)),
    "squares": (lambda x, y: [x**2, (x**2).sum(), np.zeros_like(x) + y, x.sum(1, keepdims=True)
                              .squeeze(1)], (X, Y)),
    "not a number": (lambda x, y: [np.maximum(x, 0), np.argmax(x, axis=1), x > 0, np.isfinite(x),
                                   x.max(axis=-1)],
                     (np.where(X > 1, np.float32("nan"), X), Y)),
    "transposed": (lambda x, y: [(x.T * 2).sum(0), (x.T + y.T).sum(-1), x.T @ y, np.tanh(y.T),
                                 x.T.sum(0), (x.T - 1).T.sum(1), x.sum(0) + y.sum(0) - 1, x * y],
                   (X, Y)),
    "repeated": (lambda x, y: [np.broadcast_to(x.sum(-1)[:, None], (9, 4)) * y, (np.broadcast_to(
                     y.sum(0), (9, 4)) + 0).sum(-1), np.negative(np.broadcast_to(x[0:1], (9, 4))),
                     np.broadcast_to(x.mean(), (5,)) * 3, x - y, y * 2], (X, Y)),
    "masks": (lambda state, x: [as_one(KeepMask((9, 4), 0.25), state) * x,
                                np.multiply(x, as_one(KeepMask((3, 7), 0.3), state).view("uint8")
                                            .sum(), dtype="float32"), state + np.uint32(1), -x],
              (np.array([2**32 - 1, 3], "uint32"), X)),
    "products": (lambda x, y: [product(x, y) + 1, product(y, x) - 1, product(x.T, y.T) * 2,
                               np.add.reduce(product(x, y), 0)],
                 (RNG.random((80, 80), "float32"), RNG.random((80, 80), "float32"))),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_bits_of_numpy(name: str, runner: Callable[..., None]) -> None:
    function, arrays = FUNCTIONS[name]
    planned, plain = Planned(function, arrays, runner), Planned(function, arrays)
    assert planned.programs, "nothing became a program"
    for given in (arrays, tuple(a[::-1].copy() if np.ndim(a) else a + a for a in arrays)):
        before = [np.array(a) for a in given]
        expected = plain.run(*given)
        for _ in range(2):  # a second time with what the first one left behind
            same(planned.run(*given), expected)
            assert all(planned.done())
        for one, other in zip(given, before):
            assert np.array_equal(one, other, equal_nan=True)


@pytest.mark.parametrize("rows", [1, 2, 7, 8, 9, 33])
@pytest.mark.parametrize("columns", [1, 2, 7, 8, 9, 15, 16, 17, 100, 129, 300])
def test_sums_and_maxima_of_any_size(
    rows: int, columns: int, machine_code: Callable[..., None]
) -> None:
    x = RNG.standard_normal((rows, columns)).astype("float32")
    x[0, -1] = -0.0

    def reductions(x: Any) -> Any:
        return [
            function.reduce(x, axis=axis, keepdims=keep)
            for function in (np.add, np.maximum, np.minimum)
            for axis in (None, 0, 1, -1)
            for keep in (False, True)
        ]

    planned, plain = Planned(reductions, (x,), machine_code), Planned(reductions, (x,))
    same(planned.run(x), plain.run(x))
    assert planned.done() == [True]


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 3), (4, 1, 3), (4, 5, 1), (33, 17, 9)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_of_any_shape(
    shape: tuple[int, ...], dtype: str, machine_code: Callable[..., None]
) -> None:
    n, k, m = shape
    a, b = RNG.random((n, k)).astype(dtype), RNG.random((k, m)).astype(dtype)
    g = RNG.random((n, m)).astype(dtype)

    def products(a: Any, b: Any, g: Any) -> Any:
        return [a @ b, np.matmul(g, b.T), a.T @ g, (g.T @ a) @ b]

    planned, plain = Planned(products, (a, b, g), machine_code), Planned(products, (a, b, g))
    same(planned.run(a, b, g), plain.run(a, b, g))
    assert planned.done() == [True]


def sums(x: Any, y: Any) -> Any:
    return [(x + y) * 2 - 1, np.log(x * x)]


@pytest.mark.parametrize(
    "x",
    [
        pytest.param(np.zeros((4, 9), "float32").T, id="not contiguous"),
        pytest.param(X.astype("float64"), id="another dtype"),
        pytest.param(X[:5], id="another shape"),
        pytest.param(X.reshape(3, 3, 4), id="more axes"),
        pytest.param(3.0, id="no array"),
        pytest.param(np.float32(3), id="a scalar"),
        pytest.param(np.frombuffer(b"0" + X.tobytes(), "uint8")[1:].view("<f4").reshape(9, 4),
                     id="not aligned"),
        pytest.param(X.view(type("Own", (np.ndarray,), {})), id="a subclass"),
    ],
)  # fmt: skip
def test_other_arguments_go_to_the_lines(x: Any, runner: Callable[..., None]) -> None:
    planned, plain = Planned(sums, (X, Y), runner), Planned(sums, (X, Y))
    y = Y[: len(x)] if np.ndim(x) == 2 else np.float32(1)
    with np.errstate(divide="ignore"):
        for one, other in zip(planned.run(x, y), plain.run(x, y)):
            np.testing.assert_array_equal(one, other)
    assert planned.done() == [False]


def test_a_scalar_may_come_as_an_array_of_no_axes(runner: Callable[..., None]) -> None:
    planned = Planned(sums, (np.float32(3), np.float32(4)), runner)
    expected = planned.run(np.float32(5), np.float32(6))
    assert planned.done() == [True]
    same(planned.run(np.array(5, "float32"), np.array(6, "float32")), expected)
    assert planned.done() == [True]


@pytest.mark.parametrize("number, warning", [(0.0, "divide by zero"), (1e30, "overflow")])
def test_warnings_are_those_of_numpy(
    number: float, warning: str, runner: Callable[..., None]
) -> None:
    planned, x = Planned(sums, (X, Y), runner), X.copy()
    x[2, 3] = number
    with pytest.warns(RuntimeWarning, match=warning):
        found = planned.run(x, Y)
    assert planned.done() == [False]
    with np.errstate(all="ignore"):
        same(found, Planned(sums, (X, Y)).run(x, Y))
    with np.errstate(all="raise"), pytest.raises(FloatingPointError, match=warning):
        planned.run(x, Y)
    with warnings.catch_warnings(action="error"):
        planned.run(X, Y)  # nothing is left of it
    assert planned.done() == [True]


def test_a_cast_warns_as_numpy_does(machine_code: Callable[..., None]) -> None:
    def casts(x: Any) -> Any:
        return [x.astype("float32") > 1, x > 2, x == 3, (x > 0).sum()]  # those put flags back

    x = np.ones(5)
    planned = Planned(casts, (x,), machine_code)
    planned.run(x)
    assert planned.done() == [True]
    x[3] = 1e300
    with pytest.warns(RuntimeWarning, match="overflow encountered in cast"):
        planned.run(x)
    assert planned.done() == [False]


def test_what_is_ignored_may_happen(runner: Callable[..., None]) -> None:
    planned, plain = Planned(logistic, (X, Y), runner), Planned(logistic, (X, Y))
    with warnings.catch_warnings(action="error"):
        same(planned.run(X * 1000, Y), plain.run(X * 1000, Y))


def test_a_label_out_of_range_is_told_as_ever(runner: Callable[..., None]) -> None:
    labels = np.zeros(9, "int32")
    planned = Planned(losses, (X, labels), runner)
    for wrong in (-1, 4):
        labels[5] = wrong
        with pytest.raises(ValueError, match=f"labels must lie in .*{wrong}"):
            planned.run(X, labels)


def test_labels_that_only_the_lines_may_read(machine_code: Callable[..., None]) -> None:
    labels = np.zeros(9, "uint8")

    def use(x: Any, labels: Any) -> Any:
        at = np.arange(9), as_one(checked, labels, (9, 4), 1)
        return [x[at] * 2 + 1, x.sum(0) + x.sum(0)]

    planned, plain = Planned(use, (X, labels), machine_code), Planned(use, (X, labels))
    same(planned.run(X, labels), plain.run(X, labels))


def test_results_are_new_each_time(machine_code: Callable[..., None]) -> None:
    planned = Planned(sums, (X, Y), machine_code)
    first = planned.run(X, Y)
    kept = [array.copy() for array in first]
    planned.run(Y, X)
    same(first, kept)


def test_what_others_may_hold_is_not_changed_by_a_program(
    machine_code: Callable[..., None],
) -> None:
    def add(x: Any, y: Any) -> Any:
        x += y
        return [x * 2, x - y, x + 1, x * y]

    planned, x, other = Planned(add, (X.copy(), Y), machine_code), X.copy(), X.copy()
    same(planned.run(x, Y), Planned(add, (X.copy(), Y)).run(other, Y))
    assert x.tobytes() == other.tobytes() == (X + Y).tobytes()


def test_a_product_into_one_of_its_factors(machine_code: Callable[..., None]) -> None:
    square = RNG.random((6, 6), "float32")

    def use(x: Any) -> Any:
        a = x + 1
        np.matmul(a, a, out=a)
        return [a * 2, a - x, a + x, x * x]

    planned, plain = Planned(use, (square,), machine_code), Planned(use, (square,))
    same(planned.run(square), plain.run(square))


def test_numbers_that_a_dtype_does_not_hold(machine_code: Callable[..., None]) -> None:
    few = np.arange(5, dtype="uint8")

    def use(x: Any) -> Any:
        return [x >= 300, x < -1, x + 1, x * 2, x == 2, x - x]

    planned, plain = Planned(use, (few,), machine_code), Planned(use, (few,))
    same(planned.run(few), plain.run(few))


def test_a_line_that_no_command_does_splits_no_group() -> None:
    def split(x: Any, y: Any) -> Any:
        a = x + 1
        sorted_y = np.sort(y, axis=0)  # needs nothing of the group: before it
        b = a * sorted_y
        cumulated = np.cumsum(b, axis=0)  # after it
        c = b - a
        d = c * c + y
        return [cumulated * 2, d, (cumulated - 1) * 3 + 1, a]

    planned = Planned(split, (X, Y), as_written)
    assert len(planned.programs) == 2
    same(planned.run(Y, X), Planned(split, (X, Y)).run(Y, X))
    assert planned.done() == [True, True]


def test_few_lines_are_no_program() -> None:
    assert not Planned(lambda x, y: [(x + y) * 2 - 1], (X, Y)).programs


def test_large_arrays_are_no_program() -> None:
    large = np.zeros((1 << 10, 1 << 8), "float32")
    assert not Planned(lambda x: [x + 1, x * 2, x - 1, x / 3, x.sum()], (large,)).programs


def test_no_program_where_it_must_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Planned(sums, (X, Y)).programs
    with np.errstate(under="warn"):
        assert not Planned(sums, (X, Y)).programs
    monkeypatch.setenv("KERNELMODEL_NUMBA", "0")
    assert not Planned(sums, (X, Y)).programs


def test_what_always_fails_is_given_up(runner: Callable[..., None]) -> None:
    calls: list[int] = []

    def counting(*arguments: Any) -> None:
        calls.append(1)
        runner(*arguments)

    planned, x = Planned(sums, (X, Y), counting), X.copy()
    x[0, 0] = 0
    with np.errstate(divide="ignore"):
        for _ in range(MOST_FAILURES - 1):
            planned.run(x, Y)
        planned.run(X, Y)  # it was worth another try
        for _ in range(MOST_FAILURES + 5):
            planned.run(x, Y)
    assert len(calls) == 2 * MOST_FAILURES


def test_two_threads_at_once(machine_code: Callable[..., None]) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(*arguments: Any) -> None:
        inside.set()
        assert go_on.wait(30)
        machine_code(*arguments)

    planned = Planned(sums, (X, Y), slow)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(planned.run(X, Y)))
    thread.start()
    assert inside.wait(30)
    same(planned.run(Y, X), Planned(sums, (X, Y)).run(Y, X))
    go_on.set()
    thread.join()
    same(found[0], Planned(sums, (X, Y)).run(X, Y))


def test_the_lines_run_until_the_machine_code_is_there(
    machine_code: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.run, "ready", {})
    monkeypatch.setattr(commands.run, "asked", {})
    monkeypatch.setattr(commands.run, "elements", 0)
    asked: list[bool] = []
    monkeypatch.setattr(commands.run, "ask", lambda key, compile, args: asked.append(compile))
    planned = Planned(sums, (X, Y))
    (program,) = planned.programs
    program.function = None
    expected = planned.run(X, Y)
    assert asked == [] and planned.done() == [False]
    for _ in range(3000):
        planned.run(X, Y)
    assert asked[0] is False and asked[-1] is True
    commands.run.ready[KEY] = machine_code
    same(planned.run(X, Y), expected)
    assert planned.done() == [True]


def test_every_grouping_is_known() -> None:
    assert [grouping.__name__ for grouping in plan_fusion.GROUPINGS] == ["programs"]
