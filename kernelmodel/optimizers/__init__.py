"""Optimizers: how gradients change weights."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.optimizers import schedules
from kernelmodel.optimizers.adafactor import Adafactor
from kernelmodel.optimizers.adagrad import Adadelta, Adagrad
from kernelmodel.optimizers.adam import Adam, AdamW
from kernelmodel.optimizers.adam_kin import Adamax, Lamb, Nadam, ScheduleFreeAdamW
from kernelmodel.optimizers.ftrl import Ftrl
from kernelmodel.optimizers.lion import Lion
from kernelmodel.optimizers.loss_scale import LossScaleOptimizer
from kernelmodel.optimizers.muon import Muon
from kernelmodel.optimizers.optimizer import REGISTRY, Optimizer
from kernelmodel.optimizers.rmsprop import RMSprop
from kernelmodel.optimizers.several import MultiOptimizer, OptimizerMap
from kernelmodel.optimizers.sgd import SGD

__all__ = [
    "REGISTRY",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]


def __dir__() -> list[str]:
    return list(__all__)


def get(identifier: Any) -> Any:
    """The optimizer that a name (in any case), config, class or instance means.

    Args:
        identifier: Name, config dict, class or instance; or None.

    Raises:
        ValueError: Unknown name.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.optimizers.get("adam").learning_rate).__round__(4)
        0.001
    """
    if isinstance(identifier, str) and identifier.lower() in REGISTRY.names:
        identifier = identifier.lower()
    return REGISTRY.get(identifier)


def serialize(optimizer: Any) -> Any:
    """The config dict of an optimizer, without its state.

    Args:
        optimizer: An optimizer.

    Examples:
        >>> import kernelmodel as km
        >>> km.optimizers.serialize(km.optimizers.Adam())["class_name"]
        'Adam'
    """
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer of a config dict, without its state.

    Args:
        config: Config dict.
        custom_objects: `{name: class or function}` that the config may name, or None.

    Examples:
        >>> import kernelmodel as km
        >>> config = km.optimizers.serialize(km.optimizers.Adam())
        >>> type(km.optimizers.deserialize(config)).__name__
        'Adam'
    """
    return deserialize_keras_object(config, custom_objects, table=REGISTRY)
