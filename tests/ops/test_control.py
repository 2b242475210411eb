"""Loops and branches: closures, gradients, XLA with and without a tape; functions of functions."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.engine.xla_array import XlaArray, unwrap

X = np.array([0.5, -1.5, 2.0], "float32")


def gradient_of(function: Any, x: Any) -> Any:
    return value_and_grad(lambda w: (km.ops.sum(function(w["x"])), None), {"x": x})[2]["x"]


PROGRAMS = {
    "cond": lambda x: km.ops.cond(km.ops.sum(x) > 0, lambda: x * 2, lambda: x * x),
    "switch": lambda x: km.ops.switch(
        km.ops.cast(km.ops.sum(x) > 0, "int32"), [lambda v: v, lambda v: v * v, lambda v: v * 3], x
    ),
    "fori_loop": lambda x: km.ops.fori_loop(0, 3, lambda i, y: y * x, x),
    "scan": lambda x: km.ops.scan(lambda c, v: (c * v + x[0], c + x[1]), x[2], x)[1],
    "map": lambda x: km.ops.map(lambda v: v * x, x),
    "vectorized_map": lambda x: km.ops.vectorized_map(lambda v: v * x, x),
    "while_loop": lambda x: km.ops.while_loop(
        lambda y: km.ops.sum(km.ops.abs(y)) < 30, lambda y: (y * 2 + x,), (x,), 6
    )[0],
    "associative_scan": lambda x: km.ops.associative_scan(lambda a, b: a * b, x * x),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_closures_have_gradients_which_xla_shares(name: str) -> None:
    program = PROGRAMS[name]
    slope = gradient_of(program, X.astype("float64"))
    for i in range(len(X)):
        step = np.zeros(3)
        step[i] = 1e-6
        up, down = (float(km.ops.sum(program(X.astype("float64") + s))) for s in (step, -step))
        np.testing.assert_allclose(slope[i], (up - down) / 2e-6, rtol=1e-5, atol=1e-7)

    def compiled(raw: Any) -> Any:
        x = XlaArray(raw)
        return unwrap((getval(program(x)), gradient_of(program, x)))

    value, traced = jax.jit(compiled)(X)
    np.testing.assert_allclose(value, program(X), rtol=1e-5)
    np.testing.assert_allclose(traced, slope, rtol=1e-4)


def test_a_while_loop_without_a_limit_has_no_gradient_under_xla() -> None:
    def program(x: Any) -> Any:
        return km.ops.while_loop(lambda y: km.ops.sum(y) < 9, lambda y: (y * 2,), (x,))[0]

    with pytest.raises(ValueError, match="maximum_iterations"):
        gradient_of(program, XlaArray(jax.numpy.ones(3)))


@pytest.mark.parametrize("name", PROGRAMS)
def test_in_a_functional_model(name: str) -> None:
    inputs = km.Input(batch_shape=(3,))
    outputs = km.layers.Lambda(PROGRAMS[name])(inputs)
    np.testing.assert_allclose(km.Model(inputs, outputs)(X), PROGRAMS[name](X), rtol=1e-6)


def test_jvp_on_arrays_is_that_of_jax() -> None:
    weights = np.array([[1.0, -2.0, 0.3], [0.2, 0.1, -1.0]], "float32")

    def function(x: Any) -> Any:
        return km.ops.softmax(km.ops.matmul(weights, km.ops.gelu(x))), x[:1] * 3

    direction = np.array([1.0, 0.5, -0.2], "float32")
    got = km.ops.jvp(function, (X,), (direction,))
    wanted = jax.jit(lambda x, v: unwrap(km.ops.jvp(function, (XlaArray(x),), (XlaArray(v),))))(
        X, direction
    )
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    out, change, aux = km.ops.jvp(lambda x: (x * 2, "aux"), (X,), (direction,), has_aux=True)
    np.testing.assert_allclose(change, direction * 2)
    np.testing.assert_allclose(out, X * 2)
    assert aux == "aux"


def test_custom_gradient_of_several_arguments_and_results() -> None:
    seen = []

    @km.ops.custom_gradient
    def function(a: Any, b: Any) -> Any:
        def gradient(of_sum: Any, of_product: Any) -> Any:
            seen.append((of_sum, of_product))
            return of_sum * 10, None

        return (a + b, a * b), gradient

    def loss(w: dict[str, Any]) -> Any:
        return km.ops.sum(function(w["a"], w["b"])[0]), None

    _, _, gradients = value_and_grad(loss, {"a": X, "b": X})
    np.testing.assert_allclose(gradients["a"], np.full(3, 10))
    np.testing.assert_allclose(gradients["b"], np.zeros(3))
    np.testing.assert_allclose(seen[0][1], np.zeros(3))  # nobody used the product
    with pytest.raises(TypeError, match="must return"):
        km.ops.custom_gradient(lambda x: x)(X)


def test_vectorize_broadcasts_and_sees_core_axes() -> None:
    dot = km.ops.vectorize(lambda a, b: km.ops.sum(a * b), signature="(n),(n)->()")
    a, b = np.arange(12.0).reshape(2, 2, 3), np.arange(3.0)
    np.testing.assert_allclose(dot(a, b), a @ b)
    np.testing.assert_allclose(gradient_of(lambda x: dot(a, x), b), a.sum((0, 1)))
    scaled = km.ops.vectorize(lambda x, factor: x * factor, excluded={1})
    np.testing.assert_allclose(scaled(b, 3), b * 3)
    with pytest.raises(ValueError, match="signature"):
        dot(a)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: km.ops.scan(3, X, X), "scan: f must be"),
        (lambda: km.ops.scan(lambda c, x: (c, x), 0.0), "scan: length"),
        (lambda: km.ops.scan(lambda c, x: (c, x), 0.0, X, 5), "scan: length must be"),
        (lambda: km.ops.scan(lambda c, x: (c, x), 0.0, X, unroll=0), "scan: unroll"),
        (lambda: km.ops.map(lambda x: x, [X, X[:2]]), "first axes of one length"),
        (lambda: km.ops.switch(0, []), "switch: branches"),
        (lambda: km.ops.cond(True, 1, 2), "cond: true_fn"),
        (lambda: km.ops.jvp(lambda x: x, (X,), (X[:2],)), "jvp: tangents"),
        (lambda: km.ops.rearrange(X, "a b -> b"), "rearrange"),
        (lambda: km.ops.rearrange(X, "(a b) -> a b"), "axes_lengths"),
        (lambda: km.ops.cholesky(-np.eye(2)), "positive definite"),
        (lambda: km.ops.inv(np.ones((2, 3))), "inv: x must be a square matrix"),
        (lambda: km.ops.solve(np.eye(3), np.ones(2)), "solve: b must be"),
        (lambda: km.ops.norm(np.eye(3), ord=7), "norm: ord"),
        (lambda: km.ops.quantile(X, 0.5, method="guess"), "quantile: method"),
        (lambda: km.ops.bitwise_and(X, 1), "bitwise_and: x must be an array of integers"),
        (lambda: km.ops.ldexp(X, X), "ldexp: x2"),
        (lambda: km.ops.stft(X, 8, 2, 4), "stft: fft_length"),
        (lambda: km.ops.fft(X), "fft: x must be a pair"),
        (lambda: km.ops.conv(np.ones((1, 4, 3)), np.ones((2, 2, 4))), "conv: kernel"),
        (lambda: km.ops.conv(np.ones((1, 4, 2)), np.ones((2, 2, 4)), padding="full"), "padding"),
        (lambda: km.ops.max_pool(np.ones((1, 4, 2)), (2, 2)), "max_pool: pool_size"),
        (lambda: km.ops.scatter_update(X, [[0]], [1.0, 2.0]), "scatter_update: updates"),
        (lambda: km.ops.segment_sum(X, [0, 1]), "segment_sum: segment_ids"),
        (lambda: km.ops.image.resize(np.ones((4, 4, 1)), (2, 2), "soft"), "resize: interpolation"),
        (lambda: km.ops.image.resize(np.ones((4, 4)), (2, 2)), "resize: images"),
        (lambda: km.ops.image.crop_images(np.ones((4, 4, 1)), 1, 1), "crop_images: give two"),
        (lambda: km.ops.image.affine_transform(np.ones((4, 4, 1)), [1.0, 2.0]), "transform"),
        (lambda: km.random.gamma((2,), -1.0), "gamma: alpha"),
        (lambda: km.random.binomial((2,), 3, 1.5), "binomial: probabilities"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
