"""Indexing of traced arrays: `x[index]`."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.boxes import Traced, getval
from kernelmodel.engine.primitive import fused
from kernelmodel.engine.xla_array import XlaArray, unwrap


def _is_basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(p is None or p is Ellipsis or isinstance(p, (slice, int, np.integer)) for p in parts)


def _forward(x: np.ndarray, *, index: Any) -> tuple[np.ndarray, None]:
    return x[index], None


def _backward(g: Any, out: Any, residuals: None, arrays: Any, needed: Any, *, index: Any) -> Any:
    (x,) = arrays
    gradient = np.zeros(x.shape, x.dtype)
    if _is_basic(index):
        gradient[index] = g
    else:
        np.add.at(gradient, index, g)
    return (gradient,)


def _xla(x: Any, *, index: Any) -> Any:
    parts = index if isinstance(index, tuple) else (index,)
    return x[tuple(np.asarray(p) if isinstance(p, list) else unwrap(p) for p in parts)]


_getitem = fused("getitem", _forward, _backward, _xla)


def getitem(x: Any, index: Any) -> Any:
    """`x[index]` for plain, traced and XLA arrays; the index itself has no gradient."""
    parts = tuple(map(getval, index)) if isinstance(index, tuple) else getval(index)
    if isinstance(x, np.ndarray) and any(
        isinstance(p, XlaArray) for p in (parts if isinstance(parts, tuple) else (parts,))
    ):
        import jax

        x = XlaArray(jax.numpy.asarray(unwrap(x)))  # a constant of the compiled step
    return _getitem(x, index=parts)


Traced.__getitem__ = getitem
