"""Eigenvalues of general matrices: gradients of complex results, which the table of ops skips.

LAPACK's builds choose the signs of eigenvectors differently, so what is compared is even in them.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.engine.xla_array import XlaArray, unwrap

rng = np.random.default_rng(5)
X = rng.standard_normal((2, 4, 4))  # with real values and with pairs of complex ones
SEEDS = rng.standard_normal((2, 2, 4)), rng.standard_normal((3, 2, 4, 4))


def loss(x: Any, part: str) -> Any:
    values, vectors = km.ops.eig(x)
    if part == "values":
        return km.ops.sum(km.ops.real(values) * SEEDS[0][0] + km.ops.abs(km.ops.imag(values)))
    real, imaginary = km.ops.real(vectors), km.ops.imag(vectors)
    even = (real * real, real * imaginary, imaginary * imaginary)
    total = sum(km.ops.sum(a * seed) for a, seed in zip(even, SEEDS[1]))
    return total if part == "vectors" else total + loss(x, "values")


def gradient(x: Any, part: str) -> Any:
    return value_and_grad(lambda w: (loss(w["x"], part), None), {"x": x})[2]["x"]


@pytest.mark.parametrize("part", ["values", "vectors", "both"])
def test_gradient_is_the_difference_quotient(part: str) -> None:
    assert np.iscomplex(np.linalg.eigvals(X)).any() and np.isreal(np.linalg.eigvals(X)).any()
    got, direction, step = gradient(X, part), rng.standard_normal(X.shape), 1e-6
    assert got.dtype == "float64"
    slope = (loss(X + step * direction, part) - loss(X - step * direction, part)) / (2 * step)
    np.testing.assert_allclose((got * direction).sum(), slope, rtol=1e-5)


@pytest.mark.parametrize("part", ["values", "vectors", "both"])
def test_gradient_under_xla(part: str) -> None:
    x = X.astype("float32")
    under_xla = jax.jit(lambda raw: unwrap(gradient(XlaArray(raw), part)))(x)
    plain = gradient(x, part)
    assert plain.dtype == under_xla.dtype == "float32"
    np.testing.assert_allclose(under_xla, plain, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(plain, gradient(X, part), rtol=2e-3, atol=2e-3)


def test_symmetric_matrices_have_the_gradient_of_eigh() -> None:
    x = {"x": X[0] + X[0].T}
    one, other = (
        value_and_grad(lambda w, op=op: (km.ops.sum(km.ops.real(op(w["x"])[0]) ** 3), None), x)[2]
        for op in (km.ops.eig, km.ops.eigh)
    )
    np.testing.assert_allclose(one["x"], other["x"], rtol=1e-9)


def test_vectors_that_are_not_unique_have_no_gradient() -> None:
    x = rng.standard_normal((5, 3))
    with pytest.raises(NotImplementedError, match=r"svd.*Use full_matrices=False"):
        value_and_grad(lambda w: (km.ops.sum(km.ops.svd(w["x"])[0]), None), {"x": x})
