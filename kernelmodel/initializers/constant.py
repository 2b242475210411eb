"""Initializers that draw nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernelmodel import ops
from kernelmodel.initializers.initializer import REGISTRY, Initializer


@REGISTRY.register("zero")
class Zeros(Initializer):
    """All zeros.

    Examples:
        >>> import kernelmodel as km
        >>> km.initializers.Zeros()((2,))
        array([0., 0.], dtype=float32)
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return ops.zeros(shape, dtype)


@REGISTRY.register("one")
class Ones(Initializer):
    """All ones.

    Examples:
        >>> import kernelmodel as km
        >>> km.initializers.Ones()((2,), dtype="int32")
        array([1, 1], dtype=int32)
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return ops.ones(shape, dtype)


@REGISTRY.register()
class Constant(Initializer):
    """One value everywhere, or a given array.

    Args:
        value: Number, or array-like that broadcasts to the shape.

    Examples:
        >>> import kernelmodel as km
        >>> km.initializers.Constant(0.5)((2,))
        array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return ops.full(shape, self.value, dtype)


@REGISTRY.register("IdentityInitializer")
class Identity(Initializer):
    """Ones on the diagonal of a matrix, zeros elsewhere.

    Args:
        gain: Factor of the matrix.

    Raises:
        ValueError: When called with a shape that isn't that of a matrix.

    Examples:
        >>> import kernelmodel as km
        >>> km.initializers.Identity(gain=2.0)((2, 2))
        array([[2., 0.],
               [0., 2.]], dtype=float32)
    """

    _written_if_set = ("gain",)

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if len(shape) != 2:
            raise ValueError(
                f"Identity makes matrices: expected a shape of two lengths, got {tuple(shape)}. "
                "Use Zeros, Ones or a random initializer for this weight."
            )
        return ops.eye(shape[0], shape[1], dtype=dtype) * self.gain
