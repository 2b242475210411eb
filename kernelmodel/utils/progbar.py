"""A progress bar for loops of one's own."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from kernelmodel.callbacks.console import say, step_time, values
from kernelmodel.core.settings import SETTINGS


class Progbar:
    """A progress bar with means of values, for loops of one's own.

    On a terminal it is one line that grows; anything else (a file, a log) gets the last line only.

    Args:
        target: Steps in all; None if unknown.
        width: Characters of the bar.
        verbose: 1 for a bar, 2 for the last line only, 0 for nothing.
        interval: Seconds between two drawings.
        stateful_metrics: Names of values to show as they come; the others are averaged.
        stateless_metrics: Names of values to average, if the others are shown as they come.
        unit_name: What a step is called.

    Raises:
        ValueError: Both lists of names at once.

    Examples:
        >>> import kernelmodel as km
        >>> bar = km.utils.Progbar(2, verbose=2)
        >>> bar.update(1, [("loss", 0.5)])
        >>> bar.update(2, [("loss", 0.3)])
        2/2 - 0s - .../step - loss: 0.3000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Progbar: give `stateful_metrics` or `stateless_metrics`, not both: the values "
                "with other names are of the other kind."
            )
        self.target, self.width, self.verbose = target, width, verbose
        self.interval, self.unit_name = interval, unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._seen = 0
        self._totals: dict[str, tuple[float, int]] = {}
        self._began = time.perf_counter()
        self._drawn = 0.0
        self._length = 0

    def _averaged(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in self.stateful_metrics

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Show a step.

        Args:
            current: Steps done.
            values: Pairs (name, value of the last step).
            finalize: Whether it is the last step; None for `current >= target`.
        """
        last = finalize
        if last is None:
            last = self.target is not None and current >= self.target
        steps = max(current - self._seen, 1)
        for name, value in values or ():
            mean = float(np.mean(value))
            total, count = self._totals.get(name, (0.0, 0))
            if last or not self._averaged(name):
                total, count, steps_of_it = mean, 1, 0
            else:
                steps_of_it = steps
            self._totals[name] = (total + mean * steps_of_it, count + steps_of_it)
        self._seen = current
        if self.verbose:
            self._show(current, last)

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Show that so many more steps are done."""
        self.update(self._seen + n, values)

    def _show(self, current: int, last: bool) -> None:
        now = time.perf_counter()
        live = self.verbose == 1 and sys.stdout.isatty() and SETTINGS.interactive_logging
        if not last and (not live or now - self._drawn < self.interval):
            return
        self._drawn = now
        each = (now - self._began) / max(current, 1)
        means = {name: total / max(count, 1) for name, (total, count) in self._totals.items()}
        of_all = f"{current}/{'Unknown' if self.target is None else self.target}"
        left = now - self._began if last or not self.target else each * (self.target - current)
        pace = step_time(each).replace("step", self.unit_name)
        line = f"{of_all} - {left:.0f}s - {pace}{values(means)}"
        if not live:
            say(line)
            return
        bar = ""
        if self.target:
            done = int(self.width * min(current / self.target, 1))
            bar = f" {'━' * done}{'╌' * (self.width - done)}"
        line = of_all + bar + line[len(of_all) :]
        sys.stdout.write("\r" + line.ljust(self._length) + ("\n" if last else ""))
        sys.stdout.flush()
        self._length = len(line)
