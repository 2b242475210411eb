"""Emitters of products: matrices and convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.saving.onnx.graph import Graph, Value, code_of
from kernelmodel.saving.onnx.interpreter import NoForm, emits

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@emits("dot_general")
def dot_general(g: Graph, step: Any, x: Value, y: Value) -> Value:
    """A product of matrices, or of tensors summed over any axes."""
    (over_x, over_y), (batch_x, batch_y) = step.params["dimension_numbers"]
    rank_x, rank_y = (len(v.aval.shape) for v in step.invars)
    dtype = step.outvars[0].aval.dtype
    x, y = (
        v if var.aval.dtype == dtype else g.add("Cast", v, to=code_of(dtype))
        for v, var in zip((x, y), step.invars)
    )
    free_x = [i for i in range(rank_x) if i not in (*over_x, *batch_x)]
    free_y = [i for i in range(rank_y) if i not in (*over_y, *batch_y)]
    # MatMul: one summed axis, one free axis on the right, and on the left any number of them if
    # there are no shared axes.
    if len(over_x) == 1 and len(free_y) == 1 and (len(free_x) == 1 or not batch_x):
        x = g.transposed(x, [*batch_x, *free_x, *over_x])
        y = g.transposed(y, [*batch_y, *over_y, *free_y])
        return g.add("MatMul", x, y)
    letters = iter(LETTERS)
    of_x, of_y = [""] * rank_x, [""] * rank_y
    for pairs in ((batch_x, batch_y), (over_x, over_y)):
        for i, j in zip(*pairs):
            of_x[i] = of_y[j] = next(letters)
    for names, free in ((of_x, free_x), (of_y, free_y)):
        for axis in free:
            names[axis] = next(letters)
    out = [of_x[i] for i in (*batch_x, *free_x)] + [of_y[i] for i in free_y]
    equation = f"{''.join(of_x)},{''.join(of_y)}->{''.join(out)}"
    return g.add("Einsum", x, y, equation=equation)


@emits("conv_general_dilated")
def conv(g: Graph, step: Any, x: Value, kernel: Value) -> Value:
    """A convolution, or a transposed one where the input has gaps."""
    p = step.params
    spec, groups = p["dimension_numbers"], p["feature_group_count"]
    if p["batch_group_count"] != 1:
        raise NoForm("a convolution with groups of samples")
    x, kernel = g.transposed(x, spec.lhs_spec), g.transposed(kernel, spec.rhs_spec)
    sizes = [step.invars[1].aval.shape[axis] for axis in spec.rhs_spec]
    if all(gap == 1 for gap in p["lhs_dilation"]):
        lows, highs = zip(*p["padding"])
        x, pads = _positive(g, x, lows, highs, step)
        y = g.add(
            "Conv", x, kernel, strides=list(p["window_strides"]), pads=pads, group=groups,
            dilations=list(p["rhs_dilation"]), kernel_shape=sizes[2:],
        )  # fmt: skip
    else:
        y = _transposed(g, step, x, kernel, sizes)
    return g.transposed(y, list(np.argsort(spec.out_spec)))


def _positive(g: Graph, x: Value, lows: Any, highs: Any, step: Any) -> tuple[Value, list[int]]:
    """The input and the padding; negative padding cuts the input."""
    if all(n >= 0 for n in (*lows, *highs)):
        return x, [*lows, *highs]
    return _padded(g, x, lows, highs, step), [0] * (2 * len(lows))


def _padded(g: Graph, x: Value, lows: Any, highs: Any, step: Any) -> Value:
    zero = np.array(0, step.invars[0].aval.dtype)
    return g.add("Pad", x, np.array([0, 0, *lows, 0, 0, *highs]), zero)


def _transposed(g: Graph, step: Any, x: Value, kernel: Value, sizes: list[int]) -> Value:
    """A convolution of an input with gaps is a transposed one with the kernel turned around."""
    p, groups = step.params, step.params["feature_group_count"]
    if any(n != 1 for n in p["window_strides"]):
        raise NoForm("a transposed convolution with strides")
    out, depth, spatial = sizes[0], sizes[1], sizes[2:]
    axes = np.arange(2, 2 + len(spatial))
    kernel = g.reshaped(kernel, (groups, out // groups, depth, *spatial))
    kernel = g.transposed(kernel, [0, 2, 1, *(axes + 1)])
    kernel = g.reshaped(kernel, (groups * depth, out // groups, *spatial))
    if kernel.array is not None:
        kernel = Value(np.flip(kernel.array, tuple(axes)), kernel.name)
    else:
        ends = np.full_like(axes, np.iinfo(np.int64).min)
        kernel = g.add("Slice", kernel, np.full_like(axes, -1), ends, axes, np.full_like(axes, -1))
    y = g.add(
        "ConvTranspose", x, kernel, strides=list(p["lhs_dilation"]), group=groups,
        dilations=list(p["rhs_dilation"]), kernel_shape=spatial,
    )  # fmt: skip
    # The whole result reaches as far as a kernel beyond the input.
    reach = [gap * (n - 1) for n, gap in zip(spatial, p["rhs_dilation"])]
    lows = [low - r for (low, _), r in zip(p["padding"], reach)]
    highs = [high - r for (_, high), r in zip(p["padding"], reach)]
    return _padded(g, y, lows, highs, step) if any((*lows, *highs)) else y
