"""Layers that only do something in training: noise and dropout, and penalties on outputs."""

from __future__ import annotations

import math
from typing import Any

from kernelmodel import ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.core.layer import Layer
from kernelmodel.core.seed import SeedGenerator
from kernelmodel.engine.kernels.dropout import dropout
from kernelmodel.layers.arguments import data_format as checked_format
from kernelmodel.layers.arguments import is_integer, number, refuse
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops import random
from kernelmodel.ops.convert import _cast
from kernelmodel.regularizers import L1L2

# What SELU tends to for low inputs.
SELU_LOWEST = -1.0507009873554805 * 1.6732632423543772


class _SameShape(Layer):
    """A layer whose output has the shape and the mask of its input."""

    supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return tuple(input_shape)


@REGISTRY.register()
class Dropout(_SameShape):
    """In training sets a random share of the inputs to 0 and scales up the others.

    Args:
        rate: Share that is dropped, from 0 to 1; the others are divided by `1 - rate`.
        noise_shape: Shape of the mask, None for a length of the input; an axis of length 1 is
            dropped as a whole. None: every value for itself.
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: `rate` isn't between 0 and 1, or `noise_shape` holds other things than lengths.

    Source: Srivastava et al., *Dropout*, JMLR 2014.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.Dropout(0.5)([[1.0, 2.0]])  # not in training: nothing happens
        array([[1., 2.]], dtype=float32)
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate = number(self, "rate", rate, 0, 1)
        self.seed = seed
        if noise_shape is not None:
            valid = isinstance(noise_shape, (list, tuple)) and all(
                n is None or (is_integer(n) and n > 0) for n in noise_shape
            )
            if not valid:
                refuse(self, "noise_shape", noise_shape, "a tuple of integers >= 1 or None")
            noise_shape = tuple(noise_shape)
        self.noise_shape = noise_shape
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Drop values, if in training."""
        if not training or self.rate == 0:
            return inputs
        shape = self._mask_shape(inputs.shape)
        keep = random.keep_mask(shape, self.rate, self.seed_generator)
        return dropout(inputs, keep, rate=self.rate)

    def _mask_shape(self, shape: Any) -> tuple[int, ...]:
        if self.noise_shape is None:
            return tuple(shape)
        return tuple(n if m is None else m for m, n in zip(self.noise_shape, shape))


class _SpatialDropout(Dropout):
    """Drops whole channels; the rank is that of the input without batch and channels."""

    rank = 0

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype, **kwargs)
        self.data_format = checked_format(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _mask_shape(self, shape: Any) -> tuple[int, ...]:
        ones = (1,) * self.rank
        if self.data_format == "channels_last":
            return (shape[0], *ones, shape[-1])
        return (shape[0], shape[1], *ones)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        config = {
            "rate": self.rate,
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
        return config if self.rank == 1 else {**config, "data_format": self.data_format}


@REGISTRY.register()
class SpatialDropout1D(_SpatialDropout):
    """In training sets random channels of (batch, steps, channels) to 0.

    Args:
        rate: Share of the channels that is dropped.
        seed: Integer, or None for other numbers in each run.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.SpatialDropout1D(0.5)(np.ones((2, 4, 3))).shape
        (2, 4, 3)
    """

    rank = 1

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, None, seed, name, dtype, **kwargs)


@REGISTRY.register()
class SpatialDropout2D(_SpatialDropout):
    """In training sets random channels of (batch, rows, columns, channels) to 0.

    Args:
        rate: Share of the channels that is dropped.
        data_format: "channels_last" or "channels_first"; None for the former.
        seed: Integer, or None for other numbers in each run.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.SpatialDropout2D(0.5)(np.ones((2, 4, 4, 3))).shape
        (2, 4, 4, 3)
    """

    rank = 2


@REGISTRY.register()
class SpatialDropout3D(_SpatialDropout):
    """In training sets random channels of (batch, d, h, w, channels) to 0.

    Args:
        rate: Share of the channels that is dropped.
        data_format: "channels_last" or "channels_first"; None for the former.
        seed: Integer, or None for other numbers in each run.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.SpatialDropout3D(0.5)(km.ops.ones((1, 2, 2, 2, 3))).shape
        (1, 2, 2, 2, 3)
    """

    rank = 3


@REGISTRY.register()
class GaussianNoise(_SameShape):
    """In training adds normal noise with mean 0.

    Args:
        stddev: Standard deviation, from 0 to 1.
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: `stddev` isn't between 0 and 1.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.GaussianNoise(0.1)([1.0, 2.0])
        array([1., 2.], dtype=float32)
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = number(self, "stddev", stddev, 0, 1)
        self.seed = seed
        if stddev > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Add noise, if in training."""
        if not training or self.stddev == 0:
            return inputs
        return inputs + random.normal(
            tuple(inputs.shape), 0.0, self.stddev, self.compute_dtype, self.seed_generator
        )


@REGISTRY.register()
class GaussianDropout(_SameShape):
    """In training multiplies with normal noise of mean 1.

    Args:
        rate: The noise has the variance of dropout with this rate: rate / (1 - rate).
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: `rate` isn't at least 0 and below 1.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.GaussianDropout(0.1)([1.0, 2.0])
        array([1., 2.], dtype=float32)
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = number(self, "rate", rate, 0)
        if rate >= 1:
            refuse(self, "rate", rate, "a number below 1")
        self.seed = seed
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Multiply with noise, if in training."""
        if not training or self.rate == 0:
            return inputs
        stddev = math.sqrt(self.rate / (1 - self.rate))
        return inputs * random.normal(
            tuple(inputs.shape), 1.0, stddev, self.compute_dtype, self.seed_generator
        )


@REGISTRY.register()
class AlphaDropout(Dropout):
    """In training sets a random share of the inputs to the lowest value of SELU.

    The others are scaled and shifted so that mean and variance stay; made for networks of SELUs.

    Args:
        rate: Share that is dropped, from 0 to 1.
        noise_shape: Shape of the mask, None for a length of the input; an axis of length 1 is
            dropped as a whole. None: every value for itself.
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: `rate` isn't between 0 and 1, or `noise_shape` holds other things than lengths.

    Source: Klambauer et al., *Self-Normalizing Neural Networks*, NeurIPS 2017.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.AlphaDropout(0.5)([[1.0, 2.0]])  # not in training: nothing happens
        array([[1., 2.]], dtype=float32)
    """

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Drop values, if in training."""
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return ops.zeros_like(inputs)
        keep = random.keep_mask(self._mask_shape(inputs.shape), self.rate, self.seed_generator)
        kept = _cast(keep, self.compute_dtype)
        factor = ((1 - self.rate) * (1 + self.rate * SELU_LOWEST**2)) ** -0.5
        shift = -factor * SELU_LOWEST * self.rate
        return inputs * (kept * factor) + ((1 - kept) * (factor * SELU_LOWEST) + shift)


@REGISTRY.register()
class ActivityRegularization(_SameShape):
    """Adds a penalty on its input to the loss, and hands the input on.

    Args:
        l1: Factor of the sum of absolute values.
        l2: Factor of the sum of squares.

    Examples:
        >>> import kernelmodel as km
        >>> layer = km.layers.ActivityRegularization(l1=0.5)
        >>> y = layer([[1.0, -3.0]])
        >>> float(layer.losses[0])
        2.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=L1L2(l1=l1, l2=l2), **kwargs)
        self.l1, self.l2 = l1, l2

    def call(self, inputs: Any) -> Any:
        """The input as it is."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return config
