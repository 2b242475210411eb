"""Random streams: every draw is a pure function of a two-word state `[seed, counter]`.

NumPy draws come from the counter-based Philox generator (Salmon et al., *Parallel random numbers:
as easy as 1, 2, 3*, SC 2011), XLA draws from JAX's generator with a key made of the same state.
So a step can be replayed, compiled, or run in another process and draws the same numbers.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.engine.philox_loops import OURS
from kernelmodel.engine.plan import Unplannable
from kernelmodel.engine.scope import CURRENT
from kernelmodel.engine.xla_array import XlaArray, unwrap

_local = threading.local()


class _Global:
    """The stream behind every seed that nobody gave."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reset(int.from_bytes(os.urandom(4), "little"))

    def reset(self, seed: int) -> None:
        with self.lock:
            self.generator = np.random.Generator(np.random.PCG64(seed))

    def draw(self) -> int:
        with self.lock:
            return int(self.generator.integers(0, 2**32 - 1, dtype=np.uint32))

    def permutation(self, length: int) -> np.ndarray:
        with self.lock:
            return self.generator.permutation(length)


_global = _Global()


def reset_global_seed(seed: int) -> None:
    """Start the global stream anew; see `kernelmodel.utils.set_random_seed`."""
    _global.reset(seed)


def global_state() -> dict[str, Any]:
    """Where the global stream stands: numbers and strings that JSON can hold."""
    with _global.lock:
        return _global.generator.bit_generator.state  # type: ignore[return-value]


def set_global_state(state: dict[str, Any]) -> None:
    """Put the global stream where another one stood."""
    with _global.lock:
        _global.generator.bit_generator.state = state


def fresh_seed() -> int:
    """A seed from the global stream, for whoever was given none (an int below 2**32)."""
    _refuse_in_a_plan()
    return _global.draw()


def permutation(length: int) -> np.ndarray:
    """A random order of `range(length)` from the global stream."""
    _refuse_in_a_plan()
    return _global.permutation(length)


def _refuse_in_a_plan() -> None:
    context = CURRENT.get()
    if context is not None and context.plan is not None:
        raise Unplannable(
            "a step that draws from the global stream can't be written down as a plan"
        )


def numpy_generator(state: np.ndarray | Sequence[int]) -> np.random.Generator:
    """This thread's generator, placed at the start of the stream of `[seed, counter]`."""
    generator = getattr(_local, "generator", None)
    if generator is None:
        generator = _local.generator = np.random.Generator(np.random.Philox(0))
        _local.blank = generator.bit_generator.state
    blank = _local.blank
    key = (int(state[0]) << 32) | int(state[1])
    blank["state"]["key"][:] = (key, OURS)
    blank["state"]["counter"][:] = 0
    generator.bit_generator.state = blank
    return generator


def is_xla(state: Any) -> bool:
    """Whether draws with this state must be made by JAX."""
    return isinstance(state, XlaArray)


def xla_key(state: Any) -> Any:
    """JAX's random key for the state `[seed, counter]`."""
    import jax

    words = unwrap(state)
    return jax.random.fold_in(jax.random.key(words[0]), words[1])
