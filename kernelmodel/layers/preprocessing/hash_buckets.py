"""Values to buckets by their hash."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.layer import Layer
from kernelmodel.layers.arguments import is_integer, refuse


def checked_salt(layer: Layer, salt: Any) -> tuple[int, int] | None:
    """A salt as two words: an integer stands for both.

    Raises:
        ValueError: Something else.
    """
    if salt is None:
        return None
    words = tuple(salt) if isinstance(salt, (list, tuple)) else (salt, salt)
    if len(words) != 2 or not all(map(is_integer, words)):
        refuse(layer, "salt", salt, "an integer, two of them, or None")
    return int(words[0]), int(words[1])


def decimal_bytes(values: np.ndarray) -> list[bytes]:
    """Whole numbers as their decimal digits; floats are cut to whole numbers."""
    if values.dtype.kind == "b":
        return [b"true" if value else b"false" for value in values.ravel().tolist()]
    whole = values.astype("int64") if values.dtype.kind == "f" else values
    return whole.ravel().astype("S21").tolist()
