"""Targets and predictions brought to one rank, and errors for shapes that can't match."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops


def same_rank(first: Any, second: Any) -> tuple[Any, Any]:
    """Give two arrays one rank, if all that separates them is a last axis of length one.

    A (batch,) beside a (batch, 1) gets the axis; else the longer one loses it.
    """
    ranks = len(first.shape), len(second.shape)
    if ranks[0] == ranks[1] + 1 and first.shape[-1] == 1:
        if ranks[1] == 1:
            return first, ops.expand_dims(second, -1)
        return ops.squeeze(first, -1), second
    if ranks[1] == ranks[0] + 1 and second.shape[-1] == 1:
        if ranks[0] == 1:
            return ops.expand_dims(first, -1), second
        return first, ops.squeeze(second, -1)
    return first, second


def _broadcast(first: tuple[Any, ...], second: tuple[Any, ...]) -> bool:
    return all(
        a is None or b is None or a == b or 1 in (a, b) for a, b in zip(first[::-1], second[::-1])
    )


def operands(name: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions as arrays of one dtype whose shapes fit.

    Args:
        name: The loss or metric, for the error.
        y_true: Targets.
        y_pred: Predictions; their dtype counts.

    Raises:
        ValueError: The shapes don't broadcast.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, ops.dtype_of(y_pred))
    if y_true.shape == y_pred.shape:
        return y_true, y_pred
    y_true, y_pred = same_rank(y_true, y_pred)
    if not _broadcast(y_true.shape, y_pred.shape):
        raise ValueError(mismatch(name, y_true, y_pred, tuple(y_pred.shape)))
    return y_true, y_pred


def mismatch(name: str, y_true: Any, y_pred: Any, expected: tuple[Any, ...]) -> str:
    """The message for targets whose shape can't belong to the predictions."""
    given, predicted = tuple(y_true.shape), tuple(y_pred.shape)
    message = (
        f"{name}: predictions (y_pred) of shape {predicted} need targets (y_true) of shape "
        f"{expected}, got {given}. "
    )
    return message + _advice(name, given, predicted)


def _advice(name: str, given: tuple[Any, ...], predicted: tuple[Any, ...]) -> str:
    integers = given in (predicted[:-1], (*predicted[:-1], 1))
    if "sparse" in name and given == predicted:
        return (
            "They look one-hot: use the loss or metric without 'sparse_', or integer labels "
            "(y.argmax(-1))."
        )
    if "categorical" in name and integers:
        return (
            "They look like integer labels: use the 'sparse_' loss or metric, or one-hot labels "
            "(kernelmodel.utils.to_categorical)."
        )
    if integers and len(predicted) > 1:
        return (
            "For integer class labels use 'sparse_categorical_crossentropy' and "
            "'sparse_categorical_accuracy'; for one value a sample give the last layer one unit."
        )
    return "Give the last layer as many units as a target has values, or reshape the targets."
