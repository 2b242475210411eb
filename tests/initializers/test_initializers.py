"""Initializers: their distributions, and errors."""

from __future__ import annotations

import numpy as np
import pytest

from kernelmodel import initializers
from kernelmodel.core.seed import SeedGenerator
from kernelmodel.engine.random import reset_global_seed
from kernelmodel.initializers.scaling import fans

SHAPE = (300, 200)
SPREADS = {
    "GlorotUniform": 2 / 500,
    "GlorotNormal": 2 / 500,
    "HeUniform": 2 / 300,
    "HeNormal": 2 / 300,
    "LecunUniform": 1 / 300,
    "LecunNormal": 1 / 300,
    "RandomNormal": 0.05**2,
    "RandomUniform": 0.1**2 / 12,
    "TruncatedNormal": (0.05 * 0.8796) ** 2,
}


@pytest.mark.parametrize("name", SPREADS)
def test_mean_and_variance(name):
    values = getattr(initializers, name)(seed=1)(SHAPE)
    assert float(values.var()) == pytest.approx(SPREADS[name], rel=0.02)
    assert abs(float(values.mean())) < 4 * (SPREADS[name] / values.size) ** 0.5


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["uniform", "normal", "untruncated_normal"])
def test_variance_scaling(mode, distribution):
    count = {"fan_in": 300, "fan_out": 200, "fan_avg": 250}[mode]
    values = initializers.VarianceScaling(3.0, mode, distribution, seed=1)(SHAPE)
    assert float(values.var() * count) == pytest.approx(3, rel=0.02)


def test_limits():
    uniform = initializers.RandomUniform(-1.0, 3.0, seed=1)((10000,))
    assert uniform.min() >= -1 and uniform.max() < 3 and uniform.max() > 2.9
    assert abs(initializers.TruncatedNormal(stddev=2.0, seed=1)((10000,))).max() <= 4


def test_fans():
    assert fans(()) == (1, 1)
    assert fans((5,)) == (5, 5)
    assert fans((3, 4, 5, 6)) == (60, 72)
    assert fans((2, 3, 4), input_axes=(0, 1), output_axes=(2,)) == (6, 4)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (2, 3, 4)])
def test_orthogonal(shape):
    for dtype in ("float32", "float64"):
        matrix = initializers.Orthogonal(gain=2.0, seed=1)(shape, dtype=dtype).reshape(
            -1, shape[-1]
        )
        short = min(matrix.shape)
        product = matrix.T @ matrix if matrix.shape[1] == short else matrix @ matrix.T
        np.testing.assert_allclose(product, 4 * np.eye(short), atol=1e-5)
    with pytest.raises(ValueError, match="two lengths"):
        initializers.Orthogonal()((3,))


def test_constant_takes_arrays():
    np.testing.assert_array_equal(
        initializers.Constant([1.0, 2.0])((3, 2)), np.tile([1.0, 2.0], (3, 1))
    )


def test_identity():
    np.testing.assert_array_equal(initializers.Identity(3.0)((2, 3)), 3 * np.eye(2, 3))
    with pytest.raises(ValueError, match=r"\(2, 2, 2\)"):
        initializers.Identity()((2, 2, 2))
    assert initializers.deserialize(initializers.serialize(initializers.Identity(3.0))).gain == 3


def test_the_global_seed_decides_for_all():
    draws = []
    for _ in range(2):
        reset_global_seed(5)
        draws.append(initializers.GlorotUniform()((3, 4)))
    np.testing.assert_array_equal(*draws)


def test_seed_generators_go_on():
    initializer = initializers.RandomNormal(seed=SeedGenerator(3))
    assert (initializer((4,)) != initializer((4,))).any()


@pytest.mark.parametrize(
    "options", [{"scale": 0.0}, {"mode": "fan"}, {"distribution": "flat"}, {"seed": 1.5}]
)
def test_wrong_arguments(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        initializers.VarianceScaling(**options)


def test_names():
    assert isinstance(initializers.get("zero"), initializers.Zeros)
    assert initializers.get(None) is None
    assert isinstance(initializers.get(initializers.Ones), initializers.Ones)
    with pytest.raises(ValueError, match="'glorot_uniform'"):
        initializers.get("glorot_unifrom")


@pytest.mark.oracle
@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize(
    ("window", "periodic"),
    [("hann", False), ("hamming", True), ("blackman", False), ("nuttall", True), ("boxcar", True),
     ("flattop", False), ("blackmanharris", True), ("bartlett", False), ("cosine", True),
     (None, False), (np.linspace(0.1, 1, 16), False)],
)  # fmt: skip
@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
def test_fourier_kernels_as_keras(side, window, periodic, scaling, keras):
    ours = initializers.STFT(side, window, scaling, periodic)((16, 1, 9))
    theirs = keras.initializers.STFT(side, window, scaling, periodic)((16, 1, 9))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-5)  # Keras' angles are float32


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"side": "left"}, "side must be one of"),
        ({"scaling": "size"}, "scaling must be one of"),
    ],
)
def test_fourier_kernels_check_their_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        initializers.STFT(**arguments)


def test_fourier_kernels_check_shapes():
    with pytest.raises(ValueError, match=r"must be \(frame length, 1, frequencies\), got \(3, 4\)"):
        initializers.STFT()((3, 4))
    with pytest.raises(ValueError, match=r"must have the shape \(4,\) of a frame, got \(3,\)"):
        initializers.STFT(window=[1.0, 2.0, 1.0])((4, 1, 3))
