"""What holds for every metric of the table."""

from __future__ import annotations

import importlib
import inspect
import json

import numpy as np
import pytest

from kernelmodel import losses, metrics
from kernelmodel.core.context import Context
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.engine.tensor import Tensor
from kernelmodel.engine.xla_array import unwrap, wrap
from kernelmodel.metrics import REGISTRY, Metric

CLASSES = sorted(
    {c for c in REGISTRY.classes.values() if isinstance(c, type)}, key=lambda cls: cls.__name__
)
OPTIONS = {
    "MeanMetricWrapper": {"fn": losses.huber, "delta": 0.5},
    "TopKCategoricalAccuracy": {"k": 2},
    "SparseTopKCategoricalAccuracy": {"k": 2},
}


def takes_pairs(metric: Metric) -> bool:
    return "y_pred" in inspect.signature(metric.update_state).parameters


def example(metric: Metric, seed: int = 0, size: int = 6) -> tuple[np.ndarray, ...]:
    """A batch that the metric takes: values, or targets and predictions."""
    rng, name = np.random.default_rng(seed), type(metric).__name__
    shape = (size, 4)
    scores = np.exp(rng.normal(size=shape))
    probabilities = (scores / scores.sum(-1, keepdims=True)).astype("float32")
    if not takes_pairs(metric):
        return (rng.normal(size=shape).astype("float32"),)
    if "Sparse" in name:
        return rng.integers(0, 4, size), probabilities
    if "Categorical" in name or "KL" in name:
        return np.eye(4, dtype="float32")[rng.integers(0, 4, size)], probabilities
    if "Binary" in name:
        return rng.integers(0, 2, shape).astype("float32"), probabilities
    if name == "Accuracy":
        return rng.integers(0, 2, shape), rng.integers(0, 2, shape)
    return tuple(rng.uniform(0.1, 2.5, (2, *shape)).astype("float32"))


@pytest.fixture(params=CLASSES, ids=lambda cls: cls.__name__)
def metric(request) -> Metric:
    return request.param(**OPTIONS.get(request.param.__name__, {}))


def fresh(metric: Metric) -> Metric:
    return type(metric).from_config(metric.get_config())


def test_starts_at_zero_and_returns_there(metric):
    assert float(metric.result()) == 0
    metric.update_state(*example(metric))
    first = float(metric.result())
    for forget in (metric.reset_state, metric.reset_states):
        forget()
        assert float(metric.result()) == 0
        assert all((v.numpy() == 0).all() for v in metric.variables)
        assert float(metric(*example(metric))) == first


def test_results_are_tensors(metric):
    result = metric(*example(metric))
    assert isinstance(result, Tensor) and result.dtype == "float32" and result.shape == ()
    assert isinstance(result.numpy(), np.ndarray)


def test_batches_add_up(metric):
    for seed in range(3):
        metric.update_state(*example(metric, seed, size=4 + seed))
    whole = fresh(metric)
    batches = [example(metric, seed, size=4 + seed) for seed in range(3)]
    whole.update_state(*map(np.concatenate, zip(*batches)))
    assert float(metric.result()) == pytest.approx(float(whole.result()), rel=1e-5)


def test_whole_number_weights_repeat_samples(metric):
    batch, counts = example(metric), np.array([0, 1, 2, 1, 0, 3])
    metric.update_state(*batch, sample_weight=counts)
    repeated = fresh(metric)
    repeated.update_state(*(np.repeat(part, counts, axis=0) for part in batch))
    assert float(metric.result()) == pytest.approx(float(repeated.result()), rel=1e-5)


def test_weights_may_have_an_axis_more(metric):
    batch, weights = example(metric), np.array([0.0, 1.0, 2.0, 1.0, 0.0, 3.0])
    flat, column = fresh(metric), fresh(metric)
    flat.update_state(*batch, sample_weight=weights)
    column.update_state(*batch, sample_weight=weights[:, None])
    assert float(flat.result()) == pytest.approx(float(column.result()), rel=1e-5)


def test_takes_lists(metric):
    fresh(metric).update_state(*(part.tolist() for part in example(metric)))


def test_traced_predictions_are_detached(metric):
    if type(metric).__name__ == "Accuracy":
        pytest.skip("whole numbers have no gradient")
    *targets, predictions = example(metric)

    def loss(w):
        metric.update_state(*targets, w["y"])
        return (w["y"] ** 2).sum(), None

    value_and_grad(loss, {"y": predictions})
    assert all(type(v.value) is np.ndarray for v in metric.variables)
    assert float(metric.result()) == float(fresh(metric)(*targets, predictions))


