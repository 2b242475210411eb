"""The arguments of a layer's call as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten
from kernelmodel.engine.bfloat16 import BFloat16, classed, kind_of
from kernelmodel.engine.boxes import isbox
from kernelmodel.engine.scope import WATCHED, watched
from kernelmodel.engine.stand_in import StandIn
from kernelmodel.engine.tensor import Tensor
from kernelmodel.ops.convert import _cast, convert_to_tensor


def to_arrays(value: Any, dtype: str | None, kinds: str = "f") -> Any:
    """An argument with plain, traced or stand-in arrays for everything array-like.

    Args:
        value: Array, array-like, a structure of them, or something else, which stays.
        dtype: Dtype name that arrays are cast to, or None.
        kinds: Kinds of arrays that are cast: "f" for floats, "fiu" for integers too.
    """
    kind = type(value)
    if kind in (np.ndarray, Tensor, BFloat16) or isbox(value) or issubclass(kind, StandIn):
        if WATCHED:
            value = watched(value)
        if type(value) is Tensor:
            value = value.view(np.ndarray)
        if dtype is not None and value.dtype != dtype and kind_of(value.dtype) in kinds:
            return _cast(value, dtype)
        return classed(value)
    if kind is dict:
        return {key: to_arrays(part, dtype, kinds) for key, part in value.items()}
    if kind in (list, tuple) and value:
        if all(isinstance(part, (int, float)) for part in flatten(value)):
            return to_arrays(convert_to_tensor(value), dtype, kinds) if kind is list else value
        return kind(to_arrays(part, dtype, kinds) for part in value)
    if isinstance(value, (float, np.floating)) or not hasattr(value, "__array__"):
        return value
    return to_arrays(np.asarray(value), dtype, kinds)
