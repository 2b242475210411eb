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
from kernelmodel.core.registration import register_keras_serializable
from kernelmodel.core.tree import flatten


@dataclass(frozen=True)
class A:
    """An array argument: its shape without the batch; with `high`, integers below it; or words."""

    shape: tuple[int, ...]
    high: int | None = None
    words: tuple[str, ...] = ()

    @property
    def dtype(self) -> str:
        """Its dtype, where floats are float32."""
        return "string" if self.words else ("float32" if self.high is None else "int32")


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
        gives: Dtype of the outputs, if it isn't that of the policy.
    """

    name: str
    make: Callable[[Any], Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    settings: str = ""
    random: bool = False
    in_training: bool = False
    gives: str | None = None

    @property
    def reads_text(self) -> bool:
        """Whether an argument is text."""
        return any(isinstance(part, A) and part.words for part in flatten(list(self.args)))

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
            settings = {"seed": 1, **settings}

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
class DoublesAnother(L.Wrapper):
    """A wrapper of a user."""

    def call(self, inputs: Any) -> Any:
        return 2 * self.layer(inputs)


def wrapper(dtype: Any) -> Any:
    return DoublesAnother(L.Dense(3, dtype=dtype), dtype=dtype)


CASES.append(Case("Wrapper", wrapper, (ROWS,)))

# ---- preprocessing ----
add("Rescaling", {"scale": 0.5, "offset": -1.0}, args=(IMAGE,))
add("RandomCrop", {"height": 2, "width": 3}, args=(a(9, 9, 2),), **DRAWS)
add("RandomCrop", {"height": 3, "width": 3, **FIRST}, args=(a(2, 9, 9),), **DRAWS)
add("RandomCrop", {"height": 9, "width": 6, "seed": 2}, args=(IMAGE,))
add("RandomFlip", {}, {"mode": "horizontal"}, {"mode": "vertical", **FIRST}, args=(IMAGE,), **DRAWS)
add("MaxNumBoundingBoxes", {"max_number": 3}, args=(IMAGE,))
add("CenterCrop", {"height": 3, "width": 2}, {"height": 8, "width": 3}, args=(IMAGE,))
add(
    "Resizing",
    {"height": 4, "width": 9},
    {"height": 9, "width": 3, "interpolation": "nearest"},
    {"height": 4, "width": 4, "crop_to_aspect_ratio": True},
    {"height": 4, "width": 4, "pad_to_aspect_ratio": True, "interpolation": "bicubic"},
    args=(IMAGE,),
)

UNIT = {"value_range": (-3, 3)}
PICTURE, RGB = a(6, 5, 4), a(6, 5, 3)
add(
    "RandomRotation",
    {"factor": 0.2},
    {"factor": (0.1, 0.3), "fill_mode": "constant", "fill_value": 1.5},
    {"factor": 0.4, "fill_mode": "nearest", "interpolation": "nearest", **FIRST},
    args=(PICTURE,),
    **DRAWS,
)
add(
    "RandomTranslation",
    {"height_factor": 0.3, "width_factor": (0.1, 0.4), "fill_mode": "wrap"},
    {"height_factor": 0.5, "width_factor": 0.0, "fill_mode": "constant", **FIRST},
    args=(PICTURE,),
    **DRAWS,
)
add(
    "RandomZoom",
    {"height_factor": 0.4},
    {"height_factor": (-0.3, -0.2), "width_factor": (0.2, 0.3), "fill_mode": "constant", **FIRST},
    args=(PICTURE,),
    **DRAWS,
)
add("RandomShear", {"x_factor": 0.4}, {"y_factor": (0.2, 0.4), **FIRST}, args=(PICTURE,), **DRAWS)
add(
    "RandomPerspective",
    {"factor": (1.0, 1.0), "scale": 0.6},
    {"factor": (0.9, 1.0), "scale": 0.4, "interpolation": "nearest", "fill_value": 2.0, **FIRST},
    args=(PICTURE,),
    **DRAWS,
)
add(
    "RandomElasticTransform",
    {"factor": (1.0, 1.0), **UNIT},
    {"factor": (0.9, 1.0), "scale": (0.5, 0.9), "fill_mode": "mirror", **UNIT, **FIRST},
    args=(a(12, 11, 2),),
    **DRAWS,
)
add(
    "RandomGaussianBlur",
    {"factor": (1.0, 1.0), "sigma": (0.5, 1.0), **UNIT},
    {"factor": (0.9, 1.0), "kernel_size": (5, 3), "sigma": (0.5, 1.0), **UNIT, **FIRST},
    args=(PICTURE,),
    **DRAWS,
)
add("RandomSharpness", {"factor": 0.4, **UNIT}, {"factor": (0.6, 0.9), **UNIT, **FIRST},
    args=(PICTURE,), **DRAWS)  # fmt: skip
add("RandomBrightness", {"factor": 0.4, **UNIT}, {"factor": (0.1, 0.2), **UNIT, **FIRST},
    args=(PICTURE,), **DRAWS)  # fmt: skip
add("RandomContrast", {"factor": 0.4, **UNIT}, {"factor": (0.1, 0.9), **UNIT, **FIRST},
    args=(PICTURE,), **DRAWS)  # fmt: skip
for name in ("RandomHue", "RandomSaturation", "RandomColorDegeneration"):
    add(name, {"factor": (0.1, 0.4), "value_range": (-6, 6)}, args=(RGB,), **DRAWS)
    add(name, {"factor": 0.4, "value_range": (-6, 6), **FIRST}, args=(a(3, 6, 5),), **DRAWS)
add("RandomGrayscale", args=(RGB,), **DRAWS)
add("RandomGrayscale", {"factor": 0.6, **FIRST}, args=(a(3, 6, 5),), **DRAWS)
add(
    "RandomColorJitter",
    {
        "value_range": (-6, 6),
        "brightness_factor": 0.1,
        "contrast_factor": 0.3,
        "saturation_factor": (0.4, 0.6),
        "hue_factor": 0.2,
    },
    {"value_range": (-6, 6), "brightness_factor": 0.3},
    args=(RGB,),
    **DRAWS,
)
add("RandomInvert", {"factor": (0.5, 0.5), **UNIT}, {"factor": (0.6, 0.7), **UNIT, **FIRST},
    args=(PICTURE,), **DRAWS)  # fmt: skip
add("RandomPosterization", {"factor": 5, **UNIT}, {"factor": (2, 7), **UNIT, **FIRST},
    args=(PICTURE,), **DRAWS)  # fmt: skip
add(
    "Solarization",
    {"addition_factor": 0.2, "threshold_factor": (0.3, 0.8), **UNIT},
    {"threshold_factor": 1.0, **UNIT, **FIRST},
    args=(PICTURE,),
    **DRAWS,
)
add("AutoContrast", UNIT, {**UNIT, **FIRST}, args=(PICTURE,))
add("Equalization", UNIT, {"bins": 64, **UNIT, **FIRST}, args=(PICTURE,), in_training=True)
add(
    "ContrastLimitedAdaptiveHistogramEqualization",
    {"tile_grid_size": (2, 2), **UNIT},
    {"tile_grid_size": (4, 2), "clip_limit": 0, **UNIT, **FIRST},
    args=(PICTURE,),
)
add(
    "RandomErasing",
    {"factor": (1.0, 1.0), "scale": (0.3, 0.7), **UNIT},
    {"factor": (0.9, 1.0), "scale": (0.3, 0.7), "fill_value": 0.5, **UNIT, **FIRST},
    args=(PICTURE,),
    **DRAWS,
)
add("CutMix", {"factor": (1.0, 1.0)}, FIRST, args=(PICTURE,), **DRAWS)
add("MixUp", {"alpha": 0.9, "seed": 2}, {"seed": 2, **FIRST}, args=(PICTURE,), **DRAWS)
add("RandAugment", {"value_range": (-6, 6)}, args=(RGB,), **DRAWS)
add("RandAugment", {"num_ops": 3, "value_range": (-6, 6), **FIRST}, args=(a(3, 6, 5),), **DRAWS)
add("AugMix", {"value_range": (-6, 6)}, {"num_chains": 2, "all_ops": False, "value_range": (-6, 6)},
    args=(RGB,), **DRAWS)  # fmt: skip

WORDS = ("cat", "dog", "owl", "bee", "")
ANIMALS, NUMBERS = A((2,), words=WORDS), a(2, high=9)
TEXTS = A((1,), words=("The cat!", "a dog, a dog", "", "no owl here"))
VOCABULARY = {"vocabulary": ["dog", "cat", "the", "a"]}
add("Normalization", {}, {"axis": (1, 2)}, {"axis": None, "mean": 0.5, "variance": 2.0})
add("Normalization", {"mean": [1.0, 2.0, 3.0], "variance": [1.0, 0.5, 2.0], "invert": True})
add("Discretization", {"bin_boundaries": [-0.5, 0.0, 0.7]}, gives="int32")
add("Discretization", {"bin_boundaries": [-0.5, 0.7], "output_mode": "one_hot"}, args=(a(1),))
add("Discretization", {"bin_boundaries": [-0.5, 0.7], "output_mode": "count"}, args=(ROWS,))
add(
    "CategoryEncoding",
    {"num_tokens": 8},
    {"num_tokens": 9, "output_mode": "count"},
    {"num_tokens": 9, "output_mode": "one_hot"},
    args=(a(5, high=9),),
)
add("CategoryEncoding", {"num_tokens": 9, "output_mode": "count"}, args=(a(5, high=9), a(5)))
add(
    "StringLookup",
    VOCABULARY,
    {**VOCABULARY, "mask_token": "", "num_oov_indices": 3},
    {**VOCABULARY, "num_oov_indices": 3, "salt": 7},
    args=(ANIMALS,),
    gives="int64",
)
add(
    "StringLookup",
    {**VOCABULARY, "output_mode": "multi_hot", "mask_token": ""},
    {**VOCABULARY, "output_mode": "one_hot"},
    {**VOCABULARY, "output_mode": "count", "max_tokens": 9, "pad_to_max_tokens": True},
    {**VOCABULARY, "output_mode": "tf_idf", "idf_weights": [0.5, 1.0, 1.5, 2.0]},
    args=(ANIMALS,),
)
add("StringLookup", {**VOCABULARY, "invert": True}, args=(NUMBERS,), gives="string")
add(
    "IntegerLookup",
    {"vocabulary": [7, 3, 4]},
    {"vocabulary": [7, 3, 4], "mask_token": 0, "num_oov_indices": 2},
    {"vocabulary": [7, 3], "num_oov_indices": 2, "oov_method": "farmhash", "salt": [1, 2]},
    {"vocabulary": [7, 3, 4], "invert": True},
    args=(NUMBERS,),
    gives="int64",
)
add("IntegerLookup", {"vocabulary": [7, 3], "output_mode": "multi_hot"}, args=(NUMBERS,))
add("Hashing", {"num_bins": 4}, {"num_bins": 4, "salt": [1, 2]}, args=(ANIMALS,), gives="int64")
add("Hashing", {"num_bins": 4, "mask_value": 3}, args=(NUMBERS,), gives="int64")
add("Hashing", {"num_bins": 4, "output_mode": "multi_hot"}, args=(ANIMALS,))
add("HashedCrossing", {"num_bins": 7}, args=([a(1, high=9), a(1, high=5)],), gives="int64")
add("HashedCrossing", {"num_bins": 7}, args=([A((1,), words=WORDS), a(1, high=5)],), gives="int64")
add("HashedCrossing", {"num_bins": 5, "output_mode": "one_hot"}, args=([a(high=9), a(high=5)],))
add(
    "TextVectorization",
    {**VOCABULARY, "output_sequence_length": 3},
    {**VOCABULARY, "output_sequence_length": 4, "ngrams": 2, "split": "character"},
    args=(TEXTS,),
    gives="int64",
)
add(
    "TextVectorization",
    {**VOCABULARY, "output_mode": "multi_hot"},
    {**VOCABULARY, "output_mode": "count", "standardize": "lower", "ngrams": (1, 2)},
    {**VOCABULARY, "output_mode": "tf_idf", "idf_weights": [0.5, 1.0, 1.5, 2.0]},
    args=(TEXTS,),
)
SOUND = {"fft_length": 16, "sequence_stride": 8, "num_mel_bins": 4, "sampling_rate": 100}
add(
    "MelSpectrogram",
    SOUND,
    {**SOUND, "power_to_db": False, "sequence_length": 12, "mag_exp": 1.0, "window": "hamming"},
    args=(a(40),),
)
for mode in ("log", "magnitude", "psd", "real", "imag", "stft"):
    add("STFTSpectrogram", {"mode": mode, "frame_length": 8}, args=(a(30, 2),))
add(
    "STFTSpectrogram",
    {"frame_length": 7, "frame_step": 3, "expand_dims": True, "scaling": "spectrum", **SAME},
    {"mode": "psd", "frame_length": 6, "window": None, "fft_length": 16, "expand_dims": True},
    args=(a(30, 2),),
)
add("STFTSpectrogram", {"mode": "stft", "frame_length": 8, **FIRST}, args=(a(2, 30),))
add("Pipeline", {"layers": lambda d: [L.Rescaling(0.5, dtype=d), L.CenterCrop(3, 2, dtype=d)]},
    args=(IMAGE,))  # fmt: skip

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
        if part.words:
            return draw.choice(part.words, shape)
        if part.high is not None:
            return draw.integers(0, part.high, shape).astype("int32")
        return draw.normal(size=shape).astype(dtype)

    return fill(value)
