"""Subnormal numbers are zeros in steps, on whatever thread, and nowhere else."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.engine import parallel
from kernelmodel.engine.subnormals import SubnormalsAsZeros

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64",
    reason="only x86-64 Linux is told to leave them out",
)


@pytest.fixture(autouse=True)
def no_rule() -> None:
    """End the rule of a step that an earlier test has interrupted."""
    with SubnormalsAsZeros():
        pass


def product() -> np.ndarray:
    return np.full(8, 1e-30, "float32") * np.float32(1e-10)


def is_subnormal(x: np.ndarray) -> np.ndarray:
    return (x != 0) & (abs(x) < np.finfo("float32").tiny)


def test_in_the_block_alone() -> None:
    with SubnormalsAsZeros():
        assert not product().any()
    assert product().all()


def test_a_block_that_was_kept_from_ending_ends_with_the_next() -> None:
    SubnormalsAsZeros().__enter__()
    with SubnormalsAsZeros():
        assert not product().any()
    assert product().all()


def test_an_error_ends_it() -> None:
    with pytest.raises(KeyError), SubnormalsAsZeros():
        raise KeyError
    assert product().all()


def test_rounding_and_error_state_stay() -> None:
    with SubnormalsAsZeros(), np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        np.ones(1) / 0
    assert np.float64(1) + np.float64(2) ** -53 == 1  # to even, as before


def test_helping_threads_do_as_their_caller() -> None:
    team, all_here = parallel.Team(), threading.Barrier(4)
    found: dict[bool, list[Any]] = {False: [], True: []}

    def body(_: int) -> None:
        all_here.wait(60)  # so each thread has one of the four tasks
        found[as_zeros].append(product().any())

    for as_zeros in (False, True, False, True):
        with SubnormalsAsZeros() if as_zeros else nullcontext():
            team.run(body, 4, 3)
    assert found == {False: [True] * 8, True: [False] * 8}


class Seen(km.callbacks.Callback):
    """Multiplies in the hooks of batches."""

    def __init__(self) -> None:
        super().__init__()
        self.products: list[np.ndarray] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.products.append(product())


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_moments_of_a_dead_unit(run_eagerly: bool) -> None:
    model = km.Sequential([km.Input((2,)), km.layers.Dense(3, "relu"), km.layers.Dense(1)])
    optimizer = km.optimizers.Adam(0.01)
    model.compile(optimizer, "mse", run_eagerly=run_eagerly)
    x, y = np.random.default_rng(0).random((16, 2), "float32"), np.ones((16, 1), "float32")
    bias = model.layers[0].bias
    bias.assign([9.0, 9.0, 9.0])
    model.fit(x, y, verbose=0)
    moment = next(v for v in optimizer.variables if v.shape == (3,))
    assert np.asarray(moment).all()
    bias.assign([-100.0, 9.0, 9.0])
    seen = Seen()
    model.fit(x, y, epochs=900, verbose=0, callbacks=[seen])
    moments = np.asarray(moment)
    assert not is_subnormal(moments).any() and abs(moments[0]) < 1e-36
    assert np.all(seen.products)


def test_a_loop_of_ones_own() -> None:
    weight = km.Variable(np.ones(2, "float32"))
    optimizer = km.optimizers.Adam(0.01)
    for step in range(900):
        optimizer.apply([np.float32([step == 0, 1])], [weight])
    first = next(np.asarray(v) for v in optimizer.variables if v.shape == (2,))
    assert not is_subnormal(first).any() and first[0] < 1e-36 and first[1] > 0.9
    assert product().all()
