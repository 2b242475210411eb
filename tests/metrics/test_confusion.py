"""Metrics of confusion matrices, F-scores, R² and correlations: what one does that others don't."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel import metrics
from kernelmodel.engine.tensor import as_tensor

rng = np.random.default_rng(0)


def awkward(size: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and scores on thresholds, at the ends, beyond them and in between."""
    grid = rng.integers(0, 200, size) / np.float32(199)
    scores = np.where(rng.uniform(size=size) < 0.5, grid, rng.uniform(-0.1, 1.1, size))
    scores[:20], scores[20:40] = 0, 1
    return rng.integers(0, 2, size), scores.astype("float32")


CASES = [
    ("AUC", {}), ("AUC", {"curve": "PR"}), ("AUC", {"curve": "PRGAIN"}),
    ("AUC", {"curve": "PR", "summation_method": "majoring"}),
    ("AUC", {"summation_method": "minoring"}),
    ("AUC", {"thresholds": [0.5, 0.1, 0.100001]}),
    ("Precision", {"thresholds": [0.0, 0.5, 1.0]}), ("Recall", {"thresholds": [1.0, 0.3]}),
    ("TruePositives", {"thresholds": [0.25, 0.5]}), ("TrueNegatives", {"thresholds": [0, 1]}),
    ("PrecisionAtRecall", {"recall": 0.7}), ("RecallAtPrecision", {"precision": 0.52}),
    ("SensitivityAtSpecificity", {"specificity": 0.3}),
    ("SpecificityAtSensitivity", {"sensitivity": 0.3, "num_thresholds": 57}),
]  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "options"), CASES)
def test_scores_on_thresholds_as_keras(name, options, keras):
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    for _ in range(3):
        labels, scores = awkward()
        weights = rng.uniform(size=len(labels)).astype("float32")
        ours.update_state(labels, scores, weights)
        theirs.update_state(labels, scores, weights)
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=2e-5)
    for one, other in zip(ours.variables, theirs.variables):
        np.testing.assert_allclose(one.numpy(), other, rtol=2e-5, atol=1e-3)  # of 3000


@pytest.mark.oracle
def test_equal_scores_at_the_edge_of_the_top_k_as_keras(keras):
    labels, scores = rng.integers(0, 2, (50, 6)), rng.integers(0, 3, (50, 6)) / np.float32(4)
    for k in (1, 3, 6):
        ours, theirs = metrics.Precision(top_k=k), keras.metrics.Precision(top_k=k)
        assert float(ours(labels, scores)) == pytest.approx(float(theirs(labels, scores)))


def test_with_many_thresholds_the_area_is_that_of_all_scores():
    roc_auc_score = importlib.import_module("sklearn.metrics").roc_auc_score
    labels, scores = rng.integers(0, 2, 500), rng.uniform(size=500)
    found = metrics.AUC(num_thresholds=20_000)(labels, scores)
    assert float(found) == pytest.approx(roc_auc_score(labels, scores), abs=1e-4)


def test_masked_steps_do_not_count():
    labels, scores = rng.integers(0, 2, (5, 4)), rng.uniform(size=(5, 4)).astype("float32")
    keep = rng.integers(0, 2, (5, 4)).astype(bool)
    masked = as_tensor(scores.copy())
    masked.keras_mask = keep
    for cls in (metrics.Precision, metrics.AUC, metrics.TrueNegatives, metrics.BinaryIoU):
        assert float(cls()(labels, masked)) == pytest.approx(
            float(cls()(labels[keep], scores[keep]))
        )


def test_unknown_and_ignored_classes_do_not_count():
    metric = metrics.MeanIoU(3, ignore_class=2)
    metric.update_state([0, 1, 2, 7, -1], [0, 0, 0, 0, 0])
    assert metric.total_cm.numpy().tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("jit", [False, True])
def test_a_model_is_measured_with_them(jit):
    x = rng.normal(size=(60, 5)).astype("float32")
    y = np.eye(3, dtype="float32")[rng.integers(0, 3, 60)]
    model = km.Sequential([km.Input((5,)), km.layers.Dense(3, activation="softmax")])
    chosen = [
        metrics.F1Score(), metrics.AUC(multi_label=True), metrics.Precision(class_id=1),
        metrics.R2Score(), metrics.OneHotMeanIoU(3), metrics.PearsonCorrelation(),
    ]  # fmt: skip
    model.compile("sgd", "categorical_crossentropy", metrics=chosen, jit_compile=jit)
    history = model.fit(x, y, epochs=2, validation_data=(x, y), verbose=0).history
    assert np.shape(history["f1_score"]) == (2, 3)
    again = model.evaluate(x, y, verbose=0, return_dict=True)
    outputs = model.predict(x, verbose=0)
    for metric in chosen:
        expected = type(metric).from_config(metric.get_config())(y, outputs)
        np.testing.assert_allclose(again[metric.name], expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: metrics.Precision(thresholds=[0.5, 1.5]), r"Precision: thresholds .* got \[1.5\]"),
        (lambda: metrics.Recall(top_k=0), "Recall: top_k must be an integer >= 1 or None"),
        (lambda: metrics.AUC(curve="ROK"), "AUC: curve must be one of"),
        (lambda: metrics.AUC(summation_method="sum"), "AUC: summation_method must be one of"),
        (lambda: metrics.AUC(num_thresholds=1), "AUC: num_thresholds must be an integer >= 2"),
        (lambda: metrics.AUC(thresholds=[-1.0]), r"AUC: thresholds must be in \[0, 1\]"),
        (lambda: metrics.AUC(num_labels=3), "AUC: num_labels must be None without multi_label"),
        (lambda: metrics.AUC(label_weights=[1.0])([[0, 1]], [[0.2, 0.3]]), "AUC: label_weights"),
        (lambda: metrics.PrecisionAtRecall(2), r"PrecisionAtRecall: recall must be a number"),
        (lambda: metrics.SensitivityAtSpecificity(0.5, 0), "num_thresholds must be an integer"),
        (lambda: metrics.IoU(2, [2]), r"IoU: target_class_ids must be classes in \[0, 2\), got"),
        (lambda: metrics.F1Score(average="mean"), "F1Score: average must be one of"),
        (lambda: metrics.FBetaScore(beta=0.0), "FBetaScore: beta must be a number above 0"),
        (lambda: metrics.FBetaScore(threshold=2.0), "FBetaScore: threshold must be None or in"),
        (lambda: metrics.R2Score("mean"), "R2Score: class_aggregation must be one of"),
        (lambda: metrics.R2Score(num_regressors=-1), "R2Score: num_regressors must be an integer"),
        (lambda: metrics.Precision(class_id=1)([0, 1], [0.5, 0.5]), "class_id needs predictions"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_adjusted_r2_needs_samples():
    metric = metrics.R2Score(num_regressors=5)
    with pytest.warns(UserWarning, match="need more than 6 samples, got 3"):
        score = metric([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
    assert float(score) == pytest.approx(4 / 7, rel=1e-5)
