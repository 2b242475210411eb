"""Pooling to an output of a given size, whatever the size of the input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.engine.kernels.embedding import embedding
from kernelmodel.engine.kernels.pooling import average_pool, max_pool
from kernelmodel.layers.arguments import integers
from kernelmodel.layers.pooling.windows import described
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.windowed import Windowed


def windows_of(length: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut an axis into windows that cover it; they overlap where the lengths don't divide.

    Returns:
        The positions in each window (count, longest), the last one repeated in shorter windows;
        and the lengths of the windows (count,).

    Examples:
        >>> positions, lengths = windows_of(5, 2)
        >>> positions.tolist(), lengths.tolist()
        ([[0, 1, 2], [2, 3, 4]], [3, 3])
    """
    numbers = np.arange(count)
    starts, ends = numbers * length // count, -(-(numbers + 1) * length // count)
    lengths = ends - starts
    positions = starts[:, None] + np.arange(lengths.max())
    return np.minimum(positions, ends[:, None] - 1), lengths


class AdaptivePooling(Windowed):
    """{summary}

    Window i of n over an axis of length m reaches from floor(i * m / n) to ceil((i + 1) * m / n).

    Args:
        output_size: Windows along each spatial axis: an integer, or one for each.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.
    """

    _pool: Any = None

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._start(data_format, "valid")
        self.output_size = integers(self, "output_size", output_size, self.rank)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """Pool."""
        x = self._channels_last(inputs)
        lengths = tuple(x.shape[1:-1])
        if all(n % count == 0 for n, count in zip(lengths, self.output_size)):
            size = tuple(n // count for n, count in zip(lengths, self.output_size))
            pooled = type(self)._pool(x, pool_size=size, strides=size, padding="valid")
            return self._from_channels_last(pooled)
        for axis, (length, count) in enumerate(zip(lengths, self.output_size), 1):
            x = self._pool_axis(x, axis, *windows_of(length, count))
        return self._from_channels_last(x)

    def _pool_axis(self, x: Any, axis: int, positions: np.ndarray, lengths: np.ndarray) -> Any:
        first = ops.moveaxis(x, axis, 0)
        rest = tuple(first.shape[1:])
        rows = ops.reshape(first, (first.shape[0], math.prod(rest)))
        pooled = self._reduce(embedding(rows, positions), lengths)
        return ops.moveaxis(ops.reshape(pooled, (len(positions), *rest)), 0, axis)

    def _reduce(self, windows: Any, lengths: np.ndarray) -> Any:
        """(count, longest, n) to (count, n)."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        channels = input_shape[self._channel_axis]
        return self._with_spatial(input_shape, self.output_size, channels)


class _AdaptiveAverage(AdaptivePooling):
    _pool = average_pool

    def _reduce(self, windows: Any, lengths: np.ndarray) -> Any:
        if (lengths < windows.shape[1]).any():
            inside = (np.arange(windows.shape[1]) < lengths[:, None])[:, :, None]
            windows = ops.where(inside, windows, ops.zeros_like(windows))
        return ops.sum(windows, 1) / lengths[:, None].astype(self.compute_dtype)


class _AdaptiveMax(AdaptivePooling):
    _pool = max_pool

    def _reduce(self, windows: Any, lengths: np.ndarray) -> Any:
        return ops.max(windows, 1)


@REGISTRY.register()
class AdaptiveAveragePooling1D(_AdaptiveAverage):
    __doc__ = described(
        AdaptivePooling,
        "Means of steps, as many as wanted.",
        "AdaptiveAveragePooling1D(2)(np.ones((1, 7, 3)))",
        "(1, 2, 3)",
    )
    rank = 1


@REGISTRY.register()
class AdaptiveAveragePooling2D(_AdaptiveAverage):
    __doc__ = described(
        AdaptivePooling,
        "Means of parts of images, as many as wanted.",
        "AdaptiveAveragePooling2D(2)(np.ones((1, 7, 5, 3)))",
        "(1, 2, 2, 3)",
    )
    rank = 2


@REGISTRY.register()
class AdaptiveAveragePooling3D(_AdaptiveAverage):
    __doc__ = described(
        AdaptivePooling,
        "Means of parts of volumes, as many as wanted.",
        "AdaptiveAveragePooling3D((2, 3, 1))(np.ones((1, 7, 5, 4, 3)))",
        "(1, 2, 3, 1, 3)",
    )
    rank = 3


@REGISTRY.register()
class AdaptiveMaxPooling1D(_AdaptiveMax):
    __doc__ = described(
        AdaptivePooling,
        "Maxima of steps, as many as wanted.",
        "AdaptiveMaxPooling1D(2)(np.ones((1, 7, 3)))",
        "(1, 2, 3)",
    )
    rank = 1


@REGISTRY.register()
class AdaptiveMaxPooling2D(_AdaptiveMax):
    __doc__ = described(
        AdaptivePooling,
        "Maxima of parts of images, as many as wanted.",
        "AdaptiveMaxPooling2D(2)(np.ones((1, 7, 5, 3)))",
        "(1, 2, 2, 3)",
    )
    rank = 2


@REGISTRY.register()
class AdaptiveMaxPooling3D(_AdaptiveMax):
    __doc__ = described(
        AdaptivePooling,
        "Maxima of parts of volumes, as many as wanted.",
        "AdaptiveMaxPooling3D((2, 3, 1))(np.ones((1, 7, 5, 4, 3)))",
        "(1, 2, 3, 1, 3)",
    )
    rank = 3
