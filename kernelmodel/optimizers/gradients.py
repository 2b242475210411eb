"""What happens to gradients before the update rule: missing ones, clipping."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.core.variable import Variable
from kernelmodel.core.warning import warn_user
from kernelmodel.engine.bfloat16 import cast_array
from kernelmodel.engine.boxes import getval


def present(
    owner: str, gradients: Sequence[Any], variables: Sequence[Variable]
) -> tuple[list[Any], list[Variable]]:
    """The gradients that exist, and their variables, without the frozen ones.

    Args:
        owner: The optimizer's name, for messages.
        gradients: Arrays, or None where there is no gradient.
        variables: One for each.

    Raises:
        ValueError: None of the variables has a gradient.
    """
    pairs = [(g, v) for g, v in zip(gradients, variables) if v.trainable]
    missing = [v.path for g, v in pairs if g is None]
    if missing and len(missing) == len(pairs):
        raise ValueError(
            f"Optimizer {owner!r} got no gradient for any of {missing}. Does the loss depend on "
            "the variables, and was it computed with functions of kernelmodel.ops, inside the tape?"
        )
    if missing:
        warn_user(
            f"Optimizer {owner!r} got no gradient for {missing}, so they stay as they are. Does "
            "the loss depend on them? (Was a `loss` given to compile?)",
        )
    kept = [(getval(g), v) for g, v in pairs if g is not None]
    return [cast(g, v) for g, v in kept], [v for _, v in kept]


def cast(gradient: Any, variable: Variable) -> Any:
    """A gradient in its variable's dtype.

    Raises:
        ValueError: It has another shape.
    """
    gradient = gradient if hasattr(gradient, "dtype") else np.asarray(gradient)
    if tuple(gradient.shape) != variable.shape:
        raise ValueError(
            f"The gradient for {variable.path!r} must have its shape {variable.shape}, got "
            f"{tuple(gradient.shape)}."
        )
    return gradient if gradient.dtype == variable.dtype else cast_array(gradient, variable.dtype)


def squared_norm(gradient: Any) -> Any:
    """Sum of squares."""
    return np.sum(np.square(gradient))


def clip_norm(gradient: Any, largest: float) -> Any:
    """The gradient, shortened to a norm."""
    return gradient * largest / np.maximum(np.sqrt(squared_norm(gradient)), largest)


def clip_global_norm(gradients: list[Any], largest: float) -> list[Any]:
    """The gradients, shortened together; all NaN if their norm isn't finite."""
    norm = np.sqrt(functools.reduce(operator.add, map(squared_norm, gradients)))
    scale = largest / np.maximum(norm, largest) + (norm - norm)
    return [gradient * scale.astype(gradient.dtype) for gradient in gradients]


def clip(gradients: list[Any], norm: Any, global_norm: Any, value: Any) -> list[Any]:
    """The gradients, clipped in the one way that is asked for, if any."""
    if norm:
        return [clip_norm(gradient, norm) for gradient in gradients]
    if global_norm:
        return clip_global_norm(gradients, global_norm)
    if value:
        return [np.clip(gradient, -value, value) for gradient in gradients]
    return gradients
