"""Layers."""

from typing import Any

from kernelmodel.core.input_spec import InputSpec
from kernelmodel.core.inputs import Input, InputLayer
from kernelmodel.core.layer import Layer
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.layers.activation import (
    ELU,
    Activation,
    LeakyReLU,
    PReLU,
    ReLU,
    Softmax,
)
from kernelmodel.layers.attention.dot import (
    AdditiveAttention,
    Attention,
)
from kernelmodel.layers.attention.grouped_query import (
    GroupQueryAttention,
)
from kernelmodel.layers.attention.multi_head import (
    MultiHeadAttention,
)
from kernelmodel.layers.borders import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from kernelmodel.layers.conv import (
    Conv1D,
    Conv2D,
    Conv3D,
)
from kernelmodel.layers.conv_transpose import (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
)
from kernelmodel.layers.dense import (
    Dense,
)
from kernelmodel.layers.depthwise import (
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from kernelmodel.layers.einsum import (
    EinsumDense,
)
from kernelmodel.layers.embedding import (
    Embedding,
)
from kernelmodel.layers.joining import (
    Concatenate,
    Dot,
    concatenate,
    dot,
)
from kernelmodel.layers.lambda_layer import (
    Lambda,
)
from kernelmodel.layers.masking import (
    Identity,
    Masking,
)
from kernelmodel.layers.merging import (
    Add,
    Average,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    maximum,
    minimum,
    multiply,
    subtract,
)
from kernelmodel.layers.normalization.batch import (
    BatchNormalization,
)
from kernelmodel.layers.normalization.samples import (
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from kernelmodel.layers.normalization.spectral import (
    SpectralNormalization,
)
from kernelmodel.layers.pooling.adaptive import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from kernelmodel.layers.pooling.windows import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from kernelmodel.layers.preprocessing import *  # noqa: F403
from kernelmodel.layers.preprocessing import __all__ as _preprocessing
from kernelmodel.layers.recurrent.bidirectional import (
    Bidirectional,
)
from kernelmodel.layers.recurrent.conv_lstm import (
    ConvLSTM1D,
    ConvLSTM2D,
    ConvLSTM3D,
)
from kernelmodel.layers.recurrent.gru import (
    GRU,
    GRUCell,
)
from kernelmodel.layers.recurrent.lstm import (
    LSTM,
    LSTMCell,
)
from kernelmodel.layers.recurrent.rnn import (
    RNN,
)
from kernelmodel.layers.recurrent.simple_rnn import (
    SimpleRNN,
    SimpleRNNCell,
)
from kernelmodel.layers.recurrent.stacked import (
    StackedRNNCells,
)
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from kernelmodel.layers.reshaping import (
    Flatten,
    Permute,
    RepeatVector,
    Reshape,
)
from kernelmodel.layers.reversible_embedding import (
    ReversibleEmbedding,
)
from kernelmodel.layers.upsampling import (
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
)
from kernelmodel.layers.wrapper import (
    TimeDistributed,
    Wrapper,
)

# The other names that Keras knows.
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "REGISTRY",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "ReversibleEmbedding",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
__all__ += _preprocessing


def __dir__() -> list[str]:
    return list(__all__)


def serialize(layer: Layer) -> Any:
    """The config dict of a layer: module, class name and config.

    Args:
        layer: A layer.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.serialize(km.layers.Flatten())["class_name"]
        'Flatten'
    """
    return serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The layer of a config dict, or of a class name.

    Args:
        config: Config dict, or a name.
        custom_objects: `{name: class or function}` that the config may name, or None.

    Raises:
        ValueError: An unknown class.

    Examples:
        >>> import kernelmodel as km
        >>> config = km.layers.serialize(km.layers.Flatten())
        >>> type(km.layers.deserialize(config)).__name__
        'Flatten'
    """
    if isinstance(config, str):
        return REGISTRY.get(config, custom_objects)
    return deserialize_keras_object(config, custom_objects, table=REGISTRY)
