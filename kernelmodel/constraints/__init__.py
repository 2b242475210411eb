"""Constraints: what the optimizer does to a weight after each update."""

from __future__ import annotations

from typing import Any

from kernelmodel.constraints.constraint import (
    REGISTRY,
    Constraint,
    MaxNorm,
    MinMaxNorm,
    NonNeg,
    UnitNorm,
)
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object

__all__ = [
    "REGISTRY",
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


def __dir__() -> list[str]:
    return list(__all__)


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm


def get(identifier: Any) -> Any:
    """The constraint that a name, config, class, callable or instance means; None stays None.

    Args:
        identifier: Name, config dict, class or instance; or None.

    Raises:
        ValueError: Unknown name.

    Examples:
        >>> import kernelmodel as km
        >>> km.constraints.get("max_norm").max_value
        2
    """
    return REGISTRY.get(identifier)


def serialize(constraint: Any) -> Any:
    """The config dict of a constraint.

    Args:
        constraint: A constraint.

    Examples:
        >>> import kernelmodel as km
        >>> km.constraints.serialize(km.constraints.NonNeg())["class_name"]
        'NonNeg'
    """
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint of a config dict.

    Args:
        config: Config dict.
        custom_objects: `{name: class or function}` that the config may name, or None.

    Examples:
        >>> import kernelmodel as km
        >>> config = km.constraints.serialize(km.constraints.NonNeg())
        >>> type(km.constraints.deserialize(config)).__name__
        'NonNeg'
    """
    return deserialize_keras_object(config, custom_objects, table=REGISTRY)
