"""Holds a plan of a step against the step itself: the same results and variables, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from kernelmodel.core.context import Context
from kernelmodel.core.tree import flatten, map_structure
from kernelmodel.engine import commands
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.machine_code import Compiler
from kernelmodel.engine.numba_support import compiled
from kernelmodel.training import planned_step
from kernelmodel.training.planned_step import PlannedStep


def plainly(step: Callable[[Any], Any], data: Any) -> Any:
    """Run a step as it is."""
    with Context(pure=True) as context:
        result = map_structure(getval, step(data))
        context.commit()
    return result


def assert_plan_is_exact(
    monkeypatch: Any, step: Callable[[Any], Any], batches: Sequence[Any], variables: Sequence[Any]
) -> None:
    """Run a plan, made with the first batch, on all batches; then the step on them.

    Raises:
        Unplannable: There is no plan of the step.
    """
    own = {step.__module__.partition(".")[0]} if "." in step.__module__ else {step.__module__}
    monkeypatch.setattr(planned_step, "KNOWN", planned_step.KNOWN | own | {"layers"})
    plainly(step, batches[0])  # builds what is built at the first call
    before = [v.numpy() for v in variables]
    plan = PlannedStep(step, batches[0])
    for value, variable in zip(before, variables):
        np.testing.assert_array_equal(variable.numpy(), value)  # recording changes nothing
    found = [plan.run(flatten(batch), lambda result: True)[1] for batch in batches]
    after = [v.numpy() for v in variables]
    for value, variable in zip(before, variables):
        variable.assign(value)
    for batch, result in zip(batches, found):
        expected = plainly(step, batch)
        assert len(flatten(result)) == len(flatten(expected))
        for x, y in zip(flatten(result), flatten(expected)):
            np.testing.assert_array_equal(np.asarray(x), np.asarray(y))
            assert np.asarray(x).dtype == np.asarray(y).dtype
    for value, variable in zip(after, variables):
        np.testing.assert_array_equal(variable.numpy(), value)


@cache
def machine_code_of_programs() -> Callable[..., None]:
    """What runs programs, loaded from the cache on disk or compiled."""
    compiler = Compiler()
    function = compiled(commands.run_commands, ["int64 1", "int64 1", "tuple"], compiler)
    compiler.end()
    assert function is not None

    def run(*arguments: Any) -> None:
        assert function(*arguments) == 0

    return run
