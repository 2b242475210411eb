"""Dtype policies: which dtype layers compute in and which their weights have."""

from typing import Any

from kernelmodel.core.policy import DTypePolicy, DTypePolicyMap, FloatDTypePolicy, get_policy
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "deserialize", "get", "serialize"]


def __dir__() -> list[str]:
    return list(__all__)


def get(identifier: Any) -> DTypePolicy:
    """The policy that a name, dtype, config or policy means; None means the global one.

    Args:
        identifier: Name, config dict, class or instance; or None.

    Raises:
        ValueError: No name of a dtype or a policy.

    Examples:
        >>> import kernelmodel as km
        >>> km.dtype_policies.get("mixed_float16")
        <DTypePolicy 'mixed_float16'>
    """
    return get_policy(identifier)


def serialize(dtype_policy: DTypePolicy) -> Any:
    """The config dict of a policy.

    Args:
        dtype_policy: A policy.

    Examples:
        >>> import kernelmodel as km
        >>> km.dtype_policies.serialize(km.dtype_policies.DTypePolicy("float16"))["class_name"]
        'DTypePolicy'
    """
    return serialize_keras_object(dtype_policy)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The policy of a config dict.

    Args:
        config: Config dict.
        custom_objects: `{name: class or function}` that the config may name, or None.

    Examples:
        >>> import kernelmodel as km
        >>> config = km.dtype_policies.serialize(km.dtype_policies.DTypePolicy("float16"))
        >>> type(km.dtype_policies.deserialize(config)).__name__
        'DTypePolicy'
    """
    return deserialize_keras_object(config, custom_objects)
