"""Sequences into steps and arrays into parts, with gradients that are put together once.

An index of its own for each piece would give each a gradient as large as the whole array.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.primitive import fused


def _filled(gradients: Any, out: Any) -> list[Any]:
    """Zeros where no gradient arrived."""
    return [np.zeros_like(y) if g is None else g for g, y in zip(gradients, out)]


def _steps(x: np.ndarray) -> tuple[tuple[np.ndarray, ...], None]:
    return tuple(x[:, t] for t in range(x.shape[1])), None


def _steps_backward(g: Any, out: Any, residuals: None, arrays: Any, needed: Any) -> Any:
    return (np.stack(_filled(g, out), 1),)


def _steps_xla(x: Any) -> Any:
    return tuple(x[:, t] for t in range(x.shape[1]))


def _parts(x: np.ndarray, *, at: tuple[int, ...]) -> tuple[tuple[np.ndarray, ...], None]:
    return tuple(np.split(x, at, -1)), None


def _parts_backward(
    g: Any, out: Any, residuals: None, arrays: Any, needed: Any, *, at: tuple[int, ...]
) -> Any:
    return (np.concatenate(_filled(g, out), -1),)


def _parts_xla(x: Any, *, at: tuple[int, ...]) -> Any:
    import jax.numpy as jnp

    return tuple(jnp.split(x, at, -1))


# steps_of(x): (batch, steps, ...) as a tuple of (batch, ...).
steps_of = fused("steps_of", _steps, _steps_backward, _steps_xla)
# parts_of(x, at=(3, 5)): the last axis cut before these indices.
parts_of = fused("parts_of", _parts, _parts_backward, _parts_xla)
