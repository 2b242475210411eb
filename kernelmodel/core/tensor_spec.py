"""TensorSpec: shape and dtype of an argument, without its values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kernelmodel.core.tree import flatten, pack_like
from kernelmodel.ops.convert import dtype_of


@dataclass(frozen=True)
class TensorSpec:
    """Shape, dtype and name of an array that a model is called with.

    Args:
        shape: Tuple of ints; None for a length that may vary.
        dtype: Dtype name.
        name: Name, or None.

    Examples:
        >>> import kernelmodel as km
        >>> km.TensorSpec((None, 3), "float32", name="x")
        TensorSpec(shape=(None, 3), dtype='float32', name='x')
    """

    shape: tuple[int | None, ...]
    dtype: str = "float32"
    name: str | None = None

    def with_any_batch(self) -> TensorSpec:
        """The same with an unknown length of the batch axis."""
        return replace(self, shape=(None, *self.shape[1:])) if self.shape else self


def called_with(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The specs of the arrays in the arguments of a call; settings such as `training` are none."""
    keywords = {name: _specs(value) for name, value in kwargs.items() if _has_arrays(value)}
    return [_specs(arg) for arg in args if _has_arrays(arg)], keywords


def _has_arrays(structure: Any) -> bool:
    leaves = flatten(structure)
    return bool(leaves) and all(
        hasattr(leaf, "shape") and hasattr(leaf, "dtype") for leaf in leaves
    )


def _specs(structure: Any) -> Any:
    names = [None] * len(flatten(structure))
    if isinstance(structure, dict) and len(structure) == len(names):
        names = sorted(structure)
    specs = [
        TensorSpec(tuple(leaf.shape), dtype_of(leaf), name)
        for leaf, name in zip(flatten(structure), names)
    ]
    return pack_like(structure, specs)
