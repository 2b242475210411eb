"""Errors of layers name the layer, the argument, what it may be, and what came."""

import numpy as np
import pytest

from kernelmodel import layers as L

WRONG = [
    (lambda: L.Dense(0, name="d"), r"Layer 'd' \(Dense\): units must be an integer >= 1, got 0"),
    (lambda: L.Dense(2.5), "units must be an integer >= 1, got 2.5"),
    (lambda: L.Dense(True), "units"),
    (lambda: L.Dense(2, lora_rank=4), "lora_rank=4 is not supported"),
    (lambda: L.Dense(2, activation="rleu"), "relu"),
    (lambda: L.Conv2D(4, 0), "kernel_size must be an integer >= 1, or 2 of them, got 0"),
    (lambda: L.Conv2D(4, (1, 2, 3)), "kernel_size"),
    (lambda: L.Conv2D(4, 3, padding="causal"), "padding must be one of 'valid', 'same'"),
    (lambda: L.Conv2D(4, 3, data_format="nchw"), "'channels_last', 'channels_first'"),
    (lambda: L.Conv2D(5, 3, groups=2), "filters must be a multiple of groups=2, got 5"),
    (lambda: L.Conv1D(5, 3, strides=2, dilation_rate=2), "strides"),
    (lambda: L.Conv2DTranspose(1, 2, output_padding=1), "output_padding must be less than"),
    (lambda: L.MaxPooling2D(0), "pool_size"),
    (lambda: L.Dropout(1.5), "rate must be a number between 0 and 1, got 1.5"),
    (lambda: L.Dropout(0.5, noise_shape="x"), "noise_shape"),
    (lambda: L.GaussianDropout(1.0), "rate must be a number below 1"),
    (lambda: L.LeakyReLU(-1), "negative_slope must be a number at least 0, got -1"),
    (lambda: L.Reshape((-1, -1)), "target_shape"),
    (lambda: L.Permute((0, 1)), "dims must be a permutation of 1 to 2"),
    (lambda: L.RepeatVector(-1), "n must be"),
    (lambda: L.ZeroPadding2D((1, 2, 3)), "padding must be"),
    (lambda: L.Cropping2D(-1), "cropping"),
    (lambda: L.UpSampling2D(interpolation="cubic"), "interpolation must be one of"),
    (lambda: L.Dot("x"), "axes must be an integer, or a pair of integers"),
    (lambda: L.BatchNormalization(axis=[1, 2]), "axis must be an integer"),
    (
        lambda: L.BatchNormalization(renorm=True, renorm_clipping={"rmin": 2, "rmax": 1}),
        'renorm_clipping must be a dict with "rmin" <= "rmax"',
    ),
    (lambda: L.BatchNormalization(renorm=True, renorm_clipping={"max": 1}), "renorm_clipping"),
    (lambda: L.MultiHeadAttention(2, 3, sliding_window=0), "sliding_window must be an integer"),
    (lambda: L.MultiHeadAttention(2, 3, flash_attention=3), "flash_attention must be one of"),
    (lambda: L.GroupQueryAttention(3, 4, 3), "num_query_heads must be a multiple of num_key"),
    (lambda: L.GroupQueryAttention(0, 4, 2), "head_dim"),
    (lambda: L.Attention(score_mode="sum"), "score_mode must be one of 'dot', 'concat'"),
    (lambda: L.AdditiveAttention(dropout=2), "dropout must be a number between 0 and 1"),
    (lambda: L.AlphaDropout(-0.1), "rate must be a number between 0 and 1"),
    (lambda: L.AdaptiveMaxPooling2D(0), "output_size must be an integer >= 1, or 2 of them"),
    (lambda: L.AdaptiveAveragePooling1D((1, 2)), "output_size"),
    (lambda: L.SpectralNormalization(L.Dense(2), power_iterations=0), "power_iterations"),
    (
        lambda: L.SpectralNormalization(L.Flatten()).build((2, 3)),
        "layer must be a layer with a weight `kernel` or `embeddings`",
    ),
    (lambda: L.ReversibleEmbedding(0, 4), "input_dim"),
    (lambda: L.ReversibleEmbedding(3, 4, logit_soft_cap=-1), "logit_soft_cap"),
    (lambda: L.ConvLSTM2D(0, 3), "filters must be an integer >= 1"),
    (lambda: L.ConvLSTM2D(2, 3, padding="causal"), "padding must be one of 'valid', 'same'"),
    (lambda: L.ConvLSTM2D(2, 3, data_format="nchw"), "data_format must be one of"),
    (lambda: L.ConvLSTM1D(2, 3, strides=2, dilation_rate=2), "strides must be 1 when"),
    (lambda: L.ConvLSTM1D(2, 3).build((2, 5, None, 1)), "needs to know the spatial lengths"),
    (lambda: L.LayerNormalization(axis="x"), "axis"),
    (lambda: L.GroupNormalization(0), "groups"),
    (lambda: L.Embedding(-1, 4), "input_dim"),
    (lambda: L.LSTM(0), "units must be an integer >= 1"),
    (lambda: L.LSTM(4, dropout=2), "dropout must be a number between 0 and 1"),
    (lambda: L.RNN(object()), r"a cell needs a method call"),
    (lambda: L.Bidirectional(L.Dense(2)), "layer must be a recurrent layer"),
    (lambda: L.Bidirectional(L.LSTM(2), "sun"), "merge_mode must be one of"),
    (
        lambda: L.Bidirectional(L.LSTM(2), backward_layer=L.LSTM(2)),
        "backward_layer must be a layer of the other go_backwards",
    ),
    (lambda: L.RandomFlip("sideways"), "mode must be one of"),
    (lambda: L.Resizing(3, 0), "width"),
    (lambda: L.MultiHeadAttention(0, 3), "num_heads"),
]


