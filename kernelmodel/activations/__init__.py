"""Activation functions."""

from __future__ import annotations

from typing import Any

from kernelmodel.activations.functions import (
    REGISTRY,
    elu,
    exponential,
    gelu,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    swish,
    tanh,
)
from kernelmodel.activations.sparse import (
    celu,
    glu,
    hard_shrink,
    hard_tanh,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh_shrink,
    threshold,
)
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object

__all__ = [
    "REGISTRY",
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]


def __dir__() -> list[str]:
    return list(__all__)


def get(identifier: Any) -> Any:
    """The activation function that a name, config or callable means; None means `linear`.

    Args:
        identifier: Name, config dict or function; or None.

    Raises:
        ValueError: Unknown name.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.get("swish").__name__
        'silu'
    """
    return linear if identifier is None else REGISTRY.get(identifier)


def serialize(activation: Any) -> Any:
    """The name of a known activation function, else the config dict of a registered one.

    Args:
        activation: A function.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.serialize(km.activations.relu)
        'relu'
    """
    return serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The activation function of a name or a config dict.

    Args:
        config: Name or config dict.
        custom_objects: `{name: class or function}` that the config may name, or None.

    Examples:
        >>> import kernelmodel as km
        >>> km.activations.deserialize("relu").__name__
        'relu'
    """
    if isinstance(config, str):
        return REGISTRY.get(config, custom_objects)
    return deserialize_keras_object(config, custom_objects, table=REGISTRY)
