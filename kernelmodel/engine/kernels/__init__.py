"""The numerical kernels: fused primitives with gradients by hand, in NumPy and for XLA."""

from kernelmodel.engine import translators  # noqa: F401 - commands for programs
from kernelmodel.engine.kernels import conv_pool, joined_products  # noqa: F401 - rules for plans
from kernelmodel.engine.kernels.activation import (
    elu,
    gelu,
    relu,
    selu,
    sigmoid,
    silu,
    softplus,
    tanh,
)
from kernelmodel.engine.kernels.attention import attention
from kernelmodel.engine.kernels.conv import conv
from kernelmodel.engine.kernels.conv_transpose import conv_transpose
from kernelmodel.engine.kernels.crossentropy import (
    sigmoid_binary_cross_entropy,
    softmax_cross_entropy,
    sparse_softmax_cross_entropy,
)
from kernelmodel.engine.kernels.dense import dense
from kernelmodel.engine.kernels.dropout import dropout
from kernelmodel.engine.kernels.embedding import embedding
from kernelmodel.engine.kernels.erf import erf
from kernelmodel.engine.kernels.gru import gru
from kernelmodel.engine.kernels.lstm import lstm
from kernelmodel.engine.kernels.normalization import (
    batch_norm_apply,
    batch_norm_train,
    layer_norm,
    rms_norm,
)
from kernelmodel.engine.kernels.pooling import average_pool, max_pool
from kernelmodel.engine.kernels.simple_rnn import simple_rnn
from kernelmodel.engine.kernels.softmax import log_softmax, softmax

__all__ = [
    "attention",
    "average_pool",
    "batch_norm_apply",
    "batch_norm_train",
    "conv",
    "conv_transpose",
    "dense",
    "dropout",
    "elu",
    "embedding",
    "erf",
    "gelu",
    "gru",
    "layer_norm",
    "log_softmax",
    "lstm",
    "max_pool",
    "relu",
    "rms_norm",
    "selu",
    "sigmoid",
    "sigmoid_binary_cross_entropy",
    "silu",
    "simple_rnn",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "sparse_softmax_cross_entropy",
    "tanh",
]
