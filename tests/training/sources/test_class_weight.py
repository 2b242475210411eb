"""Class weights: labels and one-hot targets of any rank, and what makes no sense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from training.sources.models import batch, noting

from kernelmodel.training.sources.class_weight import weights_of_classes

WEIGHTS = {0: 1.0, 1: 10.0, 2: 100.0}
LABELS = np.array([[0, 2], [1, 1], [2, 0]])


@pytest.mark.parametrize(
    ("y", "wanted"),
    [
        (LABELS[:, 0], [1, 10, 100]),
        (LABELS[:, :1], [1, 10, 100]),
        (np.eye(3)[LABELS[:, 0]], [1, 10, 100]),
        (LABELS[:, 0] + 1e-6, [1, 10, 100]),
        (0.9 * np.eye(3)[LABELS[:, 0]] + 0.1 / 3, [1, 10, 100]),  # smoothed
        (LABELS[..., None], [[1, 100], [10, 10], [100, 1]]),
        (np.eye(3)[LABELS], [[1, 100], [10, 10], [100, 1]]),
        ([LABELS[:, 0]], [1, 10, 100]),
        (np.array([0, 7, 1]), [1, 1, 10]),
    ],
)
def test_targets(y: Any, wanted: Any) -> None:
    np.testing.assert_array_equal(weights_of_classes(y, WEIGHTS, None), wanted)


def test_times_sample_weights() -> None:
    one, temporal = np.array([1.0, 2.0, 0.0]), np.array([[1.0, 0.0]] * 3)
    labels = LABELS[:, 0]
    assert weights_of_classes(labels, WEIGHTS, one).tolist() == [1, 20, 0]
    assert weights_of_classes(labels, WEIGHTS, temporal).tolist() == [[1, 0], [10, 0], [100, 0]]
    found = weights_of_classes(LABELS[..., None], WEIGHTS, one)
    assert found.tolist() == [[1, 100], [20, 20], [0, 0]]


@pytest.mark.parametrize(
    ("y", "weights", "words"),
    [
        (None, WEIGHTS, "one array of targets"),
        ([LABELS, LABELS], WEIGHTS, "several outputs.*`sample_weight`"),
        (LABELS, WEIGHTS, r"one-hot.*\(3, 2\).*neither"),
        (np.ones((3, 2, 2)), WEIGHTS, r"\(3, 2, 2\)"),
        (LABELS[:, 0], [1.0, 2.0], "must be a dict.*enumerate"),
    ],
)
def test_what_makes_no_sense(y: Any, weights: Any, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        weights_of_classes(y, weights, None)


def test_it_is_checked_before_training() -> None:
    x, _ = batch(0, 3)
    for data in ((x, LABELS), (iter([(x, LABELS)]),)):
        model = noting()
        with pytest.raises(ValueError, match="`class_weight`"):
            model.fit(*data, class_weight=WEIGHTS, verbose=0)
        assert not model.built
