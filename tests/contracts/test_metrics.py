"""What holds for every metric of the table."""

from __future__ import annotations

import importlib
import inspect
import json

import numpy as np
import pytest
from golden import keras
from planning import assert_plan_is_exact

from kernelmodel import losses, metrics, ops
from kernelmodel.core.context import Context
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.engine.tensor import Tensor
from kernelmodel.engine.xla_array import unwrap, wrap
from kernelmodel.metrics import REGISTRY, Metric
from kernelmodel.metrics.confusion import ConfusionMetric

CLASSES = sorted(
    {c for c in REGISTRY.classes.values() if isinstance(c, type)}, key=lambda cls: cls.__name__
)
# The settings that each class is tested with.
OPTIONS = {
    "MeanMetricWrapper": [{"fn": losses.huber, "delta": 0.5}],
    "TopKCategoricalAccuracy": [{"k": 2}],
    "SparseTopKCategoricalAccuracy": [{"k": 2}],
    "IoU": [
        {"num_classes": 3, "target_class_ids": [0, 2], "dtype": "float32"},
        {"num_classes": 3, "target_class_ids": [1], "ignore_class": 0},
    ],
    "MeanIoU": [
        {"num_classes": 3, "dtype": "float32"},
        {"num_classes": 4, "sparse_y_pred": False, "ignore_class": 1},
    ],
    "BinaryIoU": [{"threshold": 0.3, "dtype": "float32"}],
    "OneHotIoU": [{"num_classes": 4, "target_class_ids": [0, 3], "dtype": "float32"}],
    "OneHotMeanIoU": [{"num_classes": 4, "dtype": "float32"}],
    "F1Score": [{}, {"average": "micro"}, {"average": "macro", "threshold": 0.3}],
    "FBetaScore": [{"beta": 2.0}, {"average": "weighted", "beta": 0.5, "threshold": 0.2}],
    "R2Score": [
        {}, {"class_aggregation": None}, {"class_aggregation": "variance_weighted_average"},
        {"num_regressors": 2},
    ],
    "AUC": [
        {}, {"curve": "PR"}, {"curve": "PRGAIN"},
        {"curve": "PR", "summation_method": "minoring", "num_thresholds": 11},
        {"curve": "ROC", "summation_method": "majoring", "num_thresholds": 2},
        {"thresholds": [0.9, 0.1, 0.35]}, {"thresholds": [0.25, 0.5, 0.75], "curve": "PRGAIN"},
        {"multi_label": True, "num_labels": 4},
        {"multi_label": True, "curve": "PR", "label_weights": [1.0, 0.0, 2.0, 0.5]},
        {"from_logits": True, "label_weights": [1.0, 0.0, 2.0, 0.5]},
    ],
    "TruePositives": [{}, {"thresholds": [0.7, 0.2, 0.5]}],
    "FalsePositives": [{}, {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}],
    "TrueNegatives": [{}, {"thresholds": 0.25}],
    "FalseNegatives": [{}, {"thresholds": [0.3, 0.3]}],
    "Precision": [{}, {"top_k": 2}, {"class_id": 1}, {"thresholds": [0.1, 0.6]},
                  {"top_k": 3, "class_id": 2}],
    "Recall": [{}, {"top_k": 1}, {"class_id": 3, "thresholds": [0.1, 0.2]}],
    "PrecisionAtRecall": [{"recall": 0.5}, {"recall": 0.8, "num_thresholds": 10, "class_id": 0}],
    "RecallAtPrecision": [{"precision": 0.5}, {"precision": 0.8, "num_thresholds": 1}],
    "SensitivityAtSpecificity": [{"specificity": 0.5}, {"specificity": 0.9, "num_thresholds": 2}],
    "SpecificityAtSensitivity": [{"sensitivity": 0.5}, {"sensitivity": 0.3, "class_id": 1}],
}  # fmt: skip
# A class that fails to be predicted is no NaN.
NAN_IS_WRONG = ("Accuracy", "IoU")


def variants():
    for cls in CLASSES:
        for i, options in enumerate(OPTIONS.get(cls.__name__, [{}])):
            yield pytest.param((cls, options), id=f"{cls.__name__}-{i}" if i else cls.__name__)


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
    if "IoU" in name:
        return regions(metric, rng, size)
    if "Sparse" in name:
        return rng.integers(0, 4, size), probabilities
    if "Categorical" in name or "KL" in name:
        return np.eye(4, dtype="float32")[rng.integers(0, 4, size)], probabilities
    if "Binary" in name or isinstance(metric, ConfusionMetric | metrics.FBetaScore):
        return rng.integers(0, 2, shape).astype("float32"), probabilities
    if name == "Accuracy":
        return rng.integers(0, 2, shape), rng.integers(0, 2, shape)
    return tuple(rng.uniform(0.1, 2.5, (2, *shape)).astype("float32"))


