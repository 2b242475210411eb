"""Convolution with relu and max pooling as one: the bits of the two, one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kernelmodel.engine import parallel
from kernelmodel.engine.kernels import conv, max_pool
from kernelmodel.engine.kernels.conv_pool import NONE, backward, fitting, forward
from kernelmodel.engine.kernels.windows import BLOCK_BYTES

RELU = {"activation": "relu"}
ALL = (True, True, True)


def arrays_of(dtype: str, batch: int = 5, bias: bool = True, ties: bool = True) -> tuple[Any, ...]:
    """Images of 13 x 12, a kernel of 3 x 3 and a bias."""
    rng = np.random.default_rng(0)
    shapes = ((batch, 13, 12, 4), (3, 3, 4, 6), (6,))
    x, kernel, row = (
        (rng.integers(-2, 3, shape) if ties else rng.standard_normal(shape)).astype(dtype)
        for shape in shapes
    )
    return x, kernel, row if bias else None


def gradient_like(pooled: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).standard_normal(pooled.shape).astype(pooled.dtype)


def one_by_one(arrays: Any, convolution: Any, pooling: Any, needed: Any = ALL) -> list[Any]:
    y, _ = conv.forward(*arrays, **convolution)
    pooled, _ = max_pool.forward(y, **pooling)
    g = gradient_like(pooled)
    (dy,) = max_pool.backward(g, pooled, None, (y,), [True], **pooling)
    return [pooled, *conv.backward(dy, y, None, arrays, needed, **convolution)]


def as_one(arrays: Any, convolution: Any, pooling: Any, needed: Any = ALL) -> list[Any]:
    windows = fitting(arrays, convolution, pooling)
    assert windows is not None
    pooled, chosen = forward(*arrays, *windows)
    return [pooled, *backward(gradient_like(pooled), chosen, arrays, needed, *windows)]


def assert_same_bits(arrays: Any, convolution: Any, pooling: Any, needed: Any = ALL) -> None:
    arguments = arrays, RELU | convolution, pooling, needed
    with np.errstate(all="ignore"):
        for found, expected in zip(as_one(*arguments), one_by_one(*arguments), strict=True):
            assert (found is None) == (expected is None)
            if expected is not None:
                assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
                assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("pooling", [
    {"pool_size": 2}, {"pool_size": (3, 2)}, {"pool_size": (2, 3), "strides": (3, 4)},
    {"pool_size": (1, 2), "padding": "same"}, {"pool_size": 1},
])  # fmt: skip
@pytest.mark.parametrize("convolution", [
    {}, {"strides": 2, "padding": "same"}, {"dilation": (2, 3)}, {"padding": ((1, 0), (2, 4))},
])  # fmt: skip
def test_the_same_bits(dtype: str, ties: bool, pooling: Any, convolution: Any) -> None:
    assert_same_bits(arrays_of(dtype, ties=ties), convolution, pooling)


@pytest.mark.parametrize("batch", [0, 1, 37])
@pytest.mark.parametrize("bias", [False, True])
def test_batches(batch: int, bias: bool) -> None:
    assert_same_bits(arrays_of("float32", batch, bias), {}, {"pool_size": 2})


def test_kernels_of_one_tap_and_one_channel() -> None:
    x, kernel, bias = arrays_of("float32")
    assert_same_bits((x, kernel[:1, :1].copy(), bias), {"strides": 2}, {"pool_size": 2})
    assert_same_bits((x[..., :1].copy(), kernel[:, :, :1].copy(), bias), {}, {"pool_size": 2})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.0])
def test_special_numbers(value: float) -> None:
    x, kernel, bias = arrays_of("float32", ties=False)
    x[1, 4, 5, 2] = x[2, 0, 0, 0] = value
    for row in (bias, None):
        assert_same_bits((x, kernel, row), {}, {"pool_size": 2})
    bias[3] = value
    assert_same_bits((x, kernel, bias), {}, {"pool_size": 2})


@pytest.mark.parametrize("needed", [
    (False, True, True), (True, False, False), (False, False, True), (True, True, False),
])  # fmt: skip
def test_gradients_that_nobody_needs(needed: Any) -> None:
    assert_same_bits(arrays_of("float32"), {}, {"pool_size": 2}, needed)


def test_several_blocks_on_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    x, kernel = (rng.standard_normal(n).astype("float32") for n in ((150, 19, 18, 8), (3, 3, 8, 9)))
    monkeypatch.setattr(parallel, "blas", lambda: parallel.Blas(lambda: 4, lambda threads: None))
    monkeypatch.setattr(parallel, "processors", lambda: 4)
    for _ in range(3):
        assert_same_bits((x, kernel, kernel[0, 0, 0]), {"padding": "same"}, {"pool_size": 2})


def test_what_was_chosen() -> None:
    x = np.array([[1, 5, -1, -2], [5, 0, 0, -3]], "float32").reshape(1, 2, 4, 1)
    kernel = np.ones((1, 1, 1, 1), "float32")
    windows = fitting((x, kernel, None), RELU, {"pool_size": 2})
    pooled, chosen = forward(x, kernel, None, *windows)
    assert pooled.ravel().tolist() == [5, 0]
    assert chosen.ravel().tolist() == [1, NONE]


def test_gradients_by_differences() -> None:
    arrays = arrays_of("float64", ties=False)
    windows = fitting(arrays, RELU, {"pool_size": 2})
    pooled, chosen = forward(*arrays, *windows)
    g = gradient_like(pooled)
    rng = np.random.default_rng(3)
    for i, gradient in enumerate(backward(g, chosen, arrays, ALL, *windows)):
        step = rng.standard_normal(gradient.shape) * 1e-7
        moved = [
            np.vdot(g, forward(*arrays[:i], arrays[i] + s, *arrays[i + 1 :], *windows)[0])
            for s in (step, -step)
        ]
        np.testing.assert_allclose((moved[0] - moved[1]) / 2, np.vdot(gradient, step), rtol=1e-5)


@pytest.mark.parametrize("convolution, pooling", [
    ({"activation": "tanh"}, {}), ({"activation": None}, {}),
    ({}, {"strides": 1}), ({}, {"padding": "same"}), ({}, {"padding": ((1, 0), (0, 0))}),
])  # fmt: skip
def test_arguments_that_do_not_fit(convolution: Any, pooling: Any) -> None:
    arrays = arrays_of("float32")
    assert fitting(arrays, RELU, {"pool_size": 2}) is not None
    assert fitting(arrays, RELU | convolution, {"pool_size": 2} | pooling) is None


def test_shapes_and_dtypes_that_do_not_fit() -> None:
    x, kernel, bias = arrays_of("float32")
    half, double = {"pool_size": 2}, bias.astype("float64")
    assert fitting((x, kernel, double), RELU, half) is None
    assert fitting((x.astype(int), kernel.astype(int), None), RELU, half) is None
    assert fitting((x[0], kernel[0], bias), RELU, half) is None  # of one spatial axis
    assert fitting((x, kernel[:, :, :2], bias), RELU | {"groups": 2}, half) is None
    many = {"padding": "same"} | RELU
    wide = np.zeros((1, 16, 17, 4), "float32")
    assert fitting((wide, kernel, bias), many, {"pool_size": (15, 17)}) is not None
    assert fitting((wide, kernel, bias), many, {"pool_size": (16, 16)}) is None


def test_images_that_are_cut_into_blocks_do_not_fit() -> None:
    _, kernel, bias = arrays_of("float32")
    x = np.zeros((1, BLOCK_BYTES // 4096, 64, 4), "float32")
    assert fitting((x, kernel, bias), RELU, {"pool_size": 2}) is None
    assert fitting((x[:, :40], kernel, bias), RELU, {"pool_size": 2}) is not None
