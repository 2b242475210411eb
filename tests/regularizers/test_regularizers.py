"""Regularizers: values and errors."""

from __future__ import annotations

import numpy as np
import pytest

from kernelmodel import regularizers

WEIGHT = np.array([[1.0, -2.0], [3.0, 0.0]], "float32")


def test_values():
    assert float(regularizers.L1(0.5)(WEIGHT)) == 3
    assert float(regularizers.L2(0.5)(WEIGHT)) == 7
    assert float(regularizers.L1L2(0.5, 0.5)(WEIGHT)) == 10
    assert float(regularizers.L1L2()(WEIGHT)) == 0


def test_none_means_the_default():
    assert regularizers.L1(None).l1 == regularizers.L2(None).l2 == 0.01
    assert regularizers.L1L2(None, None).get_config() == {"l1": 0.0, "l2": 0.0}


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonal(mode):
    penalty = regularizers.OrthogonalRegularizer(2.0, mode)
    assert float(penalty(np.eye(3, dtype="float32"))) == 0
    same = np.ones((3, 3), "float32")
    assert float(penalty(same)) == pytest.approx(2, rel=1e-5)
    assert float(penalty(np.ones((1, 1), "float32"))) == 0
    with pytest.raises(ValueError, match=r"\(3,\)"):
        penalty(np.ones(3))


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "big", True])
def test_wrong_strengths(value):
    for cls in (regularizers.L1, regularizers.L2, regularizers.OrthogonalRegularizer):
        with pytest.raises(ValueError, match="finite number"):
            cls(value)
    with pytest.raises(ValueError, match="rows"):
        regularizers.OrthogonalRegularizer(mode="diagonals")


def test_names():
    assert isinstance(regularizers.get("l1_l2"), regularizers.L1L2)
    assert regularizers.get(None) is None

    def own(x):
        return 0.0

    assert regularizers.get(own) is own
    with pytest.raises(ValueError, match="l1"):
        regularizers.get("l12")
