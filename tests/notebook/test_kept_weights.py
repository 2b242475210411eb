"""Weights of epochs: how many are kept, which ones, and that they stay as they were."""

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.notebook.kept_weights import KeptWeights


def weights(size=100):
    return [np.zeros(size, "uint8")]


def epochs(kept):
    return [one.epoch for one in kept.epochs]


def test_all_epochs_are_kept_while_there_is_room():
    kept = KeptWeights(1000)
    for epoch in range(10):
        kept.add(epoch, weights(), {"loss": epoch}, is_best=epoch == 0)
    assert epochs(kept) == list(range(10)) and kept.held == 1000
    assert kept[3].values == {"loss": 3}


def test_too_many_are_thinned_evenly_within_the_limit():
    kept = KeptWeights(1000)
    for epoch in range(500):
        kept.add(epoch, weights(), {}, is_best=epoch == 77)
        assert kept.held == 100 * len(kept) <= 1000
        assert epoch in kept
    assert 77 in kept and kept.best == 77
    rest = [e for e in epochs(kept) if e not in (77, 499)]
    assert rest == list(range(0, 500, 64))


def test_the_number_is_limited_too():
    kept = KeptWeights(1e9, most=20)
    for epoch in range(1000):
        kept.add(epoch, weights(1), {}, is_best=True)
        assert len(kept) <= 20
    assert kept.best == 999


def test_a_better_epoch_takes_the_place_of_the_best():
    kept = KeptWeights(300)
    for epoch in range(9):
        kept.add(epoch, weights(), {}, is_best=epoch in (1, 5))
    assert kept.best == 5 and 1 not in kept and epochs(kept) == [0, 5, 8]


@pytest.mark.parametrize(("limit", "expected"), [(250, [4, 8]), (150, [4]), (99, []), (0, [])])
def test_little_room(limit, expected):
    kept = KeptWeights(limit)
    for epoch in range(9):
        kept.add(epoch, weights(), {}, is_best=epoch in (0, 4))
        assert kept.held <= limit
    assert epochs(kept) == expected
    assert kept.fits == bool(expected) and kept.needed == 100


def test_what_did_not_change_is_held_once():
    kept = KeptWeights(1000)
    frozen = weights(900)[0]
    for epoch in range(5):
        kept.add(epoch, [frozen, *weights(20)], {}, is_best=False)
    assert kept.held == 1000 and epochs(kept) == list(range(5))
    kept.clear()
    assert kept.held == 0 and epochs(kept) == []


def test_epochs_may_start_anywhere():
    kept = KeptWeights(400)
    for epoch in range(7, 20):
        kept.add(epoch, weights(), {}, is_best=False)
    assert epochs(kept)[0] == 7 and epochs(kept)[-1] == 19


OPTIMIZERS = [
    name
    for name in km.optimizers.__all__
    if isinstance(getattr(km.optimizers, name), type)
    and issubclass(getattr(km.optimizers, name), km.optimizers.Optimizer)
    and name != "Optimizer"
]


def made(name):
    """Return an optimizer of a class; some hold others."""
    sgd = km.optimizers.SGD
    held = {"LossScaleOptimizer": sgd(0.01), "MultiOptimizer": lambda variable: sgd(0.01)}
    return getattr(km.optimizers, name)(held.get(name, 0.01))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_never_writes_into_the_arrays_of_weights(name):
    """What `KeptWeights` relies on: it holds arrays without copying them."""
    km.utils.set_random_seed(1)
    model = km.Sequential(
        [km.Input((8,)), km.layers.Dense(64), km.layers.BatchNormalization(), km.layers.Dense(1)]
    )
    model.compile(made(name), "mse")
    x = np.random.default_rng(0).random((32, 8), "float32")
    model.fit(x, x[:, :1], epochs=1, verbose=0)
    held = [variable.value for variable in model.weights]
    copies = [np.array(array) for array in held]
    model.fit(x, x[:, :1], epochs=2, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(held, copies))
    changed = [not np.array_equal(v.numpy(), c) for v, c in zip(model.weights, copies)]
    assert any(changed)
