"""Normalizations of each sample by itself."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.core.layer import Layer
from kernelmodel.engine.kernels.normalization import layer_norm, rms_norm
from kernelmodel.layers.arguments import (
    in_dtype,
    is_integer,
    make_weight,
    number,
    only_default,
    refuse,
    resolve,
)
from kernelmodel.layers.normalization.batch import axis_of
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import _cast


class _Normalization(Layer):
    """Base of normalizations along one or several axes."""

    casts_integers = True

    supports_masking = True
    axis: Any

    def _set_axis(self, axis: Any) -> None:
        several = isinstance(axis, (list, tuple)) and all(map(is_integer, axis))
        if not is_integer(axis) and not several:
            refuse(self, "axis", axis, "an integer or a list of integers")
        self.axis = list(axis) if several else axis

    def _axes_in(self, shape: Any) -> tuple[int, ...]:
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        return tuple(sorted(axis_of(self, axis, shape) for axis in axes))

    def _lengths(self, shape: Any) -> tuple[int, ...]:
        """The lengths of the axes; from now on the config has them as a list, as Keras writes."""
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        return tuple(shape[axis] for axis in self._axes_in(shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        self._axes_in(input_shape)
        return tuple(input_shape)


@REGISTRY.register()
class LayerNormalization(_Normalization):
    """Each sample brought to mean 0 and variance 1 along an axis, then scaled and shifted.

    Args:
        axis: The axis, or several.
        epsilon: Added to the variance.
        center: Whether there is a shift, `beta`.
        scale: Whether there is a factor, `gamma`.
        beta_initializer: Initializer of `beta`, with the lengths of the axes.
        gamma_initializer: Initializer of `gamma`, with the lengths of the axes.
        beta_regularizer: Regularizer of `beta`, or None.
        gamma_regularizer: Regularizer of `gamma`, or None.
        beta_constraint: Constraint of `beta`, or None.
        gamma_constraint: Constraint of `gamma`, or None.
        rms_scaling: Must be False; see `RMSNormalization`.

    Raises:
        ValueError: An argument is none of these.

    Source: Ba, Kiros and Hinton, *Layer Normalization*, 2016.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.LayerNormalization(epsilon=0.0)(np.array([[1.0, 3.0]]))
        array([[-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        rms_scaling: bool = False,
        **kwargs: Any,
    ) -> None:
        only_default("LayerNormalization", {"rms_scaling": rms_scaling}, rms_scaling=False)
        super().__init__(**kwargs)
        self._set_axis(axis)
        self.epsilon = number(self, "epsilon", epsilon)
        self.center, self.scale, self.rms_scaling = bool(center), bool(scale), False
        resolve(
            self,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )
        self.gamma: Any = None
        self.beta: Any = None

    def build(self, input_shape: Any) -> None:
        """Make `gamma` and `beta`."""
        shape = self._lengths(input_shape)
        if self.scale:
            self.gamma = make_weight(self, "gamma", shape)
        if self.center:
            self.beta = make_weight(self, "beta", shape)

    def call(self, inputs: Any) -> Any:
        """Normalize."""
        dtype = self.compute_dtype
        return layer_norm(
            inputs,
            in_dtype(self.gamma, dtype),
            in_dtype(self.beta, dtype),
            axes=self._axes_in(inputs.shape),
            epsilon=self.epsilon,
        )


@REGISTRY.register()
class RMSNormalization(_Normalization):
    """Each sample divided by its root mean square along an axis, then scaled.

    Args:
        axis: The axis, or several.
        epsilon: Added to the mean square.

    Source: Zhang and Sennrich, *Root Mean Square Layer Normalization*, NeurIPS 2019.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.RMSNormalization(epsilon=0.0)(np.array([[3.0, -3.0]]))
        array([[ 1., -1.]], dtype=float32)
    """

    supports_masking = False

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_axis(axis)
        self.epsilon = number(self, "epsilon", epsilon)

    def build(self, input_shape: Any) -> None:
        """Make `scale`."""
        shape = self._lengths(input_shape)
        self.scale = self.add_weight(shape, "ones", name="scale")

    def call(self, inputs: Any) -> Any:
        """Normalize."""
        return rms_norm(
            inputs,
            in_dtype(self.scale, self.compute_dtype),
            axes=self._axes_in(inputs.shape),
            epsilon=self.epsilon,
        )


@REGISTRY.register()
class UnitNormalization(_Normalization):
    """Each sample divided by its Euclidean norm along an axis.

    Args:
        axis: The axis, or several.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.UnitNormalization()(np.array([[3.0, 4.0]]))
        array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_axis(axis)

    def call(self, inputs: Any) -> Any:
        """Normalize."""
        squares = ops.sum(ops.square(inputs), self._axes_in(inputs.shape), keepdims=True)
        return inputs * ops.rsqrt(ops.maximum(squares, 1e-12))


@REGISTRY.register()
class GroupNormalization(_Normalization):
    """Groups of channels of each sample brought to mean 0 and variance 1, then scaled and shifted.

    Args:
        groups: Into how many groups the channels are split; -1 for one channel each.
        axis: Axis of the channels.
        epsilon: Added to the variance.
        center: Whether there is a shift, `beta`.
        scale: Whether there is a factor, `gamma`.
        beta_initializer: Initializer of `beta`, shape (channels,).
        gamma_initializer: Initializer of `gamma`, shape (channels,).
        beta_regularizer: Regularizer of `beta`, or None.
        gamma_regularizer: Regularizer of `gamma`, or None.
        beta_constraint: Constraint of `beta`, or None.
        gamma_constraint: Constraint of `gamma`, or None.

    Raises:
        ValueError: An argument is none of these; in `build`, the channels can't be split so.

    Source: Wu and He, *Group Normalization*, ECCV 2018.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.GroupNormalization(groups=2)(np.ones((1, 5, 4))).shape
        (1, 5, 4)
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not is_integer(groups) or (groups < 1 and groups != -1):
            refuse(self, "groups", groups, "an integer >= 1, or -1 for one channel each")
        if not is_integer(axis):
            refuse(self, "axis", axis, "an integer")
        self.groups, self.axis = groups, axis
        self.epsilon = number(self, "epsilon", epsilon)
        self.center, self.scale = bool(center), bool(scale)
        resolve(
            self,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )
        self.gamma: Any = None
        self.beta: Any = None

    def build(self, input_shape: Any) -> None:
        """Make `gamma` and `beta`."""
        (axis,) = self._axes_in(input_shape)
        channels = input_shape[axis]
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            refuse(self, "groups", self.groups, f"a divisor of the input's {channels} channels")
        if self.scale:
            self.gamma = make_weight(self, "gamma", (channels,))
        if self.center:
            self.beta = make_weight(self, "beta", (channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any) -> Any:
        """Normalize."""
        dtype, shape = self.compute_dtype, tuple(inputs.shape)
        wide = "float32" if dtype in ("float16", "bfloat16") else dtype
        (axis,) = self._axes_in(shape)
        channels = shape[axis] // self.groups
        split = (*shape[:axis], self.groups, channels, *shape[axis + 1 :])
        x = ops.reshape(_cast(inputs, wide), split)
        axes = tuple(i for i in range(1, len(split)) if i != axis)
        x = layer_norm(x, None, None, axes=axes, epsilon=self.epsilon)
        x = ops.reshape(x, shape)
        along = tuple(-1 if i == axis else 1 for i in range(len(shape)))
        if self.gamma is not None:
            x = x * ops.reshape(in_dtype(self.gamma, wide), along)
        if self.beta is not None:
            x = x + ops.reshape(in_dtype(self.beta, wide), along)
        return _cast(x, dtype)
