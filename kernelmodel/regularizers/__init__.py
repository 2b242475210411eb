"""Regularizers: penalties on weights or outputs, added to the loss."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.regularizers.regularizer import (
    L1,
    L1L2,
    L2,
    REGISTRY,
    OrthogonalRegularizer,
    Regularizer,
)

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "REGISTRY",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


def __dir__() -> list[str]:
    return list(__all__)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer


def get(identifier: Any) -> Any:
    """The regularizer that a name, config, class, callable or instance means; None stays None.

    Args:
        identifier: Name, config dict, class or instance; or None.

    Raises:
        ValueError: Unknown name.

    Examples:
        >>> import kernelmodel as km
        >>> km.regularizers.get("l2").l2
        0.01
    """
    return REGISTRY.get(identifier)


def serialize(regularizer: Any) -> Any:
    """The config dict of a regularizer.

    Args:
        regularizer: A regularizer.

    Examples:
        >>> import kernelmodel as km
        >>> km.regularizers.serialize(km.regularizers.L2(0.1))["class_name"]
        'L2'
    """
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a config dict.

    Args:
        config: Config dict.
        custom_objects: `{name: class or function}` that the config may name, or None.

    Examples:
        >>> import kernelmodel as km
        >>> config = km.regularizers.serialize(km.regularizers.L2(0.1))
        >>> type(km.regularizers.deserialize(config)).__name__
        'L2'
    """
    return deserialize_keras_object(config, custom_objects, table=REGISTRY)
