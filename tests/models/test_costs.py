"""Operations and memory for one sample, against figures computed by hand."""

from __future__ import annotations

from typing import Any

import graph_models
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.models.costs import Cost, Costs
from kernelmodel.models.flops import flops_of
from kernelmodel.models.summary import Summary

L = km.layers


def lenet() -> km.Model:
    """LeNet-5 (LeCun et al., 1998) with max pooling."""
    return km.Sequential([
        km.Input((32, 32, 1)), L.Conv2D(6, 5, activation="tanh", name="c1"),
        L.MaxPooling2D(name="s2"), L.Conv2D(16, 5, activation="tanh", name="c3"),
        L.MaxPooling2D(name="s4"), L.Flatten(name="flat"), L.Dense(120, "tanh", name="c5"),
        L.Dense(84, "tanh", name="f6"), L.Dense(10, "softmax", name="out"),
    ])  # fmt: skip


def test_lenet() -> None:
    summary = Summary(lenet())
    flops = {row.name: row.cost.flops for row in summary.rows}
    assert flops == {
        "c1": 28 * 28 * 6 * (2 * 25 + 1 + 1),
        "s2": 14 * 14 * 6 * 4,
        "c3": 10 * 10 * 16 * (2 * 25 * 6 + 1 + 1),
        "s4": 5 * 5 * 16 * 4,
        "flat": 0,
        "c5": 120 * (2 * 400 + 2),
        "f6": 84 * (2 * 120 + 2),
        "out": 10 * (2 * 84 + 1 + 3),
    }
    products = 28 * 28 * 6 * 25 + 100 * 16 * 150 + 120 * 400 + 84 * 120 + 10 * 84
    assert products == 416_520, "the multiply-accumulates that the literature counts"
    rest = 2 * (4704 + 1600 + 120 + 84) + 10 * (1 + 3) + 4704 + 1600  # biases, activations, pooling
    assert summary.cost.flops == sum(flops.values()) == 2 * products + rest == 852_400
    values = [28 * 28 * 6, 14 * 14 * 6, 10 * 10 * 16, 5 * 5 * 16, 400, 120, 84, 10]
    assert summary.cost == Cost(852_400, True, 4 * sum(values))
    assert summary.bytes == 4 * 61_706


def test_a_transformer_block() -> None:
    km.utils.clear_session()  # the op between the layers is named "add"
    tokens, width, heads, length = 12, 32, 4, 8
    flops = {row.name: row.cost.flops for row in Summary(graph_models.transformer(tokens)).rows}
    projections = 4 * tokens * (2 * width * heads * length + heads * length)
    scale, pairs = tokens * heads * length, heads * tokens * tokens
    attention = projections + scale + pairs * (2 * length + 3 + 2 * length)
    assert flops["attention_0"] == attention == 120_384
    assert flops["embed"] == 0 and flops["add"] == flops["sum_0"] == tokens * width
    assert flops["norm_0a"] == 8 * tokens * width
    assert flops["up_0"] == tokens * 64 * (2 * 32 + 1 + 1)
    assert flops["down_0"] == tokens * 32 * (2 * 64 + 1)
    assert flops["pooled"] == tokens * width


U, N, T = 5, 3, 7  # units, inputs, steps


