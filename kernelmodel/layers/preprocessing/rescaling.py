"""Inputs multiplied and shifted."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.kinds import Values
from kernelmodel.core.layer import Layer
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import _cast


@REGISTRY.register()
class Rescaling(Layer):
    """`inputs * scale + offset`, in floats.

    Args:
        scale: Number, or an array that broadcasts to the input.
        offset: Number, or an array that broadcasts to the input.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Rescaling(1 / 255)(np.array([0, 255], "uint8"))
        array([0., 1.], dtype=float32)
    """

    supports_masking = True

    def __init__(self, scale: Values, offset: Values = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset

    def call(self, inputs: Any) -> Any:
        """Rescale."""
        dtype = self.compute_dtype
        scale, offset = np.asarray(self.scale, dtype), np.asarray(self.offset, dtype)
        return _cast(inputs, dtype) * scale + offset

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return tuple(input_shape)
