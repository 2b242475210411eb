"""Layers that rearrange or repeat values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from kernelmodel import ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.layers.arguments import data_format as checked_format
from kernelmodel.layers.arguments import is_integer, positive, refuse
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.shape_layer import ShapeLayer


@REGISTRY.register()
class Flatten(ShapeLayer):
    """All axes but the first made one.

    Args:
        data_format: "channels_first" moves the channels to the end first; None for "channels_last".

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Flatten()(np.ones((2, 3, 4))).shape
        (2, 12)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = checked_format(self, data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """Flatten."""
        rank = len(inputs.shape)
        if self.data_format == "channels_first" and rank > 2:
            inputs = ops.transpose(inputs, (0, *range(2, rank), 1))
        return ops.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        lengths = input_shape[1:]
        return (input_shape[0], None if None in lengths else math.prod(lengths))


@REGISTRY.register()
class Reshape(ShapeLayer):
    """The values of each sample in another shape.

    Args:
        target_shape: Shape without the batch axis; one length may be -1, to be worked out.

    Raises:
        ValueError: More than one -1, or another number of values.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Reshape((2, -1))(np.ones((5, 6))).shape
        (5, 2, 3)
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        shape = (target_shape,) if is_integer(target_shape) else target_shape
        valid = isinstance(shape, Iterable) and all(is_integer(n) and n >= -1 for n in shape)
        if not valid or list(shape).count(-1) > 1:
            refuse(self, "target_shape", target_shape, "integers >= 0, one of which may be -1")
        self.target_shape = tuple(shape)

    def call(self, inputs: Any) -> Any:
        """Reshape."""
        return ops.reshape(inputs, self.compute_output_shape(tuple(inputs.shape)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        target = self.target_shape
        lengths = input_shape[1:]
        if None in lengths:
            return (input_shape[0], *(None if n == -1 else n for n in target))
        size, known = math.prod(lengths), math.prod(n for n in target if n != -1)
        if (size % known if known and -1 in target else size != known) or (not known and size):
            raise ValueError(
                f"Layer {self.name!r} (Reshape) can't bring samples of shape {tuple(lengths)} "
                f"({size} values) into target_shape={target}: the number of values must stay."
            )
        return (input_shape[0], *(size // max(known, 1) if n == -1 else n for n in target))


@REGISTRY.register()
class Permute(ShapeLayer):
    """Axes in another order.

    Args:
        dims: For each axis of the output the axis of the input, counted from 1 (0 is the batch).

    Raises:
        ValueError: `dims` isn't a permutation of 1, 2, ...

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Permute((2, 1))(np.ones((5, 3, 4))).shape
        (5, 4, 3)
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            refuse(self, "dims", dims, f"a permutation of 1 to {len(self.dims)}")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """Permute."""
        return ops.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))


@REGISTRY.register()
class RepeatVector(ShapeLayer):
    """(batch, n) repeated to (batch, times, n).

    Args:
        n: How many times.

    Raises:
        ValueError: `n` is no positive integer.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.RepeatVector(3)(np.ones((5, 2))).shape
        (5, 3, 2)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """Repeat."""
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, 1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        return (input_shape[0], self.n, input_shape[1])
