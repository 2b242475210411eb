"""The densely connected layer."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.input_spec import InputSpec
from kernelmodel.core.layer import Layer
from kernelmodel.engine.kernels.dense import dense
from kernelmodel.layers.arguments import (
    FUSED,
    activated,
    in_dtype,
    make_weight,
    omit_none,
    only_default,
    positive,
    resolve,
)
from kernelmodel.layers.registry import REGISTRY


@REGISTRY.register()
class Dense(Layer):
    """A layer whose every unit sees the whole last axis: `activation(inputs @ kernel + bias)`.

    Args:
        units: Length of the output's last axis.
        activation: Activation function or its name; None for none.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of `kernel`, shape (last axis, units).
        bias_initializer: Initializer of `bias`, shape (units,).
        kernel_regularizer: Regularizer of `kernel`, or None.
        bias_regularizer: Regularizer of `bias`, or None.
        activity_regularizer: Regularizer of the output, or None.
        kernel_constraint: Constraint of `kernel`, or None.
        bias_constraint: Constraint of `bias`, or None.

    Returns:
        Floats of shape (..., units) for an input of shape (..., n).

    Raises:
        ValueError: `units` is no positive integer.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.Dense(2, "relu", kernel_initializer="ones")
        >>> layer(np.array([[1.0, 2.0]], "float32"))
        array([[3., 3.]], dtype=float32)
    """

    casts_integers = True

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        only_default("Dense", kwargs, quantization_config=None, lora_rank=None, lora_alpha=None)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive(self, "units", units)
        self.use_bias = bool(use_bias)
        resolve(
            self,
            activation=activation,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.input_spec = InputSpec(min_ndim=2)
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        """Make `kernel` and `bias`."""
        length = input_shape[-1]
        self.kernel = make_weight(self, "kernel", (length, self.units))
        if self.use_bias:
            self.bias = make_weight(self, "bias", (self.units,))
        self.input_spec = InputSpec(min_ndim=2, axes={-1: length})

    def call(self, inputs: Any) -> Any:
        """Compute the output."""
        dtype = self.compute_dtype
        outputs = dense(
            inputs,
            in_dtype(self.kernel, dtype),
            in_dtype(self.bias, dtype),
            activation=FUSED.get(self.activation),
        )
        return activated(outputs, self.activation)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return omit_none(super().get_config(), "activity_regularizer")
