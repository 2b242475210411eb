"""Functions around models and data."""

import importlib as _importlib
import random as _random
import typing as _typing

import numpy as _np

from kernelmodel.core.naming import reset_names
from kernelmodel.core.registration import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.core.settings import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from kernelmodel.engine.random import reset_global_seed
from kernelmodel.ops.convert import standardize_dtype
from kernelmodel.training.data import pack_x_y_sample_weight, unpack_x_y_sample_weight
from kernelmodel.training.sources.py_dataset import PyDataset, Sequence
from kernelmodel.utils import bounding_boxes
from kernelmodel.utils.arrays import normalize, pad_sequences, to_categorical
from kernelmodel.utils.config import Config
from kernelmodel.utils.feature_space import FeatureSpace
from kernelmodel.utils.model_plotting import model_to_dot, plot_model
from kernelmodel.utils.progbar import Progbar
from kernelmodel.utils.source_inputs import get_source_inputs, is_keras_tensor

if _typing.TYPE_CHECKING:
    from kernelmodel.utils.audio_directory import audio_dataset_from_directory
    from kernelmodel.utils.downloads import get_file
    from kernelmodel.utils.image_directory import image_dataset_from_directory
    from kernelmodel.utils.image_files import array_to_img, img_to_array, load_img, save_img
    from kernelmodel.utils.parquet import table_dataset_from_parquet
    from kernelmodel.utils.profiling import profile
    from kernelmodel.utils.splitting import split_dataset
    from kernelmodel.utils.text_directory import text_dataset_from_directory
    from kernelmodel.utils.timeseries import timeseries_dataset_from_array

# Imported when they are asked for, by the module that has them: few scripts need them.
_PLACES = {
    "array_to_img": "image_files",
    "audio_dataset_from_directory": "audio_directory",
    "get_file": "downloads",
    "image_dataset_from_directory": "image_directory",
    "img_to_array": "image_files",
    "load_img": "image_files",
    "profile": "profiling",
    "save_img": "image_files",
    "split_dataset": "splitting",
    "table_dataset_from_parquet": "parquet",
    "text_dataset_from_directory": "text_directory",
    "timeseries_dataset_from_array": "timeseries",
}

CustomObjectScope = custom_object_scope


def __getattr__(name: str) -> _typing.Any:
    if name in _PLACES:
        return getattr(_importlib.import_module(f"kernelmodel.utils.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'kernelmodel.utils' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)


__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "bounding_boxes",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "profile",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "table_dataset_from_parquet",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]


def set_random_seed(seed: int) -> None:
    """Start Python's, NumPy's and kernelmodel's random numbers anew.

    After it, the same code draws the same weights, batches and dropout masks, bit for bit.

    Args:
        seed: Integer from 0 to 2**32 - 1.

    Raises:
        ValueError: Another value.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.set_random_seed(1)
        >>> a = km.random.normal((2,))
        >>> km.utils.set_random_seed(1)
        >>> bool((a == km.random.normal((2,))).all())
        True
    """
    if not isinstance(seed, (int, _np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"`seed` must be an integer from 0 to 2**32 - 1, got {seed!r}.")
    _random.seed(int(seed))
    _np.random.seed(int(seed))
    reset_global_seed(int(seed))


def clear_session() -> None:
    """Start the numbers in made-up names (`dense_1`, ...) anew.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.clear_session()
        >>> km.layers.Dense(1).name
        'dense'
    """
    reset_names()
