"""Layers about masks, and the layer that does nothing."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.kinds import Values
from kernelmodel.core.layer import Layer
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.shape_layer import ShapeLayer


@REGISTRY.register()
class Masking(Layer):
    """Masks the steps whose values all equal `mask_value`, for the layers that follow.

    Args:
        mask_value: The value of padding.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Masking()(np.array([[[1.0, 2.0], [0.0, 0.0]]])).keras_mask
        array([[ True, False]])
    """

    supports_masking = True

    def __init__(self, mask_value: Values = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """True for the steps that hold another value."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        """The input with zeros in place of masked steps."""
        seen = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.where(seen, inputs, ops.zeros_like(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return tuple(input_shape)


@REGISTRY.register()
class Identity(ShapeLayer):
    """The input as it is: a placeholder.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.Identity()([1.0, 2.0])
        array([1., 2.], dtype=float32)
    """

    supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The input as it is."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return tuple(input_shape)
