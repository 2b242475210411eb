"""What every loss is: targets and predictions in, one number out."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.autoconfig import Configurable, decode, encode
from kernelmodel.core.context import current
from kernelmodel.core.kinds import Function
from kernelmodel.core.lookup import Registry
from kernelmodel.core.naming import class_name
from kernelmodel.core.policy import get_policy
from kernelmodel.core.tree import flatten, map_structure
from kernelmodel.engine.bfloat16 import cast_array
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.losses.reduction import check_reduction, reduce
from kernelmodel.losses.shapes import same_rank

REGISTRY = Registry("loss", "keras.losses")


def mask_of(array: Any) -> Any:
    """The mask that the layers computed beside an array, or None."""
    context = current()
    found = None if context is None else context.mask_of(array)
    return getattr(array, "keras_mask", None) if found is None else found


class Loss(Configurable):
    """Base of losses: a subclass defines `call(y_true, y_pred)`, one loss for each sample.

    Args:
        name: Name; made up of the class name if None.
        reduction: "sum_over_batch_size" and "mean" average over all losses, "sum" adds them,
            "mean_with_sample_weight" divides by the sum of the weights, "none" or None returns
            them.
        dtype: Dtype that targets and predictions are cast to; None for float32.

    Examples:
        >>> import kernelmodel as km
        >>> class Cubic(km.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return km.ops.mean(km.ops.abs(y_true - y_pred) ** 3, axis=-1)
        >>> float(Cubic()([[0.0], [1.0]], [[2.0], [1.0]]))
        4.0
    """

    _written_if_set: tuple[str, ...] = ("dtype",)

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        self.name = name or class_name(type(self).__name__)
        self.reduction = check_reduction(type(self).__name__, reduction)
        self._dtype = dtype
        self.dtype = DEFAULTS.floatx if dtype is None else get_policy(dtype).compute_dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss.

        Args:
            y_true: Targets, (batch, ...).
            y_pred: Predictions, (batch, ...).
            sample_weight: Weights that broadcast to the losses, e.g. (batch,), or None.

        Raises:
            ValueError: The shapes don't fit.
        """
        mask = mask_of(y_pred)
        y_pred, y_true = self._convert(y_pred), self._convert(y_true)
        values = self.call(y_true, y_pred)
        own = self.mask_losses(y_true, y_pred, values)
        if own is not None:
            mask = own if mask is None else ops.logical_and(mask, own)
        return reduce(values, sample_weight, mask, self.reduction, self.dtype)

    def _convert(self, x: Any) -> Any:
        """Arrays of the loss's dtype, also inside lists and dicts; a list of numbers is one."""
        nested = type(x) is dict or (
            type(x) in (list, tuple) and any(hasattr(leaf, "shape") for leaf in flatten(x))
        )
        return map_structure(self._array, x) if nested else self._array(x)

    def _array(self, x: Any) -> Any:
        if type(x) is np.ndarray:
            return x if x.dtype == self.dtype else cast_array(x, self.dtype)
        return ops.convert_to_tensor(x, self.dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One loss for each sample (and time step): the mean over the last axis, usually.

        Args:
            y_true: Targets, batch first.
            y_pred: Predictions, batch first.
        """
        raise NotImplementedError(
            f"{type(self).__name__} needs a call(y_true, y_pred) that returns a loss for each "
            "sample."
        )

    def mask_losses(self, y_true: Any, y_pred: Any, losses: Any) -> Any:
        """Booleans, False for losses of `call` that don't count; None if all do.

        Args:
            y_true: Targets, batch first.
            y_pred: Predictions, batch first.
            losses: What `call` returned for them.
        """
        return None

    def _init_argument(self, name: str) -> Any:
        return self._dtype if name == "dtype" else super()._init_argument(name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={getattr(self, 'name', None)}>"


class LossFunctionWrapper(Loss):
    """A loss made of a function of targets and predictions.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)`, one loss for each sample.
        reduction: As in `Loss`.
        name: Name; made up of the class name if None.
        dtype: As in `Loss`.
        **kwargs: Further arguments of the function.

    Examples:
        >>> import kernelmodel as km
        >>> loss = km.losses.LossFunctionWrapper(km.losses.huber, delta=0.5)
        >>> float(loss([[0.0]], [[2.0]]))
        0.875
    """

    def __init__(
        self,
        fn: Function,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs
        vars(self).update(kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The function's losses."""
        if hasattr(y_true, "shape") and hasattr(y_pred, "shape"):
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        config = super().get_config()
        if type(self) is LossFunctionWrapper:
            config |= {name: encode(value) for name, value in self._fn_kwargs.items()}
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LossFunctionWrapper:
        """Make a loss of the config of another."""
        return cls(**{name: decode(value) for name, value in config.items()})
