"""The bfloat16 array among NumPy's functions: promotion, rounding, writing, pickling."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from kernelmodel import ops
from kernelmodel.engine.bfloat16 import BFloat16
from kernelmodel.engine.tape import value_and_grad

X = ops.cast(np.linspace(-2, 3, 12).reshape(3, 4), "bfloat16")
WIDE = np.asarray(X).astype("float32")


def test_ml_dtypes_is_loaded_when_it_is_asked_for():
    code = """
import sys, kernelmodel as km
km.layers.Dense(2, dtype="mixed_float16")([[1.0]])
assert "ml_dtypes" not in sys.modules
km.layers.Dense(2, dtype="mixed_bfloat16")([[1.0]])
assert "ml_dtypes" in sys.modules
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("other", "dtype"),
    [
        (2, "bfloat16"), (2.5, "bfloat16"), (True, "bfloat16"), (X, "bfloat16"),
        (np.asarray(X), "bfloat16"), (np.arange(4), "bfloat16"), (np.ones(4, bool), "bfloat16"),
        (np.ones(4, "float32"), "float32"), (np.ones(4, "float16"), "float32"),
        (np.float32(2), "float32"), (np.ones(4), "float64"), (np.ones(4, "complex64"), "complex64"),
    ],
)  # fmt: skip
def test_promotion(other, dtype):
    for result in (X * other, other * X, np.add(X, other), np.where(WIDE > 0, X, other)):
        assert result.dtype.name == dtype
        assert isinstance(result, BFloat16) == (dtype == "bfloat16")


@pytest.mark.parametrize(
    "function",
    [
        np.sum, np.mean, np.var, np.std, np.max, np.exp, np.sort, np.linalg.norm,
        lambda x: x @ x.T, lambda x: np.einsum("ij,kj->ik", x, x), lambda x: x.mean(0),
        lambda x: x.sum(1), lambda x: np.clip(x, -0.3, 0.7), lambda x: np.concatenate([x, x]),
        lambda x: np.stack([x, 2 * x], -1), lambda x: x.reshape(-1)[::2], lambda x: x[1, 2],
        lambda x: next(iter(x)), lambda x: x.T / 3 + 1.5, lambda x: np.add.reduceat(x, [0, 2]),
    ],
)  # fmt: skip
def test_numbers_are_those_of_float32_rounded(function):
    found, wanted = function(X), np.asarray(function(WIDE))
    assert isinstance(found, BFloat16) and found.dtype.name == "bfloat16"
    np.testing.assert_array_equal(np.asarray(found), wanted.astype(found.dtype))


def test_long_sums_are_not_cut_off():
    ones = ops.ones((70_000,), "bfloat16")  # added one by one, they would stop at 256
    assert float(ones.sum()) == float(ops.sum(ones)) == 70_144  # the nearest bfloat16
    assert float(ones.mean()) == float(ops.mean(ones)) == 1


def test_writing_in_place():
    x = ops.cast(WIDE, "bfloat16")
    x += 1.0
    x[0] = 7
    np.multiply(x, 2, out=x)
    np.add.at(x, (np.array([1, 1]), np.array([0, 0])), 1)
    np.copyto(x[2], 5)
    assert isinstance(x, BFloat16)
    wanted = 2 * (WIDE + 1)
    wanted[0], wanted[2] = 14, 5
    wanted[1, 0] += 2
    np.testing.assert_allclose(np.asarray(x, "float32"), wanted, rtol=2**-7)


def test_tests_and_orders_are_plain():
    for result in (X > 0, np.isfinite(X), X.argsort(), np.argmax(X, 0), X == X):
        assert type(result) is np.ndarray
    assert np.result_type(X, 1) == X.dtype and np.result_type(X, np.float32) == "float32"


def test_other_dtypes_and_copies():
    assert type(X.astype("float32")) is np.ndarray and type(X.numpy()) is np.ndarray
    for twin in (pickle.loads(pickle.dumps(X)), X.copy(), X.view()):
        assert isinstance(twin, BFloat16)
        np.testing.assert_array_equal(np.asarray(twin), np.asarray(X))
    assert repr(X[0, :2]) == "array([-2, -1.54688], dtype=bfloat16)"


def test_gradients_have_the_dtype_of_their_value():
    def loss(w):
        narrow = w["x"].astype("bfloat16")
        return (narrow * w["y"] * 3.0).astype("float32").sum(), narrow

    value, narrow, slopes = value_and_grad(loss, {"x": WIDE, "y": X})
    assert value.dtype == "float32" and narrow.dtype.name == "bfloat16"
    assert slopes["x"].dtype == "float32" and slopes["y"].dtype.name == "bfloat16"
    np.testing.assert_allclose(slopes["x"], 3 * WIDE, rtol=2**-7)
    np.testing.assert_allclose(np.asarray(slopes["y"], "float32"), 3 * WIDE, rtol=2**-7)
