"""Products of a plan that are computed together: which they are, and that no bit changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.engine import parallel
from kernelmodel.engine.kernels import product as module
from kernelmodel.engine.kernels.product import product, shared_product, shared_products
from kernelmodel.engine.plan import Plan
from kernelmodel.engine.plan_fusion import Line, rewritten

SIZE = 72  # a product of two such squares is just large


@pytest.fixture(params=[1, 2])
def threads(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "width", lambda: request.param)
    monkeypatch.setattr(module, "WAKE", 0)
    monkeypatch.setattr(module, "SHARE", 1 << 14)


def joined(step: Callable[..., Any], count: int = 3) -> list[int]:
    """How many products each line of a plan computes; what the plan computes is checked."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((SIZE, SIZE)).astype("float32") for _ in range(count)]
    plan = Plan()
    results = step(*(plan.input(array.copy()) for array in arrays))
    function = plan.compile(results)
    for found, expected in zip(function(*(a.copy() for a in arrays)), step(*arrays), strict=True):
        assert found.tobytes() == expected.tobytes()
    ending = Line("", None, {result.name for result in results}, None)
    return [
        1 if line.function is shared_product else len(line.args[0])
        for line in rewritten([*plan.lines, ending], plan.line)
        if line.function in (shared_product, shared_products)
    ]


def test_products_that_do_not_wait_for_one_another(threads: None) -> None:
    assert joined(lambda a, b, c: [product(a, b), product(a.T, c), product(c, c)]) == [3]


def test_a_product_of_a_product_waits(threads: None) -> None:
    def step(a: Any, b: Any, c: Any) -> Any:
        first = product(a, b)
        return [product(first, c), product(c, b), product(first.T, b), first]

    assert joined(step) == [2, 2]


def test_views_move_up_and_work_does_not(threads: None) -> None:
    def step(a: Any, b: Any, c: Any) -> Any:
        first = product(a, b)
        viewed = np.reshape(np.reshape(c, (SIZE // 2, 2 * SIZE)), (SIZE, SIZE))
        return [first, product(viewed, b), product(np.exp(a), b)]

    assert joined(step) == [2, 1]


@pytest.mark.parametrize("other_view", [False, True])
def test_what_is_changed_in_place_is_a_barrier(threads: None, other_view: bool) -> None:
    def step(a: Any, b: Any, c: Any) -> Any:
        own = np.multiply(c, 2)
        seen = own.reshape(SIZE * SIZE) if other_view else own
        first = product(a, b)
        np.add(seen, 1, out=seen)
        return [first, product(own, b), product(b, a)]

    assert joined(step) == [2, 1]


def test_what_nobody_reads_is_not_computed() -> None:
    assert joined(lambda a, b, c: [(product(a, b), product(c, b))[1]]) == [1]


def test_several_products_are_the_same_bits_as_one_by_one(threads: None) -> None:
    rng = np.random.default_rng(1)
    factors = [
        (rng.standard_normal((n, 40)), rng.standard_normal((40, m)), None)
        for n, m in ((300, 20), (20, 300), (1, 1), (0, 3))
    ]
    together = shared_products(factors)
    for (a, b, _), found in zip(factors, together, strict=True):
        (alone,) = shared_products([(a, b, None)])
        assert found.tobytes() == alone.tobytes()
        np.testing.assert_allclose(found, a @ b, rtol=1e-12)
    out = np.empty((300, 20))
    assert shared_products([(*factors[0][:2], out)])[0] is out


def test_attention_trains_as_without_plans() -> None:
    """Its three projections are one line of the plan, and so are their gradients."""
    x = np.random.default_rng(2).standard_normal((48, 64, 24)).astype("float32")

    def history(eager: bool) -> list[Any]:
        km.utils.set_random_seed(0)
        inputs = km.Input((64, 24))
        heads = km.layers.MultiHeadAttention(2, 12)(inputs, inputs)
        model = km.Model(inputs, km.layers.Dense(24, activation="relu")(heads))
        model.compile("adam", "mse", run_eagerly=eager)
        losses = model.fit(x, x, batch_size=16, epochs=3, verbose=0).history["loss"]
        return [losses, *(weight.tobytes() for weight in model.get_weights())]

    assert history(eager=False) == history(eager=True)
