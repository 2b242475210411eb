"""Constraints: values and names."""

from __future__ import annotations

import numpy as np
import pytest

from kernelmodel import constraints

WEIGHT = np.array([[3.0, 0.1], [4.0, -0.1]], "float32")


def norms(w, axis=0):
    return np.sqrt((np.asarray(w) ** 2).sum(axis))


def test_max_norm():
    np.testing.assert_allclose(norms(constraints.MaxNorm(2.0)(WEIGHT)), [2, 0.02**0.5], rtol=1e-5)
    np.testing.assert_allclose(
        norms(constraints.MaxNorm(2.0, axis=1)(WEIGHT), 1), [2, 2], rtol=1e-5
    )


def test_unit_norm():
    np.testing.assert_allclose(norms(constraints.UnitNorm()(WEIGHT)), [1, 1], rtol=1e-5)
    np.testing.assert_array_equal(constraints.UnitNorm()(np.zeros((2, 2))), np.zeros((2, 2)))


def test_min_max_norm():
    np.testing.assert_allclose(norms(constraints.MinMaxNorm(0.5, 2.0)(WEIGHT)), [2, 0.5], rtol=1e-5)
    half = constraints.MinMaxNorm(0.5, 2.0, rate=0.5)(WEIGHT)
    np.testing.assert_allclose(norms(half), [3.5, (0.5 + 0.02**0.5) / 2], rtol=1e-5)


def test_non_neg():
    assert float(constraints.NonNeg()(WEIGHT).min()) == 0


def test_several_axes():
    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 4)).astype("float32")
    limited = constraints.MaxNorm(1.0, axis=[0, 1, 2])(kernel)
    np.testing.assert_allclose(norms(limited.reshape(-1, 4)), 1, rtol=1e-5)


def test_names():
    assert isinstance(constraints.get("non_neg"), constraints.NonNeg)
    assert constraints.get(None) is None
    with pytest.raises(ValueError, match="max_norm"):
        constraints.get("maxnorm")