def regions(metric: Metric, rng, size: int) -> tuple[np.ndarray, ...]:
    """Class numbers, some of them unknown, or one-hot targets and scores."""
    sparse, classes = rng.integers(0, metric.num_classes + 1, (2, size)), metric.num_classes
    scores = rng.uniform(size=(size, classes)).astype("float32")
    if isinstance(metric, metrics.BinaryIoU):
        return rng.integers(0, 2, size), scores[:, 0]
    true = sparse[0] if metric.sparse_y_true else np.eye(classes)[sparse[0] % classes]
    return true, sparse[1] if metric.sparse_y_pred else scores


@pytest.fixture(params=list(variants()))
def metric(request) -> Metric:
    cls, options = request.param
    made = cls(**options)
    if not made.variables or not getattr(made, "_built", True):
        made.update_state(*example(made))  # makes its variables at the first batch
        made.reset_state()
    return made


def test_predictions_in_bfloat16(metric):
    batch = example(metric)
    narrow = [ops.cast(x, "bfloat16") if x.dtype == "float32" else x for x in batch]
    wide = [np.asarray(x).astype("float32") if x.dtype.name == "bfloat16" else x for x in narrow]
    metric.update_state(*narrow)
    found = metric.result()
    metric.reset_state()
    metric.update_state(*wide)
    wanted = metric.result()
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=0.02, atol=0.005)


def fresh(metric: Metric) -> Metric:
    return type(metric).from_config(metric.get_config())


def result_of(metric: Metric) -> np.ndarray:
    return np.asarray(metric.result())


def assert_close(one, other, rel=1e-5) -> None:
    np.testing.assert_allclose(one, other, rtol=rel, atol=1e-7)


def test_starts_at_zero_and_returns_there(metric):
    assert not result_of(metric).any()
    metric.update_state(*example(metric))
    first = result_of(metric)
    for forget in (metric.reset_state, metric.reset_states):
        forget()
        assert not result_of(metric).any()
        assert all((v.numpy() == 0).all() for v in metric.variables)
        np.testing.assert_array_equal(metric(*example(metric)), first)


def test_results_are_tensors(metric):
    result = metric(*example(metric))
    assert isinstance(result, Tensor) and result.dtype == "float32"
    assert result.ndim <= 1
    assert isinstance(result.numpy(), np.ndarray)


def test_batches_add_up(metric):
    for seed in range(3):
        metric.update_state(*example(metric, seed, size=4 + seed))
    whole = fresh(metric)
    batches = [example(metric, seed, size=4 + seed) for seed in range(3)]
    whole.update_state(*map(np.concatenate, zip(*batches)))
    assert_close(result_of(metric), result_of(whole))


def test_whole_number_weights_repeat_samples(metric):
    if getattr(metric, "num_regressors", 0):
        pytest.skip("depends on the number of samples")
    batch, counts = example(metric), np.array([0, 1, 2, 1, 0, 3])
    metric.update_state(*batch, sample_weight=counts)
    repeated = fresh(metric)
    repeated.update_state(*(np.repeat(part, counts, axis=0) for part in batch))
    assert_close(result_of(metric), result_of(repeated), 1e-4 if "R2" in str(metric) else 1e-5)


def test_weights_may_have_an_axis_more(metric):
    batch, weights = example(metric), np.array([0.0, 1.0, 2.0, 1.0, 0.0, 3.0])
    flat, column = fresh(metric), fresh(metric)
    flat.update_state(*batch, sample_weight=weights)
    column.update_state(*batch, sample_weight=weights[:, None])
    assert_close(result_of(flat), result_of(column))


def test_takes_lists(metric):
    fresh(metric).update_state(*(part.tolist() for part in example(metric)))


def test_traced_predictions_are_detached(metric):
    *targets, predictions = example(metric)
    if predictions.dtype.kind == "i":
        pytest.skip("whole numbers have no gradient")

    def loss(w):
        metric.update_state(*targets, w["y"])
        return (w["y"] ** 2).sum(), None

    value_and_grad(loss, {"y": predictions})
    assert all(type(v.value) is np.ndarray for v in metric.variables)
    np.testing.assert_array_equal(result_of(metric), fresh(metric)(*targets, predictions))


def test_a_step_that_is_not_committed_changes_nothing(metric):
    with Context(pure=True):
        metric.update_state(*example(metric))
        inside = result_of(metric)
    assert not result_of(metric).any()
    with Context(pure=True) as context:
        metric.update_state(*example(metric))
        context.commit()
    np.testing.assert_array_equal(result_of(metric), inside)


def test_stateless(metric):
    start = metric.stateless_reset_state()
    after = metric.stateless_update_state(start, *example(metric))
    found = metric.stateless_result(after)
    assert not result_of(metric).any()
    np.testing.assert_array_equal(found, metric(*example(metric)))
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
    assert_close(result, result_of(metric))


def test_a_plan_gives_the_same_bits(metric, monkeypatch):
    def step(batch):
        metric.update_state(*batch)
        return metric.result()

    batches = [example(metric, seed) for seed in range(3)]
    assert_plan_is_exact(monkeypatch, step, batches, metric.variables)


