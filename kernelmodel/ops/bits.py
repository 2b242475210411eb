"""Ops of the bits of integers, and of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.ops import checks
from kernelmodel.ops.convert import standardize_dtype
from kernelmodel.ops.dispatch import _array_like, op
from kernelmodel.ops.families import documented

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "left_shift",
    "right_shift",
    "view",
]


def _bitwise(name: str, meaning: str, call: str, result: str) -> Any:
    function = getattr(np, name)

    def body(x: Any, y: Any) -> Any:
        y = _array_like(y)
        checks.whole(name, "x", x)
        checks.whole(name, "y", y)
        return function(getval(x), getval(y))

    return documented(body, name, meaning, call, result)


bitwise_and = _bitwise("bitwise_and", "Bits that are set in both", "(6, 3)", "np.int64(2)")
bitwise_or = _bitwise("bitwise_or", "Bits that are set in either", "(6, 3)", "np.int64(7)")
bitwise_xor = _bitwise("bitwise_xor", "Bits that are set in one only", "(6, 3)", "np.int64(5)")
left_shift = _bitwise("left_shift", "Bits moved to the left by y places", "(3, 2)", "np.int64(12)")
right_shift = _bitwise(
    "right_shift", "Bits moved to the right by y places", "(12, 2)", "np.int64(3)"
)
bitwise_left_shift, bitwise_right_shift = left_shift, right_shift


@op
def bitwise_not(x: Any) -> Any:
    """Each bit of the integers turned over.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.bitwise_not([0, 5])
        array([-1, -6])
    """
    checks.whole("bitwise_not", "x", x)
    return np.invert(getval(x))


bitwise_invert = bitwise_not


@op
def view(x: Any, dtype: Any = None) -> Any:
    """The same bits, taken as values of another dtype.

    Args:
        x: Array; its last axis grows or shrinks with the size of the dtype.
        dtype: The dtype to read the bits as; None for that of x.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.view(np.array([1.0], "float32"), "int32")
        array([1065353216], dtype=int32)
    """
    if dtype is None:
        return x
    values = getval(x)
    values = np.ascontiguousarray(values) if isinstance(values, np.ndarray) else values
    return values.view(np.dtype(standardize_dtype(dtype)))
