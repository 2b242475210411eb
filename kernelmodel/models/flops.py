"""How many floating-point operations a layer makes for one sample, at inference.

A multiplication and an addition count as one each, so a product of an (n, m) matrix with a vector
counts 2nm. The formulas, for one sample:

| family | operations |
| --- | --- |
| Dense, EinsumDense | 2 for each pair of an input value and a weight it meets |
| Conv, DepthwiseConv, SeparableConv | 2 x taps of the kernel x channels / groups for each output |
| ConvTranspose | 2 x taps of the kernel x filters for each input value |
| biases | 1 for each output |
| activations, also within a layer | 1 for each value; softmax 3 |
| BatchNormalization | 2 for each value (scale and shift) |
| Layer-, GroupNormalization | 8 for each value: mean 1, variance 3, normalizing 2, scale, shift |
| RMSNormalization, UnitNormalization | 4, 3 for each value |
| pooling | the size of the window for each output; global pooling 1 for each input |
| adaptive pooling | the size of the window for each output, one axis after the other |
| SimpleRNN, GRU, LSTM | for each step and each of 1, 3, 4 gates 2 x (inputs + units) x units; \
and what joins the gates |
| ConvLSTM | for each step the four gates' convolutions of the input and of the state, and what \
joins the gates |
| MultiHeadAttention | its four projections; 2 x query positions x key positions x length for the \
scores and for the values; softmax |
| GroupQueryAttention | likewise, with projections of keys and values for each group |
| Attention, AdditiveAttention | scores and values as above, without projections; added scores \
a sum, a tangent and a weighted sum for each pair and length |
| Add, Multiply, ... | inputs - 1 for each output; Dot 2 x length for each output |
| look-ups, reshaping, cropping, padding, dropout | 0 |

What isn't listed, such as a layer of a user's own, is unknown rather than 0.

Source: the definition of V. Sze et al., "Efficient Processing of Deep Neural Networks", 2017,
section III, with two operations for a multiply-accumulate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kernelmodel import layers
from kernelmodel.core.inputs import InputLayer
from kernelmodel.core.operation import OpCall
from kernelmodel.layers.conv import Conv
from kernelmodel.layers.conv_transpose import ConvTranspose
from kernelmodel.layers.depthwise import DepthwiseConv, SeparableConv
from kernelmodel.layers.einsum import plan
from kernelmodel.layers.merging import Merge
from kernelmodel.layers.pooling.adaptive import AdaptivePooling, windows_of
from kernelmodel.layers.pooling.windows import GlobalPooling, Pooling
from kernelmodel.layers.recurrent.conv_lstm import ConvLSTM
from kernelmodel.layers.shape_layer import ShapeLayer

Shape = Sequence[int]
Shapes = Sequence[Shape]
SOFTMAX, LAYER_NORM = 3, 8


def size(shape: Shape) -> int:
    """Values of one sample in an array of a shape, which begins with the batch axis."""
    return math.prod(shape[1:])


def flops_of(operation: Any, inputs: Shapes, outputs: Shapes) -> int | None:
    """The floating-point operations of a call for one sample; None if nobody knows.

    Args:
        operation: A layer or op, but no model.
        inputs: Shapes of what it takes, with the batch axis, all lengths known.
        outputs: Shapes of what it gives, likewise.
    """
    if isinstance(operation, OpCall):
        return _op(operation, inputs, outputs)
    own_call = next(cls for cls in type(operation).__mro__ if "call" in vars(cls))
    for kinds, formula in FORMULAS:
        if isinstance(operation, kinds):
            known = own_call.__module__.startswith("kernelmodel.")
            return formula(operation, inputs, outputs) if known else None
    return None


def _activation(layer: Any, values: int) -> int:
    name = getattr(getattr(layer, "activation", None), "__name__", "linear")
    return 0 if name == "linear" else SOFTMAX * values if "softmax" in name else values


def _finish(layer: Any, values: int) -> int:
    return (values if layer.bias is not None else 0) + _activation(layer, values)


def _dense(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    values = size(outputs[0])
    return 2 * inputs[0][-1] * values + _finish(layer, values)


def _einsum(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    letters = plan(layer.equation, len(inputs[0]))
    lengths = dict(zip(letters.inputs, inputs[0])) | dict(zip(letters.outputs, outputs[0]))
    lengths |= dict(zip(letters.kernel, layer.kernel.shape))
    product = math.prod(lengths[a] for a in set(letters.inputs + letters.kernel + letters.outputs))
    return 2 * (product // inputs[0][0]) + _finish(layer, size(outputs[0]))


def _conv(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    values = size(outputs[0])
    return 2 * math.prod(layer.kernel.shape[:-1]) * values + _finish(layer, values)


def _conv_transpose(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    taps = math.prod(layer.kernel_size) * layer.filters
    return 2 * taps * size(inputs[0]) + _finish(layer, size(outputs[0]))


def _depthwise(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    values = size(outputs[0])
    return 2 * math.prod(layer.kernel_size) * values + _finish(layer, values)


def _separable(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    values = size(outputs[0])
    middle = layer._channels_of(inputs[0]) * layer.depth_multiplier
    between = values // layer.filters * middle
    products = math.prod(layer.kernel_size) * between + middle * values
    return 2 * products + _finish(layer, values)


def _pooling(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    return math.prod(layer.pool_size) * size(outputs[0])


def _adaptive(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    first = 1 if layer.data_format == "channels_last" else 2
    shape = list(inputs[0])
    if all(shape[first + i] % count == 0 for i, count in enumerate(layer.output_size)):
        return size(shape)
    total = 0
    for axis, count in enumerate(layer.output_size, first):
        windows = int(windows_of(shape[axis], count)[1].sum())
        shape[axis] = count
        total += size(shape) // count * windows
    return total


def _plain_attention(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    query, value = inputs[:2]
    pairs, length = query[1] * value[1], query[-1]
    scaled = 1 if layer.use_scale else 0
    if isinstance(layer, layers.AdditiveAttention):
        score = (3 + scaled) * length
    elif layer.score_mode == "concat":
        score = (3 + scaled) * length + 1
    else:
        score = 2 * length + scaled
    return pairs * (score + SOFTMAX + 2 * value[-1])


def _grouped_attention(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    query, value = inputs[:2]
    key = inputs[2] if len(inputs) > 2 and len(inputs[2]) == 3 else value
    length, bias = layer.head_dim, 1 if layer.use_bias else 0
    wide, narrow = layer.num_query_heads * length, layer.num_key_value_heads * length
    asked = query[1] * wide
    projections = (
        asked * (2 * query[-1] + bias)
        + value[1] * narrow * (2 * key[-1] + 2 * value[-1] + 2 * bias)
        + query[1] * query[-1] * (2 * wide + bias)
    )
    if layer.use_gate:
        projections += asked * (2 * query[-1] + bias + 2)
    pairs = layer.num_query_heads * query[1] * value[1]
    return projections + asked + pairs * (4 * length + SOFTMAX)


def _attention(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    query, value = inputs[0], inputs[1] if len(inputs) > 1 else inputs[0]
    key = inputs[2] if len(inputs) > 2 and len(inputs[2]) == len(value) else value
    heads, length, values = layer.num_heads, layer.key_dim, layer.value_dim
    axes = layer.attention_axes or range(1, len(query) - 1)
    at, seen = (math.prod(shape[i] for i in axes) for shape in (query, value))
    here, there = (math.prod(shape[1:-1]) for shape in (query, value))
    bias = 1 if layer.use_bias else 0
    made = outputs[0][-1]
    projections = (
        here * heads * length * (2 * query[-1] + bias)
        + there * heads * length * (2 * key[-1] + bias)
        + there * heads * values * (2 * value[-1] + bias)
        + here * made * (2 * heads * values + bias)
    )
    if layer.use_gate:  # its projection of the query, a sigmoid and a product
        projections += here * heads * values * (2 * query[-1] + bias + 2)
    pairs = heads * here // at * at * seen
    return projections + here * heads * length + pairs * (2 * length + SOFTMAX + 2 * values)


# Of each cell: gates, and operations a unit that join the gates to the new state.
CELLS = (
    (layers.LSTMCell, 4, 4 + 4 + 5),  # two sums and an activation a gate; c = fc + ig, o tanh(c)
    (layers.GRUCell, 3, 3 + 3 + 5),  # likewise; r h, h = zh + (1 - z) new
    (layers.SimpleRNNCell, 1, 1 + 1),
)


def _cell(cell: Any, length: int) -> int | None:
    """Operations of one step for an input of a length."""
    if isinstance(cell, layers.StackedRNNCells):
        total = 0
        for one in cell.cells:
            part = _cell(one, length)
            if part is None:
                return None
            total, length = total + part, one.units
        return total
    for kind, gates, joining in CELLS:
        if type(cell) is kind:
            biases = gates * (2 if getattr(cell, "reset_after", False) else 1)
            units = cell.units
            own = joining + (biases if cell.use_bias else 0)
            return 2 * gates * units * (length + units) + units * own
    return None


def _conv_lstm(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    steps, *rest = inputs[0][1:]
    spatial, channels = rest[:-1], rest[-1]
    if layer.data_format == "channels_first":
        spatial, channels = rest[1:], rest[0]
    cell, units = layer.cell, layer.cell.units
    positions = math.prod(cell.lengths(spatial))
    gates, joining = next(counts for kind, *counts in CELLS if kind is layers.LSTMCell)
    taps = math.prod(cell.kernel_size) * (channels + units)
    own = joining + (gates if cell.use_bias else 0)
    return steps * positions * units * (2 * gates * taps + own)


def _recurrent(layer: Any, inputs: Shapes, outputs: Shapes) -> int | None:
    step = _cell(layer.cell, inputs[0][-1])
    return None if step is None else inputs[0][1] * step


def _bidirectional(layer: Any, inputs: Shapes, outputs: Shapes) -> int | None:
    both = [flops_of(one, inputs, outputs) for one in (layer.forward_layer, layer.backward_layer)]
    if None in both:
        return None
    merging = {"sum": 1, "mul": 1, "ave": 2}.get(layer.merge_mode, 0) * size(outputs[0])
    return sum(part or 0 for part in both) + merging


def _time_distributed(layer: Any, inputs: Shapes, outputs: Shapes) -> int | None:
    steps = inputs[0][1]
    inner = flops_of(layer.layer, *([(s[0], *s[2:]) for s in part] for part in (inputs, outputs)))
    return None if inner is None else steps * inner


def _dot(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    a, _ = layer._axes_of(inputs)
    norms = 3 * (size(inputs[0]) + size(inputs[1])) if layer.normalize else 0
    return norms + 2 * inputs[0][a] * size(outputs[0])


def _reversible(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    if len(outputs[0]) > len(inputs[0]):  # a look-up
        return 0
    capped = 0 if layer.logit_soft_cap is None else 3
    return (2 * layer.output_dim + capped) * size(outputs[0])


def _per_output(count: int) -> Callable[[Any, Shapes, Shapes], int]:
    return lambda layer, inputs, outputs: count * size(outputs[0])


def _nothing(layer: Any, inputs: Shapes, outputs: Shapes) -> int:
    return 0


FORMULAS: tuple[tuple[Any, Callable[[Any, Shapes, Shapes], int | None]], ...] = (
    (layers.Dense, _dense),
    (layers.EinsumDense, _einsum),
    (ConvTranspose, _conv_transpose),
    (DepthwiseConv, _depthwise),
    (SeparableConv, _separable),
    (Conv, _conv),
    (GlobalPooling, lambda layer, inputs, outputs: size(inputs[0])),
    (Pooling, _pooling),
    (AdaptivePooling, _adaptive),
    (layers.GroupQueryAttention, _grouped_attention),
    (layers.MultiHeadAttention, _attention),
    (layers.Attention, _plain_attention),
    (ConvLSTM, _conv_lstm),
    (layers.RNN, _recurrent),
    (layers.Bidirectional, _bidirectional),
    (layers.TimeDistributed, _time_distributed),
    (layers.SpectralNormalization, lambda layer, *shapes: flops_of(layer.layer, *shapes)),
    (layers.ReversibleEmbedding, _reversible),
    (layers.Dot, _dot),
    (Merge, lambda layer, inputs, outputs: (len(inputs) - 1) * size(outputs[0])),
    ((layers.BatchNormalization, layers.Rescaling), _per_output(2)),
    ((layers.LayerNormalization, layers.GroupNormalization), _per_output(LAYER_NORM)),
    (layers.RMSNormalization, _per_output(4)),
    (layers.UnitNormalization, _per_output(3)),
    (layers.Softmax, _per_output(SOFTMAX)),
    (layers.Activation, lambda layer, inputs, outputs: _activation(layer, size(outputs[0]))),
    ((layers.ReLU, layers.LeakyReLU, layers.ELU, layers.PReLU), _per_output(1)),
    (
        (InputLayer, layers.Embedding, layers.Concatenate, layers.Dropout, layers.GaussianNoise,
         layers.GaussianDropout, layers.ActivityRegularization, layers.Masking),
        _nothing,
    ),
    (
        (layers.UpSampling2D, layers.UpSampling3D),
        lambda layer, inputs, outputs: (
            0 if getattr(layer, "interpolation", "nearest") == "nearest" else None
        ),
    ),
    (ShapeLayer, _nothing),
)  # fmt: skip

ELEMENTWISE = {
    "abs", "absolute", "add", "cos", "divide", "elu", "exp", "gelu", "leaky_relu", "log",
    "maximum", "minimum", "multiply", "negative", "power", "relu", "relu6", "selu", "sigmoid",
    "silu", "sin", "softplus", "softsign", "sqrt", "square", "subtract", "tanh", "true_divide",
}  # fmt: skip
REDUCTIONS = {"max", "mean", "min", "prod", "sum"}
MOVES = {
    "broadcast_to", "cast", "concatenate", "expand_dims", "flip", "getitem", "moveaxis", "pad",
    "repeat", "reshape", "split", "squeeze", "stack", "swapaxes", "take", "tile", "transpose",
}  # fmt: skip


def _op(operation: OpCall, inputs: Shapes, outputs: Shapes) -> int | None:
    name = operation.function.__name__
    if name in ELEMENTWISE:
        return size(outputs[0])
    if name in REDUCTIONS:
        return size(inputs[0])
    if name == "softmax":
        return SOFTMAX * size(outputs[0])
    if name == "matmul":
        return 2 * inputs[0][-1] * size(outputs[0])
    return 0 if name in MOVES else None
