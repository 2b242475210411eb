"""Work beside the steps of a recurrent kernel: products that some steps need, or are needed for.

The steps of a sequence follow one another on one thread. What they need of the inputs is computed
ahead of them, and what follows from their gradients behind them, by the other threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from kernelmodel.engine import parallel
from kernelmodel.engine.kernels.product import SHARE, WAKE
from kernelmodel.engine.kernels.sequences import step_slices
from kernelmodel.engine.pipeline import Jobs, beside

Part = Callable[[slice], None]


def in_time(
    project: Part, steps_of: Callable[[slice], Part], steps: int, slices: list[slice], work: int
) -> None:
    """Run all steps.

    Args:
        project: Computes what a slice of the steps needs of the inputs.
        steps_of: Makes, of a slice of the batch, a function that runs a slice of the steps.
        steps: How many there are.
        slices: Of the batch: several if threads share it.
        work: Multiplications in what `project` does for all steps.
    """
    parts = step_slices(steps)

    def compute(jobs: Jobs) -> None:
        ready = [jobs.add(partial(project, part)) for part in parts]
        run = steps_of(slices[0])
        for part, over in zip(parts, ready):
            jobs.wait(over)
            run(part)

    if len(slices) == 1 and is_worth_it(work):
        beside(compute)
    else:
        first = parts if is_worth_it(work) else [slice(0, steps)]
        parallel.run(lambda i: project(first[i]), len(first))
        parallel.run(lambda i: steps_of(slices[i])(slice(0, steps)), len(slices))


def back_in_time(
    steps_of: Callable[[slice], Part],
    jobs_of: Callable[[slice], Sequence[Callable[[], None]]],
    steps: int,
    slices: list[slice],
    work: int,
) -> None:
    """Go back all steps.

    Args:
        steps_of: As in `in_time`; what it makes is called with the last steps first.
        jobs_of: What can be computed when a slice of the steps is done.
        steps: How many there are.
        slices: As in `in_time`.
        work: Multiplications in all of these jobs.
    """
    parts = step_slices(steps)

    def compute(jobs: Jobs) -> None:
        run = steps_of(slices[0])
        for part in reversed(parts):
            run(part)
            for job in jobs_of(part):
                jobs.add(job)

    if len(slices) == 1 and is_worth_it(work):
        beside(compute)
    else:
        parallel.run(lambda i: steps_of(slices[i])(slice(0, steps)), len(slices))
        tasks = [[job] for part in parts for job in jobs_of(part)]
        if not is_worth_it(work):
            tasks = [[job for task in tasks for job in task]]
        parallel.run(lambda i: do_all(tasks[i]), len(tasks))


def do_all(jobs: Sequence[Callable[[], None]]) -> None:
    """One job after the other."""
    for job in jobs:
        job()


def is_worth_it(work: int) -> bool:
    """Whether another thread is to be woken up for so many multiplications."""
    return work > WAKE + SHARE


class Sums:
    """Sums over all rows that become known part by part: products of matrices' transposes.

    The parts are added in the order of the rows, whoever computed them.

    Args:
        rows: The factor that becomes known (n, m).
        factors: Others by name, (n, k) each; None for those whose product isn't needed.
    """

    def __init__(self, rows: np.ndarray, factors: dict[str, np.ndarray | None]) -> None:
        self.rows, self.factors = rows, factors
        self.parts: dict[str, dict[int, np.ndarray]] = {name: {} for name in factors}

    def jobs_of(self, at: slice) -> list[Callable[[], None]]:
        """What computes the shares of a slice of the rows."""
        return [
            partial(self._add, name, factor, at)
            for name, factor in self.factors.items()
            if factor is not None
        ]

    def _add(self, name: str, factor: np.ndarray, at: slice) -> None:
        self.parts[name][at.start] = factor[at].T @ self.rows[at]

    def of(self, name: str) -> np.ndarray | None:
        """The sum (k, m) for a factor; None if it isn't needed."""
        factor, parts = self.factors[name], self.parts[name]
        if factor is None:
            return None
        first, *others = [parts[start] for start in sorted(parts)] or [factor.T @ self.rows]
        for part in others:
            first += part
        return first
