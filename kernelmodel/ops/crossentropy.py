"""Ops: cross-entropies of logits and of probabilities, one loss for each sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.kernels import crossentropy as of_logits
from kernelmodel.engine.kernels import probability as of_probabilities
from kernelmodel.ops.convert import _cast, convert_to_tensor
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import floating, wide

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
]


def _operands(target: Any, output: Any) -> tuple[Any, Any]:
    output = floating(convert_to_tensor(output))
    return _cast(convert_to_tensor(target), output.dtype), output


def _check(name: str, target: Any, output: Any, expected: tuple[int, ...], fix: str) -> None:
    if tuple(target.shape) != expected:
        raise ValueError(
            f"{name}: output of shape {tuple(output.shape)} needs a target of shape {expected}, "
            f"got {tuple(target.shape)}. {fix}"
        )


@op
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Cross-entropy of several classes with one-hot (or soft) targets.

    Args:
        target: Probabilities of the classes, of the shape of `output`.
        output: Predicted probabilities or logits (..., classes).
        from_logits: Whether `output` holds logits.
        axis: The axis of the classes.

    Returns:
        A loss for each sample: the shape of `output` without `axis`.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(3)
        array([0.693], dtype=float32)
    """
    target, output = _operands(target, output)
    fix = "Integer labels belong to sparse_categorical_crossentropy."
    _check("categorical_crossentropy", target, output, tuple(output.shape), fix)
    if from_logits:
        return of_logits.softmax_cross_entropy(output, target, axis=axis)
    return of_probabilities.cross_entropy(output, target, axis=axis)


@op
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Cross-entropy of several classes with integer targets.

    Args:
        target: Class numbers, of the shape of `output` without `axis`, or with length one there.
        output: Predicted probabilities or logits (..., classes).
        from_logits: Whether `output` holds logits.
        axis: The axis of the classes.

    Returns:
        A loss for each sample: the shape of `output` without `axis`; float32 for half precision.

    Raises:
        ValueError: Shapes don't match; without a compiler in between, also a label out of range.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(3)
        array([0.693], dtype=float32)
    """
    target, output = getval(convert_to_tensor(target)), wide(floating(convert_to_tensor(output)))
    rank = len(output.shape)
    if len(target.shape) == rank and target.shape[axis] == 1:
        target = np.squeeze(target, axis)
    expected = tuple(length for i, length in enumerate(output.shape) if i != axis % rank)
    fix = "One-hot targets belong to categorical_crossentropy."
    _check("sparse_categorical_crossentropy", target, output, expected, fix)
    if from_logits:
        return of_logits.sparse_softmax_cross_entropy(output, target, axis=axis)
    return of_probabilities.sparse_cross_entropy(output, target, axis=axis)


@op
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Cross-entropy of two classes, element by element.

    Args:
        target: Probabilities of the second class, of the shape of `output`.
        output: Predicted probabilities or logits of any shape.
        from_logits: Whether `output` holds logits.

    Returns:
        A loss for each element.

    Examples:
        >>> import kernelmodel as km
        >>> km.ops.binary_crossentropy([1.0], [0.5]).round(3)
        array([0.693], dtype=float32)
    """
    target, output = _operands(target, output)
    fix = "Give both the same shape."
    _check("binary_crossentropy", target, output, tuple(output.shape), fix)
    if from_logits:
        return of_logits.sigmoid_binary_cross_entropy(output, target)
    return of_probabilities.binary_cross_entropy(output, target)
