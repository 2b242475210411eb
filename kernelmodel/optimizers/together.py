"""An elementwise update of many weights: small ones as one, large ones in pieces on all processors.

A step of a small model is hardly more than calls of NumPy functions, so weights that share dtype
and decay are laid end to end and updated by one set of calls. What a step makes is kept end to
end, and the variables hold views of it: nothing is copied but the gradients.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kernelmodel.engine import parallel, pool
from kernelmodel.engine.pool import COUNTS_ARE_EXACT

Slots = dict[str, Any]
Made = tuple[list[Any], list[Slots]]  # the new weights, and what is remembered for each

SMALL = 1 << 15  # elements of a weight up to which it is laid end to end with others
PIECE = 1 << 17  # elements that one thread updates at a time
ALONE = 1 << 18  # elements for which no other thread is woken up
POOLED = 1 << 16  # elements from which arrays come from the pool
PROGRAMMED = 1 << 17  # elements up to which a program updates the weights of a group
KEPT = 3  # arrays of one name that are kept: what was, what comes, and one that somebody holds


class Laid:
    """An array of weights or slots laid end to end, and its parts, which variables hold.

    Args:
        flat: The array, of one axis.
        places: Where each part lies in it.
        shapes: Of the parts.
    """

    def __init__(
        self, flat: np.ndarray, places: Sequence[slice], shapes: Sequence[tuple[int, ...]]
    ) -> None:
        self.flat = flat
        self.parts = [flat[at].reshape(shape) for at, shape in zip(places, shapes)]
        self.alone = -1

    def references(self) -> int:
        """How often the array or a part is referred to; views of them refer to the array."""
        return sum(map(sys.getrefcount, self.parts), sys.getrefcount(self.flat))

    def are(self, arrays: Sequence[np.ndarray]) -> bool:
        """Whether the arrays are these very parts."""
        return all(map(operator.is_, self.parts, arrays))


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
        self.size = ends[-1]
        self.places = [slice(end - size, end) for size, end in zip(sizes, ends)]
        # What the last steps made, by slot name ("" for the weights).
        self.made: dict[str, list[Laid]] = {}

    def begin(
        self,
        update: Callable[..., None],
        gradients: list[np.ndarray],
        values: list[np.ndarray],
        slots: list[Slots],
        shared: Slots,
        rate: np.ndarray,
        iteration: Any,
    ) -> tuple[Callable[[slice], None], Callable[[], Made]]:
        """A step: what makes a piece of it, and what returns it when all pieces are made.

        Args:
            update: `Optimizer.update_into` of an elementwise optimizer.
            gradients: Of each weight.
            values: The weights.
            slots: What is remembered for each of them: arrays of its shape, by name.
            shared: What is remembered for all weights.
            rate: Learning rate.
            iteration: Number of steps before this one.

        Returns:
            A function of a slice of `range(self.size)`, and one without arguments that returns the
            new weights, and what is remembered for each.
        """
        gradient, value = join(gradients), self.joined("", values)
        old = {name: self.joined(name, [own[name] for own in slots]) for name in slots[0]}
        rate = rate.astype(value.dtype)
        new_value = self.new("", value.dtype)
        new = {name: self.new(name, array.dtype) for name, array in old.items()}

        def update_piece(at: slice) -> None:
            before = {name: array[at] for name, array in old.items()} | shared
            after = {name: laid.flat[at] for name, laid in new.items()}
            start = self.decayed(value[at], rate)
            update(gradient[at], start, before, rate, iteration, new_value.flat[at], after)

        def made() -> Made:
            each = [dict(zip(new, parts)) for parts in zip(*(laid.parts for laid in new.values()))]
            return new_value.parts[:], each or [{} for _ in values]

        return update_piece, made

    def one_by_one(
        self,
        update: Callable[..., None],
        gradients: list[Any],
        values: list[Any],
        slots: list[Slots],
        shared: Slots,
        rate: Any,
        iteration: Any,
    ) -> Made:
        """A step for each weight alone: for a plan, whose programs need no large arrays.

        Arguments are those of `begin`, and the result is that of its second function.
        """
        if rate.dtype != values[0].dtype:
            rate = rate.astype(values[0].dtype)
        new_values, new_slots = [], []
        for gradient, value, own in zip(gradients, values, slots):
            # Contiguous, whatever the weight is: a kernel takes them as flat arrays.
            into = np.empty_like(value, order="C")
            after = {name: np.empty_like(array, order="C") for name, array in own.items()}
            start = self.decayed(value, rate)
            update(gradient, start, own | shared, rate, iteration, into, after)
            new_values.append(into)
            new_slots.append(after)
        return new_values, new_slots

    def decayed(self, value: Any, rate: Any) -> Any:
        """Weights less the share of them that decays."""
        if self.decay is None:
            return value
        return value - value * value.dtype.type(self.decay) * rate

    def joined(self, name: str, arrays: list[np.ndarray]) -> np.ndarray:
        """Arrays end to end: as they are, if a step before made these very arrays."""
        for laid in self.made.get(name, ()):
            if laid.are(arrays):
                return laid.flat
        return join(arrays)

    def new(self, name: str, dtype: Any) -> Laid:
        """Arrays for what a step makes: small ones of a step before that nobody holds any more."""
        made = self.made.setdefault(name, [])
        if self.size > POOLED:
            made[:] = [Laid(pool.empty(self.size, dtype), self.places, self.shapes)]
            return made[0]
        for laid in made:
            if laid.references() == laid.alone and laid.flat.dtype == dtype and COUNTS_ARE_EXACT:
                return laid
        made.append(laid := Laid(np.empty(self.size, dtype), self.places, self.shapes))
        laid.alone = laid.references()
        del made[:-KEPT]
        return laid


def step(
    groups: Sequence[tuple[Together, Any, Any, Any, Any]], shared: Slots, rate: Any, iteration: Any
) -> list[Made]:
    """A step of some groups of weights.

    Args:
        groups: Each with the first four arguments of its `begin`.
        shared: As there.
        rate: As there.
        iteration: As there.
    """
    steps = [
        (one, *one.begin(update, gradients, values, slots, shared, rate, iteration))
        for one, update, gradients, values, slots in groups
    ]
    total = sum(together.size for together, *_ in steps)
    pieces = [
        (update, at)
        for together, update, _ in steps
        for at in parallel.even_slices(together.size, -(-together.size // PIECE))
    ]

    def update_piece(number: int) -> None:
        update, at = pieces[number]
        update(at)

    if total <= ALONE:
        for number in range(len(pieces)):
            update_piece(number)
    else:
        parallel.run(update_piece, len(pieces))
    return [made() for _, _, made in steps]


class Groups:
    """The groups of weights that an optimizer has updated together so far."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, ...], Together] = {}

    def of(self, variables: Sequence[Any], decay: float | None) -> Together:
        """The group of these variables."""
        key = tuple(map(id, variables))
        if key not in self._made:
            self._made[key] = Together([v.shape for v in variables], decay)
        return self._made[key]

    def __getstate__(self) -> dict[str, Any]:
        return {"_made": {}}  # a copy has other variables


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
