"""Behaviour beyond the gradients: extremes, ties, errors, and the genuine library's numbers."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pytest

from kernelmodel.engine import kernels
from kernelmodel.engine.kernels.embedding import add_rows

ELEMENTWISE = ["relu", "sigmoid", "tanh", "softplus", "silu", "gelu", "elu", "erf"]


@pytest.mark.parametrize("name", [*ELEMENTWISE, "softmax", "log_softmax"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_extremes_are_finite_and_silent(name: str, dtype: str) -> None:
    op = getattr(kernels, name)
    x = np.array([[-1e4, -100, -1e-30, 0, 1e-30, 50, 1e4, 1e4]], dtype)
    with warnings.catch_warnings(), np.errstate(over="warn", invalid="warn", divide="warn"):
        warnings.simplefilter("error")
        out, residuals = op.forward(x)
        (dx,) = op.backward(np.ones_like(x), out, residuals, (x,), [True])
    assert np.all(np.isfinite(out))
    assert np.all(np.isfinite(dx))


@pytest.mark.parametrize("name", [*ELEMENTWISE])
def test_scalars(name: str) -> None:
    op = getattr(kernels, name)
    x = np.array(0.5, "float32")
    out, residuals = op.forward(x)
    (dx,) = op.backward(np.float32(1), out, residuals, (x,), [True])
    assert np.shape(out) == np.shape(dx) == ()
    assert out.dtype == dx.dtype == np.float32


def test_sigmoid_keeps_its_relative_precision() -> None:
    x = np.array([-80.0, -20, -5, 0, 5], "float32")
    np.testing.assert_allclose(kernels.sigmoid(x), 1 / (1 + np.exp(-x.astype("f8"))), rtol=5e-7)


def test_cross_entropies_of_extreme_logits() -> None:
    logits = np.array([[1e4, -1e4, 0.0]], "float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kernels.sparse_softmax_cross_entropy(logits, np.array([0]))[0] == 0
        assert kernels.sparse_softmax_cross_entropy(logits, np.array([1]))[0] == 2e4
        both = kernels.softmax_cross_entropy(logits, np.array([[0, 0.5, 0.5]], "float32"))
        assert both[0] == 1.5e4
        binary = kernels.sigmoid_binary_cross_entropy(logits, np.ones_like(logits))
    np.testing.assert_allclose(binary, [[0, 1e4, np.log(2)]], rtol=1e-6)


def test_relu_keeps_nan() -> None:
    x = np.array([[np.nan, -1, 2]], "float32")
    assert np.isnan(kernels.relu(x)[0, 0])
    y = kernels.dense(x, np.eye(3, dtype="float32"), None, activation="relu")
    assert np.all(np.isnan(y))


@pytest.mark.parametrize("strides, padding", [(2, "valid"), (1, "same"), (3, "valid")])
def test_max_pool_ties_go_where_jax_sends_them(strides: int, padding: str) -> None:
    import jax

    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (2, 6, 7, 3)).astype("float32")
    static: dict[str, Any] = {"pool_size": 2, "strides": strides, "padding": padding}
    out, residuals = kernels.max_pool.forward(x, **static)
    g = rng.standard_normal(out.shape).astype("float32")
    (dx,) = kernels.max_pool.backward(g, out, residuals, (x,), [True], **static)
    _, pull = jax.vjp(lambda v: kernels.max_pool.xla(v, **static), x)
    np.testing.assert_allclose(dx, pull(g)[0], atol=1e-6)


@pytest.mark.parametrize(
    "name, static",
    [
        ("conv", {"padding": "same"}),
        ("conv", {"strides": (2, 3), "activation": "relu"}),
        ("conv", {"groups": 2, "dilation": 2}),
        ("conv", {"groups": 4, "padding": "same"}),
        ("conv-pointwise", {"strides": 2}),
        ("max_pool", {"pool_size": 3, "strides": 2}),
        ("max_pool", {"pool_size": 2, "padding": "same"}),
        ("average_pool", {"pool_size": 3, "strides": 2, "padding": "same"}),
    ],
)
def test_blocks_make_no_difference(
    name: str, static: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 9, 8, 4))
    name, _, pointwise = name.partition("-")
    op, arrays = getattr(kernels, name), (x,)
    if name == "conv":
        size = (1, 1) if pointwise else (3, 2)
        arrays = (x, rng.standard_normal((*size, 4 // static.get("groups", 1), 8)), np.ones(8))
    results = []
    for block_bytes in (1 << 30, 5000, 100):  # all at once, whole samples, single rows
        monkeypatch.setattr("kernelmodel.engine.kernels.windows.BLOCK_BYTES", block_bytes)
        out, residuals = op.forward(*arrays, **static)
        g = np.cos(np.arange(out.size)).reshape(out.shape)
        results.append((out, *op.backward(g, out, residuals, arrays, [True] * 3, **static)))
    for other in results[1:]:
        for mine, theirs in zip(other, results[0]):
            np.testing.assert_allclose(mine, theirs, rtol=1e-11, atol=1e-11)


X = np.zeros((2, 5, 5, 3), "float32")


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: kernels.conv(X, np.zeros((3, 3, 4, 2), "f"), None), "don't fit a kernel"),
        (lambda: kernels.conv(X, np.zeros((3, 3, 1, 4), "f"), None, groups=3), "shared out"),
        (lambda: kernels.conv(X, np.zeros((7, 1, 3, 4), "f"), None), "larger than its input"),
        (lambda: kernels.max_pool(X, pool_size=2, padding="some"), "padding is"),
        (
            lambda: kernels.dense(X, np.eye(3, dtype="f"), None, activation="gelu"),
            "fused activation",
        ),
        (lambda: kernels.embedding(X[0, 0], np.array([0, 5])), r"\[0, 5\)"),
        (lambda: kernels.embedding(X[0, 0], np.array([-1])), "from -1"),
        (lambda: kernels.sparse_softmax_cross_entropy(X[0, 0], np.zeros(4, int)), "Squeeze"),
        (lambda: kernels.sparse_softmax_cross_entropy(X[0, 0], np.full(5, 3)), r"\[0, 3\)"),
        (
            lambda: kernels.lstm(
                X[0], np.zeros((3, 4), "f"), np.zeros((1, 4), "f"), *[None] * 4, activation="gelu"
            ),
            "cell activation",
        ),
    ],
)
def test_errors_say_what_to_do(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


@pytest.fixture(scope="module")
def keras() -> Any:
    return importlib.import_module("keras")


@pytest.mark.oracle
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_lstm_gives_the_numbers_of_keras(keras: Any, backwards: bool, masked: bool) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 6, 4)).astype("float32")
    states = [rng.standard_normal((3, 5)).astype("float32") for _ in range(2)]
    mask = np.array([[0, 1, 1, 0, 1, 0], [0] * 6, [1, 1, 1, 1, 0, 0]], bool) if masked else None
    layer = keras.layers.LSTM(5, return_sequences=True, return_state=True, go_backwards=backwards)
    expected = layer(x, initial_state=states, mask=mask)
    weights = [np.asarray(w) for w in layer.get_weights()]
    mine = kernels.lstm(x, *weights, *states, mask, go_backwards=backwards)
    for one, two in zip(mine, expected):
        np.testing.assert_allclose(one, np.asarray(two), atol=2e-6)


@pytest.mark.oracle
@pytest.mark.parametrize("extent", [5, 6, 7])
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("strides", [1, 2, 3])
def test_same_padding_is_that_of_keras(keras: Any, extent: int, size: int, strides: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, extent, extent + 1, 2)).astype("float32")
    kernel = rng.standard_normal((size, size, 2, 3)).astype("float32")
    static: dict[str, Any] = {"strides": strides, "padding": "same"}
    np.testing.assert_allclose(
        kernels.conv(x, kernel, None, **static),
        np.asarray(keras.ops.conv(x, kernel, **static)),
        atol=1e-5,
    )
    for op, oracle in (
        (kernels.max_pool, keras.ops.max_pool),
        (kernels.average_pool, keras.ops.average_pool),
    ):
        np.testing.assert_allclose(
            op(x, pool_size=size, **static), np.asarray(oracle(x, size, **static)), atol=1e-6
        )


@pytest.mark.oracle
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size, strides, dilation", [(2, 3, 1), (3, 2, 1), (4, 2, 1), (3, 1, 2)])
@pytest.mark.parametrize("extra", [None, 0, 1])
def test_conv_transpose_gives_the_numbers_of_keras(
    keras: Any, padding: str, size: int, strides: int, dilation: int, extra: int | None
) -> None:
    if extra is not None and extra >= strides:
        pytest.skip("output_padding is smaller than the strides")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 5, 4, 2)).astype("float32")
    kernel = rng.standard_normal((size, size, 3, 2)).astype("float32")
    expected = keras.ops.conv_transpose(
        x, kernel, strides, padding, output_padding=extra, dilation_rate=dilation
    )
    static = {"strides": strides, "padding": padding, "dilation": dilation}
    mine = kernels.conv_transpose(x, kernel, None, output_padding=extra, **static)
    np.testing.assert_allclose(mine, np.asarray(expected), atol=1e-5)


@pytest.mark.oracle
def test_batch_norm_masks_like_keras(keras: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 5, 3)).astype("float32")
    mask = rng.random((4, 5)) < 0.6
    layer = keras.layers.BatchNormalization(momentum=0.0)
    expected = layer(x, training=True, mask=mask)
    ones, zeros = np.ones(3, "float32"), np.zeros(3, "float32")
    y, mean, variance = kernels.batch_norm_train(x, ones, zeros, mask, axes=(0, 1), epsilon=1e-3)
    np.testing.assert_allclose(y, np.asarray(expected), atol=2e-6)
    np.testing.assert_allclose(mean, np.asarray(layer.moving_mean), atol=1e-6)
    np.testing.assert_allclose(variance, np.asarray(layer.moving_variance), atol=1e-6)


@pytest.mark.parametrize("columns", [1, 31, 32, 40])
@pytest.mark.parametrize("most", [1, 3, 50])
def test_rows_are_added_in_their_order(columns, most):
    draw = np.random.default_rng(columns + most)
    places, rows = draw.integers(0, most, 60), draw.standard_normal((60, columns), "float32")
    found, expected = np.zeros((2, 50, columns), "float32")
    add_rows(found, places, rows)
    np.add.at(expected, places, rows)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("batch, t, s", [(2, 3, 0), (0, 3, 4), (2, 0, 4)])
def test_attention_to_nothing(batch: int, t: int, s: int) -> None:
    q = np.ones((batch, t, 2, 4), "float32")
    k, v = np.ones((batch, s, 2, 4), "float32"), np.ones((batch, s, 2, 5), "float32")
    outs, weights = kernels.attention.forward(q, k, v, None, None, scale=0.5)
    assert outs[0].shape == (batch, t, 2, 5) and not outs[0].any()
    g, arrays, needed = np.ones_like(outs[0]), (q, k, v, None, None), [True] * 3 + [False] * 2
    found = kernels.attention.backward((g, None), outs, weights, arrays, needed, scale=0.5)
    for array, gradient in zip(arrays[:3], found[:3]):
        assert gradient.shape == array.shape and not gradient.any()
