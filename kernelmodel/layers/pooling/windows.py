"""Pooling layers: the largest or mean value of windows, or of all positions."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.engine.kernels.pooling import average_pool, max_pool
from kernelmodel.layers.arguments import integers
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.windowed import Windowed, window_count
from kernelmodel.ops.convert import _cast, dtype_of


class Pooling(Windowed):
    """{summary}

    Args:
        pool_size: Extent of the window: an integer, or one for each spatial axis.
        strides: Step between windows, likewise; None for `pool_size`.
        padding: "valid" (whole windows only) or "same" (windows may reach over the border, which
            doesn't count).
        data_format: "channels_last" or "channels_first"; None for the former.
        name: Name of the layer; made up if None.

    Raises:
        ValueError: An argument is none of these.
    """

    _pool: Any = None

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self._start(data_format, padding)
        self.pool_size = integers(self, "pool_size", pool_size, self.rank)
        self.strides = (
            self.pool_size if strides is None else integers(self, "strides", strides, self.rank)
        )
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """Pool."""
        outputs = type(self)._pool(
            self._channels_last(inputs),
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
        )
        return self._from_channels_last(outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        lengths = [
            window_count(n, size, stride, self.padding)
            for n, size, stride in zip(self._spatial(input_shape), self.pool_size, self.strides)
        ]
        return self._with_spatial(input_shape, lengths, input_shape[self._channel_axis])


class GlobalPooling(Windowed):
    """{summary}

    Args:
        data_format: "channels_last" or "channels_first"; None for the former.
        keepdims: Whether the spatial axes stay, with length 1.
    """

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._start(data_format, "valid")
        self.keepdims = bool(keepdims)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _axes(self) -> tuple[int, ...]:
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        if self.keepdims:
            return tuple(1 if i in self._axes else n for i, n in enumerate(input_shape))
        return tuple(n for i, n in enumerate(input_shape) if i not in self._axes)


class _GlobalAverage(GlobalPooling):
    def call(self, inputs: Any) -> Any:
        """Pool."""
        return ops.mean(inputs, self._axes, self.keepdims)


class _GlobalMax(GlobalPooling):
    def call(self, inputs: Any) -> Any:
        """Pool."""
        return ops.max(inputs, self._axes, self.keepdims)


def described(base: type, summary: str, example: str, result: str) -> str:
    """The docstring of a base with its first line and an example."""
    return (base.__doc__ or "").replace("{summary}", summary) + (
        f"\n    Examples:\n        >>> import numpy as np\n        >>> import kernelmodel as km\n"
        f"        >>> km.layers.{example}.shape\n        {result}\n    "
    )


@REGISTRY.register("MaxPool1D")
class MaxPooling1D(Pooling):
    __doc__ = described(
        Pooling, "Maximum of windows of steps.", "MaxPooling1D(2)(np.ones((1, 6, 3)))", "(1, 3, 3)"
    )
    rank, _pool = 1, max_pool


@REGISTRY.register("MaxPool2D")
class MaxPooling2D(Pooling):
    __doc__ = described(
        Pooling,
        "Maximum of windows of images.",
        "MaxPooling2D()(np.ones((1, 6, 4, 3)))",
        "(1, 3, 2, 3)",
    )
    rank, _pool = 2, max_pool


@REGISTRY.register("MaxPool3D")
class MaxPooling3D(Pooling):
    __doc__ = described(
        Pooling,
        "Maximum of windows of volumes.",
        "MaxPooling3D()(np.ones((1, 6, 4, 4, 3)))",
        "(1, 3, 2, 2, 3)",
    )
    rank, _pool = 3, max_pool


@REGISTRY.register("AvgPool1D")
class AveragePooling1D(Pooling):
    __doc__ = described(
        Pooling, "Mean of windows of steps.", "AveragePooling1D(2)(np.ones((1, 6, 3)))", "(1, 3, 3)"
    )
    rank, _pool = 1, average_pool


@REGISTRY.register("AvgPool2D")
class AveragePooling2D(Pooling):
    __doc__ = described(
        Pooling,
        "Mean of windows of images.",
        "AveragePooling2D()(np.ones((1, 6, 4, 3)))",
        "(1, 3, 2, 3)",
    )
    rank, _pool = 2, average_pool


@REGISTRY.register("AvgPool3D")
class AveragePooling3D(Pooling):
    __doc__ = described(
        Pooling,
        "Mean of windows of volumes.",
        "AveragePooling3D()(np.ones((1, 6, 4, 4, 3)))",
        "(1, 3, 2, 2, 3)",
    )
    rank, _pool = 3, average_pool


@REGISTRY.register("GlobalAvgPool1D")
class GlobalAveragePooling1D(_GlobalAverage):
    __doc__ = described(
        GlobalPooling,
        "Mean of all steps; masked steps don't count.",
        "GlobalAveragePooling1D()(np.ones((1, 6, 3)))",
        "(1, 3)",
    )
    rank = 1
    supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Pool."""
        if mask is None:
            return super().call(inputs)
        seen = ops.expand_dims(mask, 2 if self.data_format == "channels_last" else 1)
        seen = seen if seen.dtype == bool else _cast(seen, "bool")
        total = ops.sum(ops.where(seen, inputs, ops.zeros_like(inputs)), self._axes, self.keepdims)
        return total / ops.sum(_cast(seen, dtype_of(inputs)), self._axes, self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """No mask: the steps are gone."""
        return None


@REGISTRY.register("GlobalAvgPool2D")
class GlobalAveragePooling2D(_GlobalAverage):
    __doc__ = described(
        GlobalPooling,
        "Mean of each channel of images.",
        "GlobalAveragePooling2D()(np.ones((1, 6, 6, 3)))",
        "(1, 3)",
    )
    rank = 2


@REGISTRY.register("GlobalAvgPool3D")
class GlobalAveragePooling3D(_GlobalAverage):
    __doc__ = described(
        GlobalPooling,
        "Mean of each channel of volumes.",
        "GlobalAveragePooling3D()(np.ones((1, 2, 2, 2, 3)))",
        "(1, 3)",
    )
    rank = 3


@REGISTRY.register("GlobalMaxPool1D")
class GlobalMaxPooling1D(_GlobalMax):
    __doc__ = described(
        GlobalPooling,
        "Maximum of all steps.",
        "GlobalMaxPooling1D()(np.ones((1, 6, 3)))",
        "(1, 3)",
    )
    rank = 1


@REGISTRY.register("GlobalMaxPool2D")
class GlobalMaxPooling2D(_GlobalMax):
    __doc__ = described(
        GlobalPooling,
        "Maximum of each channel of images.",
        "GlobalMaxPooling2D()(np.ones((1, 6, 6, 3)))",
        "(1, 3)",
    )
    rank = 2


@REGISTRY.register("GlobalMaxPool3D")
class GlobalMaxPooling3D(_GlobalMax):
    __doc__ = described(
        GlobalPooling,
        "Maximum of each channel of volumes.",
        "GlobalMaxPooling3D()(np.ones((1, 2, 2, 2, 3)))",
        "(1, 3)",
    )
    rank = 3
