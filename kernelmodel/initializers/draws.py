"""Initializers that draw from a fixed distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.kinds import NotNegative
from kernelmodel.initializers.initializer import REGISTRY, RandomInitializer
from kernelmodel.ops import random


@REGISTRY.register("normal")
class RandomNormal(RandomInitializer):
    """Draws from a normal distribution.

    Args:
        mean: Mean.
        stddev: Standard deviation.
        seed: Integer, `SeedGenerator` or None.

    Examples:
        >>> import kernelmodel as km
        >>> draw = km.initializers.RandomNormal(stddev=0.1, seed=1)
        >>> bool((draw((3, 4)) == draw((3, 4))).all())
        True
    """

    def __init__(self, mean: float = 0.0, stddev: NotNegative = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return random.normal(shape, self.mean, self.stddev, dtype, self._stream)


@REGISTRY.register()
class TruncatedNormal(RandomInitializer):
    """Draws from a normal distribution, those beyond two standard deviations drawn again.

    Args:
        mean: Mean before truncation.
        stddev: Standard deviation before truncation.
        seed: Integer, `SeedGenerator` or None.

    Examples:
        >>> import kernelmodel as km
        >>> values = km.initializers.TruncatedNormal(stddev=1.0, seed=1)((1000,))
        >>> bool(abs(values).max() <= 2)
        True
    """

    def __init__(self, mean: float = 0.0, stddev: NotNegative = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, self._stream)


@REGISTRY.register("uniform")
class RandomUniform(RandomInitializer):
    """Draws from [minval, maxval) with equal chances.

    Args:
        minval: Lower bound, included.
        maxval: Upper bound, excluded.
        seed: Integer, `SeedGenerator` or None.

    Examples:
        >>> import kernelmodel as km
        >>> values = km.initializers.RandomUniform(0.0, 1.0, seed=1)((1000,))
        >>> bool(0 <= values.min() and values.max() < 1)
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return random.uniform(shape, self.minval, self.maxval, dtype, self._stream)


@REGISTRY.register("OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """A random orthogonal matrix: the orthogonal factor of a matrix of normal draws.

    A weight of more than two dimensions is a matrix with all but the last axis joined. Of a matrix
    that isn't square, the shorter side's vectors are orthogonal (Saxe et al., 2013).

    Args:
        gain: Factor of the matrix.
        seed: Integer, `SeedGenerator` or None.

    Raises:
        ValueError: When called with a shape of fewer than two lengths.

    Examples:
        >>> import kernelmodel as km
        >>> q = km.initializers.Orthogonal(seed=1)((3, 3))
        >>> (q @ q.T).round(5) + 0.0
        array([[1., 0., 0.],
               [0., 1., 0.],
               [0., 0., 1.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if len(shape) < 2:
            raise ValueError(
                "Orthogonal makes matrices: expected a shape of two lengths or more, got "
                f"{tuple(shape)}. Use Zeros or RandomNormal for this weight."
            )
        rows, columns = int(np.prod(shape[:-1])), shape[-1]
        wide = "float64" if dtype == "float64" else "float32"
        draws = random.normal(
            (max(rows, columns), min(rows, columns)), dtype=wide, seed=self._stream
        )
        q, r = np.linalg.qr(np.asarray(draws))
        # QR leaves the signs open; with r's diagonal positive, q is uniform (Mezzadri, 2007).
        q = q * np.where(np.diagonal(r) < 0, -1, 1).astype(wide)
        q = q.T if rows < columns else q
        return ops.cast(ops.reshape(q, shape) * self.gain, dtype)
