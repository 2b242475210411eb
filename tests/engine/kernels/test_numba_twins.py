"""Numba twins compute the bits of their NumPy functions, and nothing waits for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from kernelmodel.engine import compile_loops, machine_code, numba_support, philox_loops
from kernelmodel.engine.keep_mask import random_words
from kernelmodel.engine.kernels import (
    conv,
    conv_pool,
    epilogue,
    gru_steps,
    loops,
    max_pool,
    polynomials,
    pooling,
)
from kernelmodel.engine.kernels.attention import softmax_gradient
from kernelmodel.engine.kernels.columns import add_columns_2d
from kernelmodel.engine.kernels.dropout import thin
from kernelmodel.engine.kernels.embedding import WIDE, add_rows
from kernelmodel.engine.kernels.layer_norm import centred, gradient, units
from kernelmodel.engine.kernels.lstm import usual_slopes
from kernelmodel.engine.kernels.lstm_steps import all_back, all_steps, usual_cell, usual_step_back
from kernelmodel.engine.kernels.windows import windows
from kernelmodel.engine.machine_code import CannotCompile, Compiler
from kernelmodel.engine.numba_support import CALL, Twin, background, compiled, kind_of
from kernelmodel.engine.ufunc_loops import product_words

COMPILER = Compiler()


@pytest.fixture(scope="module", autouse=True)
def ended() -> Iterator[None]:
    yield
    COMPILER.end()


def loaded(loops: Any, *kinds: str) -> Any:
    function = compiled(loops, list(kinds), COMPILER)
    assert function is not None
    return function


def both(twin: Twin, *arguments: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each array argument after the NumPy function, and after the compiled twin."""
    mine = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
    theirs = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
    twin.plain(*mine)
    assert loaded(twin.loops, *map(kind_of, theirs))(*theirs) == 0
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
def test_dropout(dtype: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(1003).astype(dtype)
    x[:4] = np.nan, np.inf, -np.inf, -0.0
    for keep in (np.zeros(1003, np.uint8), rng.integers(0, 2, 1003, np.uint8)):
        with np.errstate(invalid="ignore"):  # infinity times zero
            assert_same_bits(both(thin, x, keep, np.empty_like(x), x.dtype.type(1.25)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size, strides", [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((2, 1), (3, 2))])
def test_max_pool_gradient(dtype: str, size: Any, strides: Any) -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(-2, 3, (3, 8, 7, 5)).astype(dtype)  # many ties
    out, _ = max_pool.forward(x, pool_size=size, strides=strides)
    g = rng.standard_normal(out.shape).astype(dtype)
    disjoint = all(s >= k for s, k in zip(strides, size))
    free = np.empty(out.shape[2:], dtype)
    arguments = (g, out, x, np.zeros_like(x), *size, *strides, disjoint, free)
    assert_same_bits(both(pooling.max_gradient_2d, *arguments)[:-1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size, strides", [((2, 2), (2, 2)), ((3, 2), (3, 2)), ((2, 1), (3, 2))])
def test_relu_and_max_pool(dtype: str, size: Any, strides: Any) -> None:
    rng = np.random.default_rng(8)
    y = rng.integers(-3, 3, (3, 8, 7, 21)).astype(dtype)  # many ties
    y[0, 1:3, 2:5, 4:] = np.nan
    y[1, 2, 3], y[1, 3, 3] = -np.nan, np.nan
    row = rng.integers(-1, 2, 21).astype(dtype)
    pooled, _ = max_pool.forward(y, pool_size=size, strides=strides)
    chosen = np.empty(pooled.shape, np.uint8)
    found = both(conv_pool.relu_max, y, row, pooled, chosen, *size, *strides)
    assert_same_bits(found[2:])
    chosen, g = found[3][0], rng.standard_normal(pooled.shape).astype(dtype)
    g[0, 0, 0, :3] = np.inf, np.nan, -0.0
    with np.errstate(invalid="ignore"):
        assert_same_bits(both(conv_pool.spread_taps, g, chosen, np.zeros_like(y), *size, *strides))


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
@pytest.mark.parametrize("dim", [3, WIDE])
def test_add_rows(dtype: str, dim: int) -> None:
    """Most rows share the place of a padding, others are alone."""
    rng = np.random.default_rng(5)
    places = np.where(rng.random(300) < 0.6, 0, rng.integers(0, 40, 300))
    rows = rng.standard_normal((300, dim)).astype(dtype)
    target = rng.standard_normal((40, dim)).astype(dtype)
    assert_same_bits(both(add_rows, target, places, rows))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normalization(dtype: str) -> None:
    rng = np.random.default_rng(6)
    x, g = rng.standard_normal((2, 40, 7)).astype(dtype)
    a, b, c = rng.standard_normal((3, 40)).astype(dtype)
    gamma, beta = rng.standard_normal((2, 7)).astype(dtype)
    out = np.empty_like(x)
    assert_same_bits(both(centred, x, a, out))
    assert_same_bits(both(units, x, a, gamma, beta, np.empty_like(x), out))
    assert_same_bits(both(gradient, g, x, a, b, c, out))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_of_an_lstm(dtype: str) -> None:
    rng = np.random.default_rng(7)
    z, share, scale, offset = rng.uniform(-3, 3, (4, 6, 20)).astype(dtype)
    old, dh, dc, slopes = rng.standard_normal((4, 6, 5)).astype(dtype)
    if dtype == "float32":  # the twin's tanh
        out = [np.empty_like(old) for _ in range(3)]
        assert_same_bits(both(usual_cell, z, share, scale, offset, old, *out))
    dz, gates = rng.standard_normal((2, 6, 4, 5)).astype(dtype)
    assert_same_bits(both(usual_step_back, dz, dh, dc, slopes, gates))


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 6, 5), (7, 2, 16), (2, 40, 3)])
def test_all_steps_of_an_lstm(shape: tuple[int, int, int]) -> None:
    steps, batch, units = shape
    rng = np.random.default_rng(9)
    z = rng.uniform(-3, 3, (steps, batch, 4 * units)).astype("float32")
    share, scale, offset = rng.uniform(-1, 1, (3, batch, 4 * units)).astype("float32")
    c, h = rng.standard_normal((2, steps + 1, batch, units)).astype("float32")
    cell, later, slopes = rng.standard_normal((3, steps, batch, units)).astype("float32")
    recurrent = rng.standard_normal((units, 4 * units)).astype("float32")
    words = product_words(h[0], recurrent, share)
    assert words is not None
    arrays = z, share, scale, offset, c, cell, h, recurrent
    for one, other in both(all_steps, *arrays, words)[:-1]:  # but for the addresses
        assert one.tobytes() == other.tobytes()
    dh, dc = rng.standard_normal((2, batch, units)).astype("float32")
    dz, gates = rng.standard_normal((2, steps, batch, 4, units)).astype("float32")
    back = np.ascontiguousarray(recurrent.T)
    words = product_words(dz[0].reshape(batch, 4 * units), back, dh)
    assert words is not None
    for has_later in (False, True):
        given = dz, dh, dc, slopes, gates, later, back, words, has_later
        for one, other in both(all_back, *given)[:-1]:
            assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_of_a_gru(dtype: str) -> None:
    rng = np.random.default_rng(8)
    z, share, bias = rng.uniform(-3, 3, (3, 6, 15)).astype(dtype)
    before, kept, dh = rng.standard_normal((3, 6, 5)).astype(dtype)
    if dtype == "float32":  # the twin's tanh
        args = z, share, bias, before, np.empty_like(before), np.empty_like(before)
        assert_same_bits(both(gru_steps.usual_cell, *args))
    out = np.empty_like(z), np.empty_like(z), np.empty_like(dh)
    assert_same_bits(both(gru_steps.usual_step_back, dh, z, before, kept, *out))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 4096, 4099])
