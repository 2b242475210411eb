"""Losses: what one of them does that others don't."""

from __future__ import annotations

import numpy as np
import pytest

from kernelmodel import losses
from kernelmodel.core.context import Context
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.losses.reduction import divide_no_nan


def probabilities(shape=(6, 4), seed=0):
    scores = np.exp(np.random.default_rng(seed).normal(size=shape))
    return (scores / scores.sum(-1, keepdims=True)).astype("float32")


LABELS = np.array([0, 3, 1, 2, 2, 1])


@pytest.mark.parametrize(
    ("y_true", "name", "advice"),
    [
        (np.eye(4)[LABELS], "sparse_categorical_crossentropy", "one-hot"),
        (LABELS, "categorical_crossentropy", "integer labels"),
        (LABELS, "mean_squared_error", "sparse_categorical_crossentropy"),
        (np.zeros((6, 3)), "binary_crossentropy", "as many units"),
    ],
)
def test_wrong_targets_get_advice(y_true, name, advice):
    loss = losses.LossFunctionWrapper(losses.get(name))
    with pytest.raises(ValueError, match=advice) as caught:
        loss(y_true, probabilities())
    assert name in str(caught.value)
    assert "(6, 4)" in str(caught.value) and str(y_true.shape) in str(caught.value)


def test_labels_out_of_range_are_explained():
    for from_logits in (False, True):
        loss = losses.SparseCategoricalCrossentropy(from_logits=from_logits)
        with pytest.raises(ValueError, match=r"\[0, 4\)"):
            loss([0, 1, 4], probabilities((3, 4)))


@pytest.mark.parametrize("shape", [(6,), (6, 1)])
def test_a_column_and_a_row_are_one(shape):
    y_true, y_pred = np.arange(6.0).reshape(shape), np.ones((6, 1))
    assert float(losses.MeanSquaredError()(y_true, y_pred)) == pytest.approx(55 / 6 - 30 / 6 + 1)
    assert float(losses.MeanSquaredError()(y_true, y_pred[:, 0])) == pytest.approx(
        55 / 6 - 30 / 6 + 1
    )


def test_weights_for_each_sample_of_a_sequence():
    """One weight a sample holds for all its time steps, also if there are as many as samples."""
    y_true, y_pred = np.zeros((3, 3, 2), "float32"), np.ones((3, 3, 2), "float32")
    weights = np.array([0.0, 1.0, 2.0])
    each = losses.MeanSquaredError(reduction="none")(y_true, y_pred, weights)
    np.testing.assert_array_equal(each, weights[:, None] * np.ones((3, 3)))
    steps = np.arange(9.0).reshape(3, 3)
    each = losses.MeanSquaredError(reduction="none")(y_true, y_pred, steps)
    np.testing.assert_array_equal(each, steps)


def test_ignored_class_is_masked():
    y_pred = probabilities()
    labels = LABELS.copy()
    labels[1] = labels[4] = -1
    keep = labels != -1
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    expected = losses.SparseCategoricalCrossentropy()(labels[keep], y_pred[keep])
    assert float(loss(labels, y_pred)) == pytest.approx(float(expected), rel=1e-6)
    assert float(loss(np.full(6, -1), y_pred)) == 0


def test_masks_of_the_context():
    y_pred, keep = probabilities((2, 3, 4)), np.array([[True, True, False], [True, False, False]])
    labels = LABELS.reshape(2, 3)
    each = losses.SparseCategoricalCrossentropy(reduction="none")(labels, y_pred)
    with Context() as context:
        context.set_mask(y_pred, keep)
        masked = losses.SparseCategoricalCrossentropy()(labels, y_pred)
        weighted = losses.SparseCategoricalCrossentropy()(labels, y_pred, np.array([1.0, 2.0]))
    assert float(masked) == pytest.approx(float(each[keep].mean()), rel=1e-6)
    weights = (np.array([[1.0], [2.0]]) * keep)[keep]
    assert float(weighted) == pytest.approx(float((each[keep] * weights).sum() / 3), rel=1e-6)


def test_sure_predictions_are_finite():
    y_pred = np.eye(4, dtype="float32")[LABELS]
    wrong = np.roll(LABELS, 1)
    for loss, y_true in [
        (losses.SparseCategoricalCrossentropy(), wrong),
        (losses.CategoricalCrossentropy(), np.eye(4)[wrong]),
        (losses.BinaryCrossentropy(), np.eye(4)[wrong]),
        (losses.KLDivergence(), np.eye(4)[wrong]),
    ]:
        value, _, gradients = value_and_grad(
            lambda w, loss=loss, y_true=y_true: (loss(y_true, w["y"]), None), {"y": y_pred}
        )
        assert np.isfinite(value) and np.isfinite(gradients["y"]).all()


def test_large_logits_are_finite():
    y_pred = np.array([[1e4, -1e4]], "float32")
    assert float(losses.SparseCategoricalCrossentropy(from_logits=True)([1], y_pred)) == 2e4
    assert float(losses.BinaryCrossentropy(from_logits=True)([[0.0, 1.0]], y_pred)) == 1e4


