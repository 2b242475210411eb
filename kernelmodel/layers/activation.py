"""Activations as layers."""

from __future__ import annotations

from typing import Any

from kernelmodel import activations, ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.core.kinds import Axes
from kernelmodel.core.layer import Layer
from kernelmodel.engine.kernels.activation import relu
from kernelmodel.engine.kernels.softmax import softmax
from kernelmodel.layers.arguments import (
    axes,
    in_dtype,
    is_integer,
    make_weight,
    number,
    refuse,
    resolve,
)
from kernelmodel.layers.registry import REGISTRY


class _Elementwise(Layer):
    """A layer whose output has the shape and the mask of its input."""

    supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return tuple(input_shape)


@REGISTRY.register()
class Activation(_Elementwise):
    """An activation function as a layer.

    Args:
        activation: Function of an array, or its name.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.Activation("relu")([-1.0, 2.0])
        array([0., 2.], dtype=float32)
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        """Apply the function."""
        return self.activation(inputs)


@REGISTRY.register()
class ReLU(_Elementwise):
    """The positive part of the input, with options.

    Args:
        max_value: Largest output, or None.
        negative_slope: Slope below the threshold.
        threshold: Values up to it count as negative.

    Raises:
        ValueError: A negative argument.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.ReLU(max_value=6.0)([-1.0, 2.0, 9.0])
        array([0., 2., 6.], dtype=float32)
    """

    casts_integers = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else number(self, "max_value", max_value)
        self.negative_slope = number(self, "negative_slope", negative_slope)
        self.threshold = number(self, "threshold", threshold)

    def call(self, inputs: Any) -> Any:
        """Apply the function."""
        return relu(
            inputs,
            negative_slope=self.negative_slope,
            max_value=self.max_value,
            threshold=self.threshold,
        )


@REGISTRY.register()
class LeakyReLU(_Elementwise):
    """The input where it is positive, `negative_slope` times the input elsewhere.

    Args:
        negative_slope: Slope below zero.

    Raises:
        ValueError: The slope is negative.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.LeakyReLU(0.5)([-1.0, 2.0])
        array([-0.5,  2. ], dtype=float32)
    """

    casts_integers = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = number(self, "negative_slope", negative_slope)

    def call(self, inputs: Any) -> Any:
        """Apply the function."""
        return relu(inputs, negative_slope=self.negative_slope)


@REGISTRY.register()
class ELU(_Elementwise):
    """The input where it is positive, `alpha * (exp(input) - 1)` elsewhere.

    Args:
        alpha: Minus the limit for large negative inputs.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.ELU()([0.0, 2.0])
        array([0., 2.], dtype=float32)
    """

    casts_integers = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = number(self, "alpha", alpha)

    def call(self, inputs: Any) -> Any:
        """Apply the function."""
        return ops.elu(inputs, alpha=self.alpha)


@REGISTRY.register()
class PReLU(_Elementwise):
    """The input where it is positive, a learned `alpha` times the input elsewhere.

    Args:
        alpha_initializer: Initializer of `alpha`, which has the shape of one sample.
        alpha_regularizer: Regularizer of `alpha`, or None.
        alpha_constraint: Constraint of `alpha`, or None.
        shared_axes: Axes (counted from 1, the first after the batch) along which `alpha` is one.

    Raises:
        ValueError: An axis isn't one of the input.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.PReLU(alpha_initializer="ones")(np.array([[-1.0, 2.0]], "float32"))
        array([[-1.,  2.]], dtype=float32)
    """

    casts_integers = True

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Axes | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        resolve(
            self,
            alpha_initializer=alpha_initializer,
            alpha_regularizer=alpha_regularizer,
            alpha_constraint=alpha_constraint,
        )
        if is_integer(shared_axes):
            shared_axes = [shared_axes]
        self.shared_axes = None if shared_axes is None else list(shared_axes)

    def build(self, input_shape: Any) -> None:
        """Make `alpha`."""
        shared = self.shared_axes or []
        for axis in shared:
            if not 1 <= axis < len(input_shape):
                refuse(self, "shared_axes", shared, f"axes from 1 to {len(input_shape) - 1}")
        shape = [1 if i in shared else n for i, n in enumerate(input_shape)][1:]
        self.alpha = make_weight(self, "alpha", shape)
        self.input_spec = InputSpec(
            ndim=len(input_shape),
            axes={i: n for i, n in enumerate(input_shape) if i and i not in shared},
        )

    def call(self, inputs: Any) -> Any:
        """Apply the function."""
        return relu(inputs) - in_dtype(self.alpha, self.compute_dtype) * relu(-inputs)


@REGISTRY.register()
class Softmax(_Elementwise):
    """Exponentials of the input that sum to one along an axis.

    Args:
        axis: The axis, or several, that sum to one.

    Raises:
        ValueError: In a call, the mask doesn't broadcast to the input.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Softmax()(np.zeros((1, 3), "float32"), mask=np.array([True, True, False]))
        array([[0.5, 0.5, 0. ]], dtype=float32)
    """

    casts_integers = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axes(self, "axis", axis)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Apply the function; where the mask is False, the output is 0."""
        if mask is not None:
            lengths = zip(mask.shape[::-1], inputs.shape[::-1])
            if mask.ndim > inputs.ndim or any(m not in (1, n) for m, n in lengths):
                raise ValueError(
                    f"Layer {self.name!r} (Softmax) expects a mask that broadcasts to its input "
                    f"of shape {tuple(inputs.shape)}, got one of shape {tuple(mask.shape)}."
                )
            mask = mask if mask.dtype == bool else mask > 0.5
            low = -3e4 if self.compute_dtype == "float16" else -1e9
            inputs = ops.where(mask, inputs, ops.full_like(inputs, low))
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        outputs = softmax(inputs, axis=axis)
        if mask is not None:
            outputs = ops.where(mask, outputs, ops.zeros_like(outputs))
        return outputs
