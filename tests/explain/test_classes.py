"""Confusion matrix, worst predictions, projection."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from explain.models import draw, two_inputs
from sklearn import metrics
from sklearn.decomposition import PCA

import kernelmodel as km
from kernelmodel import layers as L

E = km.explain
TRUE = np.random.default_rng(0).integers(0, 4, 60)
SCORES = np.random.default_rng(1).random((60, 4)).astype("float32")
TAKEN = SCORES.argmax(1)
ONE_HOT = np.eye(4)[TRUE]
NAMES = np.array(["ant", "bee", "cat", "dog"])


@pytest.mark.parametrize(
    ("y_true", "y_pred", "labels"),
    [
        (TRUE, TAKEN, None),
        (TRUE[:, None], SCORES, None),
        (TRUE.tolist(), SCORES * 20 - 9, None),
        (ONE_HOT, SCORES, None),
        (ONE_HOT.astype(int), TAKEN, None),
        (ONE_HOT, np.eye(4)[TAKEN], None),
        (TRUE.astype("float32"), TAKEN.astype("float64"), None),
        (NAMES[TRUE], NAMES[TAKEN], list(NAMES)),
        (NAMES[TRUE], SCORES, list(NAMES)),
        (TRUE, SCORES, list(NAMES)),
        (TRUE.reshape(6, 10), SCORES.reshape(6, 10, 4), None),
        (TRUE.reshape(6, 10), TAKEN.reshape(6, 10), None),
    ],
)
@pytest.mark.parametrize("normalize", [None, "true", "pred", "all"])
def test_it_is_scikit_learns(y_true: Any, y_pred: Any, labels: Any, normalize: Any) -> None:
    found = E.confusion_matrix(y_true, y_pred, labels, normalize)
    expected = metrics.confusion_matrix(TRUE, TAKEN, normalize=normalize)
    np.testing.assert_allclose(found, expected)
    assert found.dtype.kind == ("i" if normalize is None else "f")


def test_two_classes_and_weights() -> None:
    y = np.array([0, 1, 1, 0])
    p = np.array([0.2, 0.7, 0.4, 0.9])
    for given in (p, p[:, None], p > 0.5):
        np.testing.assert_array_equal(E.confusion_matrix(y, given), [[1, 1], [1, 1]])
    np.testing.assert_array_equal(E.confusion_matrix(y[:, None], p[:, None]), [[1, 1], [1, 1]])
    weighted = E.confusion_matrix(y, p, sample_weight=[1, 2, 3, 4])
    np.testing.assert_array_equal(weighted, [[1, 4], [3, 2]])


def test_classes_that_never_occur_keep_their_place() -> None:
    assert E.confusion_matrix([0, 1], SCORES[:2]).shape == (4, 4)
    assert E.confusion_matrix([0, 3], [0, 1]).shape == (4, 4)
    some = E.confusion_matrix(TRUE, TAKEN, labels=[3, 1])
    np.testing.assert_array_equal(some, metrics.confusion_matrix(TRUE, TAKEN, labels=[3, 1]))
    assert not E.confusion_matrix([0, 0], [0, 2], normalize="true")[2].any()


def test_refusals() -> None:
    for y_true, y_pred, more, words in (
        ([0, 1], [0, 1, 1], {}, r"shape \(2,\), but `y_pred` for \(3,\)"),
        ([0, 7], SCORES[:2], {}, "holds class 7, but the classes are 0 to 3"),
        ([0, 1], [-3.5, 2.5], {}, "logits > 0"),
        (["a"], ["b"], {}, "need `labels`"),
        ([0], [0], {"normalize": "rows"}, "`normalize`"),
        ([0], SCORES[:1], {"labels": ["a"]}, "4 classes, but 1 `labels`"),
        ([0, 1], [0, 1], {"sample_weight": [1]}, "`sample_weight` has 1"),
    ):
        with pytest.raises(ValueError, match=words):
            E.confusion_matrix(y_true, y_pred, **more)


# ---- worst predictions


def classifier() -> Any:
    km.utils.set_random_seed(1)
    model = km.Sequential([km.Input((5,)), L.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("kind", ["sparse", "one-hot"])
def test_the_largest_losses_come_first(kind: str) -> None:
    model, x = classifier(), draw(60, 5)
    y: Any = TRUE
    if kind == "one-hot":
        model.compile("adam", "categorical_crossentropy")
        y = ONE_HOT
    worst = E.worst_predictions(model, x, y, n=7, batch_size=13)
    losses = -np.log(model.predict(x)[np.arange(60), TRUE])
    order = np.argsort(-losses)[:7]
    np.testing.assert_array_equal(worst["index"], order)
    np.testing.assert_allclose(worst["loss"], losses[order], rtol=1e-5)
    np.testing.assert_array_equal(worst["true"], TRUE[order])
    np.testing.assert_array_equal(worst["predicted"], model.predict(x).argmax(1)[order])
    assert len(E.worst_predictions(model, x, y, n=500)["index"]) == 60


def test_values_two_classes_and_masks() -> None:
    x = draw(9, 5)
    model = km.Sequential([km.Input((5,)), L.Dense(1, "sigmoid")])
    y = np.arange(9) % 2
    model.compile("adam", "binary_crossentropy")
    worst = E.worst_predictions(model, x, y, 3)
    assert worst["true"].dtype.kind == worst["predicted"].dtype.kind == "i"
    logits = km.losses.BinaryCrossentropy(from_logits=True)
    assert E.worst_predictions(model, x, y, 9, loss=logits)["predicted"].tolist() == [1] * 9
    values = E.worst_predictions(model, x, y, 3, loss=lambda a, b: km.ops.mean((a - b) ** 2))
    p = model.predict(x)[:, 0]
    np.testing.assert_allclose(values["loss"], np.sort((p - y) ** 2)[::-1][:3], rtol=1e-5)
    np.testing.assert_allclose(values["predicted"], p[values["index"]])

    masked = km.Sequential([km.Input((4, 2)), L.Masking(), L.LSTM(3, return_sequences=True)])
    steps = draw(2, 4, 2)
    steps[0, 2:] = 0
    targets = np.zeros((2, 4, 3))
    found = E.worst_predictions(masked, steps, targets, loss="mse")
    by_step = (masked.predict(steps) ** 2).mean(-1)
    expected = {0: by_step[0, :2].mean(), 1: by_step[1].mean()}
    np.testing.assert_allclose(found["loss"], [expected[i] for i in found["index"]], rtol=1e-5)


def test_one_of_several_outputs() -> None:
    model = two_inputs()
    model.compile("adam", {"kind": "sparse_categorical_crossentropy", "size": "mse"})
    x = {"left": draw(6, 3), "right": draw(6, 4, 4, 1)}
    y = {"kind": np.arange(6) % 3, "size": draw(6, 1)}
    kinds = E.worst_predictions(model, x, y, 2, output="kind")
    assert kinds["true"].dtype.kind == "i"
    sizes = E.worst_predictions(model, x, y["size"], 2, output="size")
    expected = ((model.predict(x)["size"] - y["size"]) ** 2)[:, 0]
    np.testing.assert_array_equal(sizes["index"], np.argsort(-expected)[:2])


def test_not_a_number_is_the_worst() -> None:
    x = draw(4, 5)
    x[2] = np.nan
    assert E.worst_predictions(classifier(), x, TRUE[:4], 2)["index"][0] == 2


def test_worst_refusals() -> None:
    model = km.Sequential([km.Input((5,)), L.Dense(4)])
    with pytest.raises(ValueError, match="Compile it with one, or pass loss="):
        E.worst_predictions(model, draw(3, 5), TRUE[:3])
    with pytest.raises(ValueError, match="`y` has 2 samples, but `x` has 3"):
        E.worst_predictions(model, draw(3, 5), TRUE[:2], loss="mse")
    with pytest.raises(ValueError, match="`n`"):
        E.worst_predictions(model, draw(3, 5), TRUE[:3], 0, loss="mse")


# ---- projection


def test_projection_is_pca() -> None:
    features = draw(40, 3, 4) * np.linspace(1, 4, 12).reshape(3, 4)
    found = E.embedding_projection(features, 3)
    expected = PCA(3, svd_solver="full").fit_transform(features.reshape(40, 12))
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-5)
    assert (found[np.abs(found).argmax(0), [0, 1, 2]] > 0).all()
    with pytest.raises(ValueError, match="from 1 to 12"):
        E.embedding_projection(features, 13)
    assert not E.embedding_projection(np.ones((3, 2))).any()