def test_losses_of_dicts():
    class Both(losses.Loss):
        def call(self, y_true, y_pred):
            return y_pred["a"][:, 0] + y_pred["b"][0][:, 0]

    y_pred = {"a": np.ones((3, 1)), "b": [np.ones((3, 1))]}
    assert float(Both()({"a": [0.0], "b": [[0.0]]}, y_pred)) == 2


def test_a_subclass_needs_a_call():
    with pytest.raises(NotImplementedError, match="call"):
        losses.Loss()([0.0], [0.0])


def test_nothing_by_nothing_is_nothing():
    assert float(divide_no_nan(np.float32(0), np.float32(0))) == 0
    assert np.isnan(divide_no_nan(np.float32(np.nan), np.float32(1)))


def test_unknown_names_get_suggestions():
    with pytest.raises(ValueError, match="mean_squared_error"):
        losses.get("mean_squred_error")


def test_options_that_keras_forgets_are_kept():
    assert losses.deserialize(losses.serialize(losses.Huber(0.5))).delta == 0.5
    assert "delta" not in losses.Huber().get_config()


CASES = {
    "smoothed_binary": ("BinaryCrossentropy", {"label_smoothing": 0.1}, "binary"),
    "binary_logits": ("BinaryCrossentropy", {"from_logits": True}, "binary"),
    "smoothed_categorical": ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "hot"),
    "categorical_logits": ("CategoricalCrossentropy", {"from_logits": True}, "hot"),
    "sparse_logits": ("SparseCategoricalCrossentropy", {"from_logits": True}, "sparse"),
    "sparse_ignored": ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "sparse"),
    "sparse_ignored_logits": (
        "SparseCategoricalCrossentropy", {"ignore_class": 0, "from_logits": True}, "sparse",
    ),
    "huber": ("Huber", {"delta": 0.3}, "numbers"),
    "cosine": ("CosineSimilarity", {"axis": 1}, "numbers"),
}  # fmt: skip


def case(kind, rng):
    """Targets and predictions (2, 3, 4); some predictions are at 0 and 1."""
    labels = rng.integers(0, 4, (2, 3))
    if kind == "sparse":
        return labels, probabilities((2, 3, 4))
    if kind == "hot":
        return np.eye(4, dtype="float32")[labels], probabilities((2, 3, 4))
    y_pred = rng.uniform(size=(2, 3, 4)).astype("float32")
    if kind == "binary":
        y_pred[0, 0, :2] = 0, 1
        return rng.integers(0, 2, (2, 3, 4)).astype("float32"), y_pred
    return rng.normal(size=(2, 3, 4)).astype("float32"), y_pred


@pytest.mark.oracle
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("extra", ["nothing", "weights", "mask", "both"])
def test_sequences_as_keras(name, reduction, extra, keras):
    import jax
    from keras.src import backend

    cls, options, kind = CASES[name]
    rng = np.random.default_rng(0)
    y_true, y_pred = case(kind, rng)
    weights = rng.uniform(size=(2, 3)).astype("float32") if extra in ("weights", "both") else None
    mask = np.array([[1, 1, 0], [1, 0, 1]], bool) if extra in ("mask", "both") else None
    if cls == "CosineSimilarity":
        weights, mask = None, None
    ours = getattr(losses, cls)(reduction=reduction, **options)
    theirs = getattr(keras.losses, cls)(reduction=reduction, **options)

    def of_keras(y):
        if mask is not None:
            backend.set_keras_mask(y, mask)
        return theirs(y_true, y, weights)

    def of_ours(w):
        with Context() as context:
            if mask is not None:
                context.set_mask(w["y"], mask)
            return ours(y_true, w["y"], weights), None

    expected, slope = jax.value_and_grad(of_keras)(y_pred)
    value, _, gradients = value_and_grad(of_ours, {"y": y_pred})
    np.testing.assert_allclose(value, expected, rtol=5e-6)
    tied = (y_pred == 0) | (y_pred == 1)
    np.testing.assert_allclose(gradients["y"][~tied], slope[~tied], rtol=5e-5, atol=1e-6)


@pytest.mark.oracle
def test_other_axes_as_keras(keras):
    y_pred = np.moveaxis(probabilities((5, 3, 4)), -1, 1)
    hot = np.eye(4, dtype="float32")[np.random.default_rng(0).integers(0, 4, (5, 3))]
    ours = losses.CategoricalCrossentropy(axis=1)(np.moveaxis(hot, -1, 1), y_pred)
    theirs = keras.losses.CategoricalCrossentropy(axis=1)(np.moveaxis(hot, -1, 1), y_pred)
    assert float(ours) == pytest.approx(float(theirs), rel=1e-6)
    sparse = losses.SparseCategoricalCrossentropy(axis=1)(hot.argmax(-1), y_pred)
    assert float(sparse) == pytest.approx(float(theirs), rel=1e-6)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("wrong", [-1, 4, float("nan"), float("inf")])
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_labels_that_are_no_classes(wrong, from_logits):
    labels = np.array([0.0, wrong, 1.0], "float32")
    with pytest.raises(ValueError, match=r"labels must lie in \[0, 4\)"):
        losses.sparse_categorical_crossentropy(labels, np.ones((3, 4), "float32"), from_logits)
