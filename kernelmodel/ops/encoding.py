"""Labels as vectors, and the quality of signals."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.ops import checks
from kernelmodel.ops.convert import extents
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import both_floating
from kernelmodel.ops.reduction import max as _max
from kernelmodel.ops.shaping import one_hot

__all__ = ["multi_hot", "psnr"]


@op
def multi_hot(
    inputs: Any,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Any:
    """Sets of integers as rows with a one at each of them.

    Args:
        inputs: Integers (count,) for one set, or (batch, count, ...).
        num_classes: Length of a row; integers out of range are left out.
        axis: The axis of the classes.
        dtype: Dtype name; None for float32.
        sparse: Must be False.
        **kwargs: `num_tokens`, an old name of `num_classes`.

    Returns:
        (num_classes,) or (batch, num_classes, ...).

    Raises:
        ValueError: No `num_classes`.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.multi_hot([0, 3], num_classes=5)
        array([1., 0., 0., 1., 0.], dtype=float32)
    """
    num_classes = kwargs.pop("num_tokens", num_classes)
    if kwargs:
        raise TypeError(f"multi_hot has no argument {next(iter(kwargs))!r}.")
    if num_classes is None:
        checks.refuse("multi_hot", "num_classes", None, "the number of classes")
    if sparse:
        checks.refuse("multi_hot", "sparse", sparse, "False: there are no sparse arrays here")
    rows = one_hot(inputs, num_classes, axis=axis, dtype=dtype)
    return _max(rows, axis=1 if len(extents(inputs)) > 1 else 0)


@op
def psnr(x1: Any, x2: Any, max_val: float) -> Any:
    """Ratio of the largest possible signal to the noise between two signals, in decibels.

    Args:
        x1: First signal, of any shape.
        x2: Second signal, of the same shape.
        max_val: The largest value that a signal can have.

    Returns:
        `20 * log10(max_val) - 10 * log10(mean((x1 - x2)**2))`, a scalar.

    Raises:
        ValueError: The shapes differ.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.psnr([1.0, 2.0], [1.1, 2.1], 10.0).round(2)
        np.float32(40.0)
    """
    x1, x2 = both_floating(x1, x2)
    if extents(x1) != extents(x2):
        checks.refuse("psnr", "x2", f"shape {extents(x2)}", f"of x1's shape {extents(x1)}")
    gap = x1 - x2
    largest = np.asarray(20 * np.log10(max_val), gap.dtype)
    return largest - 10 * anp.log10(anp.mean(gap * gap))
