"""Metrics: what one of them does that others don't."""

from __future__ import annotations

import timeit

import numpy as np
import pytest

from kernelmodel import losses, metrics
from kernelmodel.core.context import Context
from kernelmodel.core.variable import Variable


def test_a_mask_takes_samples_out():
    y_true, y_pred = np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [1.0], [9.0]])
    keep = np.array([True, True, False])
    with Context() as context:
        context.set_mask(y_pred, keep)
        metric = metrics.MeanAbsoluteError()
        metric.update_state(y_true, y_pred)
        assert float(metric.result()) == 0.5
        weighted = metrics.MeanAbsoluteError()
        weighted.update_state(y_true, y_pred, sample_weight=[3.0, 1.0, 5.0])
        assert float(weighted.result()) == 0.75


def test_top_k_counts_ties_and_refuses_what_is_not_finite():
    metric = metrics.SparseTopKCategoricalAccuracy(k=1)
    metric.update_state([0, 1, 0], [[1.0, 1.0], [1.0, 1.0], [np.nan, 1.0]])
    assert float(metric.result()) == pytest.approx(2 / 3)


def test_sorted_ids():
    metric = metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)
    metric.update_state([7, 3], [[3, 7, 1], [1, 2, 3]])
    assert float(metric.result()) == 0.5
    assert metrics.deserialize(metrics.serialize(metric)).from_sorted_ids


def test_threshold():
    assert float(metrics.BinaryAccuracy(threshold=0.2)([[1.0]], [[0.3]])) == 1


def test_labels_as_a_column():
    metric = metrics.SparseCategoricalAccuracy()
    metric.update_state([[1], [0]], [[0.2, 0.8], [0.1, 0.9]])
    assert float(metric.result()) == 0.5


@pytest.mark.parametrize(
    ("metric", "y_true", "advice"),
    [
        (metrics.SparseCategoricalAccuracy(), np.zeros((6, 4)), "one-hot"),
        (metrics.CategoricalAccuracy(), np.zeros(6), "integer labels"),
        (metrics.CategoricalAccuracy(), np.zeros((6, 1)), "integer labels"),
        (metrics.BinaryAccuracy(), np.zeros(6), "sparse_categorical"),
    ],
)
def test_wrong_targets_get_advice(metric, y_true, advice):
    with pytest.raises(ValueError, match=advice) as caught:
        metric.update_state(y_true, np.zeros((6, 4)))
    assert metric.name in str(caught.value)


def test_own_metrics_and_nested_ones():
    class Both(metrics.Metric):
        def __init__(self):
            super().__init__(name="both")
            self.inner = metrics.Mean("inner")
            self.calls = Variable(0.0, trainable=False, name="calls")

        def update_state(self, values):
            self.inner.update_state(values)
            self.calls.assign_add(1.0)

        def result(self):
            return {"mean": self.inner.result(), "calls": self.calls.value}

    both = Both()
    both.update_state([1.0, 3.0])
    assert [v.name for v in both.variables] == ["calls", "total", "count"]
    assert {k: float(v) for k, v in both.result().items()} == {"mean": 2, "calls": 1}
    both.reset_state()
    assert {k: float(v) for k, v in both.result().items()} == {"mean": 0, "calls": 0}


def test_super_init_must_come_first():
    class Early(metrics.Metric):
        def __init__(self):
            self.total = self.add_variable()

    with pytest.raises(RuntimeError, match=r"super\(\)"):
        Early()


def test_bases_say_what_is_missing():
    with pytest.raises(NotImplementedError, match="update_state"):
        metrics.Metric().update_state()
    with pytest.raises(NotImplementedError, match="result"):
        metrics.Metric().result()


def test_directions():
    assert metrics.Accuracy()._direction == "up"
    assert metrics.MeanMetricWrapper(losses.huber)._direction == "down"
    assert metrics.MeanMetricWrapper(lambda t, p: p)._direction is None


def test_scalars_count_once():
    metric = metrics.Mean()
    for loss in (np.float32(1.0), 3.0, np.array(5.0)):
        metric.update_state(loss)
    assert float(metric.result()) == 3


def test_weights_of_scalars():
    metric = metrics.Mean()
    metric.update_state(np.float32(2.0), sample_weight=3)
    metric.update_state(np.float32(6.0), sample_weight=1)
    assert float(metric.result()) == 3


def test_a_batch_is_cheap():
    metric = metrics.SparseCategoricalAccuracy()
    labels = np.arange(32) % 10
    scores = np.random.default_rng(0).random((32, 10)).astype("float32")
    with Context(pure=True):
        seconds = min(
            timeit.repeat(lambda: metric.update_state(labels, scores), number=100, repeat=5)
        )
    assert seconds / 100 < 100e-6  # about 10 microseconds on a quiet machine


@pytest.mark.oracle
def test_ignored_class_as_keras(keras):
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 4, 8), rng.normal(size=(8, 4)).astype("float32")
    for weights in (None, rng.uniform(size=8)):
        ours = metrics.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)
        theirs = keras.metrics.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)
        ours.update_state(labels, scores, weights)
        theirs.update_state(labels, scores, weights)
        assert float(ours.result()) == pytest.approx(float(theirs.result()), rel=1e-5)


@pytest.mark.oracle
def test_top_k_as_keras(keras):
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 6, 50), rng.integers(0, 5, (50, 6)).astype("float32")
    for k in (1, 2, 5, 10):
        ours = metrics.SparseTopKCategoricalAccuracy(k=k)(labels, scores)
        theirs = keras.metrics.SparseTopKCategoricalAccuracy(k=k)(labels, scores)
        assert float(ours) == pytest.approx(float(theirs)), k
