"""exp and tanh by polynomials: close to the functions, and right at their ends."""

from __future__ import annotations

import numpy as np
import pytest

from kernelmodel.engine.kernels.polynomials import PIECE, exp_below, plain_exp_of_less, plain_tanh
from kernelmodel.engine.kernels.polynomials import tanh as tanh_in_place

ENDS = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1e-45, -1e-38, 9.2, -9.2, 100, -3e38], "float32")
TANHS = np.array([np.nan, 1, -1, 0, -0.0, 1e-45, -1e-38, 1, -1, 1, -1], "float32")


def everywhere(least: float, most: float) -> np.ndarray:
    """Numbers of every size, in several pieces with a rest."""
    sizes = np.geomspace(1e-30, 1, PIECE)
    numbers = np.concatenate([np.linspace(least, most, 2 * PIECE + 3), sizes, -sizes])
    return numbers.astype("float32")[:, None]


def test_tanh_is_close() -> None:
    x = everywhere(-10, 10)
    y = x.copy()
    plain_tanh(y)
    expected = np.tanh(x.astype("float64"))
    assert np.abs(y - expected).max() < 4e-7
    np.testing.assert_allclose(y, expected, rtol=4e-7)
    assert np.abs(y).max() == 1
    steps = np.diff(y[: 2 * PIECE + 3, 0])
    assert steps.min() > -8e-7, "it grows, but for the errors of two values"


def test_exp_is_close() -> None:
    x = -np.abs(everywhere(-87, 0))
    y = x.copy()
    plain_exp_of_less(y, np.zeros(len(x), "float32"))
    expected = np.exp(x.astype("float64"))
    assert (np.abs(y / expected - 1) <= 2e-7 - 6e-8 * x).all()


def test_ends_of_tanh() -> None:
    y = ENDS[None].copy()
    plain_tanh(y)
    np.testing.assert_array_equal(y[0], TANHS)
    assert np.signbit(y[0, 4]) and not np.signbit(y[0, 3])


def test_ends_of_exp() -> None:
    x = np.array([[np.nan, -np.inf, -1e30, -104, -88, 0, -0.0, -1e-45]], "float32")
    plain_exp_of_less(x, np.zeros(1, "float32"))
    assert np.isnan(x[0, 0])
    np.testing.assert_array_equal(x[0, 1:], [0, 0, 0, 0, 1, 1, 1])
    x = np.array([[-np.inf, 1, 2], [np.nan, 3, 3]], "float32")
    plain_exp_of_less(x, np.array([2, 3], "float32"))
    np.testing.assert_allclose(x, [[0, np.exp(-1), 1], [np.nan, 1, 1]], rtol=2e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 1), (700, 3), (3, 70000)])
def test_any_dtype_and_shape(dtype: str, shape: tuple[int, int]) -> None:
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    top = x.max(1, initial=0)
    y, z = x.copy(), x.copy()
    tanh_in_place(y)
    exp_below(z, top)
    assert y.dtype == z.dtype == dtype
    within = 4e-7 if dtype == "float32" else 1e-15
    np.testing.assert_allclose(y, np.tanh(x.astype("float64")), rtol=within)
    less = (x - top[:, None]).astype("float64")
    np.testing.assert_allclose(z, np.exp(less), rtol=2 * within)
