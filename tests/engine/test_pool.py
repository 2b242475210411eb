"""Memory used again: never while anybody holds it, and not without end."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from kernelmodel.engine import pool

SHAPE = (300, 100)  # float32: 120 kB


@pytest.fixture(autouse=True)
def own_pool(monkeypatch: pytest.MonkeyPatch) -> pool.Pool:
    fresh = pool.Pool(limit=1 << 20)
    monkeypatch.setattr(pool, "_pool", fresh)
    return fresh


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_memory_comes_back_when_nobody_holds_it() -> None:
    array = pool.empty(SHAPE, "float32")
    assert array.shape == SHAPE
    assert array.dtype == np.float32
    assert array.flags.c_contiguous
    assert address(array) % pool.ALIGNMENT == 0
    first = address(array)
    del array
    assert address(pool.empty((100, 300), "float32")) == first
    assert address(pool.empty((150, 100), "float64")) == first


@pytest.mark.parametrize(
    "hold",
    [
        lambda a: a,
        lambda a: a[7:, ::2].T,
        lambda a: a.reshape(-1).view("uint8")[5:6],
        lambda a: memoryview(a),
        lambda a: np.broadcast_to(a, (2, *a.shape)),
        lambda a: np.lib.stride_tricks.as_strided(a, (3, 3), (4, 4)),
        lambda a: a.view(np.matrix),
        lambda a: np.frombuffer(a, "float32"),
        lambda a: {"nested": [a[0]]},
    ],
)
def test_memory_that_is_held_in_any_way_is_not_given_out(hold: object) -> None:
    array = pool.empty(SHAPE, "float32")
    first = address(array)
    kept = hold(array)  # type: ignore[operator]
    del array
    others = [pool.empty(SHAPE, "float32") for _ in range(20)]
    assert all(address(other) != first for other in others)
    del kept
    del others


def test_small_and_very_large_arrays_are_ordinary(own_pool: pool.Pool) -> None:
    assert pool.empty(10, "float32").base is None
    assert pool.empty((pool.LIMIT,), "uint8").base is None
    assert own_pool.held == 0


def test_no_more_than_the_limit_is_remembered(own_pool: pool.Pool) -> None:
    kept = [pool.empty((n, 1000), "uint8") for n in range(70, 200)]
    assert own_pool.held <= own_pool.limit
    assert own_pool.held == sum(size * len(b) for size, b in own_pool.blocks.items())
    for n, array in enumerate(kept):
        array.fill(n)
    assert all((array == n).all() for n, array in enumerate(kept))
    many = [pool.empty(SHAPE, "uint8") for _ in range(100)]
    assert len({address(a) for a in many}) == 100
    assert own_pool.held <= own_pool.limit
    own_pool.clear()
    assert own_pool.held == 0


def test_zeros() -> None:
    pool.empty(SHAPE, "float32").fill(7)
    assert not pool.zeros(SHAPE, "float32").any()
    assert not pool.zeros(3, "int8").any()


def test_threads_never_share_a_block() -> None:
    wrong: list[int] = []

    def work(mark: int) -> None:
        for _ in range(300):
            a, b = pool.empty(SHAPE, "float32"), pool.empty(SHAPE, "float32")
            a.fill(mark)
            b.fill(-mark)
            if a.min() != mark or a.max() != mark or b.min() != -mark or b.max() != -mark:
                wrong.append(mark)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
