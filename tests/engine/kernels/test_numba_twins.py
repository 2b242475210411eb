"""Numba twins compute the bits of their NumPy functions, and nothing waits for them."""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

from kernelmodel.engine import numba_support
from kernelmodel.engine.kernels import conv, epilogue, loops, max_pool, pooling
from kernelmodel.engine.kernels.columns import add_columns_2d
from kernelmodel.engine.kernels.lstm import usual_slopes
from kernelmodel.engine.kernels.windows import windows
from kernelmodel.engine.numba_support import Twin

numba = importlib.import_module("numba")


def both(twin: Twin, *arguments: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each array argument after the NumPy function, and after the compiled twin."""
    mine = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
    theirs = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
    twin.plain(*mine)
    numba_support.compiled(twin.loops, tuple(theirs))(*theirs)
    return [(a, b) for a, b in zip(mine, theirs) if isinstance(a, np.ndarray)]


def assert_same_bits(pairs: list[tuple[np.ndarray, np.ndarray]]) -> None:
    for mine, theirs in pairs:
        assert mine.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_elementwise_twins(dtype: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.standard_normal((1500, 7)).astype(dtype)
    y[3, 2], y[5, 1], y[6, 0], y[7, 0] = np.nan, np.inf, -np.inf, -0.0
    row = np.array([0.1, -0.2, 0, -0.0, 1, 2, 3], dtype)
    assert_same_bits(both(epilogue.add_row_relu, y, row))
    g = rng.standard_normal(y.shape).astype(dtype)
    assert_same_bits(both(epilogue.relu_gradient, g, np.maximum(y, 0), np.empty_like(y)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size, strides", [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((2, 1), (3, 2))])
def test_max_pool_gradient(dtype: str, size: Any, strides: Any) -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(-2, 3, (3, 8, 7, 5)).astype(dtype)  # many ties
    out, _ = max_pool.forward(x, pool_size=size, strides=strides)
    g = rng.standard_normal(out.shape).astype(dtype)
    disjoint = all(s >= k for s, k in zip(strides, size))
    arguments = (g, out, x, np.zeros_like(x), *size, *strides, disjoint)
    assert_same_bits(both(pooling.max_gradient_2d, *arguments))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "strides, dilation", [((1, 1), (1, 1)), ((2, 1), (1, 3)), ((4, 3), (2, 1))]
)
def test_add_columns(dtype: str, strides: Any, dilation: Any) -> None:
    rng = np.random.default_rng(2)
    w = windows((13, 12), (3, 2), strides, "valid", dilation)
    columns = rng.standard_normal((2 * w.out[0] * w.out[1], 6 * 5)).astype(dtype)
    padded = rng.standard_normal((2, 13, 12, 5)).astype(dtype)
    layout = (*w.out, *w.size, *w.strides, *w.dilation)
    assert_same_bits(both(add_columns_2d, columns, padded, *layout))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lstm_slopes(dtype: str) -> None:
    rng = np.random.default_rng(3)
    gates = rng.uniform(-1, 1, (5, 3, 4, 7)).astype(dtype)
    before, cell = rng.uniform(-2, 2, (2, 5, 3, 7)).astype(dtype)
    assert_same_bits(
        both(usual_slopes, gates, before, cell, np.empty_like(gates), np.empty_like(cell))
    )


def test_first_call_does_not_wait_and_later_ones_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERNELMODEL_NUMBA", "1")
    calls: list[str] = []

    def plain(y: np.ndarray, row: np.ndarray) -> None:
        calls.append("plain")
        epilogue.plain_add_row_relu(y, row)

    twin = Twin(plain, loops.add_row_relu, minimum=10, patience=40)
    y, row = np.ones((4, 5), "float32"), np.ones(5, "float32")
    twin(y[:1], row)  # too small to count
    twin(y, row)  # too little work so far
    assert not twin.asked
    twin(y, row)
    assert twin.asked
    assert calls == ["plain"] * 3
    limit = time.monotonic() + 60
    while not twin.ready and time.monotonic() < limit:
        time.sleep(0.01)
    twin(y, row)
    assert len(calls) == 3
    np.testing.assert_array_equal(y[2:], 4)
    monkeypatch.setenv("KERNELMODEL_NUMBA", "0")
    twin(y, row)
    assert len(calls) == 4


def test_arrays_that_twins_do_not_take() -> None:
    twin = Twin(epilogue.plain_add_row_relu, loops.add_row_relu, minimum=1, patience=1)
    y = np.ones((4, 6), "float16")
    twin(y, np.ones(6, "float16"))
    assert y[0, 0] == 2
    assert not twin.asked


def test_a_twin_that_does_not_compile_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(y: np.ndarray) -> None:
        y.no_such_method()

    twin = Twin(lambda y: None, wrong, minimum=1)
    with pytest.warns(RuntimeWarning, match="could not compile wrong"):
        twin.prepare(("key",), (np.ones(3),))
    assert not twin.ready


def test_no_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    real = numba.njit

    def njit(function: Any, cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(function, **options)

    monkeypatch.setattr(numba, "njit", njit)
    y = np.zeros((2, 2))
    numba_support.compiled(loops.add_row_relu, (y, y[0]))(y, np.ones(2))
    assert y.sum() == 4


PROGRAM = """
import sys
sys.modules["numba"] = None  # as if it were not installed
import numpy as np
from kernelmodel.engine.kernels import dense, epilogue
epilogue.add_row_relu.patience = 1
x = np.ones((4096, 16), "float32")
for _ in range(3):
    y = dense(x, np.ones((16, 16), "float32"), np.ones(16, "float32"), activation="relu")
assert y[0, 0] == 17
"""


def test_without_numba() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_import_does_not_load_numba() -> None:
    code = "import sys, kernelmodel.engine.kernels; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_switching_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    twins = [epilogue.add_row_relu, epilogue.relu_gradient, pooling.max_gradient_2d]
    twins.append(add_columns_2d)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((16, 20, 20, 3)).astype("float32")
    kernel = rng.standard_normal((3, 3, 3, 16)).astype("float32")
    bias = rng.standard_normal(16).astype("float32")

    def step() -> bytes:
        need = [True] * 3
        y, _ = conv.forward(x, kernel, bias, activation="relu")
        pooled, _ = max_pool.forward(y, pool_size=3, strides=2)
        (dy,) = max_pool.backward(np.sin(pooled), pooled, None, (y,), need, pool_size=3, strides=2)
        parts = conv.backward(dy, y, None, (x, kernel, bias), need, activation="relu")
        return b"".join(part.tobytes() for part in (y, pooled, dy, *parts))

    monkeypatch.setenv("KERNELMODEL_NUMBA", "0")
    expected = step()
    monkeypatch.setenv("KERNELMODEL_NUMBA", "1")
    for twin in twins:
        monkeypatch.setattr(twin, "patience", 1)
    limit = time.monotonic() + 60
    assert step() == expected
    while not all(twin.ready for twin in twins) and time.monotonic() < limit:
        time.sleep(0.01)
    assert all(twin.ready for twin in twins)
    assert step() == expected
