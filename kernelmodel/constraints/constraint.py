"""Constraints: what the optimizer does to a weight after each update."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.autoconfig import Configurable
from kernelmodel.core.kinds import Axes, NotNegative, Share
from kernelmodel.core.lookup import Registry
from kernelmodel.engine.defaults import DEFAULTS

REGISTRY = Registry("constraint", "keras.constraints")


class Constraint(Configurable):
    """Base of constraints: called with a weight, it returns the weight to use instead.

    Examples:
        >>> import kernelmodel as km
        >>> import numpy as np
        >>> class Rounded(km.constraints.Constraint):
        ...     def __call__(self, w):
        ...         return km.ops.round(w)
        >>> Rounded()(np.array([0.6], "float32"))
        array([1.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        """The weight to use, of the shape and dtype of w."""
        return w


def _norms(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


@REGISTRY.register()
class MaxNorm(Constraint):
    """Vectors longer than `max_value` are shortened to it (Srivastava et al., 2014).

    Args:
        max_value: Largest norm.
        axis: Axis (or axes) along which the norm of a vector is taken.

    Examples:
        >>> import kernelmodel as km
        >>> import numpy as np
        >>> km.constraints.MaxNorm(1.0)(np.array([[3.0], [4.0]], "float32"))
        array([[0.6], [0.8]], dtype=float32)
    """

    def __init__(self, max_value: NotNegative = 2, axis: Axes = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        return w * (ops.clip(norms, 0, self.max_value) / (norms + DEFAULTS.epsilon))


@REGISTRY.register()
class NonNeg(Constraint):
    """Negative values become zero.

    Examples:
        >>> import kernelmodel as km
        >>> import numpy as np
        >>> km.constraints.NonNeg()(np.array([-1.0, 2.0], "float32"))
        array([0., 2.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        return ops.maximum(w, 0)


@REGISTRY.register()
class UnitNorm(Constraint):
    """Vectors are scaled to length one.

    Args:
        axis: Axis (or axes) along which the norm of a vector is taken.

    Examples:
        >>> import kernelmodel as km
        >>> import numpy as np
        >>> km.constraints.UnitNorm()(np.array([[3.0], [4.0]], "float32"))
        array([[0.6], [0.8]], dtype=float32)
    """

    def __init__(self, axis: Axes = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return w / (_norms(w, self.axis) + DEFAULTS.epsilon)


@REGISTRY.register()
class MinMaxNorm(Constraint):
    """Vectors are scaled so that their length lies in an interval.

    Args:
        min_value: Smallest norm.
        max_value: Largest norm.
        rate: Share of the way to go there at each update: 1 goes at once.
        axis: Axis (or axes) along which the norm of a vector is taken.

    Examples:
        >>> import kernelmodel as km
        >>> import numpy as np
        >>> km.constraints.MinMaxNorm(0.5, 1.0)(np.array([[3.0], [4.0]], "float32"))
        array([[0.6], [0.8]], dtype=float32)
    """

    def __init__(
        self,
        min_value: NotNegative = 0.0,
        max_value: NotNegative = 1.0,
        rate: Share = 1.0,
        axis: Axes = 0,
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        limited = ops.clip(norms, self.min_value, self.max_value)
        wanted = self.rate * limited + (1 - self.rate) * norms
        return w * (wanted / (norms + DEFAULTS.epsilon))