def test_a_step_that_is_not_committed_changes_nothing(metric):
    with Context(pure=True):
        metric.update_state(*example(metric))
        inside = float(metric.result())
    assert float(metric.result()) == 0
    with Context(pure=True) as context:
        metric.update_state(*example(metric))
        context.commit()
    assert float(metric.result()) == inside


def test_stateless(metric):
    start = metric.stateless_reset_state()
    after = metric.stateless_update_state(start, *example(metric))
    found = float(metric.stateless_result(after))
    assert float(metric.result()) == 0
    assert found == float(metric(*example(metric)))
    with pytest.raises(ValueError, match="variables"):
        metric.stateless_result([])


def test_under_jit(metric):
    jax = importlib.import_module("jax")
    batch, weights = example(metric), np.linspace(0, 1, 6, dtype="float32")

    def update(values, batch, weights):
        return unwrap(metric.stateless_update_state(wrap(values), *wrap(batch), wrap(weights)))

    values = [v.numpy() for v in metric.variables]
    after = jax.jit(update)(values, batch, weights)
    metric.update_state(*batch, weights)
    for variable, value in zip(metric.variables, after):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-5)
    result = jax.jit(lambda values: unwrap(metric.stateless_result(wrap(values))))(after)
    assert float(result) == pytest.approx(float(metric.result()), rel=1e-5)


def test_nan_is_not_hidden(metric):
    if type(metric).__name__.endswith("Accuracy"):
        pytest.skip("a NaN score is a wrong prediction")
    *targets, predictions = example(metric)
    predictions[0] = np.nan
    assert np.isnan(metric(*targets, predictions))


def test_wrong_shapes_are_explained(metric):
    if not takes_pairs(metric):
        pytest.skip("takes values")
    _, predictions = example(metric)
    with pytest.raises(ValueError, match=r"\(6, 4\).*\(6, 3\)"):
        metric.update_state(np.zeros((6, 3), "float32"), predictions)


def test_variables_have_names_and_dtypes(metric):
    other = type(metric)(**OPTIONS.get(type(metric).__name__, {}), dtype="float64", name="other")
    for variable in other.variables:
        assert variable.path == f"other/{variable.name}"
        assert variable.dtype == "float64" and not variable.trainable
    assert other.result().dtype == "float64"


def test_config_round_trip(metric):
    config = json.loads(json.dumps(metrics.serialize(metric)))
    again = metrics.deserialize(config)
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()


@pytest.mark.parametrize("name", sorted(REGISTRY.names))
def test_every_name_is_found(name):
    if REGISTRY.names[name] is not metrics.MeanMetricWrapper:
        assert isinstance(metrics.get(name), Metric)


@pytest.mark.oracle
@pytest.mark.parametrize("weighted", [False, True])
def test_as_keras(metric, weighted, keras):
    ours = metrics.serialize(metric)
    theirs = keras.saving.deserialize_keras_object(ours)
    assert keras.saving.serialize_keras_object(theirs) == ours
    weights = np.linspace(0, 1, 6, dtype="float32") if weighted else None
    for seed in range(3):
        batch = example(metric, seed)
        metric.update_state(*batch, sample_weight=weights)
        theirs.update_state(*batch, sample_weight=weights)
    assert float(metric.result()) == pytest.approx(float(theirs.result()), rel=2e-6)
    assert [v.name for v in metric.variables] == [v.name for v in theirs.variables]
    assert metric._direction == getattr(theirs, "_direction", metric._direction)


@pytest.mark.oracle
@pytest.mark.parametrize("weighted", [False, True])
def test_sequences_as_keras(metric, weighted, keras):
    """Predictions (batch, time, 4), weights (batch, time)."""
    theirs = keras.saving.deserialize_keras_object(metrics.serialize(metric))
    steps = [example(metric, seed) for seed in range(5)]
    batch = [np.stack(parts, axis=1) for parts in zip(*steps)]
    weights = np.random.default_rng(0).uniform(size=(6, 5)).astype("float32") if weighted else None
    metric.update_state(*batch, sample_weight=weights)
    theirs.update_state(*batch, sample_weight=weights)
    assert float(metric.result()) == pytest.approx(float(theirs.result()), rel=2e-6)
