"""Batch normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.core.layer import Layer
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.exchange import EXCHANGE
from kernelmodel.engine.kernels.normalization import batch_norm_apply, batch_norm_train
from kernelmodel.layers.arguments import (
    in_dtype,
    is_integer,
    make_weight,
    number,
    refuse,
    resolve,
)
from kernelmodel.layers.normalization.together import normalize_together
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import _cast


def axis_of(layer: Layer, axis: Any, shape: Any) -> int:
    """An axis, counted from the start.

    Raises:
        ValueError: The input hasn't so many axes.
    """
    if not -len(shape) <= axis < len(shape):
        refuse(layer, "axis", axis, f"an axis of the input of shape {tuple(shape)}")
    return axis % len(shape)


@REGISTRY.register()
class BatchNormalization(Layer):
    """Each channel brought to mean 0 and variance 1, then scaled and shifted.

    In training, mean and variance are those of the batch, and running averages of them are kept;
    outside of training, and when `trainable` is False, the running averages are used.

    Args:
        axis: Axis of the channels.
        momentum: Share of the old running average that is kept in a step.
        epsilon: Added to the variance.
        center: Whether there is a shift, `beta`.
        scale: Whether there is a factor, `gamma`.
        beta_initializer: Initializer of `beta`, shape (channels,).
        gamma_initializer: Initializer of `gamma`, shape (channels,).
        moving_mean_initializer: Initializer of the running mean.
        moving_variance_initializer: Initializer of the running variance.
        beta_regularizer: Regularizer of `beta`, or None.
        gamma_regularizer: Regularizer of `gamma`, or None.
        beta_constraint: Constraint of `beta`, or None.
        gamma_constraint: Constraint of `gamma`, or None.
        renorm: Whether a batch in training is normalized with running averages too, as far as
            `renorm_clipping` allows: good for small batches.
        renorm_clipping: `{"rmin": ..., "rmax": ..., "dmax": ...}`, each may be missing: bounds of
            the correction's factor and of its shift.
        renorm_momentum: Share of the averages for the correction that is kept in a step.
        synchronized: Whether workers that train together (`kernelmodel.distribute`) normalize with
            the statistics of the whole batch; else each does with those of its part.

    Raises:
        ValueError: An argument is none of these.

    Source: Ioffe and Szegedy, *Batch Normalization*, ICML 2015; Ioffe, *Batch Renormalization*,
    NeurIPS 2017.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.BatchNormalization(epsilon=0.0)
        >>> layer(np.array([[1.0], [3.0]]), training=True)
        array([[-1.],
               [ 1.]], dtype=float32)
    """

    casts_integers = True

    supports_masking = True

    # What came to Keras late, and that older versions don't know in files.
    _written_if_set = ("renorm", "renorm_clipping", "renorm_momentum")

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not is_integer(axis):
            refuse(self, "axis", axis, "an integer")
        self.axis = int(axis)
        self.momentum = float(number(self, "momentum", momentum, 0, 1))
        self.epsilon = float(number(self, "epsilon", epsilon))
        self.renorm = bool(renorm)
        self.renorm_clipping = self._checked(renorm_clipping) if renorm else renorm_clipping
        self.renorm_momentum = number(self, "renorm_momentum", renorm_momentum, 0, 1)
        self.center, self.scale, self.synchronized = bool(center), bool(scale), bool(synchronized)
        resolve(
            self,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )
        self.gamma: Any = None
        self.beta: Any = None

    def _checked(self, clipping: dict[str, float] | None) -> dict[str, float]:
        """The bounds of the correction."""
        clipping = dict(clipping or {})
        low, high = clipping.get("rmin"), clipping.get("rmax")
        crossed = low is not None and high is not None and low > high
        if set(clipping) - {"rmin", "rmax", "dmax"} or crossed or (clipping.get("dmax") or 0) < 0:
            allowed = 'a dict with "rmin" <= "rmax" and "dmax" >= 0, each of which may be missing'
            refuse(self, "renorm_clipping", clipping, allowed)
        return clipping

    def build(self, input_shape: Any) -> None:
        """Make the weights and the running averages."""
        axis = axis_of(self, self.axis, input_shape)
        shape = (input_shape[axis],)
        if self.scale:
            self.gamma = make_weight(self, "gamma", shape)
        if self.center:
            self.beta = make_weight(self, "beta", shape)
        for name in ("moving_mean", "moving_variance"):
            initializer = getattr(self, f"{name}_initializer")
            weight = self.add_weight(shape, initializer, trainable=False, name=name)
            setattr(self, name, weight)
        if self.renorm:
            for name, initializer in (
                ("moving_stddev", self._first_stddev),
                ("renorm_mean", self.moving_mean_initializer),
                ("renorm_stddev", self._first_stddev),
            ):
                weight = self.add_weight(shape, initializer, trainable=False, name=name)
                setattr(self, name, weight)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: input_shape[axis]})
        self._channel_axis = axis
        self._other_axes = tuple(i for i in range(len(input_shape)) if i != axis)

    def _first_stddev(self, shape: Any, dtype: Any = None) -> Any:
        return ops.sqrt(self.moving_variance_initializer(shape, dtype=dtype))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Normalize; masked positions don't count in the statistics of a batch."""
        dtype = self.compute_dtype
        wide = "float32" if dtype in ("float16", "bfloat16") else dtype
        inputs = _cast(inputs, wide)
        gamma, beta = in_dtype(self.gamma, wide), in_dtype(self.beta, wide)
        options = {"axes": self._other_axes, "epsilon": self.epsilon}
        if training and self.trainable:
            if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
                raise ValueError(
                    f"Layer {self.name!r} (BatchNormalization) expects a mask with one dimension "
                    f"less than its input of shape {tuple(inputs.shape)}, got one of shape "
                    f"{tuple(mask.shape)}."
                )
            train: Any = batch_norm_train
            if self.synchronized and EXCHANGE.get() is not None:
                train = normalize_together
            if self.renorm:
                outputs, mean, variance = train(inputs, None, None, mask, **options)
                return _cast(self._corrected(outputs, getval(mean), getval(variance)), dtype)
            outputs, mean, variance = train(inputs, gamma, beta, mask, **options)
            self._follow(self.moving_mean, mean, self.momentum)
            self._follow(self.moving_variance, variance, self.momentum)
        else:
            mean, variance = in_dtype(self.moving_mean, wide), in_dtype(self.moving_variance, wide)
            outputs = batch_norm_apply(inputs, mean, variance, gamma, beta, **options)
        return _cast(outputs, dtype)

    def _corrected(self, normalized: Any, mean: Any, variance: Any) -> Any:
        """The output of batch renormalization; the averages follow the batch."""
        wide = mean.dtype.name
        stddev = ops.sqrt(variance + self.epsilon)
        average, spread = in_dtype(self.renorm_mean, wide), in_dtype(self.renorm_stddev, wide)
        spread = ops.maximum(spread, np.asarray(np.sqrt(self.epsilon), wide))
        factor, shift = stddev / spread, (mean - average) / spread
        clipping = self.renorm_clipping or {}
        if clipping.get("rmin") is not None:
            factor = ops.maximum(factor, np.asarray(clipping["rmin"], wide))
        if clipping.get("rmax") is not None:
            factor = ops.minimum(factor, np.asarray(clipping["rmax"], wide))
        if clipping.get("dmax") is not None:
            shift = ops.clip(shift, -clipping["dmax"], clipping["dmax"])
        self._follow(self.renorm_mean, mean, self.renorm_momentum)
        self._follow(self.renorm_stddev, stddev, self.renorm_momentum)
        self._follow(self.moving_mean, mean, self.momentum)
        self._follow(self.moving_stddev, stddev, self.momentum)
        moved = getval(self.moving_stddev.value)
        self.moving_variance.assign(
            ops.maximum(moved * moved - self.epsilon, ops.zeros_like(moved))
        )
        rank, axis = len(normalized.shape), self._channel_axis
        shape = [mean.shape[0] if i == axis else 1 for i in range(rank)]
        outputs = normalized * ops.reshape(factor, shape) + ops.reshape(shift, shape)
        if self.gamma is not None:
            outputs = outputs * ops.reshape(in_dtype(self.gamma, wide), shape)
        return (
            outputs
            if self.beta is None
            else outputs + ops.reshape(in_dtype(self.beta, wide), shape)
        )

    def _follow(self, average: Any, value: Any, momentum: float) -> None:
        average.assign(getval(average.value) * momentum + getval(value) * (1 - momentum))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        axis_of(self, self.axis, input_shape)
        return tuple(input_shape)
