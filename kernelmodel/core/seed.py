"""The source of a layer's random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.variable import Variable
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.random import fresh_seed


class SeedGenerator:
    """A stream of random states; each draw of a layer takes the next.

    Its state is a uint32 variable `[seed, counter]`, so a model saved and loaded goes on with the
    numbers it would have drawn.

    Args:
        seed: Integer; None takes one from the global stream (`km.utils.set_random_seed`).
        name: Name; None for "seed_generator".

    Examples:
        >>> import kernelmodel as km
        >>> seeds = km.random.SeedGenerator(7)
        >>> seeds.next().tolist(), seeds.next().tolist()
        ([7, 0], [7, 1])
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        if seed is not None and (not isinstance(seed, (int, np.integer)) or seed < 0):
            raise ValueError(f"SeedGenerator: seed must be an integer >= 0 or None, got {seed!r}.")
        self.seed = seed
        self.name = name or "seed_generator"
        first = fresh_seed() if seed is None else int(seed) % 2**32
        self.state = Variable(
            np.array([first, 0], np.uint32), trainable=False, name="seed_generator_state"
        )

    def next(self) -> Any:
        """The next `[seed, counter]`, a uint32 array of shape (2,)."""
        state = getval(self.state.value)
        self.state.assign(state + np.array([0, 1], np.uint32))
        return state

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return {"seed": self.seed}
