"""Attention: values mixed by how well their keys fit a query."""

from __future__ import annotations

import math
from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import kernels
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.rules import where
from kernelmodel.engine.xla_array import counted
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, dtype_of, extents
from kernelmodel.ops.dispatch import _array_like, op
from kernelmodel.ops.families import both_floating

__all__ = ["dot_product_attention"]


def _grouped(name: str, x: Any, lengths: tuple[int, ...], keys: int) -> Any:
    """A mask or bias that broadcasts to (batch, heads, t, s), with the heads in groups."""
    _, heads, t, _ = lengths
    while len(extents(x)) < 4:
        # (batch, t, s) is meant for every head; (batch, heads, s) for every query.
        per_head = len(extents(x)) == 3 and extents(x)[1] == heads and heads not in (1, t)
        x = anp.expand_dims(x, 2 if per_head else 1 if len(extents(x)) == 3 else 0)
    found = extents(x)
    if any(n not in (1, wanted) for n, wanted in zip(found, lengths)):
        checks.refuse("dot_product_attention", name, f"shape {found}",
                      f"an array that broadcasts to (batch, heads, t, s) = {lengths}")  # fmt: skip
    groups = (1, 1) if found[1] == 1 else (keys, heads // keys)
    return anp.reshape(x, (found[0], *groups, *found[2:]))


@op
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """Values weighted with the softmax of scaled products of queries and keys.

    Args:
        query: (batch, t, heads, length).
        key: (batch, s, key_heads, length); heads are a multiple of key_heads, and as many queries
            in a row share a key.
        value: (batch, s, key_heads, length).
        bias: Added to the scores; broadcasts to (batch, heads, t, s).
        mask: False where a query must not see a key; broadcasts likewise.
        scale: Factor of the scores; None for 1 / sqrt(length).
        is_causal: Whether a query sees only keys at its own place and before.
        flash_attention: Accepted; there is one implementation.
        attn_logits_soft_cap: Must be None.

    Returns:
        (batch, t, heads, length).

    Raises:
        ValueError: Shapes don't fit.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> x = np.ones((2, 4, 8, 16))
        >>> km.ops.dot_product_attention(x, x, x, is_causal=True).shape
        (2, 4, 8, 16)
    """
    name = "dot_product_attention"
    if attn_logits_soft_cap is not None:
        checks.refuse(name, "attn_logits_soft_cap", attn_logits_soft_cap, "None")
    key, value = both_floating(key, value)
    query, key = both_floating(query, key)
    for argument, x in (("query", query), ("key", key), ("value", value)):
        checks.rank(name, argument, x, (4,))
    (batch, t, heads, length), (s, keys) = extents(query), extents(key)[1:3]
    if heads % keys or extents(key)[-1] != length or extents(value)[:3] != extents(key)[:3]:
        got = f"shape {extents(key)} beside query {extents(query)} and value {extents(value)}"
        checks.refuse(name, "key", got, "(batch, s, key_heads, length), heads % key_heads == 0")
    groups = heads // keys
    q = anp.reshape(query, (batch, t, keys, groups, length))
    q = anp.transpose(q, (0, 2, 3, 1, 4)) * np.asarray(
        1 / math.sqrt(length) if scale is None else scale, dtype_of(query)
    )
    k = anp.expand_dims(anp.transpose(key, (0, 2, 3, 1)), 2)
    scores = anp.matmul(q, k)
    lengths = (batch, heads, t, s)
    if bias is not None:
        scores = scores + _cast(_grouped("bias", _array_like(bias), lengths, keys), scores.dtype)
    allowed: Any = None
    if mask is not None:
        allowed = _cast(_grouped("mask", getval(_array_like(mask)), lengths, keys), "bool")
    if is_causal:
        causal = counted(t)[:, None] >= counted(s)
        allowed = causal if allowed is None else np.logical_and(allowed, causal)
    if allowed is not None:
        lowest = np.asarray(-0.7 * float(np.finfo(scores.dtype).max), scores.dtype)
        scores = where(allowed, scores, lowest)
    weights = kernels.softmax(scores, axis=-1)
    v = anp.expand_dims(anp.transpose(value, (0, 2, 1, 3)), 2)
    mixed = anp.transpose(anp.matmul(weights, v), (0, 3, 1, 2, 4))
    return anp.reshape(mixed, (batch, t, heads, extents(value)[-1]))
