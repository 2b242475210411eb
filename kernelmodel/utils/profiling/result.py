"""What `km.utils.profile` returns."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from kernelmodel.utils.profiling.picture import draw
from kernelmodel.utils.profiling.rows import ProfileRow
from kernelmodel.utils.profiling.table import html_table, rich_table, text_table


@dataclass(frozen=True, repr=False)
class Profile:
    """Where the time and the memory of a training step go.

    The seconds of the rows with depth 0 and of the parts add up to `seconds`, a step with its batch
    of data; that it was measured is not in them, but costs caches and time between the parts.

    Attributes:
        model: Name of the model.
        batch_size: Samples of a step.
        steps: Steps that were measured.
        rows: The layers in the order of their calls, those in a layer right after it, as
            `ProfileRow`s: path, class_name, depth, calls, forward, backward, output, kept, peak.
        parts: The rest of the step: "between layers" (the model's own work), "loss",
            "tape" (the backward pass around the gradients), "optimizer", "metrics", "data" (the
            batch is made) and "other".
        peak: Bytes that a step needs at once, beyond weights, data and the optimizer's state.
        fit_seconds: What such a step takes in `fit`, without probes.
        notes: What to know about the numbers.
    """

    model: str
    batch_size: int
    steps: int
    rows: list[ProfileRow]
    parts: list[ProfileRow]
    peak: int
    fit_seconds: float
    notes: list[str]

    @property
    def seconds(self) -> float:
        """A step with probes: the sum of all layers and parts."""
        return sum(row.seconds for row in [*self.rows, *self.parts] if not row.depth)

    @property
    def overhead(self) -> float:
        """How much longer the measured step took than one in `fit`: 0.1 is 10 %."""
        return self.seconds / self.fit_seconds - 1

    def plot(self) -> Any:
        """Time and memory of each layer and each part as bars.

        Returns:
            A matplotlib figure, which shows itself as a cell's last line.
        """
        return draw(self)

    def __repr__(self) -> str:
        return (
            f"<Profile of {self.model!r}: {len(self.rows)} layers, {self.steps} steps of "
            f"{self.batch_size} samples>"
        )

    def __str__(self) -> str:
        return text_table(self, color=sys.stdout.isatty())

    def __rich__(self) -> Any:
        return rich_table(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": html_table(self), "text/plain": repr(self)}
