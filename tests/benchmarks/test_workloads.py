"""Each library trains the same model: as many weights, and a loss that falls."""

import importlib
import importlib.util
from dataclasses import replace

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.models.costs import Costs
from tests.benchmarks import child, floor, keras_like
from tests.benchmarks.workloads import AXES, WORKLOADS

TORCH = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch isn't installed"
)
SMALL = {
    name: replace(workload, batch=8, steps=2, options={k: min(v, 16) for k, v in o.items()})
    for name, workload in WORKLOADS.items()
    if name != "mlp_wide"  # small, it is the other one
    for o in [workload.options]
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(
    "adapter", ["raw_jax", pytest.param("raw_torch", marks=[pytest.mark.torch, TORCH])]
)
def test_the_same_model_by_hand(adapter, name):
    module, workload = importlib.import_module(f"tests.benchmarks.{adapter}"), SMALL[name]
    run, ours = module.Run(workload), keras_like.Run(workload, km)
    assert run.parameters() == ours.parameters()
    x, y = workload.data()
    first = run.fit(x, y)
    assert first == pytest.approx(np.log(10), rel=0.3)
    for _ in range(40):
        last = run.fit(x, y)
    assert last < first
    found, wanted = run.predict(x, 8), ours.predict(x, 8)
    assert found.shape == wanted.shape == (16, 10)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(run.call(x[:1]), found[:1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_floor_is_the_products_of_a_step(name):
    """Two to three times those of the forward pass: the first layer needs no input's gradient."""
    workload = WORKLOADS[name]
    forward = workload.batch * Costs(keras_like.Run(workload, km).model).total.flops
    products = floor.KINDS[workload.kind](workload.batch, **workload.options)
    assert 1.7 < sum(2 * count * m * k * n for count, m, k, n in products) / forward < 3


def test_scaling_changes_one_thing():
    for axis, points in AXES.items():
        for value, workload in points.items():
            assert value in (workload.batch, *workload.options.values()), axis


def test_memory_that_a_process_gained():
    workload = replace(WORKLOADS["mlp_small"], steps=1)
    found = child.grows(lambda: keras_like.Run(workload, km), workload, count=10, rebuild=False)
    assert set(found) == {"resident", "traced"} and found["traced"] < 1