@pytest.mark.parametrize(
    ("layer", "shape", "flops"),
    [
        (L.SimpleRNN(U), (T, N), T * (2 * U * (N + U) + U * (1 + 1 + 1))),
        (L.LSTM(U), (T, N), T * (8 * U * (N + U) + U * (4 + 4 + 4 + 5))),
        (L.GRU(U), (T, N), T * (6 * U * (N + U) + U * (3 + 6 + 3 + 5))),
        (L.GRU(U, reset_after=False, use_bias=False), (T, N), T * (6 * U * (N + U) + U * 11)),
        (L.Bidirectional(L.SimpleRNN(U, use_bias=False), merge_mode="sum"), (T, N),
         2 * T * (2 * U * (N + U) + 2 * U) + U),
        (L.TimeDistributed(L.Dense(U)), (T, N), T * U * (2 * N + 1)),
        (L.RNN([L.SimpleRNNCell(U), L.SimpleRNNCell(2)]), (T, N),
         T * (2 * U * (N + U) + 3 * U + 2 * 2 * (U + 2) + 3 * 2)),
        (L.Conv1D(4, 3, padding="same", groups=2), (10, 6), 10 * 4 * (2 * 3 * 3 + 1)),
        (L.Conv2D(4, 3, strides=2, data_format="channels_first", use_bias=False), (2, 9, 9),
         4 * 4 * 4 * 2 * 9 * 2),
        (L.DepthwiseConv2D(3, depth_multiplier=2), (8, 8, 3), 6 * 6 * 6 * (2 * 9 + 1)),
        (L.SeparableConv2D(4, 3, depth_multiplier=2), (8, 8, 3),
         36 * 6 * 2 * 9 + 36 * 4 * (2 * 6 + 1)),
        (L.Conv2DTranspose(4, 3, strides=2, padding="same"), (5, 5, 2),
         2 * 9 * 4 * 50 + 10 * 10 * 4),
        (L.EinsumDense("abc,cde->abde", (None, 4, 5), bias_axes="de"), (6, 3),
         6 * 20 * (2 * 3 + 1)),
        (L.BatchNormalization(), (8, 8, 3), 2 * 192),
        (L.GroupNormalization(1), (8, 4), 8 * 32),
        (L.RMSNormalization(), (8, 4), 4 * 32),
        (L.AveragePooling1D(3, 1), (8, 4), 3 * 6 * 4),
        (L.GlobalMaxPooling2D(), (8, 8, 3), 192),
        (L.Activation("softmax"), (9,), 27),
        (L.LeakyReLU(), (9,), 9),
        (L.Dropout(0.5), (9,), 0),
        (L.Reshape((3, 3)), (9,), 0),
        (L.AdaptiveAveragePooling2D((2, 3)), (8, 9, 3), 8 * 9 * 3),
        (L.AdaptiveMaxPooling1D(2), (5, 4), 2 * 3 * 4),
        (L.AdaptiveMaxPooling2D(2, data_format="channels_first"), (4, 5, 7), 2 * 3 * 7 * 4
         + 2 * 4 * 2 * 4),
        (L.ConvLSTM2D(U, 3, strides=2), (T, 9, 9, N),
         T * 4 * 4 * U * (8 * 9 * (N + U) + 4 + 4 + 4 + 5)),
        (L.ConvLSTM1D(U, 3, data_format="channels_first", padding="same", use_bias=False),
         (T, N, 6), T * 6 * U * (8 * 3 * (N + U) + 4 + 4 + 5)),
        (L.UpSampling2D(), (4, 4, 1), 0),
        (L.UpSampling2D(interpolation="bilinear"), (4, 4, 1), None),
    ],
)  # fmt: skip
def test_layers(layer: Any, shape: Any, flops: int | None) -> None:
    model = km.Sequential([km.Input(shape), layer])
    (row,) = Summary(model).rows
    assert row.cost.flops == flops
    assert row.cost.bytes == 4 * np.prod(model.output_shape[1:])


def test_merging_layers_and_ops() -> None:
    a, b = km.Input((4, 3)), km.Input((4, 3))
    tensors = [L.Add(name="sum")([a, b, a]), L.Dot(axes=(2, 2), name="dot")([a, b]),
               km.ops.matmul(a, km.ops.transpose(b, (0, 2, 1))), km.ops.cumsum(a, 1)]  # fmt: skip
    flops = {row.name: row.cost.flops for row in Summary(km.Model([a, b], tensors)).rows}
    assert flops["sum"] == 2 * 12 and flops["dot"] == 2 * 3 * 16
    assert sorted(v for k, v in flops.items() if k.startswith("matmul")) == [2 * 3 * 16]
    assert [v for k, v in flops.items() if k.startswith("cumsum")] == [None]


def test_unknown_layers_say_so_and_make_the_total_a_least() -> None:
    class Own(L.Layer):
        def call(self, x: Any) -> Any:
            return km.ops.exp(x)

    class Twice(L.Dense):
        def call(self, x: Any) -> Any:
            return super().call(x) * 2

    model = km.Sequential([km.Input((3,)), Own(name="own"), L.Dense(2), Twice(2, name="twice")])
    rows = Summary(model).rows
    assert [row.cost.whole for row in rows] == [False, True, False]
    assert rows[0].cost.flops is None and rows[2].cost.flops is None
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert lines[-1] == " FLOPs for one sample: >= 14"
    assert "FLOPs" not in lines[2], "columns to a print_fn are those of Keras"


def test_unknown_lengths() -> None:
    inputs = km.Input((None, 3))
    model = km.Model(inputs, L.Dense(2)(L.GlobalAveragePooling1D()(L.Dense(4)(inputs))))
    rows = {row.class_name: row.cost for row in Summary(model).rows}
    assert rows["GlobalAveragePooling1D"] == Cost()
    assert Summary(model).cost.flops == 2 * 2 * 4 + 2, "and that is not the whole"


