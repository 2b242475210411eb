"""What is explained: one number for each sample, made of the model's output."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import activations
from kernelmodel.core.layer import Layer
from kernelmodel.core.lookup import suggestion
from kernelmodel.core.tree import flatten
from kernelmodel.engine.boxes import getval
from kernelmodel.layers import Activation, Dense, EinsumDense, Softmax
from kernelmodel.layers.windowed import Windowed
from kernelmodel.training.outputs import Outputs

SQUASHING: dict[Any, str] = {activations.softmax: "softmax", activations.sigmoid: "sigmoid"}


def output_names(model: Any, outputs: Any) -> list[str]:
    """Names of a model's outputs, in the order of `flatten(outputs)`: a dict's keys, if it is one.

    Args:
        model: Whose outputs they are.
        outputs: The outputs of a call.
    """
    if isinstance(outputs, dict) and len(flatten(outputs)) == len(outputs):
        return sorted(outputs)
    return Outputs(outputs, getattr(model, "output_names", None)).names


def choose_output(model: Any, outputs: Any, which: str | int | None) -> Any:
    """One of a model's outputs.

    Args:
        model: Whose outputs they are.
        outputs: The outputs of a call.
        which: Name or index; None if there is one only.

    Raises:
        ValueError: No output of that name or index, or several and none was chosen.
    """
    found, names = flatten(outputs), output_names(model, outputs)
    if which is None:
        if len(found) == 1:
            return found[0]
        raise ValueError(
            f"Model {model.name!r} has {len(found)} outputs. Choose one: output={names[0]!r} "
            f"(the others are {', '.join(map(repr, names[1:]))})."
        )
    if isinstance(which, str):
        for known in (names, getattr(model, "output_names", None) or []):
            if which in known:
                return found[known.index(which)]
        raise ValueError(
            f"Model {model.name!r} has no output {which!r}. {suggestion(which, names)}"
        )
    if not -len(found) <= which < len(found):
        raise ValueError(f"Model {model.name!r} has {len(found)} output(s), so no index {which}.")
    return found[which]


def seed_of(values: np.ndarray, target: Any, rows: Any, mask: Any = None) -> np.ndarray:
    """Ones where an output counts, zeros elsewhere; the sum of a sample's products is its score.

    Args:
        values: Output (samples, ..., classes), or (samples,).
        target: Index of a class; tuple of indices into a sample's output; array (all samples,) of
            indices; or None for the predicted class (at each position of a sequence or image),
            the value itself where there is one.
        rows: Which of all samples these are.
        mask: Booleans for the positions; those that are False don't count.

    Raises:
        ValueError: The target doesn't fit the output.
    """
    seed = np.zeros(values.shape, values.dtype if values.dtype.kind == "f" else "float32")
    if isinstance(target, tuple):
        _check_place(values, target)
        seed[(slice(None), *target)] = 1
        return seed
    classes = values.shape[-1] if values.ndim > 1 else 1
    if target is None:
        index = values.argmax(-1) if values.ndim > 1 else np.zeros(len(values), int)
    else:
        index = _class_indices(values, target, rows)
    if values.ndim > 1:
        wrong = (index < -classes) | (index >= classes)
        if wrong.any():
            raise ValueError(
                f"`target` {int(index[wrong].flat[0])} is outside the output of shape "
                f"{values.shape}: its classes are 0 to {classes - 1}."
            )
        np.put_along_axis(seed, (index % classes)[..., None], 1, -1)
    else:
        seed[:] = 1
    if mask is not None and np.shape(mask) == seed.shape[: np.ndim(mask)]:
        seed *= np.reshape(mask, (*np.shape(mask), *[1] * (seed.ndim - np.ndim(mask))))
    return seed


def _check_place(values: np.ndarray, target: tuple[Any, ...]) -> None:
    shape = values.shape[1:]
    fits = len(target) == len(shape) and all(
        isinstance(t, (int, np.integer)) and -n <= t < n for t, n in zip(target, shape)
    )
    if not fits:
        raise ValueError(
            f"`target` {target} must index one value of a sample's output, whose shape is {shape}."
        )


def _class_indices(values: np.ndarray, target: Any, rows: Any) -> np.ndarray:
    found = np.asarray(target)
    if found.dtype.kind not in "iu":
        raise ValueError(
            f"`target` must be a class (an integer), an array of one for each sample, a tuple that "
            f"indexes the output, or a function of the outputs; got {target!r}."
        )
    if found.ndim:
        found = found[rows]
        if found.ndim == values.ndim and found.shape[-1] == 1:
            found = found[..., 0]
        if found.shape[:1] != values.shape[:1] or found.ndim >= max(values.ndim, 2):
            raise ValueError(
                f"`target` must hold a class for each sample; its shape {np.shape(target)} doesn't "
                f"fit an output of shape {values.shape}."
            )
    while found.ndim < values.ndim - 1:
        found = found[..., None]
    return np.broadcast_to(found, values.shape[: max(values.ndim - 1, 1)])


class Logits:
    """Finds what a softmax or sigmoid at the end of a model was applied to.

    The derivative of either is almost 0 where the model is sure, so that a gradient of the
    probabilities would show noise just there.

    Attributes:
        kinds: "softmax" or "sigmoid" by the identity of the outputs that they gave.
    """

    def __init__(self) -> None:
        self.kinds: dict[int, str] = {}
        self._calls: dict[int, tuple[Layer, Any, Any]] = {}

    def __call__(self, layer: Layer, args: tuple[Any, ...], outputs: Any) -> Any:
        """Note a call that ends in a softmax or a sigmoid."""
        kind = squashing(layer)
        if kind is not None:
            self.kinds[id(outputs)] = kind
            self._calls[id(outputs)] = (layer, args, outputs)
        return outputs

    def kind_of(self, outputs: Any) -> str | None:
        """ "softmax" or "sigmoid", if an output of the model comes from such a layer."""
        seen = (outputs, getattr(outputs, "base", None))  # a user gets a view of the array
        return next((self.kinds[id(one)] for one in seen if id(one) in self.kinds), None)

    def before(self, outputs: Any) -> Any:
        """What the last activation was applied to; the outputs themselves if it was another one."""
        if id(outputs) not in self._calls:
            return outputs
        layer, args, _ = self._calls[id(outputs)]
        if isinstance(layer, (Activation, Softmax)):
            return args[0]
        linear = object.__new__(type(layer))  # a twin with the same weights
        linear.__dict__.update(layer.__dict__, activation=activations.linear)
        return linear.call(*args)


def squashing(layer: Any) -> str | None:
    """ "softmax" or "sigmoid", if that is what a layer does last."""
    if isinstance(layer, Softmax):
        return "softmax" if layer.axis in (-1, [-1], (-1,)) else None
    if isinstance(layer, (Activation, Dense, EinsumDense, Windowed)):
        return SQUASHING.get(getattr(layer, "activation", None))
    return None


def per_sample(scores: Any) -> np.ndarray:
    """The sum of each sample's values."""
    values = np.asarray(getval(scores))
    return values.reshape(len(values), -1).sum(1)


def check_scores(scores: Any, count: int) -> Any:
    """The result of a `target` function.

    Raises:
        ValueError: It isn't an array with a row for each sample.
    """
    shape = np.shape(getval(scores)) if len(flatten(scores)) == 1 else None
    if not shape or shape[0] != count:
        raise ValueError(
            f"The `target` function must return an array (samples, ...) of {count} scores, got "
            f"{'a structure' if shape is None else f'shape {shape}'}."
        )
    return scores
