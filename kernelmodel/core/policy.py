"""Dtype policies: which dtype a layer computes in and which its weights have."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from kernelmodel.core.lookup import Registry
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.core.settings import SETTINGS
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.ops.convert import standardize_dtype

policies = Registry("dtype policy", "keras")

MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


@policies.register()
class DTypePolicy:
    """A layer's dtypes.

    Args:
        name: A dtype such as "float32"; or "mixed_float16" or "mixed_bfloat16": weights in float32,
            computation in the other. None for the global policy.

    Raises:
        ValueError: No name of a dtype or a policy.

    Examples:
        >>> import kernelmodel as km
        >>> policy = km.DTypePolicy("mixed_float16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('float16', 'float32')
    """

    quantization_mode = None

    def __init__(self, name: str | None = None) -> None:
        name = global_policy().name if name is None else name
        if not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}: name must be a string, got {name!r}.")
        self._name = name
        if name in MIXED:
            self._compute_dtype = standardize_dtype(MIXED[name])
            self._variable_dtype = "float32"
            return
        try:
            self._compute_dtype = self._variable_dtype = standardize_dtype(name)
        except TypeError as error:
            raise ValueError(
                f"{type(self).__name__}: name must be {' or '.join(map(repr, MIXED))}, or a dtype "
                f"such as 'float32', got {name!r}."
            ) from error

    name = property(lambda self: self._name, doc='Its name, such as "mixed_float16".')
    compute_dtype = property(lambda self: self._compute_dtype, doc="Dtype to compute in.")
    variable_dtype = property(lambda self: self._variable_dtype, doc="Dtype of weights.")

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """Make a policy of its config."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<DTypePolicy {self.name!r}>"


@policies.register()
class FloatDTypePolicy(DTypePolicy):
    """The same as `DTypePolicy`, under its old name.

    Args:
        name: As in `DTypePolicy`.

    Examples:
        >>> import kernelmodel as km
        >>> km.FloatDTypePolicy("float16") == km.DTypePolicy("float16")
        True
    """


class DTypePolicyMap(DTypePolicy, MutableMapping):
    """Policies by regular expressions, which a layer's whole name has to match.

    Args:
        default_policy: For layers that nothing matches; None for the global policy.
        policy_map: `{regular expression: policy}`.

    Raises:
        ValueError: A map as default, or a pattern twice.

    Examples:
        >>> import kernelmodel as km
        >>> policies = km.dtype_policies.DTypePolicyMap("float32", {"block_.*": "mixed_float16"})
        >>> policies["block_1"].name, policies["head"].name
        ('mixed_float16', 'float32')
    """

    def __init__(self, default_policy: Any = None, policy_map: dict[str, Any] | None = None):
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("DTypePolicyMap: default_policy can't be a map itself.")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(f"DTypePolicyMap: policy_map must be a dict, got {policy_map!r}.")
        self._default = default_policy
        self.policy_map: dict[str, DTypePolicy] = {}
        for pattern, policy in (policy_map or {}).items():
            self[pattern] = policy

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of what nothing matches."""
        return get_policy(self._default)

    name = property(
        lambda self: f"map_{self.default_policy.name}", doc='Its name, such as "mixed_float16".'
    )
    compute_dtype = property(
        lambda self: self.default_policy.compute_dtype, doc="Dtype to compute in."
    )
    variable_dtype = property(
        lambda self: self.default_policy.variable_dtype, doc="Dtype of weights."
    )

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self.policy_map:
            return self.policy_map[key]
        found = [pattern for pattern in self.policy_map if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"DTypePolicyMap: {key!r} is matched by several patterns: {found}.")
        return self.policy_map[found[0]] if found else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self.policy_map:
            raise ValueError(f"DTypePolicyMap: there is a policy for {key!r} already.")
        self.policy_map[key] = get_policy(policy)

    def __delitem__(self, key: str) -> None:
        del self.policy_map[key]

    def __len__(self) -> int:
        return len(self.policy_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self.policy_map)

    def __contains__(self, key: object) -> bool:
        return key in self.policy_map

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicyMap) and other.get_config() == self.get_config()

    __hash__ = DTypePolicy.__hash__

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return {
            "default_policy": serialize_keras_object(self._default),
            "policy_map": serialize_keras_object(self.policy_map),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicyMap:
        """Make a map of its config."""
        return cls(**{name: deserialize_keras_object(part) for name, part in config.items()})

    def __repr__(self) -> str:
        return f"<DTypePolicyMap {self.default_policy.name!r} {self.policy_map}>"


Registry("dtype policies", "keras.dtype_policies").register()(DTypePolicyMap)


def global_policy() -> DTypePolicy:
    """The policy of layers that are made without a dtype."""
    return DTypePolicy(DEFAULTS.floatx) if SETTINGS.policy is None else SETTINGS.policy


def get_policy(dtype: Any, name: str | None = None) -> DTypePolicy:
    """The policy that a layer's `dtype` argument means.

    Args:
        dtype: Dtype, policy, config or None for the global policy.
        name: The layer's name, by which a map is asked; None returns the map.
    """
    policy = _policy_of(dtype)
    if isinstance(policy, DTypePolicyMap) and name is not None:
        policy = policy[name]
    return policy


def _policy_of(dtype: Any) -> DTypePolicy:
    if dtype is None:
        return global_policy()
    if isinstance(dtype, DTypePolicy):
        return dtype
    if isinstance(dtype, dict):
        return deserialize_keras_object(dtype)
    return DTypePolicy(dtype if isinstance(dtype, str) else standardize_dtype(dtype))


def dtype_of_policy(name: str, doc: str) -> Any:
    """A property of a layer: a dtype of its policy.

    Args:
        name: Attribute of the policy.
        doc: Docstring.
    """
    return property(lambda self: getattr(self.dtype_policy, name), doc=doc)
