"""Grad-CAM: where in an image (or signal, or volume) a convolutional network finds its class."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.gradient_tape import GradientTape
from kernelmodel.core.layer import Layer
from kernelmodel.core.tree import flatten
from kernelmodel.core.warning import warn_user
from kernelmodel.engine.boxes import getval, isbox
from kernelmodel.explain.gradients import Question
from kernelmodel.explain.passes import channels_last, find_layer, layer_paths, observed


def grad_cam(
    model: Any,
    x: Any,
    layer: Any = None,
    target: Any = None,
    *,
    output: str | int | None = None,
    logits: bool = True,
    batch_size: int = 32,
) -> np.ndarray:
    """Where the feature maps of a layer speak for a class, in the size of the input.

    Each map is weighted with the mean of the score's gradient over its positions; the sum's
    positive part is resized to the input by linear interpolation.

    Args:
        model: Functional, Sequential or subclassed model; nothing in it changes.
        x: Samples in the structure of the inputs.
        layer: Layer, its path such as "backbone/conv5" or its name. None for the last layer whose
            output has as many spatial axes as an input. Of a layer that is called several times,
            the last call counts.
        target: As in `saliency`.
        output: Name or index of an output, for models with several.
        logits: Whether a softmax or sigmoid at the end of the model is left out.
        batch_size: Samples that are computed at once.

    Returns:
        Floats >= 0 without the axis of channels: (samples, height, width) for images,
        (samples, time) for signals, (samples, depth, height, width) for volumes. Of several inputs
        it is in the size of the first with as many spatial axes as the layer.

    Raises:
        ValueError: No such layer, or one without spatial axes, or the score doesn't depend on it.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> model = km.Sequential([
        ...     km.Input((8, 8, 1)), km.layers.Conv2D(4, 3, activation="relu"),
        ...     km.layers.GlobalAveragePooling2D(), km.layers.Dense(2, activation="softmax")])
        >>> km.explain.grad_cam(model, np.ones((1, 8, 8, 1)), target=1).shape
        (1, 8, 8)

    A map is zero everywhere, with a warning, where nothing in the layer speaks for the class.

    Source: Selvaraju and others: Grad-CAM: Visual Explanations from Deep Networks (2017).
    """
    question = Question(model, x, target, output, logits, batch_size)
    ranks = [
        leaf.ndim - 1 if index in question.tokens else leaf.ndim - 2
        for index, leaf in enumerate(question.samples.leaves)
    ]
    chosen = default_layer(question, ranks) if layer is None else find_layer(model, layer)
    last = channels_last(model, chosen)
    parts = []
    for rows in question.samples.batches(batch_size):
        capture = Capture(chosen)
        run = question.scores(question.samples.rows(rows), rows, capture)
        maps = capture.maps(model)
        (gradient,) = run.gradients([capture.root])
        if gradient is None:
            raise ValueError(
                f"The score of model {model.name!r} doesn't depend on the output of layer "
                f"{chosen.name!r}, or not through anything that has a gradient. Choose a layer "
                "between the input and the output that is explained."
            )
        if not last:
            maps, gradient = np.moveaxis(maps, 1, -1), np.moveaxis(gradient, 1, -1)
        weights = gradient.mean(tuple(range(1, gradient.ndim - 1)), keepdims=True)
        parts.append(np.maximum((maps * weights).sum(-1), 0))
    heat = np.concatenate(parts).astype("float32")
    warn_of_nothing(heat, chosen.name)
    fitting = [i for i, rank in enumerate(ranks) if rank == heat.ndim - 1]
    if not fitting:
        return heat
    shape = question.samples.leaves[fitting[0]].shape
    tokens = fitting[0] in question.tokens
    return resize_linear(heat, shape[1:] if tokens else shape[1:-1] if last else shape[2:])


class Capture:
    """Puts the output of a layer on the tape, in its last call."""

    tape: GradientTape

    def __init__(self, layer: Layer) -> None:
        self.layer, self.root = layer, None

    def __call__(self, layer: Layer, args: tuple[Any, ...], outputs: Any) -> Any:
        """Watch the output."""
        if layer is not self.layer or len(flatten(outputs)) != 1:
            return outputs
        self.root = outputs if isbox(outputs) else self.tape.watch(outputs)
        return self.root

    def maps(self, model: Any) -> np.ndarray:
        """The layer's output, (samples, ..., channels) or with the channels first.

        Raises:
            ValueError: There is none, or it has no spatial axis.
        """
        found = None if self.root is None else np.asarray(getval(self.root))
        if found is None or found.ndim < 3:
            what = "isn't called with one output" if found is None else f"gives {found.shape}"
            raise ValueError(
                f"Grad-CAM needs a layer with spatial axes, (samples, ..., channels), but layer "
                f"{self.layer.name!r} of model {model.name!r} {what}. Its layers are: "
                f"{', '.join(list(layer_paths(model))[:20])}."
            )
        return found


def default_layer(question: Question, ranks: list[int]) -> Layer:
    """The last layer whose output has as many spatial axes as an input, and isn't the model's.

    Raises:
        ValueError: There is none.
    """
    seen: list[tuple[Layer, Any]] = []

    def look(layer: Layer, args: tuple[Any, ...], outputs: Any) -> Any:
        seen.append((layer, outputs))
        return outputs

    with observed(look):
        leaves = question.samples.rows(slice(0, 1))
        ends = flatten(question.model(question.samples.pack(leaves), training=False))
    for layer, outputs in reversed(seen):
        if layer is question.model or len(flatten(outputs)) != 1:
            continue
        if any(outputs is end or outputs is end.base for end in ends):
            continue
        shape = np.shape(outputs)
        spatial = shape[1:-1] if channels_last(question.model, layer) else shape[2:]
        if len(spatial) in ranks and len(spatial) > 0 and max(spatial) > 1:
            return layer
    raise ValueError(
        f"Model {question.model.name!r} has no layer whose output keeps the spatial axes of its "
        f"input, as convolutions do. Its layers are: "
        f"{', '.join(list(layer_paths(question.model))[:20])}. saliency() works for any model."
    )


def resize_linear(values: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Arrays (samples, ...) in another size, each axis interpolated linearly."""
    axes = range(1, len(size) + 1)
    scale = [length / values.shape[axis] for axis, length in zip(axes, size)]
    shape = (len(values), *size, *values.shape[len(size) + 1 :])
    still = [0.0] * len(size)
    resized = ops.image.scale_and_translate(values, shape, scale, still, axes, "linear", False)
    return np.asarray(resized)


def warn_of_nothing(heat: np.ndarray, layer: str) -> None:
    """Say which share of the maps is zero everywhere, and what to do about it."""
    nothing = len(heat) - np.count_nonzero(heat.any(tuple(range(1, heat.ndim))))
    if nothing:
        warn_user(
            f"grad_cam: in the maps of layer {layer!r} nothing speaks for the class of {nothing} "
            f"of {len(heat)} samples, so that their result is zero. It happens where places count "
            "differently, as with a Flatten after the layer, since a map has one weight for all "
            "its places. Try an earlier layer, another target, or km.explain.occlusion.",
        )
