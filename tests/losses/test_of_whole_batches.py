"""Losses that compare samples, sequences or regions: CTC, circle, Dice, Tversky."""

from __future__ import annotations

import numpy as np
import pytest

from kernelmodel import losses
from kernelmodel.engine.tape import value_and_grad

rng = np.random.default_rng(0)


def alignments(frames: int, labels: list[int], classes: int) -> list[np.ndarray]:
    """All paths of class numbers that spell the labels: repeats merged, then blanks (0) out."""
    found = []
    for path in np.ndindex(*[classes] * frames):
        merged = [c for i, c in enumerate(path) if c and (i == 0 or c != path[i - 1])]
        if merged == labels:
            found.append(np.array(path))
    return found


@pytest.mark.parametrize("labels", [[1, 2], [2, 2], [1], [1, 2, 1], []])
def test_ctc_sums_over_all_alignments(labels):
    logits = rng.normal(size=(1, 5, 3))
    shares = np.exp(logits[0]) / np.exp(logits[0]).sum(-1, keepdims=True)
    likely = sum(shares[np.arange(5), path].prod() for path in alignments(5, labels, 3))
    target = np.array([labels + [0] * (3 - len(labels))])
    assert float(losses.ctc(target, logits)[0]) == pytest.approx(-np.log(likely), rel=1e-9)


def test_ctc_of_labels_that_do_not_fit_is_large_and_finite():
    logits = rng.normal(size=(2, 3, 4)).astype("float32")
    value, _, gradients = value_and_grad(
        lambda w: (losses.CTC()([[1, 1, 2], [1, 2, 3]], w["y"]), None), {"y": logits}
    )
    assert 1e4 < float(value) < 1e6 and np.isfinite(gradients["y"]).all()


@pytest.mark.oracle
def test_circle_with_references_as_keras(keras):
    vectors, others = rng.normal(size=(4, 3)), rng.normal(size=(6, 3))
    vectors, others = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (vectors, others))
    arguments = {
        "ref_labels": np.array([0, 1, 2, 0, 1, 2]), "ref_embeddings": others.astype("float32"),
        "remove_diagonal": False, "gamma": 10, "margin": 0.3,
    }  # fmt: skip
    ours = losses.circle([0, 1, 1, 2], vectors.astype("float32"), **arguments)
    theirs = keras.losses.circle([0, 1, 1, 2], vectors.astype("float32"), **arguments)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_circle_without_partners_costs_nothing():
    vectors = np.eye(3, dtype="float32")
    for labels in ([0, 1, 2], [0, 0, 0]):
        value, _, gradients = value_and_grad(
            lambda w, y=labels: (losses.Circle()(y, w["y"]), None), {"y": vectors}
        )
        assert float(value) == 0 and not gradients["y"].any()


def test_one_loss_for_the_batch_meets_every_weight():
    y_true, y_pred = rng.integers(0, 2, (4, 3)), rng.uniform(size=(4, 3)).astype("float32")
    for loss in (losses.Dice(), losses.Tversky(alpha=0.2)):
        whole = float(loss(y_true, y_pred))
        weighted = float(loss(y_true, y_pred, np.array([0.0, 1.0, 2.0, 3.0])))
        assert weighted == pytest.approx(whole * 1.5, rel=1e-5)


def test_a_focal_loss_without_attention_is_the_crossentropy():
    y_true, y_pred = rng.integers(0, 2, (4, 3)), rng.uniform(0.1, 0.9, (4, 3)).astype("float32")
    plain = losses.BinaryCrossentropy()(y_true, y_pred)
    assert float(losses.BinaryFocalCrossentropy(gamma=0)(y_true, y_pred)) == pytest.approx(
        float(plain), rel=1e-6
    )


@pytest.mark.parametrize(
    ("cls", "arguments", "words"),
    [
        (losses.BinaryFocalCrossentropy, {"gamma": -1}, "gamma must be a number >= 0, got -1"),
        (
            losses.CategoricalFocalCrossentropy,
            {"gamma": "x"},
            "gamma must be a number >= 0, got 'x'",
        ),
        (
            losses.BinaryCrossentropy,
            {"label_smoothing": 2},
            r"label_smoothing must be a number in \[0, 1\]",
        ),
        (losses.Huber, {"delta": -0.5}, "delta must be a number >= 0, got -0.5"),
        (losses.CategoricalGeneralizedCrossEntropy, {"q": 1.0}, "q must lie between 0 and 1"),
    ],
)
def test_wrong_arguments_are_named(cls, arguments, words):
    with pytest.raises(ValueError, match=f"{cls.__name__}: {words}"):
        cls(**arguments)