def test_nan_is_not_hidden(metric):
    if type(metric).__name__.endswith(NAN_IS_WRONG):
        pytest.skip("a NaN score is a wrong prediction")
    *targets, predictions = example(metric)
    predictions[0] = np.nan
    assert np.isnan(metric(*targets, predictions)).any()


def test_wrong_shapes_are_explained(metric):
    if not takes_pairs(metric):
        pytest.skip("takes values")
    targets, predictions = example(metric)
    wrong = np.zeros((6, 3) if targets.shape != (6, 3) else (6, 2), "float32")[: len(targets) - 1]
    with pytest.raises(ValueError) as caught:
        metric.update_state(wrong, predictions)
    assert str(predictions.shape) in str(caught.value)


def test_variables_have_names_and_dtypes(metric):
    config = metric.get_config() | {"dtype": "float64", "name": "other"}
    other = type(metric).from_config(config)
    other.update_state(*example(metric))
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
    cls = REGISTRY.names[name]
    if all(p.default is not p.empty for p in inspect.signature(cls).parameters.values()):
        assert isinstance(metrics.get(name), Metric)


@pytest.mark.oracle
@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize("weighted", [False, True])
def test_as_keras(metric, weighted, golden, compared):
    ours = metrics.serialize(metric)
    weights = np.linspace(0, 1, 6, dtype="float32") if weighted else None
    batches = [example(metric, seed) for seed in range(3)]

    def keras_results():
        theirs = keras.saving.deserialize_keras_object(ours)
        written = keras.saving.serialize_keras_object(theirs)
        if "label_weights" in ours["config"]:  # Keras writes an array
            written["config"]["label_weights"] = ours["config"]["label_weights"]
        if isinstance(given := written["config"].get("thresholds"), list):  # of NumPy's floats
            written["config"]["thresholds"] = [float(threshold) for threshold in given]
        for batch in batches:
            theirs.update_state(*batch, sample_weight=weights)
        names = [v.name for v in theirs.variables]
        return [written, theirs.result(), names, getattr(theirs, "_direction", "unknown")]

    written, result, names, direction = golden(keras_results, ours, batches, weights)
    assert written == ours
    for batch in batches:
        metric.update_state(*batch, sample_weight=weights)
    compared(metric.result(), result)
    assert_close(result_of(metric), result, rel=5e-6)
    assert [v.name for v in metric.variables] == names
    assert direction in (metric._direction, "unknown")


# Here they compute in float32, in Keras they round on the way.
ROUNDED = (
    metrics.AUC, metrics.CategoricalCrossentropy, metrics.ConcordanceCorrelation,
    metrics.CosineSimilarity, metrics.LogCoshError, metrics.PearsonCorrelation,
    metrics.SparseCategoricalCrossentropy,
)  # fmt: skip


@pytest.mark.oracle
@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize(("dtype", "epsilon"), [("float16", 2**-10), ("bfloat16", 2**-7)])
def test_half_precision_as_keras(metric, dtype, epsilon, golden):
    """Predictions of half precision: the states and the result are of float32."""
    *y_true, y_pred = example(metric, 0)
    config = metrics.serialize(metric)

    def keras_results():
        theirs = keras.saving.deserialize_keras_object(config)
        theirs.update_state(*y_true, keras.ops.cast(y_pred, dtype))
        return [theirs.result()]

    (result,) = golden(keras_results, config, y_true, y_pred, dtype)
    metric.update_state(*y_true, ops.cast(y_pred, dtype))
    rel = 8 * epsilon if isinstance(metric, ROUNDED) else 5e-6
    assert_close(result_of(metric), result, rel=rel)
    assert {v.dtype for v in metric.variables} <= {"float32", "int32"}


@pytest.mark.oracle
@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize("weighted", [False, True])
def test_sequences_as_keras(metric, weighted, golden, compared):
    """Predictions (batch, time, 4), weights (batch, time)."""
    steps = [example(metric, seed) for seed in range(5)]
    batch = [np.stack(parts, axis=1) for parts in zip(*steps)]
    weights = np.random.default_rng(0).uniform(size=(6, 5)).astype("float32") if weighted else None
    if isinstance(metric, metrics.FBetaScore | metrics.R2Score) or getattr(
        metric, "multi_label", False
    ):
        with pytest.raises(ValueError, match="batch"):
            metric.update_state(*batch, sample_weight=weights)
        return
    config = metrics.serialize(metric)

    def keras_results():
        theirs = keras.saving.deserialize_keras_object(config)
        theirs.update_state(*batch, sample_weight=weights)
        return [theirs.result()]

    (result,) = golden(keras_results, config, batch, weights)
    metric.update_state(*batch, sample_weight=weights)
    compared(metric.result(), result)
    assert_close(result_of(metric), result, rel=5e-6)