@pytest.mark.parametrize(("make", "message"), WRONG)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_things_that_are_no_layers():
    with pytest.raises(TypeError, match="layer must be a layer, such as"):
        L.TimeDistributed(3)
    with pytest.raises(TypeError, match="function must be callable"):
        L.Lambda(3)


CALLS = [
    (L.Add(), [np.ones((2, 3)), np.ones((2, 4))], "lengths in axis 1 differ"),
    (L.Add(), [np.ones((2, 3)), np.ones((4, 3))], "batch sizes differ"),
    (L.Add(), np.ones((2, 3)), r"Call it as layer\(\[x, y\]\)"),
    (L.Subtract(), [np.ones((2, 3))] * 3, "exactly 2 inputs, got 3"),
    (L.Concatenate(), [np.ones((2, 3)), np.ones((3, 3))], "can't join inputs"),
    (L.Dot(1), [np.ones((2, 3)), np.ones((2, 4))], "must be equally long"),
    (L.Dot(0), [np.ones((2, 3)), np.ones((2, 3))], "axes after the batch axis"),
    (L.Reshape((7,)), np.ones((2, 6)), "the number of values must stay"),
    (L.Cropping2D(3), np.ones((2, 6, 9, 1)), "leaves nothing"),
    (L.Conv2D(2, 5), np.ones((2, 4, 9, 1)), "the window doesn't fit"),
    (L.Conv2D(2, 3), np.ones((4, 9, 1)), "expects 4 dimensions"),
    (L.MaxPooling1D(9), np.ones((2, 4, 1)), "larger than its input"),
    (L.AdaptiveMaxPooling2D(2), np.ones((2, 3)), "expects 4 dimensions"),
    (L.Attention(), np.ones((2, 3, 4)), r"Call it as layer\(\[query, value\]\)"),
    (L.AdditiveAttention(), [np.ones((2, 3, 4))], "expects a list of 2 or 3 shapes.* got 1"),
    (L.ConvLSTM1D(2, 4), np.ones((2, 5, 3, 1)), "doesn't fit into an input"),
    (L.ConvLSTM2D(2, 2), np.ones((2, 5, 3, 1)), "expects 5 dimensions"),
    (L.LSTM(2), np.ones((2, 3)), "expects 3 dimensions"),
    (L.LSTM(2), np.ones((2, 0, 3)), "at least one step"),
    (L.GroupNormalization(3), np.ones((2, 4)), "a divisor of the input's 4 channels"),
    (L.CenterCrop(2, 2), np.ones((2, 4)), "expects an image"),
    (L.TimeDistributed(L.Dense(2)), np.ones((2, 4)), "at least 3 dimensions"),
]


@pytest.mark.parametrize(("layer", "inputs", "message"), CALLS)
def test_wrong_inputs(layer, inputs, message):
    with pytest.raises(ValueError, match=message):
        layer(inputs)


def test_an_id_outside_of_the_vocabulary():
    layer = L.Embedding(10, 4, name="words")
    with pytest.raises(IndexError, match=r"'words' \(Embedding\) got id 10.*vocabulary of 10"):
        layer(np.array([[1, 10]]))
    with pytest.raises(IndexError, match="got id -1"):
        layer(np.array([[-1]]))
    assert layer(np.array([[9.0]], "float32")).shape == (1, 1, 4)
