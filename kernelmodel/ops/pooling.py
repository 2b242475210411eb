"""Pooling: windows reduced to their maximum or mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine import kernels
from kernelmodel.engine.indexing import getitem
from kernelmodel.ops import checks
from kernelmodel.ops.convert import dtype_of, extents
from kernelmodel.ops.convolution import _padding, as_given, channels_last
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import floating

__all__ = ["adaptive_average_pool", "adaptive_max_pool", "average_pool", "max_pool"]

Ints = int | Sequence[int]


def _pool(
    name: str, pool: Any, inputs: Any, size: Ints, strides: Ints | None, padding: str, format_: Any
) -> Any:
    format_ = checks.data_format(name, format_)
    axes = checks.rank(name, "inputs", inputs, (3, 4, 5)) - 2
    y = pool(
        channels_last(inputs, format_),
        pool_size=checks.per_axis(name, "pool_size", size, axes),
        strides=None if strides is None else checks.per_axis(name, "strides", strides, axes),
        padding=_padding(name, padding),
    )
    return as_given(y, format_)


@op
def max_pool(
    inputs: Any,
    pool_size: Ints,
    strides: Ints | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The maximum of each window.

    Args:
        inputs: (batch, *spatial, channels), or channels before spatial axes.
        pool_size: Extents of a window, one integer or one for each axis.
        strides: Step between windows; None for `pool_size`.
        padding: "valid", or "same" for ceil(extent / stride) windows.
        data_format: "channels_last" or "channels_first"; None for the former.

    Returns:
        (batch, *out, channels), with the channels where the inputs have them.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.max_pool(np.arange(4.0).reshape(1, 4, 1), 2).ravel()
        array([1., 3.])
    """
    pool = kernels.max_pool
    return _pool("max_pool", pool, inputs, pool_size, strides, padding, data_format)


@op
def average_pool(
    inputs: Any,
    pool_size: Ints,
    strides: Ints | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The mean of each window, of which padding is no part. See `max_pool`.

    Args:
        inputs: Array (batch, ..., channels).
        pool_size: Extent of the window: an integer, or one for each spatial axis.
        strides: Step between windows, likewise; None for the window's extent.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None for the global one.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.average_pool(np.arange(4.0).reshape(1, 4, 1), 2).ravel()
        array([0.5, 2.5])
    """
    pool, x = kernels.average_pool, floating(inputs)
    return _pool("average_pool", pool, x, pool_size, strides, padding, data_format)


def _windows(length: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """First entries and ends of `count` windows that cover a length evenly."""
    places = np.arange(count)
    return places * length // count, -(-(places + 1) * length // count)


def _adaptive(name: str, inputs: Any, output_size: Any, data_format: Any, reduce: Any) -> Any:
    data_format = checks.data_format(name, data_format)
    rank = checks.rank(name, "inputs", inputs, (3, 4, 5))
    sizes = checks.per_axis(name, "output_size", output_size, rank - 2)
    if min(sizes) < 1:
        checks.refuse(name, "output_size", output_size, "positive integers")
    first = 1 if data_format == "channels_last" else 2
    x = inputs
    for axis, size in enumerate(sizes, first):
        x = reduce(x, axis, *_windows(extents(x)[axis], size))
    return x


def _averaged(x: Any, axis: int, starts: np.ndarray, ends: np.ndarray) -> Any:
    """A matrix of equal weights within each window, times x."""
    places = np.arange(extents(x)[axis])[:, None]
    inside = (places >= starts) & (places < ends)
    weights = (inside / (ends - starts)).astype(dtype_of(x))
    return anp.moveaxis(anp.matmul(anp.moveaxis(x, axis, -1), weights), -1, axis)


def _maximum(x: Any, axis: int, starts: np.ndarray, ends: np.ndarray) -> Any:
    """Windows gathered, the last entry of a shorter one repeated."""
    places = starts[:, None] + np.arange(int((ends - starts).max()))
    places = np.minimum(places, ends[:, None] - 1)
    return anp.max(getitem(x, (*[slice(None)] * axis, places)), axis=axis + 1)


@op
def adaptive_average_pool(inputs: Any, output_size: Ints, data_format: str | None = None) -> Any:
    """The means of as many windows as the output has positions.

    Args:
        inputs: (batch, *spatial, channels), or channels before spatial axes.
        output_size: Extents of the output, one integer or one for each axis. Window i goes from
            floor(i * extent / size) to ceil((i + 1) * extent / size).
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.adaptive_average_pool(np.arange(5.0).reshape(1, 5, 1), 2).ravel()
        array([1., 3.])
    """
    name, x = "adaptive_average_pool", floating(inputs)
    return _adaptive(name, x, output_size, data_format, _averaged)


@op
def adaptive_max_pool(inputs: Any, output_size: Ints, data_format: str | None = None) -> Any:
    """The maxima of as many windows as the output has positions. See `adaptive_average_pool`.

    Args:
        inputs: Array (batch, ..., channels).
        output_size: Extent of the result: an integer, or one for each spatial axis.
        data_format: "channels_last" or "channels_first"; None for the global one.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.adaptive_max_pool(np.arange(5.0).reshape(1, 5, 1), 2).ravel()
        array([2., 4.])
    """
    return _adaptive("adaptive_max_pool", inputs, output_size, data_format, _maximum)
