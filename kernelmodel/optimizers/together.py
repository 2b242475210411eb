"""An elementwise update of many weights: small ones as one, large ones in pieces on all processors.

A step of a small model is hardly more than calls of NumPy functions, so weights that share dtype
and decay are laid end to end and updated by one set of calls. What a step makes is kept end to
end, and the variables hold views of it: nothing is copied but the gradients.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kernelmodel.engine import parallel, pool

Slots = dict[str, Any]

SMALL = 1 << 15  # elements of a weight up to which it is laid end to end with others
PIECE = 1 << 16  # elements that one thread updates at a time


class Together:
    """Weights that are updated as one.

    Args:
        shapes: Their shapes.
        decay: Share of each weight, times the learning rate, taken off at each step; or None.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], decay: float | None) -> None:
        self.shapes, self.decay = shapes, decay
        sizes = [math.prod(shape) for shape in shapes]
        ends = np.cumsum(sizes).tolist()
        self.places = [slice(end - size, end) for size, end in zip(sizes, ends)]
        # What the last step made, by slot name ("" for the weights): end to end, and its parts.
        self.made: dict[str, tuple[np.ndarray, list[np.ndarray]]] = {}

    def step(
        self,
        update: Callable[..., None],
        gradients: list[np.ndarray],
        values: list[np.ndarray],
        slots: list[Slots],
        shared: Slots,
        rate: np.ndarray,
        iteration: Any,
    ) -> tuple[list[np.ndarray], list[Slots]]:
        """The new weights, and what is remembered for each.

        Args:
            update: `Optimizer.update_into` of an elementwise optimizer.
            gradients: Of each weight.
            values: The weights.
            slots: What is remembered for each of them: arrays of its shape, by name.
            shared: What is remembered for all weights.
            rate: Learning rate.
            iteration: Number of steps before this one.
        """
        names = list(slots[0])
        gradient, value = join(gradients), self.joined("", values)
        old = {name: self.joined(name, [own[name] for own in slots]) for name in names}
        rate = rate.astype(value.dtype)
        new_value = pool.empty(value.size, value.dtype)
        new = {name: pool.empty(value.size, array.dtype) for name, array in old.items()}

        def update_piece(number: int) -> None:
            at = slice(number * PIECE, (number + 1) * PIECE)
            start = value[at]
            if self.decay is not None:
                start = start - start * value.dtype.type(self.decay) * rate
            before = {name: array[at] for name, array in old.items()}
            after = {name: array[at] for name, array in new.items()}
            update(gradient[at], start, before | shared, rate, iteration, new_value[at], after)

        parallel.run(update_piece, -(-value.size // PIECE))
        parts = {name: self.parts(name, array) for name, array in new.items()}
        each = [{name: parts[name][i] for name in names} for i in range(len(values))]
        return self.parts("", new_value), each

    def joined(self, name: str, arrays: list[np.ndarray]) -> np.ndarray:
        """Arrays end to end: as they are, if the last step made these very arrays."""
        flat, parts = self.made.get(name, (None, []))
        if flat is not None and all(map(operator.is_, parts, arrays)):
            return flat
        return join(arrays)

    def parts(self, name: str, flat: np.ndarray) -> list[np.ndarray]:
        """The parts of a new array, in the shapes of the weights."""
        found = [flat[at].reshape(shape) for at, shape in zip(self.places, self.shapes)]
        self.made[name] = flat, found
        return found


def join(arrays: list[np.ndarray]) -> np.ndarray:
    """Arrays end to end, as one of one axis; a single one isn't copied."""
    flat = [array.reshape(-1) for array in arrays]
    return flat[0] if len(flat) == 1 else np.concatenate(flat)


def groups(variables: Sequence[Any], decays: Sequence[float | None]) -> list[list[int]]:
    """Which variables are updated together, by their places: small ones of one dtype and decay."""
    found: dict[Any, list[int]] = {}
    for i, (variable, decay) in enumerate(zip(variables, decays)):
        small = variable.size <= SMALL
        found.setdefault((variable.dtype, decay) if small else i, []).append(i)
    return list(found.values())
