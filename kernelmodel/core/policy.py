"""Dtype policies: which dtype a layer computes in and which its weights have."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.lookup import Registry
from kernelmodel.ops.convert import standardize_dtype

policies = Registry("dtype policy", "keras")


@policies.register()
class DTypePolicy:
    """A layer's dtypes.

    Args:
        name: A dtype such as "float32", or "mixed_float16": weights in float32, computation in
            float16.

    Examples:
        >>> import kernelmodel as km
        >>> policy = km.DTypePolicy("mixed_float16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('float16', 'float32')
    """

    def __init__(self, name: str = "float32") -> None:
        self.name = name
        if name.startswith("mixed_"):
            self.compute_dtype, self.variable_dtype = name.removeprefix("mixed_"), "float32"
        else:
            self.compute_dtype = self.variable_dtype = standardize_dtype(name)

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


# The policy of layers that are made without a dtype.
DEFAULT = DTypePolicy("float32")


def get_policy(dtype: Any) -> DTypePolicy:
    """The policy that a layer's `dtype` argument means."""
    if dtype is None:
        return DEFAULT
    if isinstance(dtype, DTypePolicy):
        return dtype
    if isinstance(dtype, dict):
        return DTypePolicy(**dtype["config"])
    if isinstance(dtype, str) and dtype.startswith("mixed_"):
        return DTypePolicy(dtype)
    return DTypePolicy(standardize_dtype(dtype))
