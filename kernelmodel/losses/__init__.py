"""Losses: what training makes small."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.losses.circle_loss import Circle, circle
from kernelmodel.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from kernelmodel.losses.ctc_loss import CTC, ctc
from kernelmodel.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from kernelmodel.losses.generalized import (
    CategoricalGeneralizedCrossEntropy,
    categorical_generalized_cross_entropy,
)
from kernelmodel.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from kernelmodel.losses.loss import REGISTRY, Loss, LossFunctionWrapper
from kernelmodel.losses.overlap import Dice, Tversky, dice, tversky
from kernelmodel.losses.reduction import Reduction
from kernelmodel.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)

__all__ = [
    "CTC",
    "REGISTRY",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "Reduction",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]


def __dir__() -> list[str]:
    return list(__all__)


mse, mae, mape = mean_squared_error, mean_absolute_error, mean_absolute_percentage_error
msle, kld, logcosh = mean_squared_logarithmic_error, kl_divergence, log_cosh

# A name in snake case means the function, as in Keras: these come after the classes.
for _function, _aliases in {
    mean_squared_error: ("mse", "MSE"),
    mean_absolute_error: ("mae", "MAE"),
    mean_absolute_percentage_error: ("mape", "MAPE"),
    mean_squared_logarithmic_error: ("msle", "MSLE"),
    huber: ("huber_loss",),
    log_cosh: ("logcosh",),
    cosine_similarity: (),
    binary_crossentropy: ("bce", "BCE"),
    categorical_crossentropy: (),
    sparse_categorical_crossentropy: (),
    kl_divergence: ("kld", "KLD"),
    poisson: (),
    hinge: (),
    squared_hinge: (),
    categorical_hinge: (),
    binary_focal_crossentropy: (),
    categorical_focal_crossentropy: (),
    categorical_generalized_cross_entropy: (),
    circle: (),
    ctc: (),
    dice: (),
    tversky: (),
}.items():
    REGISTRY.register(*_aliases)(_function)


def get(identifier: Any) -> Any:
    """The loss, or loss function, that a name, config, class or callable means.

    Args:
        identifier: Name, config dict, class or instance; or None.

    Raises:
        ValueError: Unknown name.

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.get("mse").__name__
        'mean_squared_error'
    """
    return REGISTRY.get(identifier)


def serialize(loss: Any) -> Any:
    """The config dict of a loss or a loss function.

    Args:
        loss: A loss.

    Examples:
        >>> import kernelmodel as km
        >>> km.losses.serialize(km.losses.Hinge())["class_name"]
        'Hinge'
    """
    return serialize_keras_object(loss)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss of a name or a config dict.

    Args:
        config: Config dict, or a name.
        custom_objects: `{name: class or function}` that the config may name, or None.

    Examples:
        >>> import kernelmodel as km
        >>> config = km.losses.serialize(km.losses.Hinge())
        >>> type(km.losses.deserialize(config)).__name__
        'Hinge'
    """
    if isinstance(config, str):
        return REGISTRY.get(config, custom_objects)
    return deserialize_keras_object(config, custom_objects, table=REGISTRY)
