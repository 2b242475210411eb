"""Whole numbers counted, and encoded as rows of zeros and ones: what categories become."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.layer import Layer
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.plan import as_one
from kernelmodel.engine.xla_array import XlaArray, unwrap
from kernelmodel.layers.arguments import choice, refuse
from kernelmodel.ops.convert import _cast

MODES = ("int", "one_hot", "multi_hot", "count")


def histogram(values: Any, bins: int) -> Any:
    """How often each number below `bins` is in each row.

    Args:
        values: Integers (rows, values), from 0 to below `bins`.
        bins: Count of different numbers.

    Returns:
        Counts (rows, bins).
    """
    rows = values.shape[0]
    if isinstance(values, XlaArray):
        import jax.numpy as jnp

        at = jnp.arange(rows)[:, None], unwrap(values)
        return XlaArray(jnp.zeros((rows, bins), "int32").at[at].add(1))
    flat = np.reshape(values + np.arange(rows)[:, None] * bins, (-1,))
    return np.reshape(as_one(np.bincount, flat, minlength=rows * bins), (rows, bins))


def on_host(function: Callable[..., Any], dtype: str, shape: tuple[int, ...], *arrays: Any) -> Any:
    """The result of a function of NumPy arrays; XLA calls back for it."""
    if not any(isinstance(x, XlaArray) for x in arrays):
        return as_one(function, *arrays)
    if dtype == "string":
        raise TypeError("The layer gives text, which XLA and files for serving don't know.")
    import jax

    kind = jax.dtypes.canonicalize_dtype(dtype)
    result = jax.ShapeDtypeStruct(shape, kind)

    def call(*values: Any) -> Any:
        return np.asarray(function(*map(np.asarray, values)), kind)

    return XlaArray(jax.pure_callback(call, result, *map(unwrap, arrays)))


def no_sparse(layer: Layer, sparse: Any) -> bool:
    """Check that nobody asks for sparse outputs."""
    if sparse:
        refuse(layer, "sparse", sparse, "False: outputs are dense arrays")
    return False


def output_mode(layer: Layer, mode: Any, allowed: tuple[str, ...] = MODES) -> str:
    """An output mode; "binary" and "tf-idf" are older names of two."""
    known = {"binary": "multi_hot", "tf-idf": "tf_idf"}
    return choice(layer, "output_mode", known.get(mode, mode) if mode else mode, allowed)


def encoded_shape(shape: Any, mode: str, depth: int | None) -> tuple[int | None, ...]:
    """The shape of `encode`'s result."""
    shape = tuple(shape)
    if mode == "int":
        return shape
    if mode == "one_hot" and not (len(shape) > 1 and shape[-1] == 1):
        return (*shape, depth)
    return (*shape[:-1], depth)


def encode(indices: Any, mode: str, depth: int, dtype: str, weights: Any = None) -> Any:
    """Indices as such, or as rows that say which there are.

    Args:
        indices: Integers of any shape; those out of range are left out of rows.
        mode: "int"; "one_hot": a row for each index (one last axis of length 1 is dropped);
            "multi_hot": a row for each last axis, with ones for the indices in it; "count": with
            how often each is in it.
        depth: Length of a row.
        dtype: Dtype of the result.
        weights: How much each index counts, for "count"; None for 1.
    """
    if mode == "int":
        return _cast(indices, dtype)
    shape: Any = encoded_shape(indices.shape, mode, depth)
    if mode == "one_hot" or weights is not None:
        hits = _cast(np.expand_dims(indices, -1) == np.arange(depth), dtype)
        if mode == "one_hot":
            return ops.reshape(hits, shape)
        weighted = hits * ops.expand_dims(_cast(weights, dtype), -1)
        return ops.sum(weighted, axis=-2) if len(indices.shape) else weighted
    length = indices.shape[-1] if len(indices.shape) else 1
    rows = math.prod(indices.shape[:-1])
    rows_of = np.reshape(getval(indices), (rows, length))
    known = np.where((rows_of >= 0) & (rows_of < depth), rows_of, depth)
    counts = np.reshape(histogram(known, depth + 1)[:, :depth], shape)
    return _cast(counts > 0 if mode == "multi_hot" else counts, dtype)
