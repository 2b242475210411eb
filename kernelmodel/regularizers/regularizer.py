"""Regularizers: penalties on weights (or outputs), added to the loss."""

from __future__ import annotations

import math
from typing import Any

from kernelmodel import ops
from kernelmodel.core.autoconfig import Configurable
from kernelmodel.core.lookup import Registry

REGISTRY = Registry("regularizer", "keras.regularizers")


class Regularizer(Configurable):
    """Base of regularizers: called with a weight, it returns a scalar penalty.

    Examples:
        >>> import kernelmodel as km
        >>> import numpy as np
        >>> class Sum(km.regularizers.Regularizer):
        ...     def __call__(self, x):
        ...         return km.ops.sum(x)
        >>> float(Sum()(np.ones(3, "float32")))
        3.0
    """

    def __call__(self, x: Any) -> Any:
        """The penalty, a scalar of the dtype of x."""
        return 0.0


def _strength(owner: str, name: str, value: Any) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__") or not 0 <= value < math.inf:
        raise ValueError(f"{owner}: {name} must be a finite number >= 0, got {value!r}.")
    return float(value)


@REGISTRY.register()
class L1(Regularizer):
    """`l1` times the sum of absolute values.

    Args:
        l1: Factor, >= 0.

    Examples:
        >>> import kernelmodel as km
        >>> import numpy as np
        >>> float(km.regularizers.L1(0.5)(np.array([1.0, -3.0], "float32")))
        2.0
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = _strength("L1", "l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Any:
        return ops.multiply(ops.sum(ops.abs(x)), self.l1)


@REGISTRY.register()
class L2(Regularizer):
    """`l2` times the sum of squares.

    Args:
        l2: Factor, >= 0.

    Examples:
        >>> import kernelmodel as km
        >>> import numpy as np
        >>> float(km.regularizers.L2(0.5)(np.array([1.0, -3.0], "float32")))
        5.0
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = _strength("L2", "l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        return ops.multiply(ops.sum(ops.square(x)), self.l2)


@REGISTRY.register("l1_l2")
class L1L2(Regularizer):
    """`l1` times the sum of absolute values plus `l2` times the sum of squares.

    Args:
        l1: Factor of the absolute values, >= 0.
        l2: Factor of the squares, >= 0.

    Examples:
        >>> import kernelmodel as km
        >>> import numpy as np
        >>> float(km.regularizers.L1L2(0.5, 0.5)(np.array([1.0, -3.0], "float32")))
        7.0
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _strength("L1L2", "l1", 0.0 if l1 is None else l1)
        self.l2 = _strength("L1L2", "l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        penalty = ops.zeros((), ops.dtype_of(x))
        if self.l1:
            penalty = ops.add(penalty, ops.multiply(ops.sum(ops.abs(x)), self.l1))
        if self.l2:
            penalty = ops.add(penalty, ops.multiply(ops.sum(ops.square(x)), self.l2))
        return penalty


@REGISTRY.register()
class OrthogonalRegularizer(Regularizer):
    """Penalty on the angles between the rows (or columns) of a matrix: none if orthogonal.

    The mean of the absolute cosines of all pairs, times `factor`.

    Args:
        factor: Factor, >= 0.
        mode: "rows" or "columns".

    Raises:
        ValueError: Another mode; when called, an array that is no matrix.

    Examples:
        >>> import kernelmodel as km
        >>> import numpy as np
        >>> float(km.regularizers.OrthogonalRegularizer(1.0)(np.eye(3, dtype="float32")))
        0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ValueError(
                f"OrthogonalRegularizer: mode must be 'rows' or 'columns', got {mode!r}."
            )
        self.factor = _strength("OrthogonalRegularizer", "factor", factor)
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        if len(x.shape) != 2:
            raise ValueError(
                f"OrthogonalRegularizer expects a matrix, got shape {tuple(x.shape)}. Use it on "
                "weights of two dimensions only."
            )
        vectors = x if self.mode == "rows" else ops.transpose(x)
        count = vectors.shape[0]
        lengths = ops.sum(ops.square(vectors), axis=1, keepdims=True)
        unit = vectors * ops.rsqrt(ops.maximum(lengths, 1e-12))
        cosines = ops.matmul(unit, ops.transpose(unit))
        others = 1 - ops.eye(count, dtype=ops.dtype_of(x))
        pairs = count * (count - 1) / 2
        share = 0.5 * self.factor / max(pairs, 1.0)
        return ops.multiply(ops.sum(ops.abs(cosines * others)), share)
