"""Emitters of primitives that reduce, count along or sort axes, and of windows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelmodel.saving.onnx.graph import Graph, Value, code_of
from kernelmodel.saving.onnx.interpreter import NoForm, emits

REDUCTIONS = {
    "reduce_sum": "ReduceSum",
    "reduce_max": "ReduceMax",
    "reduce_min": "ReduceMin",
    "reduce_prod": "ReduceProd",
    "reduce_or": "ReduceMax",
    "reduce_and": "ReduceMin",
}


def as_numbers(g: Graph, step: Any, x: Value) -> Value:
    """Booleans and unsigned numbers as int64: ONNX reduces numbers with a sign."""
    signed = step.invars[0].aval.dtype.kind not in "bu"
    return x if signed else g.add("Cast", x, to=code_of("int64"))


@emits(*REDUCTIONS)
def reduce(g: Graph, step: Any, x: Value) -> Value:
    """A reduction over axes."""
    x = as_numbers(g, step, x)
    axes = np.array(step.params["axes"], np.int64)
    result = g.add(REDUCTIONS[step.primitive.name], x, axes, keepdims=0, noop_with_empty_axes=1)
    dtype = step.outvars[0].aval.dtype
    return g.add("Cast", result, to=code_of(dtype)) if dtype.kind in "bu" else result


@emits("argmax", "argmin")
def arg(g: Graph, step: Any, x: Value) -> Value:
    """Where the largest or the smallest entry is, the first if there are several."""
    operator = "ArgMax" if step.primitive.name == "argmax" else "ArgMin"
    x = as_numbers(g, step, x)
    found = g.add(operator, x, axis=step.params["axes"][0], keepdims=0)
    return g.add("Cast", found, to=code_of(step.params["index_dtype"]))


@emits("cumsum")
def cumsum(g: Graph, step: Any, x: Value) -> Value:
    """Sums of all entries so far."""
    return g.add("CumSum", x, np.array(step.params["axis"]), reverse=int(step.params["reverse"]))


@emits("sort")
def sort(g: Graph, step: Any, key: Value, *others: Value) -> list[Value]:
    """Entries in rising order, and other tensors in the same order."""
    axis = step.params["dimension"]
    if step.params["num_keys"] != 1 and len(others) + 1 != step.params["num_keys"]:
        raise NoForm("sorting by several keys")
    length = g.sizes((step.invars[0].aval.shape[axis],))
    values, order = g.add("TopK", key, length, outputs=2, axis=axis, largest=0)
    return [values, *(g.add("GatherElements", other, order, axis=axis) for other in others)]


@emits("top_k")
def top_k(g: Graph, step: Any, x: Value) -> list[Value]:
    """The largest entries of the last axis and their places."""
    count = g.sizes((step.params["k"],))
    values, places = g.add("TopK", x, count, outputs=2, axis=-1)
    return [values, g.add("Cast", places, to=code_of(step.outvars[1].aval.dtype))]


@emits("reduce_window_max", "reduce_window_sum", "reduce_window_min")
def window(g: Graph, step: Any, x: Value) -> Value:
    """A reduction over windows, by pooling with the windows' axes last."""
    p, shape = step.params, step.invars[0].aval.shape
    if any(n != 1 for n in p.get("base_dilation") or ()):
        raise NoForm("windows over a dilated tensor")
    size, strides, pads = p["window_dimensions"], p["window_strides"], p["padding"]
    dilation = p.get("window_dilation") or (1,) * len(size)
    slid = [i for i in range(len(size)) if (size[i], strides[i], *pads[i]) != (1, 1, 0, 0)]
    if not slid:
        return x
    still = [i for i in range(len(size)) if i not in slid]
    order = [*still, *slid]
    x = g.transposed(x, order)
    out = [step.outvars[0].aval.shape[axis] for axis in order]
    if len(still) != 2:
        channels = math.prod([shape[axis] for axis in still])
        x = g.reshaped(x, (1, channels, *(shape[axis] for axis in slid)))
    settings = {
        "kernel_shape": [size[i] for i in slid],
        "strides": [strides[i] for i in slid],
        "dilations": [dilation[i] for i in slid],
        "pads": [pads[i][0] for i in slid] + [pads[i][1] for i in slid],
    }
    y = _pooled(g, step, x, settings)
    if len(still) != 2:
        y = g.reshaped(y, tuple(out))
    return g.transposed(y, list(np.argsort(order)))


def _pooled(g: Graph, step: Any, x: Value, settings: dict[str, Any]) -> Value:
    kind = step.primitive.name.removeprefix("reduce_window_")
    if kind == "max":
        return g.add("MaxPool", x, **settings)
    if kind == "min":
        return g.add("Neg", g.add("MaxPool", g.add("Neg", x), **settings))
    mean = g.add("AveragePool", x, count_include_pad=1, **settings)
    count = np.array(math.prod(settings["kernel_shape"]), step.invars[0].aval.dtype)
    return g.add("Mul", mean, count)
