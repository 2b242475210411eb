"""What every initializer is: a function of shape and dtype, with a config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernelmodel.core.autoconfig import Configurable
from kernelmodel.core.lookup import Registry
from kernelmodel.engine.random import fresh_seed

REGISTRY = Registry("initializer", "keras.initializers")


class Initializer(Configurable):
    """Base of initializers: called with a shape and a dtype, it returns the first values.

    Examples:
        >>> import kernelmodel as km
        >>> class Sevens(km.initializers.Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return km.ops.full(shape, 7, dtype)
        >>> Sevens()((2,))
        array([7., 7.], dtype=float32)
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """The first values.

        Args:
            shape: Shape of the weight.
            dtype: Dtype name; None for float32.
        """
        raise NotImplementedError(
            f"{type(self).__name__} needs a __call__(shape, dtype=None) that returns an array."
        )

    def clone(self) -> Initializer:
        """A new initializer of the same config."""
        return type(self).from_config(self.get_config())


class RandomInitializer(Initializer):
    """Base of initializers that draw: the same values at every call of one instance.

    Args:
        seed: Integer or `SeedGenerator`; None draws one from the global stream, once.

    Examples:
        >>> import kernelmodel as km
        >>> class Coin(km.initializers.RandomInitializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return km.random.randint(shape, 0, 2, seed=self.seed)
        ...
        >>> Coin(seed=1)((2, 3)).shape
        (2, 3)
    """

    def __init__(self, seed: Any = None) -> None:
        if seed is not None and not hasattr(seed, "next") and not hasattr(seed, "__index__"):
            raise ValueError(
                f"{type(self).__name__}: seed must be an integer, a SeedGenerator or None, got "
                f"{seed!r}."
            )
        self.seed = seed
        self._stream = fresh_seed() if seed is None else seed
