"""Layers that prepare images, text, categories, numbers and sound."""

from kernelmodel.layers.preprocessing.augmenting import (
    AugMix,
    RandAugment,
)
from kernelmodel.layers.preprocessing.category_encoding import (
    CategoryEncoding,
)
from kernelmodel.layers.preprocessing.discretization import (
    Discretization,
)
from kernelmodel.layers.preprocessing.hashing import (
    HashedCrossing,
    Hashing,
)
from kernelmodel.layers.preprocessing.histograms import (
    AutoContrast,
    ContrastLimitedAdaptiveHistogramEqualization,
    Equalization,
)
from kernelmodel.layers.preprocessing.max_num_bounding_boxes import (
    MaxNumBoundingBoxes,
)
from kernelmodel.layers.preprocessing.mel_spectrogram import (
    MelSpectrogram,
)
from kernelmodel.layers.preprocessing.mixing import (
    CutMix,
    MixUp,
    RandomErasing,
)
from kernelmodel.layers.preprocessing.normalization import (
    Normalization,
)
from kernelmodel.layers.preprocessing.pipeline import (
    Pipeline,
)
from kernelmodel.layers.preprocessing.random_blur import (
    RandomGaussianBlur,
    RandomSharpness,
)
from kernelmodel.layers.preprocessing.random_color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomColorJitter,
    RandomContrast,
    RandomGrayscale,
    RandomHue,
    RandomSaturation,
)
from kernelmodel.layers.preprocessing.random_crop import (
    RandomCrop,
)
from kernelmodel.layers.preprocessing.random_distortion import (
    RandomElasticTransform,
    RandomPerspective,
)
from kernelmodel.layers.preprocessing.random_flip import (
    RandomFlip,
)
from kernelmodel.layers.preprocessing.random_geometric import (
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from kernelmodel.layers.preprocessing.random_tone import (
    RandomInvert,
    RandomPosterization,
    Solarization,
)
from kernelmodel.layers.preprocessing.rescaling import (
    Rescaling,
)
from kernelmodel.layers.preprocessing.resizing import (
    CenterCrop,
    Resizing,
)
from kernelmodel.layers.preprocessing.stft_spectrogram import (
    STFTSpectrogram,
)
from kernelmodel.layers.preprocessing.string_lookup import (
    IntegerLookup,
    StringLookup,
)
from kernelmodel.layers.preprocessing.text_vectorization import (
    TextVectorization,
)

__all__ = [
    "AugMix",
    "AutoContrast",
    "CategoryEncoding",
    "CenterCrop",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "CutMix",
    "Discretization",
    "Equalization",
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
    "MaxNumBoundingBoxes",
    "MelSpectrogram",
    "MixUp",
    "Normalization",
    "Pipeline",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Rescaling",
    "Resizing",
    "STFTSpectrogram",
    "Solarization",
    "StringLookup",
    "TextVectorization",
]