def test_shared_and_nested_layers_count_each_call() -> None:
    model = graph_models.twins()
    costs = {row.name: row.cost for row in Summary(model).tree}
    assert costs["edges"].flops == 2 * 16 * 16 * 8 * (2 * 27 + 2), "the encoder is called twice"
    assert costs["encoder"].flops == sum(costs[n].flops or 0 for n in ("edges", "smaller", "last"))


def test_subclassed_models_and_layers_made_of_layers() -> None:
    costs = {row.name: row.cost for row in Summary(graph_models.built()).tree}
    assert costs["first"] == Cost(4 * (2 * 3 + 2), True, 16)
    assert costs["up"].flops == 8 * (2 * 4 + 2) and costs["down"].flops == 4 * (2 * 8 + 1)
    assert costs["block"].flops == 148 and not costs["block"].whole
    inputs = km.Input((4,))
    inside = km.Model(inputs, graph_models.Residual(4, name="block")(inputs))
    assert Costs(inside).total == Cost(148, False, 48)
    made = graph_models.Subclassed()
    made.build((None, 3))
    assert Costs(made).total == Costs(graph_models.built()).total


def test_half_precision_halves_activations() -> None:
    model = km.Sequential([km.Input((4,)), L.Dense(8, dtype="float16")])
    assert Summary(model).cost.bytes == 16 and Summary(model).bytes == 80


def test_code_that_fails_on_zeros_leaves_a_summary_without_costs() -> None:
    class Picky(km.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = L.Dense(2)

        def call(self, x: Any) -> Any:
            assert np.asarray(x).any()
            return self.dense(x)

    model = Picky()
    model(np.ones((1, 3), "float32"))
    with pytest.warns(UserWarning, match="isn't known.*raised AssertionError"):
        assert Summary(model).cost == Cost()
    assert flops_of(model.dense, [(1, 3)], [(1, 2)]) == 14


def test_an_embedding_in_both_directions() -> None:
    layer = km.layers.ReversibleEmbedding(9, 4, logit_soft_cap=2.0)
    assert flops_of(layer, [(1, 5)], [(1, 5, 4)]) == 0
    assert flops_of(layer, [(1, 5, 4)], [(1, 5, 9)]) == 45 * (2 * 4 + 3)


def test_a_normalized_kernel_costs_nothing_at_inference() -> None:
    layer = km.layers.SpectralNormalization(km.layers.Dense(3))
    layer.build((None, 4))
    assert flops_of(layer, [(1, 4)], [(1, 3)]) == 2 * 4 * 3 + 3


def test_a_gate_of_attention() -> None:
    counts = []
    for gate in (False, True):
        layer = km.layers.MultiHeadAttention(2, 3, use_gate=gate)
        layer.build((None, 5, 8), (None, 5, 8))
        counts.append(flops_of(layer, [(1, 5, 8), (1, 5, 8)], [(1, 5, 8)]))
    assert counts[1] - counts[0] == 5 * 2 * 3 * (2 * 8 + 1 + 2)


@pytest.mark.parametrize(
    ("layer", "flops"),
    [
        (L.Attention(), 15 * (2 * 4 + 3 + 2 * 4)),
        (L.Attention(use_scale=True), 15 * (2 * 4 + 1 + 3 + 2 * 4)),
        (L.Attention(score_mode="concat"), 15 * (3 * 4 + 1 + 3 + 2 * 4)),
        (L.AdditiveAttention(), 15 * (2 * 4 + 2 * 4 + 3 + 2 * 4)),
        (L.AdditiveAttention(use_scale=False), 15 * (3 * 4 + 3 + 2 * 4)),
    ],
)
def test_attention_without_projections(layer: Any, flops: int) -> None:
    layer([km.ops.ones((1, 5, 4)), km.ops.ones((1, 3, 4))])
    assert flops_of(layer, [(1, 5, 4), (1, 3, 4)], [(1, 5, 4)]) == flops


@pytest.mark.parametrize("gate", [False, True])
def test_grouped_attention_of_single_groups_is_multi_head_attention(gate: bool) -> None:
    x = [(1, 5, 8), (1, 3, 6)]
    grouped = L.GroupQueryAttention(4, 2, 2, use_gate=gate)
    plain = L.MultiHeadAttention(2, 4, use_gate=gate)
    for layer in (grouped, plain):
        layer(km.ops.ones(x[0]), km.ops.ones(x[1]))
    assert flops_of(grouped, x, x[:1]) == flops_of(plain, x, x[:1])
    shared = L.GroupQueryAttention(4, 2, 1, use_gate=gate)
    shared(km.ops.ones(x[0]), km.ops.ones(x[1]))
    saved = 3 * 4 * 2 * (2 * 6 + 1)  # a head's keys and values
    assert flops_of(grouped, x, x[:1]) - flops_of(shared, x, x[:1]) == saved
