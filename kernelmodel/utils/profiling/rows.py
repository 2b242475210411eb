"""From accounts to rows: what each layer, with all that is in it, and each part of a step took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kernelmodel.core.layer import Layer
from kernelmodel.utils.profiling.meters import (
    BACKWARD,
    DATA,
    FORWARD,
    LOSS,
    LOSS_BACKWARD,
    METRICS,
    OPTIMIZER,
    OTHER,
    TAPE,
    Account,
    Memory,
)
from kernelmodel.utils.profiling.probes import Called, Path

# The parts beside the layers: their accounts, forward and backward. What the model does itself is
# between its layers.
PARTS: dict[str, tuple[Account, Account | None]] = {
    "between layers": (Account(FORWARD), Account(BACKWARD)),
    "loss": (LOSS, LOSS_BACKWARD),
    "tape": (TAPE, None),
    "optimizer": (OPTIMIZER, None),
    "metrics": (METRICS, None),
    "data": (DATA, None),
    "other": (OTHER, None),
}


@dataclass(frozen=True)
class ProfileRow:
    """A layer, with all layers in it, or a part of the step, for one step.

    Attributes:
        path: Names that lead to the layer, such as "encoder/dense"; or the part's name.
        class_name: The layer's class, "op" for a function of `ops`; "" for a part.
        depth: In how many other layers it is.
        calls: How often it is called.
        forward: Seconds.
        backward: Seconds; for parts without a backward pass 0.
        own_forward: Seconds, those of the layers in it aside.
        own_backward: Seconds, those of the layers in it aside.
        output: Bytes of what it gives.
        kept: Bytes that it leaves allocated for the backward pass, outputs included.
        peak: Bytes that it needs at once beyond what was there before, forward or backward.
        own_kept: Bytes, those of the layers in it aside.
    """

    path: str
    class_name: str
    depth: int
    calls: int
    forward: float
    backward: float
    own_forward: float
    own_backward: float
    output: int
    kept: int
    peak: int
    own_kept: int

    @property
    def seconds(self) -> float:
        """Forward and backward."""
        return self.forward + self.backward


def class_name(operation: Any) -> str:
    """The class of a layer; "op" for a function of `kernelmodel.ops`."""
    return type(operation).__name__ if isinstance(operation, Layer) else "op"


def layer_rows(
    seconds: dict[Account, float], memory: Memory, called: dict[Path, Called]
) -> list[ProfileRow]:
    """A row for each layer that was called, those in a layer right after it.

    Args:
        seconds: By account.
        memory: Of one step.
        called: Which layers, in that step.
    """
    # A layer is noted before those in it, so each beginning of a path has its place too.
    places = {path: place for place, path in enumerate(called)}
    ordered = sorted(
        (path for path in called if path),
        key=lambda path: [places[path[:length]] for length in range(1, len(path) + 1)],
    )

    def total(amounts: dict[Account, float] | dict[Account, int], part: str, path: Path) -> float:
        return sum(
            amount
            for account, amount in amounts.items()
            if account.part == part and account.path[: len(path)] == path
        )

    rows = []
    for path in ordered:
        forward, backward = Account(FORWARD, path), Account(BACKWARD, path)
        one = called[path]
        rows.append(ProfileRow(
            "/".join(path), class_name(one.layer), len(path) - 1, one.calls,
            total(seconds, FORWARD, path), total(seconds, BACKWARD, path),
            seconds.get(forward, 0.0), seconds.get(backward, 0.0), one.output,
            max(0, int(total(memory.kept, FORWARD, path))),
            max(memory.peaks.get(forward, 0), memory.peaks.get(backward, 0)),
            max(0, memory.kept.get(forward, 0)),
        ))  # fmt: skip
    return rows


def part_rows(seconds: dict[Account, float], memory: Memory) -> list[ProfileRow]:
    """A row for each part of the step that took any time."""
    rows = []
    for name, (ahead, back) in PARTS.items():
        forward = seconds.get(ahead, 0.0)
        backward = seconds.get(back, 0.0) if back is not None else 0.0
        if forward or backward:
            # The others' memory isn't for the backward pass, or is that of what runs within them.
            kept = max(0, memory.kept.get(ahead, 0)) if back is not None else 0
            peak = memory.peaks.get(ahead, 0) if ahead in (LOSS, OPTIMIZER, METRICS) else 0
            rows.append(
                ProfileRow(
                    name, "", 0, 1, forward, backward, forward, backward, 0, kept, peak, kept
                )
            )
    return rows
