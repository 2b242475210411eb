"""Losses of margins: hinge and its relatives."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.losses.loss import REGISTRY, LossFunctionWrapper
from kernelmodel.losses.shapes import operands


def signed(y_true: Any) -> Any:
    """Labels 0 and 1 as -1 and 1; if anything else is among them, all unchanged."""
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    return ops.where(binary, 2 * y_true - 1, y_true)


def _margins(name: str, y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = operands(name, y_true, y_pred)
    return ops.maximum(1 - signed(y_true) * y_pred, 0)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of max(1 - y_true * y_pred, 0).

    Args:
        y_true: Labels -1 and 1, or 0 and 1 (..., values).
        y_pred: Scores (..., values).

    Returns:
        Losses (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.hinge([[-1.0, 1.0]], [[0.5, 0.5]])
        array([1.], dtype=float32)
    """
    return ops.mean(_margins("hinge", y_true, y_pred), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of max(1 - y_true * y_pred, 0)².

    Args:
        y_true: Labels -1 and 1, or 0 and 1 (..., values).
        y_pred: Scores (..., values).

    Returns:
        Losses (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.squared_hinge([[-1.0, 1.0]], [[0.5, 0.5]])
        array([1.25], dtype=float32)
    """
    return ops.mean(ops.square(_margins("squared_hinge", y_true, y_pred)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """max(1 + best score of a wrong class - score of the right class, 0).

    Args:
        y_true: One-hot labels (..., classes).
        y_pred: Scores (..., classes).

    Returns:
        Losses (...).

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.categorical_hinge([[0.0, 1.0]], [[0.5, 0.25]])
        array([1.25], dtype=float32)
    """
    y_true, y_pred = operands("categorical_hinge", y_true, y_pred)
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1, 0)


@REGISTRY.register()
class Hinge(LossFunctionWrapper):
    """Margin of two classes; see `hinge`.

    Args:
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.losses.Hinge()([[-1.0, 1.0]], [[0.5, 0.5]]))
        1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


@REGISTRY.register()
class SquaredHinge(LossFunctionWrapper):
    """Squared margin of two classes; see `squared_hinge`.

    Args:
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.losses.SquaredHinge()([[-1.0, 1.0]], [[0.5, 0.5]]))
        1.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


@REGISTRY.register()
class CategoricalHinge(LossFunctionWrapper):
    """Margin of several classes; see `categorical_hinge`.

    Args:
        reduction: As in `Loss`.
        name: Name.
        dtype: As in `Loss`.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.losses.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.25]]))
        1.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
