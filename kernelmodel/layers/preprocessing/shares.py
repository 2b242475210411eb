"""Random shares: beta and Dirichlet draws, for layers that mix images."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.xla_array import unwrap
from kernelmodel.ops.random import _draw


def beta(shape: tuple[int, ...], alpha: Any, seeds: Any) -> Any:
    """Draws from the beta distribution with both parameters alpha, float32."""

    def numpy_draw(generator: Any, wide: str) -> Any:
        return generator.beta(alpha, alpha, shape)

    def jax_draw(key: Any, wide: Any) -> Any:
        import jax

        both = unwrap(getval(alpha))
        return jax.random.beta(key, both, both, shape, wide)

    return _draw(seeds, "float32", numpy_draw, jax_draw)


def dirichlet(shape: tuple[int, ...], alpha: float, seeds: Any) -> Any:
    """Draws from the symmetric Dirichlet distribution along the last axis, float32.

    They are gamma draws divided by their sum (Devroye, *Non-uniform random variate generation*,
    1986).
    """

    def numpy_draw(generator: Any, wide: str) -> Any:
        return generator.standard_gamma(alpha, shape)

    def jax_draw(key: Any, wide: Any) -> Any:
        import jax

        return jax.random.gamma(key, alpha, shape, wide)

    parts = _draw(seeds, "float32", numpy_draw, jax_draw) + np.float32(1e-30)
    return parts / np.sum(parts, axis=-1, keepdims=True)
