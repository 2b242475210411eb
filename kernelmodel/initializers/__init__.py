"""Initializers: the first values of weights."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.initializers.constant import Constant, Identity, Ones, Zeros
from kernelmodel.initializers.draws import (
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
)
from kernelmodel.initializers.fourier import STFT
from kernelmodel.initializers.initializer import REGISTRY, Initializer, RandomInitializer
from kernelmodel.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)

__all__ = [
    "REGISTRY",
    "STFT",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]


def __dir__() -> list[str]:
    return list(__all__)


constant, identity, ones, zeros = Constant, Identity, Ones, Zeros
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
orthogonal, variance_scaling = Orthogonal, VarianceScaling
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal
stft, STFTInitializer = STFT, STFT


def get(identifier: Any) -> Any:
    """The initializer that a name, config, class or instance means; None stays None.

    Args:
        identifier: Name, config dict, class or instance; or None.

    Raises:
        ValueError: Unknown name.

    Examples:
        >>> import kernelmodel as km
        >>> type(km.initializers.get("he_normal")).__name__
        'HeNormal'
    """
    return REGISTRY.get(identifier)


def serialize(initializer: Any) -> Any:
    """The config dict of an initializer.

    Args:
        initializer: An initializer.

    Examples:
        >>> import kernelmodel as km
        >>> km.initializers.serialize(km.initializers.Zeros())["class_name"]
        'Zeros'
    """
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer of a config dict.

    Args:
        config: Config dict.
        custom_objects: `{name: class or function}` that the config may name, or None.

    Examples:
        >>> import kernelmodel as km
        >>> config = km.initializers.serialize(km.initializers.Zeros())
        >>> type(km.initializers.deserialize(config)).__name__
        'Zeros'
    """
    return deserialize_keras_object(config, custom_objects, table=REGISTRY)
