"""What ops promise where no other library gives the same numbers."""

import jax
import numpy as np
import pytest

from kernelmodel import ops
from kernelmodel.engine.xla_array import XlaArray, unwrap

rng = np.random.default_rng(5)


@pytest.mark.parametrize("engine", ["numpy", "xla"])
def test_eigenvectors_are_scaled_by_eigenvalues(engine):
    x = rng.standard_normal((3, 4, 4)).astype("float32")
    if engine == "xla":
        values, vectors = jax.jit(lambda a: unwrap(ops.eig(XlaArray(a))))(x)
    else:
        values, vectors = ops.eig(x)
    np.testing.assert_allclose(x @ vectors, vectors * values[:, None], atol=1e-4)


@pytest.mark.parametrize("axis", [0, 1])
def test_sparsemax_is_the_nearest_distribution(axis):
    x = rng.standard_normal((4, 4))
    p = np.asarray(ops.sparsemax(x, axis=axis))
    np.testing.assert_allclose(p.sum(axis), 1)
    assert (p >= 0).all()
    for _ in range(200):
        other = rng.dirichlet(np.ones(4), 4)
        other = other.T if axis == 0 else other
        assert (((p - x) ** 2).sum(axis) <= ((other - x) ** 2).sum(axis) + 1e-12).all()


@pytest.mark.parametrize("window", ["hann", "hamming", None])
def test_istft_is_the_inverse_of_stft(window):
    x = rng.standard_normal((2, 64))
    spectrum = ops.stft(x, 16, 4, 20, window)
    np.testing.assert_allclose(ops.istft(spectrum, 16, 4, 20, 60, window), x[:, :60], atol=1e-9)


@pytest.mark.parametrize("axis", [-1, 0, None])
@pytest.mark.parametrize("engine", ["numpy", "xla"])
def test_argpartition_puts_the_kth_in_its_place(engine, axis):
    x = rng.standard_normal((3, 9) if axis != 0 else (9, 3)).astype("float32")
    if engine == "xla":
        order = jax.jit(lambda a: unwrap(ops.argpartition(XlaArray(a), 4, axis)))(x)
    else:
        order = ops.argpartition(x, 4, axis)
    assert order.dtype == "int32"
    x = x.ravel() if axis is None else x
    ordered = np.moveaxis(np.take_along_axis(x, np.asarray(order), axis or 0), axis or 0, -1)
    assert (np.sort(order, axis or 0) == np.sort(np.argsort(x, axis or 0), axis or 0)).all()
    ordered = np.atleast_2d(ordered)
    assert (ordered[:, :4] <= ordered[:, 4:5]).all()
    assert (ordered[:, 5:] >= ordered[:, 4:5]).all()


def test_an_elastic_transform_without_strength_changes_nothing():
    x = rng.standard_normal((2, 6, 7, 3))
    np.testing.assert_allclose(ops.image.elastic_transform(x, alpha=0.0, seed=1), x)
    assert not np.allclose(ops.image.elastic_transform(x, seed=1), x)
