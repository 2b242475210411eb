"""Examples of every layer, for the tests that hold for all of them.

A layer that is registered but has no example here fails `tests/contracts/test_layers.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kernelmodel import layers as L
from kernelmodel import ops
from kernelmodel.core.serialization import register_keras_serializable


@dataclass(frozen=True)
class A:
    """An array argument: its shape without the batch; with `high`, integers below it."""

    shape: tuple[int, ...]
    high: int | None = None


@dataclass(frozen=True)
class Case:
    """An example of a layer.

    Attributes:
        name: Class of the layer.
        make: Makes it in a dtype policy.
        args: Positional arguments of a call.
        kwargs: Keyword arguments of a call.
        settings: What the layer is made with, for the tests' names.
        random: Whether it draws random numbers in training.
        in_training: Whether it computes something else in training.
    """

    name: str
    make: Callable[[Any], Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    settings: str = ""
    random: bool = False
    in_training: bool = False

    def __str__(self) -> str:
        return f"{self.name}-{self.settings}" if self.settings else self.name


def a(*shape: int, high: int | None = None) -> A:
    return A(shape, high)


CASES: list[Case] = []
ROWS, STEPS, IMAGE, VOLUME = a(4), a(5, 3), a(6, 5, 4), a(4, 4, 5, 2)
DRAWS = {"random": True, "in_training": True}


def add(name: str, *variants: Any, args: tuple[Any, ...] = (STEPS,), **options: Any) -> None:
    """A case for each dict of constructor arguments; a callable value makes it in a dtype."""
    for settings in variants or ({},):
        if options.get("random") and "layer" not in settings:
            settings = {**settings, "seed": 1}

        def make(dtype: Any, settings: Any = settings) -> Any:
            made = {
                k: v(dtype) if getattr(v, "__name__", "") == "<lambda>" else v
                for k, v in settings.items()
            }
            return getattr(L, name)(**made, dtype=dtype)

        label = ",".join(f"{k}={'...' if callable(v) else v}" for k, v in settings.items())
        CASES.append(Case(name, make, args, settings=label, **options))


@register_keras_serializable(package="tests")
def doubled(x: Any) -> Any:
    return 2 * x


@register_keras_serializable(package="tests")
def summed(x: Any) -> Any:
    return ops.sum(x, axis=1)


SAME, FIRST = {"padding": "same"}, {"data_format": "channels_first"}

# ---- core ----
add("Dense", {"units": 2}, {"units": 3, "activation": "tanh", "use_bias": False}, args=(ROWS,))
add("Dense", {"units": 2, "activation": "gelu"})
add(
    "EinsumDense",
    {"equation": "abc,cd->abd", "output_shape": (None, 2), "bias_axes": "d"},
    {"equation": "...c,cde->...de", "output_shape": (2, 3), "bias_axes": "de"},
    {"equation": "abc,bd->adc", "output_shape": (2, 3), "bias_axes": "d", "activation": "tanh"},
)
add("Embedding", {"input_dim": 9, "output_dim": 4}, args=(a(5, high=9),))
add("Embedding", {"input_dim": 9, "output_dim": 2, "mask_zero": True}, args=(a(3, 2, high=9),))
SIZES = {"input_dim": 9, "output_dim": 4}
add("ReversibleEmbedding", SIZES, {**SIZES, "mask_zero": True}, args=(a(5, high=9),))
add(
    "ReversibleEmbedding",
    SIZES,
    {**SIZES, "tie_weights": False, "logit_soft_cap": 2.0},
    args=(a(5, 4),),
    kwargs={"reverse": True},
)
add("Masking", {}, {"mask_value": 0.5})
add("Identity")
add("Lambda", {"function": doubled}, {"function": summed, "output_shape": (3,)})

# ---- activations ----
add("Activation", {"activation": "softplus"}, {"activation": "relu"})
add("ReLU", {}, {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2})
add("LeakyReLU")
add("ELU", {"alpha": 0.7})
add("PReLU", {"alpha_initializer": "ones"}, {"shared_axes": [1]})
add("Softmax", {}, {"axis": 1}, {"axis": (1, 2)})

# ---- regularization ----
add("Dropout", {"rate": 0.5}, {"rate": 0.3, "noise_shape": (None, 5, 1)}, args=(a(5, 9),), **DRAWS)
add("SpatialDropout1D", {"rate": 0.5}, args=(a(5, 40),), **DRAWS)
add("SpatialDropout2D", {"rate": 0.5}, args=(a(6, 5, 40),), **DRAWS)
add("SpatialDropout2D", {"rate": 0.5, **FIRST}, args=(a(40, 6, 5),), **DRAWS)
add("SpatialDropout3D", {"rate": 0.5}, args=(a(2, 2, 2, 40),), **DRAWS)
add("AlphaDropout", {"rate": 0.4}, {"rate": 0.3, "noise_shape": (None, 5, 1)}, **DRAWS)
add("GaussianNoise", {"stddev": 0.5}, **DRAWS)
add("GaussianDropout", {"rate": 0.5}, **DRAWS)
add("ActivityRegularization", {"l1": 0.1, "l2": 0.2})

# ---- reshaping ----
add("Flatten", {}, FIRST, args=(IMAGE,))
add("Flatten", args=(a(),))
add("Reshape", {"target_shape": (3, -1)}, {"target_shape": (3, 5)})
add("Permute", {"dims": (2, 1)})
add("RepeatVector", {"n": 3}, args=(ROWS,))
add("ZeroPadding1D", {}, {"padding": (2, 0)})
add("ZeroPadding2D", {"padding": ((1, 0), (2, 3))}, FIRST, args=(IMAGE,))
add("ZeroPadding3D", {"padding": (1, 0, 2)}, args=(VOLUME,))
add("Cropping1D", {}, {"cropping": (2, 0)})
add("Cropping2D", {"cropping": ((1, 0), (2, 0))}, {"cropping": 1, **FIRST}, args=(IMAGE,))
add("Cropping3D", {"cropping": (1, 0, 1)}, args=(VOLUME,))
add("UpSampling1D", {"size": 3})
add("UpSampling2D", {"size": (2, 3)}, {"interpolation": "bilinear"}, FIRST, args=(IMAGE,))
add("UpSampling3D", {"size": (1, 2, 2)}, args=(VOLUME,))

# ---- merging ----
for name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
    add(name, args=([STEPS, STEPS, STEPS],))
    add(name, args=([a(3), STEPS, a(1, 3)],))
add("Subtract", args=([STEPS, a(1, 3)],))
add("Concatenate", {}, {"axis": 1}, args=([STEPS, STEPS],))
add("Concatenate", {"axis": 1}, args=([STEPS, a(2, 3)],))
add("Dot", {"axes": (1, 2)}, args=([a(3, 5), a(4, 3)],))
add("Dot", {"axes": 1, "normalize": True}, args=([ROWS, ROWS],))
add("Dot", {"axes": -1}, args=([a(2, 3, 5), a(4, 5)],))

# ---- convolution ----
add(
    "Conv1D",
    {"filters": 4, "kernel_size": 2, "activation": "relu"},
    {"filters": 2, "kernel_size": 3, "padding": "causal", "dilation_rate": 2},
    {"filters": 3, "kernel_size": 3, "strides": 2, "groups": 3, **SAME},
)
add(
    "Conv2D",
    {"filters": 3, "kernel_size": (3, 2), "strides": (2, 1), "activation": "selu"},
    {"filters": 4, "kernel_size": 3, "groups": 2, **SAME},
    {"filters": 3, "kernel_size": 2, "activation": "tanh", **FIRST},
    args=(IMAGE,),
)
add("Conv3D", {"filters": 2, "kernel_size": 2, "use_bias": False}, args=(VOLUME,))
add("DepthwiseConv1D", {"kernel_size": 2, "depth_multiplier": 2})
add("DepthwiseConv2D", {"kernel_size": 2, "depth_multiplier": 2}, args=(IMAGE,))
add("DepthwiseConv2D", {"kernel_size": 3, "strides": 2, **SAME, **FIRST}, args=(IMAGE,))
add("SeparableConv1D", {"filters": 3, "kernel_size": 2, **SAME})
add("SeparableConv2D", {"filters": 3, "kernel_size": 2, "depth_multiplier": 2}, args=(IMAGE,))
add("Conv1DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2})
add(
    "Conv2DTranspose",
    {"filters": 2, "kernel_size": 3, "strides": 2, **SAME},
    {"filters": 2, "kernel_size": 2, "strides": (3, 2), "output_padding": (1, 0)},
    {"filters": 2, "kernel_size": 2, "dilation_rate": 2, **FIRST},
    args=(IMAGE,),
)
add("Conv3DTranspose", {"filters": 2, "kernel_size": 2}, args=(a(2, 3, 2, 2),))

# ---- pooling ----
for kind in ("Max", "Average"):
    add(f"{kind}Pooling1D", {"pool_size": 2}, {"pool_size": 3, "strides": 2, **SAME})
    add(
        f"{kind}Pooling2D",
        {"pool_size": 2},
        {"pool_size": (3, 2), "strides": 1, **SAME},
        {"pool_size": 2, **FIRST},
        args=(IMAGE,),
    )
    add(f"{kind}Pooling3D", {"pool_size": 2}, args=(VOLUME,))
    add(f"Global{kind}Pooling1D", {}, {"keepdims": True}, FIRST)
    add(f"Global{kind}Pooling2D", {}, {"keepdims": True, **FIRST}, args=(IMAGE,))
    add(f"Global{kind}Pooling3D", args=(VOLUME,))

for kind in ("Max", "Average"):
    add(f"Adaptive{kind}Pooling1D", {"output_size": 2}, {"output_size": 7})
    add(f"Adaptive{kind}Pooling1D", {"output_size": 2, **FIRST}, args=(a(3, 5),))
    add(
        f"Adaptive{kind}Pooling2D",
        {"output_size": (4, 2)},
        {"output_size": (3, 5)},
        {"output_size": 3, **FIRST},
        args=(IMAGE,),
    )
    add(f"Adaptive{kind}Pooling3D", {"output_size": (2, 3, 2)}, args=(VOLUME,))

# ---- normalization ----
add(
    "SpectralNormalization",
    {"layer": lambda d: L.Dense(2, dtype=d), "power_iterations": 60},
    {"layer": lambda d: L.Conv1D(2, 2, dtype=d), "power_iterations": 60},
    in_training=True,
)
add(
    "SpectralNormalization",
    {"layer": lambda d: L.Embedding(9, 2, dtype=d), "power_iterations": 60},
    args=(a(5, high=9),),
    in_training=True,
)
add("BatchNormalization", {}, {"axis": 1, "scale": False, "momentum": 0.5}, in_training=True)
add("BatchNormalization", {"center": False}, args=(ROWS,), in_training=True)
# Bounds that make the corrections constants, which they are for the gradient.
CLIPPED = {"renorm": True, "renorm_clipping": {"rmin": 3.0, "rmax": 4.0, "dmax": 1e-3}}
add("BatchNormalization", CLIPPED, {**CLIPPED, "axis": 1, "scale": False}, in_training=True)
add("LayerNormalization", {}, {"axis": [1, 2], "center": False})
add("RMSNormalization", {}, {"axis": [1, 2]})
add("UnitNormalization", {}, {"axis": [1, 2]})
add("GroupNormalization", {"groups": 2}, {"groups": -1}, args=(IMAGE,))
add("GroupNormalization", {"groups": 3, "axis": 1, "scale": False}, args=(a(6, 5),))

# ---- recurrent ----
H = a(4)
add("LSTMCell", {"units": 4}, args=(a(3), [H, H]))
add(
    "LSTMCell", {"units": 4, "dropout": 0.4, "recurrent_dropout": 0.4}, args=(a(3), [H, H]), **DRAWS
)
add("GRUCell", {"units": 4}, {"units": 4, "reset_after": False}, args=(a(3), [H]))
add("SimpleRNNCell", {"units": 4}, args=(a(3), [H]))
add(
    "StackedRNNCells",
    {"cells": lambda d: [L.LSTMCell(4, dtype=d), L.GRUCell(4, dtype=d)]},
    args=(a(3), [[H, H], [H]]),
)
ALL = {"return_sequences": True, "return_state": True}
add(
    "LSTM",
    {"units": 4},
    {"units": 4, **ALL, "go_backwards": True},
    {"units": 4, "activation": "softsign", "use_bias": False},
    {"units": 4, "return_sequences": True, "zero_output_for_mask": True},
)
add("LSTM", {"units": 4, **ALL}, args=(STEPS, [H, H]))
add("LSTM", {"units": 4, "dropout": 0.5}, {"units": 4, "recurrent_dropout": 0.5}, **DRAWS)
add("GRU", {"units": 4}, {"units": 4, **ALL, "reset_after": False, "go_backwards": True})
add("GRU", {"units": 4, "dropout": 0.5, "recurrent_dropout": 0.2}, **DRAWS)
add("SimpleRNN", {"units": 4}, {"units": 4, "return_sequences": True})
add(
    "RNN",
    {"cell": lambda d: [L.LSTMCell(4, dtype=d), L.SimpleRNNCell(3, dtype=d)], **ALL},
    {"cell": lambda d: L.GRUCell(4, dtype=d)},
)
add(
    "Bidirectional",
    {"layer": lambda d: L.LSTM(4, dtype=d)},
    {"layer": lambda d: L.LSTM(4, **ALL, dtype=d), "merge_mode": None},
    {"layer": lambda d: L.GRU(4, return_sequences=True, dtype=d), "merge_mode": "mul"},
    {
        "layer": lambda d: L.SimpleRNN(4, dtype=d),
        "backward_layer": lambda d: L.LSTM(4, go_backwards=True, dtype=d),
        "merge_mode": "ave",
    },
)

FILM, CONV = a(3, 4, 5, 2), {"filters": 2, "kernel_size": 2}
add("ConvLSTM1D", CONV, {**CONV, **SAME, **ALL, "strides": 2}, args=(a(3, 4, 2),))
add(
    "ConvLSTM2D",
    {**CONV, "kernel_size": (2, 3), "return_sequences": True, "go_backwards": True},
    {**CONV, "dilation_rate": (1, 2), "use_bias": False, "recurrent_activation": "hard_sigmoid"},
    args=(FILM,),
)
add("ConvLSTM2D", {**CONV, **SAME, **FIRST, **ALL}, args=(a(3, 2, 4, 5),))
STATE = a(3, 4, 2)
add("ConvLSTM2D", CONV, args=(FILM, [STATE, STATE]))
add(
    "ConvLSTM2D",
    {**CONV, "dropout": 0.5},
    {**CONV, "recurrent_dropout": 0.5},
    args=(FILM,),
    **DRAWS,
)
add("ConvLSTM3D", {**CONV, **SAME}, args=(a(2, 2, 3, 2, 1),))
add(
    "Bidirectional",
    {"layer": lambda d: L.ConvLSTM1D(2, 2, return_sequences=True, dtype=d)},
    args=(a(3, 4, 2),),
)

# ---- wrappers ----
add("TimeDistributed", {"layer": lambda d: L.Dense(2, dtype=d)})
add("TimeDistributed", {"layer": lambda d: L.Conv1D(2, 2, dtype=d)}, args=(a(3, 4, 2),))
add("TimeDistributed", {"layer": lambda d: L.Dropout(0.5, dtype=d)}, **DRAWS)


@register_keras_serializable(package="tests")
class Doubling(L.Wrapper):
    """A wrapper of a user."""

    def call(self, inputs: Any) -> Any:
        return 2 * self.layer(inputs)


def wrapper(dtype: Any) -> Any:
    return Doubling(L.Dense(3, dtype=dtype), dtype=dtype)


CASES.append(Case("Wrapper", wrapper, (ROWS,)))

# ---- preprocessing ----
add("Rescaling", {"scale": 0.5, "offset": -1.0}, args=(IMAGE,))
add("RandomCrop", {"height": 2, "width": 3}, args=(a(9, 9, 2),), **DRAWS)
add("RandomCrop", {"height": 3, "width": 3, **FIRST}, args=(a(2, 9, 9),), **DRAWS)
add("RandomCrop", {"height": 9, "width": 6, "seed": 2}, args=(IMAGE,))
add("RandomFlip", {}, {"mode": "horizontal"}, {"mode": "vertical", **FIRST}, args=(IMAGE,), **DRAWS)
add("CenterCrop", {"height": 3, "width": 2}, {"height": 8, "width": 3}, args=(IMAGE,))
add(
    "Resizing",
    {"height": 4, "width": 9},
    {"height": 9, "width": 3, "interpolation": "nearest"},
    {"height": 4, "width": 4, "crop_to_aspect_ratio": True},
    {"height": 4, "width": 4, "pad_to_aspect_ratio": True, "interpolation": "bicubic"},
    args=(IMAGE,),
)

# ---- attention ----
add("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, args=(a(5, 4), a(3, 6)))
add(
    "MultiHeadAttention",
    {"num_heads": 1, "key_dim": 2, "value_dim": 3, "output_shape": 5, "use_bias": False},
    args=(a(5, 4), a(3, 6)),
    kwargs={"return_attention_scores": True},  # Keras' other path fails on this value_dim
)
add(
    "MultiHeadAttention",
    {"num_heads": 2, "key_dim": 3, "dropout": 0.5},
    args=(STEPS, STEPS),
    **DRAWS,
)
CASES.append(
    Case(
        "MultiHeadAttention",
        lambda d: L.MultiHeadAttention(2, 3, dtype=d),
        (STEPS, STEPS),
        {"use_causal_mask": True, "return_attention_scores": True},
        "causal",
    )
)
CASES.append(
    Case(
        "MultiHeadAttention",
        lambda d: L.MultiHeadAttention(2, 3, attention_axes=(1, 2), dtype=d),
        (a(2, 3, 4), a(2, 2, 4)),
        {},
        "two axes",
    )
)
add(
    "MultiHeadAttention",
    {"num_heads": 2, "key_dim": 3, "value_dim": 3, "use_gate": True, "sliding_window": 2},
    args=(STEPS, STEPS),
    kwargs={"return_attention_scores": True},
)
add(
    "GroupQueryAttention",
    {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
    {"head_dim": 2, "num_query_heads": 3, "num_key_value_heads": 1, "use_bias": False},
    args=(a(5, 4), a(3, 6)),
)
add(
    "GroupQueryAttention",
    {"head_dim": 2, "num_query_heads": 6, "num_key_value_heads": 3, "use_gate": True},
    {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1, "sliding_window": 2},
    args=(STEPS, STEPS),
    kwargs={"use_causal_mask": True, "return_attention_scores": True},
)
add(
    "GroupQueryAttention",
    {"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 1, "dropout": 0.5},
    args=(STEPS, STEPS),
    **DRAWS,
)
PAIR = ([a(5, 3), a(4, 3)],)
add("Attention", {}, {"use_scale": True}, {"score_mode": "concat", "use_scale": True}, args=PAIR)
add(
    "Attention",
    {"score_mode": "concat"},
    args=([STEPS, a(4, 6), a(4, 3)],),
    kwargs={"use_causal_mask": True, "return_attention_scores": True},
)
add("Attention", {"dropout": 0.5}, args=PAIR, **DRAWS)
add("AdditiveAttention", {}, {"use_scale": False}, args=PAIR)
add("AdditiveAttention", args=([STEPS, a(4, 6), a(4, 3)],), kwargs={"use_causal_mask": True})
add("AdditiveAttention", {"dropout": 0.5}, args=PAIR, **DRAWS)


def example(value: Any, batch: int, dtype: str = "float32", seed: int = 0) -> Any:
    """The argument with random arrays in place of `A`."""
    draw = np.random.default_rng(seed)

    def fill(part: Any) -> Any:
        if isinstance(part, (list, tuple)):
            return type(part)(fill(p) for p in part)
        if not isinstance(part, A):
            return part
        shape = (batch, *part.shape)
        if part.high is not None:
            return draw.integers(0, part.high, shape).astype("int32")
        return draw.normal(size=shape).astype(dtype)

    return fill(value)
