"""Functions around models and data."""

import random as _random

import numpy as _np

from kernelmodel.core.naming import reset_names
from kernelmodel.core.serialization import (
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from kernelmodel.core.symbolic import KerasTensor as _KerasTensor
from kernelmodel.engine.random import reset_global_seed
from kernelmodel.ops import one_hot
from kernelmodel.ops.convert import standardize_dtype
from kernelmodel.training.data import pack_x_y_sample_weight, unpack_x_y_sample_weight
from kernelmodel.training.sources.py_dataset import PyDataset, Sequence
from kernelmodel.utils.feature_space import FeatureSpace
from kernelmodel.utils.model_plotting import model_to_dot, plot_model

__all__ = [
    "FeatureSpace",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "is_keras_tensor",
    "model_to_dot",
    "pack_x_y_sample_weight",
    "plot_model",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
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


def is_keras_tensor(x: object) -> bool:
    """Whether x is a symbolic tensor: an output of `Input`, or of a layer or op called on one.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.is_keras_tensor(km.Input((3,))), km.utils.is_keras_tensor([1.0])
        (True, False)
    """
    return isinstance(x, _KerasTensor)


def clear_session() -> None:
    """Start the numbers in made-up names (`dense_1`, ...) anew."""
    reset_names()


def to_categorical(x: object, num_classes: int | None = None) -> _np.ndarray:
    """Class indices as rows with a one at their index.

    Args:
        x: Integers of any shape; a last axis of length one is dropped.
        num_classes: Length of the rows; None for the largest index plus one.

    Returns:
        Float32 array of shape (..., num_classes).

    Raises:
        ValueError: An index that is negative or too large.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    labels = _np.asarray(x, dtype="int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    count = int(labels.max()) + 1 if num_classes is None else num_classes
    if labels.size and (labels.min() < 0 or labels.max() >= count):
        raise ValueError(
            f"`x` must hold class indices from 0 to {count - 1}, got values from {labels.min()} to "
            f"{labels.max()}."
        )
    return one_hot(labels, count).numpy()
