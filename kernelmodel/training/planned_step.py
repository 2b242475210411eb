"""Steps made of built-in parts alone, written down once and run again without their makers."""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any

import numpy as np

from kernelmodel.core.context import Context
from kernelmodel.core.revision import Revision
from kernelmodel.core.tree import flatten, map_structure, pack_like
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.exchange import EXCHANGE
from kernelmodel.engine.plan import Plan, PlanArray, Unplannable

# Plans of one step, for batches of different shapes: the oldest goes when there are more.
MOST_PLANS = 16
# Kinds of arrays of text: their dtype, with the longest word, is another for each batch.
TEXT = "OSTU"
# The modules whose code a plan may replace: it has no side effects that count.
KNOWN = {"kernelmodel", "autograd", "numpy"} | set(sys.stdlib_module_names)


class PlannedStep:
    """A plan of a step for batches of one structure, and what it reads and writes.

    Args:
        step: `model.train_step` or the like.
        data: A batch.

    Raises:
        Unplannable: The step decides on values, or code of the user's runs in it.
    """

    def __init__(self, step: Callable[[Any], Any], data: Any) -> None:
        self._plan = Plan()
        self._variables: list[Any] = []
        inputs = [None if leaf is None else self._plan.input(leaf) for leaf in flatten(data)]
        with Context(pure=True) as context, built_in_code_only():
            context.plan, context.later = self, self._plan.later
            result = map_structure(getval, step(pack_like(data, inputs)))
            written = list(context.written.values())
            losses = list(context.losses.values())
        self._pack = packer(result)
        self._losses = [(layer, len(found)) for layer, found in losses]
        self._written = written
        results = flatten(result)
        self._count = len(results)
        self._function = self._plan.compile(
            [
                *results,
                *(context.values[id(variable)] for variable in written),
                *(getval(value) for _, found in losses for value in found),
            ]
        )
        del self._plan

    def variable(self, variable: Any) -> PlanArray:
        """A variable that the step reads, as an array of the plan."""
        self._variables.append(variable)
        return self._plan.input(variable._array)

    def run(self, leaves: list[Any], accept: Callable[[Any], bool]) -> tuple[bool, Any]:
        """Run the step on a batch.

        Args:
            leaves: The arrays of the batch.
            accept: Whether its result may be kept; if not, no variable changes.

        Returns:
            Whether it was kept, and the step's result.
        """
        found = self._function(*leaves, *[variable._array for variable in self._variables])
        result = self._pack(found[: self._count])
        if not accept(result):
            return False, result
        values = found[self._count :]
        assign_all(self._written, values)
        at = len(self._written)
        for layer, count in self._losses:
            layer._call_losses = values[at : at + count]
            at += count
        return True, result


class PlannedSteps:
    """The plans of a step, made when a batch of some structure comes for the second time.

    Args:
        step: `model.train_step` or the like.
    """

    def __init__(self, step: Callable[[Any], Any]) -> None:
        self.step: Callable[[Any], Any] | None = step
        self._revision = -1
        self._plans: dict[Any, PlannedStep | None] = {}

    def find(self, data: Any) -> tuple[PlannedStep | None, list[Any]]:
        """The plan for a batch, if there is one or can be one by now, and the batch's arrays."""
        leaves = [leaf for leaf in flatten(data) if leaf is not None]
        if self._revision != Revision.count:
            self._revision, self._plans = Revision.count, {}
        if not all(type(leaf) is np.ndarray and leaf.dtype.kind not in TEXT for leaf in leaves):
            return None, leaves
        key = described(data), EXCHANGE.get() is not None
        if key not in self._plans:
            if len(self._plans) == MOST_PLANS:
                del self._plans[next(iter(self._plans))]
            self._plans[key] = None
            return None, leaves
        plan = self._plans[key]
        # A profiler would be turned off, and wants to see the step as it is.
        if plan is None and self.step is not None and sys.getprofile() is None:
            try:
                plan = self._plans[key] = PlannedStep(self.step, data)
            except Exception:  # noqa: BLE001 - the plain step follows, and raises what is its own
                self.step = None
        return plan, leaves


def described(data: Any) -> Any:
    """The structure of a batch, and the shapes and dtypes of its arrays: something hashable."""
    if type(data) is np.ndarray:
        return data.shape, data.dtype
    if isinstance(data, (tuple, list)):
        return type(data), *map(described, data)
    if isinstance(data, dict):
        return tuple((key, described(part)) for key, part in data.items())
    return None


def packer(structure: Any) -> Callable[[list[Any]], Any]:
    """What packs leaves like a structure; quickly if it is a dict of leaves, such as logs."""
    places = pack_like(structure, list(range(len(flatten(structure)))))
    if type(places) is dict and all(type(place) is int for place in places.values()):
        return lambda leaves: {key: leaves[place] for key, place in places.items()}
    return lambda leaves: pack_like(places, leaves)


def assign_all(variables: list[Any], values: list[Any]) -> None:
    """Give variables their new values: all of them or none, as no interrupt comes in between.

    Python looks for interrupts between two of its instructions, and this is a single one.
    """
    deque(map(setattr, variables, repeat("_array"), values), maxlen=0)


@contextmanager
def built_in_code_only() -> Iterator[None]:
    """In a `with` block, a call of a function from outside of `KNOWN` raises.

    What such a function does beside computing (printing, counting, drawing numbers of its own)
    would be lost in a plan.

    Raises:
        Unplannable: Such a function was called; it has not run.
    """

    def check(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            module = frame.f_globals.get("__name__", "")
            if module.partition(".")[0] not in KNOWN:
                raise Unplannable(f"the step calls {frame.f_code.co_name} of module {module}")

    # What the garbage collector calls (JAX has it call something) isn't part of the step.
    collecting = gc.isenabled()
    gc.disable()
    sys.setprofile(check)
    try:
        yield
    finally:
        sys.setprofile(None)
        if collecting:
            gc.enable()
