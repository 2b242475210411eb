"""Which sliders and pads a model's inputs need: found from its shapes and from samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten
from kernelmodel.explain.passes import channels_last
from kernelmodel.notebook.playground_inputs import Pad, Part, Sliders, given_sliders, slider_for

MOST_SLIDERS = 40
MOST_SAMPLES = 24
SIDE = 28  # of a pad for images of any size

Shape = tuple[int | None, ...]


def input_parts(
    model: Any, inputs: Any, x: Any, names: list[str] | None
) -> tuple[Any, list[Part], list[np.ndarray] | None]:
    """What stands for a model's inputs in the browser.

    Args:
        model: The model.
        inputs: What the user said of them: see `Playground`.
        x: Samples in the structure of the inputs, or None.
        names: Of the features of a single input, or None.

    Returns:
        The structure of the inputs (None for a single one), a part for each, and the samples of
        each, if there are some.

    Raises:
        ValueError: Nobody knows the shapes, or an input has neither sliders nor a pad.
    """
    if isinstance(inputs, Mapping):
        sliders = given_sliders(str(model.name), inputs)
        return None, [Sliders("inputs", sliders, (len(sliders),))], None
    structure, titles, shapes, leaves = _described(model, x)
    if leaves is not None and len(leaves) != len(shapes):
        raise ValueError(
            f"Playground: `x` has {len(leaves)} arrays, but model {model.name!r} takes {titles}."
        )
    size = None
    if inputs is not None:
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2 or len(shapes) != 1:
            raise ValueError(
                "Playground: `inputs` must be sliders, {name: (low, high)}, or the (rows, columns) "
                f"of the image that a model's only input is; got {inputs!r}."
            )
        size = (int(inputs[0]), int(inputs[1]))
    last = channels_last(model)
    if len(titles) == 1:
        titles = ["input"]  # an only input's name is often a made-up one, and tells nothing
    parts: list[Part] = []
    for i, (title, shape) in enumerate(zip(titles, shapes)):
        data = None if leaves is None else leaves[i]
        if size is None and len(shape) <= 1:
            parts.append(sliders_of(title, shape, data, names if len(shapes) == 1 else None))
        else:
            parts.append(pad_of(title, shape, data, size, last))
    return structure, parts, leaves


def _described(model: Any, x: Any) -> tuple[Any, list[str], list[Shape], Any]:
    """The structure, names and shapes of a model's inputs, and the samples in their order."""
    nested = isinstance(x, (dict, list, tuple)) and any(hasattr(a, "shape") for a in flatten(x))
    leaves = None if x is None else [np.asarray(a) for a in (flatten(x) if nested else [x])]
    graph = getattr(model, "_graph", None)
    if graph is not None:
        titles = list(model.input_names)
        if isinstance(x, dict) and not isinstance(graph.inputs, dict) and set(titles) <= set(x):
            leaves = [np.asarray(x[title]) for title in titles]
        structure = graph.inputs if isinstance(graph.inputs, (dict, list, tuple)) else None
        return structure, titles, [tensor.shape[1:] for tensor in graph.input_tensors], leaves
    if leaves is None:
        raise ValueError(
            f"Playground: model {model.name!r} doesn't say what it takes. Pass some samples "
            "as `x`, or sliders as `inputs`."
        )
    numbered = [f"input_{i + 1}" for i in range(len(leaves))]
    titles = sorted(x) if isinstance(x, dict) else numbered
    return (x if nested else None), titles, [leaf.shape[1:] for leaf in leaves], leaves


def sliders_of(
    name: str, shape: Shape, data: np.ndarray | None, names: list[str] | None
) -> Sliders:
    """Sliders for an input (features,) or ().

    Raises:
        ValueError: There are too many features, or more or fewer names.
    """
    count = math.prod(n or 0 for n in shape)
    if not 1 <= count <= MOST_SLIDERS:
        side = math.isqrt(count)
        image = f"If they are an image, say inputs=({side}, {side}). " if side**2 == count else ""
        raise ValueError(
            f"Playground: input {name!r} has {count or 'any number of'} features, but there can be "
            f"1 to {MOST_SLIDERS} sliders. {image}Or describe some with inputs={{'name': (low, "
            "high), ...} and make the model's input of them with `preprocess`."
        )
    if names is not None and len(names) != count:
        raise ValueError(
            f"Playground: input {name!r} has {count} features, but there are {len(names)} "
            "`feature_names`."
        )
    labels = names or ([name] if count == 1 else [f"{name} {i + 1}" for i in range(count)])
    columns = None if data is None else data.reshape(len(data), count)
    sliders = [
        slider_for(label, None if columns is None else columns[:, i])
        for i, label in enumerate(labels)
    ]
    dtype = "float32" if data is None else data.dtype
    return Sliders(name, sliders, tuple(n or 0 for n in shape), dtype)


def pad_of(
    name: str, shape: Shape, data: np.ndarray | None, size: tuple[int, int] | None, last: bool
) -> Pad:
    """A pad for an input (rows, columns), with or without channels, or for a flat image.

    Raises:
        ValueError: The input is no image.
    """
    axis, channels, lengths = None, 1, shape
    if len(shape) == 3:
        axis, channels = (-1, shape[2] or 1) if last else (1, shape[0] or 1)
        lengths = shape[:2] if last else shape[1:]
    flat = size is not None and len(shape) == 1 and shape[0] in (None, math.prod(size))
    if size is None and len(lengths) == 2:
        size = (lengths[0] or SIDE, lengths[1] or SIDE)
    fits = size is not None and min(size) >= 3 and channels <= 4
    if fits and not flat:
        assert size is not None
        fits = len(lengths) == 2 and all(n in (None, m) for n, m in zip(lengths, size))
    if not fits or size is None:
        raise ValueError(
            f"Playground: input {name!r} of shape {shape} is neither a row of features nor an "
            "image (rows, columns) with up to 4 channels. Describe sliders with inputs={'name': "
            "(low, high), ...} and make the model's input of them with `preprocess`."
        )
    whole: tuple[int, ...] = (math.prod(size),) if flat else size
    if axis is not None:
        whole = (*size, channels) if axis < 0 else (channels, *size)
    pad = Pad(name, whole, size, axis, channels)
    if data is not None:
        pad.dtype = data.dtype
        low, high = float(data.min()), float(data.max())
        if low < high:
            dark = float(np.median(data)) > (low + high) / 2  # dark ink on a bright ground
            pad.ground, pad.ink = (high, low) if dark else (low, high)
        pad.first = pad.from_samples(data[:1])[0]
    return pad


def samples_of(parts: list[Part], leaves: list[np.ndarray] | None) -> list[list[np.ndarray]]:
    """For each input some samples, spread over the data, as values of the browser."""
    if leaves is None:
        return []
    count = len(leaves[0])
    rows = np.unique(np.linspace(0, count - 1, min(count, MOST_SAMPLES)).astype(int))
    return [list(part.from_samples(leaf[rows])) for part, leaf in zip(parts, leaves)]