@pytest.mark.parametrize("state", [(0, 0), (2**32 - 1, 2**32 - 1), (2**31, 5), (7, 2**31)])
def test_random_words(count: int, state: tuple[int, int]) -> None:
    assert_same_bits(both(random_words, np.empty(count, np.int64), *state))
    if count < 9:
        words = np.empty(count, np.int64)
        philox_loops.philox(words, *state)
        assert_same_bits([(words, both(random_words, words, *state)[0][0])])


def test_polynomials() -> None:
    rng = np.random.default_rng(5)
    x = (30 * rng.standard_normal((40, 19))).astype("float32")
    x[0, :6] = np.nan, -np.inf, 0, -0.0, 1e-45, -3e38
    assert_same_bits(both(polynomials.tanh_twin, x))
    assert_same_bits(both(polynomials.exp_of_less, x, np.nanmax(x, axis=1)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_gradient(dtype: str) -> None:
    rng = np.random.default_rng(4)
    g, weights = rng.standard_normal((2, 9, 21)).astype(dtype)
    assert_same_bits(both(softmax_gradient, g, weights, g[:, 3].copy()))


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

    twin = Twin(plain, loops.add_row_relu, minimum=10, patience=2 * CALL)
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
    twin(y[:, ::2].repeat(2, 0)[::2], row[:3])  # of the same kind, but not contiguous
    assert len(calls) == 4


def test_what_is_on_disk_is_used_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERNELMODEL_NUMBA", "1")
    monkeypatch.setattr(numba_support, "LOADING", 2 * CALL)
    monkeypatch.setattr(numba_support, "LOADED", 2 * CALL)
    arrays = np.ones((4, 6), "float32"), np.ones(6, "float32")

    def ready() -> bool:
        twin, done = Twin(epilogue.plain_add_row_relu, loops.add_row_relu, minimum=1), Event()
        twin(*arrays)
        assert not twin.asked
        twin(*arrays)
        assert list(twin.asked.values()) == [False]
        background().queue.put(done.set)
        assert done.wait(60)
        return bool(twin.ready)

    loaded(loops.add_row_relu, *map(kind_of, arrays))
    assert ready()
    monkeypatch.setenv("KERNELMODEL_CACHE_DIR", str(tmp_path))
    assert not ready()


def test_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERNELMODEL_NUMBA", "0")
    twin = Twin(epilogue.plain_add_row_relu, loops.add_row_relu, minimum=1, patience=1)
    twin(np.ones((4, 6), "float32"), np.ones(6, "float32"))
    assert not twin.asked


@pytest.mark.parametrize("make", [
    lambda: np.ones((4, 6), "float16"),
    lambda: np.ones((4, 6), "float32").astype(">f4"),
    lambda: np.ma.ones((4, 6)),
])  # fmt: skip
def test_arrays_that_twins_do_not_take(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERNELMODEL_NUMBA", "1")
    twin = Twin(epilogue.plain_add_row_relu, loops.add_row_relu, minimum=1, patience=1)
    monkeypatch.setattr(numba_support, "background", lambda: pytest.fail("asked for"))
    y = make()
    twin(y, y[0].copy())
    assert y[0, 0] == 2


def wrong(y: np.ndarray) -> None:
    y.no_such_method()


def allocating(y: np.ndarray) -> None:
    y[:] = np.ones(y.size)


@pytest.mark.parametrize("loops", [wrong, allocating, len])
def test_a_twin_that_does_not_compile_warns(loops: Any) -> None:
    twin = Twin(lambda y: None, loops, minimum=1)
    with pytest.warns(RuntimeWarning, match=f"could not compile {loops.__name__}"):
        twin.prepare(("key",), ["float64 1"])
    assert not twin.ready


def test_code_that_calls_what_may_not_be_there_is_refused() -> None:
    text = "declare void @NRT_Allocate()\ndefine void @kernelmodel_entry() {\n"
    text += "  call void @NRT_Allocate()\n  ret void\n}"
    with pytest.raises(ValueError, match="NRT_Allocate"):
        compile_loops.object_file(text)


SOURCE = "def fill(y, value, count):\n    for i in range(count):\n        y[i] = value\n"
KINDS = ["float32 1", "float32", "int"]


def test_what_is_on_disk_is_not_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERNELMODEL_CACHE_DIR", str(tmp_path / "new"))
    file = machine_code.file_name(SOURCE, "fill", KINDS)
    assert file != machine_code.file_name(SOURCE, "fill", ["float64 1", "float64", "int"])
    assert machine_code.read(file) is None
    made = COMPILER.compile(SOURCE, "fill", KINDS)
    machine_code.write(file, *made)
    assert machine_code.read(file) == made
    assert [path.name for path in (tmp_path / "new").iterdir()] == [file]
    y = np.zeros(4, "float32")
    assert machine_code.load(*made, KINDS)(y, np.float32(2.5), 3) == 0
    assert y.tolist() == [2.5, 2.5, 2.5, 0]


def test_what_is_broken_on_disk_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERNELMODEL_CACHE_DIR", str(tmp_path))
    machine_code.write("a", "name", b"code")
    for broken in (b"", (tmp_path / "a").read_bytes()[:-1]):
        (tmp_path / "a").write_bytes(broken)
        assert machine_code.read("a") is None


def test_no_folder_to_write_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KERNELMODEL_CACHE_DIR", str(tmp_path / "file"))
    machine_code.write("a", "name", b"code")
    assert machine_code.read("a") is None
    y = np.zeros((2, 2))
    assert loaded(loops.add_row_relu, "float64 2", "float64 1")(y, np.ones(2)) == 0
    assert y.sum() == 4


@pytest.mark.parametrize(
    "name, step", [("DATA", 1), ("DESCRIPTION", -1), ("ITEMS", -1), ("KIND", -1)]
)
def test_objects_of_another_structure_are_refused(
    name: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_code.check_objects.__wrapped__()
    monkeypatch.setattr(machine_code, name, getattr(machine_code, name) + step)
    with pytest.raises(CannotCompile, match="another structure"):
        machine_code.check_objects.__wrapped__()


def test_a_compiler_that_dies_is_followed_by_another() -> None:
    compiler = Compiler()
    made = compiler.compile(SOURCE, "fill", KINDS)
    compiler.kill()
    with pytest.raises(CannotCompile, match="has ended"):
        compiler.compile(SOURCE, "fill", KINDS)
    assert compiler.compile(SOURCE, "fill", KINDS)[0] == made[0]
    compiler.end()
    assert compiler.process is None


@pytest.mark.skipif(os.name != "posix", reason="Windows has no process groups")
def test_an_interrupt_of_the_training_does_not_reach_the_compiler() -> None:
    """A terminal and Jupyter send it to all processes of the group."""
    COMPILER.compile(SOURCE, "fill", KINDS)
    assert COMPILER.process is not None
    assert os.getpgid(COMPILER.process.pid) != os.getpgid(0)


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*paths: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("KERNELMODEL_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(machine_code.os, "replace", full)
    machine_code.write("a", "name", b"code")
    assert not list(tmp_path.iterdir())


def test_answers() -> None:
    def compile(name: str) -> tuple[str, bytes]:
        if name == "absent":
            raise ImportError
        if name == "wrong":
            raise TypeError("of what?")
        return name, b"code"

    jobs = [json.dumps({"name": name}) for name in ("right", "absent", "wrong")]
    assert [json.loads(line) for line in compile_loops.answers(iter(jobs), compile)] == [
        {"symbol": "right", "code": "Y29kZQ=="},
        {"missing": True},
        {"error": "TypeError: of what?"},
    ]


PROGRAM = """
import sys
sys.modules["llvmlite"] = None  # as if neither it nor Numba were installed
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


ENDING = """
import numpy as np
from kernelmodel.engine.kernels import epilogue, loops
from kernelmodel.engine.numba_support import Twin, background
twin = Twin(epilogue.plain_add_row_relu, loops.add_row_relu, minimum=1, patience=1)
twin(np.ones((4, 6)), np.ones(6))
{wait}
print(background().compiler.process is not None)
"""


@pytest.mark.parametrize("wait", ["", "while not background().compiler.process: pass"])
def test_python_ends_while_something_is_compiled(wait: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ENDING.format(wait=wait)],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "KERNELMODEL_NUMBA": "1", "KERNELMODEL_CACHE_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert not wait or done.stdout == "True\n"
    assert not list(tmp_path.iterdir())


def test_numba_is_not_imported_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even by what compiles."""
    code = """
import sys, threading
import numpy as np
from kernelmodel.engine.kernels import epilogue
from kernelmodel.engine.numba_support import background
y, done = np.ones((4, 6)), threading.Event()
epilogue.add_row_relu.minimum = epilogue.add_row_relu.patience = 1
epilogue.add_row_relu(y, np.ones(6))
background().queue.put(done.set)
done.wait(120)
epilogue.add_row_relu(y, np.ones(6))
assert epilogue.add_row_relu.ready and y[0, 0] == 3
assert "numba" not in sys.modules
"""
    monkeypatch.setenv("KERNELMODEL_NUMBA", "1")
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

    monkeypatch.setenv("KERNELMODEL_NUMBA", "1")
    for twin in twins:
        monkeypatch.setattr(twin, "patience", 1 << 60)
        monkeypatch.setattr(twin, "ready", {})
        monkeypatch.setattr(twin, "asked", {})
    expected = step()
    for twin in twins:
        monkeypatch.setattr(twin, "patience", 1)
    limit = time.monotonic() + 60
    assert step() == expected
    while not all(twin.ready for twin in twins) and time.monotonic() < limit:
        time.sleep(0.01)
    assert all(twin.ready for twin in twins)
    assert step() == expected
