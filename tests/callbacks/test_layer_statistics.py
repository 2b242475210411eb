"""Statistics of arrays that a monitor takes in the middle of a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kernelmodel.callbacks.layer_monitor.activity import Activity, activity_of, alive_units
from kernelmodel.callbacks.layer_monitor.statistics import BINS, histogram, norm
from kernelmodel.layers import LSTM, Activation, Conv2D, Dense, LeakyReLU, ReLU, SimpleRNN, Softmax

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_histogram_as_numpy_counts(dtype: str) -> None:
    arrays = [RNG.normal(size=(30, 40)).astype(dtype), RNG.normal(size=7).astype(dtype)]
    found = histogram(arrays)
    assert found is not None
    everything = np.concatenate([a.ravel() for a in arrays]).astype("float64")
    counts, edges = np.histogram(everything, bins=BINS)
    assert found.counts == tuple(counts)
    assert (found.low, found.high) == (edges[0], edges[-1])


def test_histogram_of_many_values_has_their_shape() -> None:
    values = RNG.normal(size=(1000, 300)).astype("float32")
    found = histogram([values])
    assert found is not None and 2048 <= sum(found.counts) <= 4096
    expected, _ = np.histogram(values, bins=BINS, range=(found.low, found.high))
    shares = np.array(found.counts) / sum(found.counts)
    assert np.abs(shares - expected / values.size).max() < 0.02


@pytest.mark.parametrize(
    ("values", "total"),
    [([], None), ([np.nan, np.inf], None), ([2.0, 2.0], 2), ([1.0, np.nan, 3.0], 2)],
)
def test_histogram_of_odd_values(values: Any, total: int | None) -> None:
    found = histogram([np.array(values, "float32")])
    assert (None if found is None else sum(found.counts)) == total


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1.0, 1e12, 1e30])
def test_norm_beyond_the_range_of_squares(scale: float) -> None:
    arrays = [(scale * RNG.normal(size=shape)).astype("float32") for shape in ((20, 30), (5,))]
    wide = np.concatenate([a.ravel() for a in arrays]).astype("float64")
    assert norm(arrays) == pytest.approx(np.linalg.norm(wide), rel=1e-5)


def test_norm_of_what_is_not_finite() -> None:
    assert np.isnan(norm([np.array([1.0, np.nan], "float32")]))
    assert norm([np.array([1.0, -np.inf], "float32")]) == np.inf
    assert norm([]) == 0


@pytest.mark.parametrize("shape", [(1, 9), (50, 40), (64, 5, 6, 16)])
def test_alive_units(shape: tuple[int, ...]) -> None:
    output = np.maximum(RNG.normal(size=shape), 0)
    output[..., ::3] = 0
    output[-1, ..., 0] = 1  # alive in the last sample only
    assert np.array_equal(alive_units(output), (output != 0).any(axis=tuple(range(len(shape) - 1))))


def test_dead_units_over_calls_and_steps() -> None:
    activity = Activity("dead", -1)
    one, two = np.zeros((40, 4)), np.zeros((40, 4))
    one[3, 0], two[5, 1] = 1, 1
    for step in range(5):
        activity.begin()
        activity.add(one)
        if step == 4:
            activity.add(two)  # a shared layer is called twice: alive if it is in one of the calls
        activity.end()
        assert activity.dead == (0.5 if step == 4 else 0.75)
        # 40 samples a step: only after the fourth one 128 were seen.
        assert activity.surely_dead == (0.5 if step == 4 else 0.75 if step == 3 else 0)


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("tanh", lambda x: (np.abs(np.tanh(x)) > 0.99, np.tanh(x))),
        ("sigmoid", lambda x: (np.abs(x) > np.log(99), 1 / (1 + np.exp(-x)))),
    ],
)
def test_saturated_values(kind: str, function: Any) -> None:
    beyond, output = function(4 * RNG.normal(size=(30, 20)))
    activity = Activity(kind, -1)
    activity.add(output)
    assert 0 < beyond.mean() < 1
    assert activity.saturated == pytest.approx(beyond.mean())
    assert activity.dead is None


def test_saturated_softmax_counts_rows() -> None:
    activity = Activity("softmax", -1)
    activity.add(np.array([[0.995, 0.005], [0.5, 0.5], [0.0, 1.0], [0.2, 0.8]]))
    assert activity.saturated == 0.5


@pytest.mark.parametrize(
    ("layer", "kind", "axis"),
    [
        (Dense(3, "relu"), "dead", -1),
        (Dense(3, "tanh"), "tanh", -1),
        (Dense(3, "sigmoid"), "sigmoid", -1),
        (Conv2D(3, 3, activation="relu", data_format="channels_first"), "dead", 1),
        (Activation("relu6"), "dead", -1),
        (ReLU(), "dead", -1),
        (Softmax(), "softmax", -1),
        (SimpleRNN(3), "tanh", -1),
    ],
)
def test_what_is_measured(layer: Any, kind: str, axis: int) -> None:
    found = activity_of(layer)
    assert found is not None and (found.kind, found.axis) == (kind, axis)


@pytest.mark.parametrize("layer", [Dense(3), Dense(3, "gelu"), LSTM(3), LeakyReLU()])
def test_what_is_not_measured(layer: Any) -> None:
    assert activity_of(layer) is None
