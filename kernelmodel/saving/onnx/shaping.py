"""Emitters of primitives that make, cut, join and rearrange tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.saving.onnx.graph import Graph, Value, code_of
from kernelmodel.saving.onnx.interpreter import emits


@emits("broadcast_in_dim", broadcasts=True)
def broadcast_in_dim(g: Graph, step: Any, x: Value, *_: Value) -> Value:
    """New axes of length one, which later operators broadcast."""
    shape, places = step.params["shape"], step.params["broadcast_dimensions"]
    assert x.shape is not None
    own: list[Any] = [1] * len(shape)
    # A value that stands for a larger one may lack leading axes.
    for place, n in zip(places[len(places) - len(x.shape) :], x.shape):
        own[place] = n
    if tuple(own) == x.shape:
        return x
    if x.array is not None:
        return Value(x.array.reshape([int(n) for n in own]), x.name)
    kept = set(places[len(places) - len(x.shape) :])
    added = [axis for axis in range(len(shape)) if axis not in kept]
    result = g.add("Unsqueeze", x, np.array(added))
    result.shape = tuple(own)
    return result


@emits("reshape")
def reshape(g: Graph, step: Any, x: Value, *_: Value) -> Value:
    """The same entries in another shape."""
    return g.reshaped(x, step.outvars[0].aval.shape)


@emits("squeeze", "expand_dims")
def squeeze(g: Graph, step: Any, x: Value) -> Value:
    """Axes of length one taken out or put in."""
    operator = "Squeeze" if step.primitive.name == "squeeze" else "Unsqueeze"
    return g.add(operator, x, np.array(step.params["dimensions"]))


@emits("transpose")
def transpose(g: Graph, step: Any, x: Value) -> Value:
    """Axes in another order."""
    return g.transposed(x, step.params["permutation"])


@emits("stack")
def stack(g: Graph, step: Any, *parts: Value) -> Value:
    """Tensors along a new axis."""
    axis = step.params["axis"]
    return g.add("Concat", *(g.add("Unsqueeze", p, np.array([axis])) for p in parts), axis=axis)


@emits("tile")
def tile(g: Graph, step: Any, x: Value) -> Value:
    """A tensor repeated along its axes."""
    return g.add("Tile", x, np.array(step.params["reps"]))


@emits("concatenate")
def concatenate(g: Graph, step: Any, *parts: Value) -> Value:
    """Tensors behind one another."""
    return g.add("Concat", *parts, axis=step.params["dimension"])


@emits("split")
def split(g: Graph, step: Any, x: Value) -> list[Value]:
    """A tensor cut along an axis."""
    sizes, axis = step.params["sizes"], step.params["axis"]
    if len(sizes) == 1:
        return [x]
    return g.add("Split", x, g.sizes(tuple(sizes)), outputs=len(sizes), axis=axis)


@emits("slice")
def cut(g: Graph, step: Any, x: Value) -> Value:
    """A part of each axis."""
    p = step.params
    strides = p["strides"] or (1,) * len(p["start_indices"])
    shape = step.invars[0].aval.shape
    axes = [
        axis
        for axis, n in enumerate(shape)
        if (p["start_indices"][axis], p["limit_indices"][axis], strides[axis]) != (0, n, 1)
    ]
    starts, ends = (
        g.sizes(tuple(p[name][axis] for axis in axes))
        for name in ("start_indices", "limit_indices")
    )
    return g.add("Slice", x, starts, ends, np.array(axes), np.array([strides[a] for a in axes]))


@emits("rev")
def rev(g: Graph, step: Any, x: Value) -> Value:
    """Axes from their end to their start."""
    axes = np.array(step.params["dimensions"])
    ends = np.full_like(axes, np.iinfo(np.int64).min)
    return g.add("Slice", x, np.full_like(axes, -1), ends, axes, np.full_like(axes, -1))


@emits("pad")
def pad(g: Graph, step: Any, x: Value, fill: Value) -> Value:
    """Entries around a tensor and between its own; negative numbers cut some off."""
    config, shape = step.params["padding_config"], list(step.invars[0].aval.shape)
    for axis, (_, _, between) in enumerate(config):
        if between:
            x = _spread(g, x, fill, shape, axis, between + 1)
            shape[axis] = shape[axis] * (between + 1) - between
    lows, highs = zip(*[(low, high) for low, high, _ in config])
    if any(not isinstance(n, int) or n for n in (*lows, *highs)):
        x = g.add("Pad", x, g.sizes((*lows, *highs)), fill)
    return x


def _spread(g: Graph, x: Value, fill: Value, shape: list[Any], axis: int, by: int) -> Value:
    """x with `by - 1` fillings behind each entry of an axis but the last."""
    rank = len(shape)
    x = g.add("Unsqueeze", x, np.array([axis + 1]))
    pads = [0] * (2 * (rank + 1))
    pads[rank + 1 + axis + 1] = by - 1
    x = g.add("Pad", x, np.array(pads), fill)
    x = g.reshaped(x, (*shape[:axis], shape[axis] * by, *shape[axis + 1 :]))
    end = g.sizes((shape[axis] * by - (by - 1),))
    return g.add("Slice", x, np.array([0]), end, np.array([axis]))


@emits("iota")
def iota(g: Graph, step: Any) -> Value:
    """0, 1, 2, … along an axis."""
    shape, axis = step.params["shape"], step.params["dimension"]
    counts = g.add("Range", np.array(0), g.size(shape[axis]), np.array(1))
    counts = g.add("Cast", counts, to=code_of(step.params["dtype"]))
    own = tuple(n if i == axis else 1 for i, n in enumerate(shape))
    if len(own) == 1:
        counts.shape = own
        return counts
    return g.reshaped(counts, own)


@emits("dim_as_value")
def dim_as_value(g: Graph, step: Any) -> Value:
    """A length as a number."""
    size = g.size(step.params["dim"])
    return g.add("Cast", size, to=code_of(step.outvars[0].aval.dtype))
