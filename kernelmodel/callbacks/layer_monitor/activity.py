"""Which of a layer's outputs are at their limits: dead units, saturated values."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.layers import RNN, ReLU, SimpleRNN, Softmax

# What is measured, by the name of an activation function.
KINDS = {
    "relu": "dead", "relu6": "dead",
    "tanh": "tanh", "hard_tanh": "tanh", "softsign": "tanh",
    "sigmoid": "sigmoid", "hard_sigmoid": "sigmoid",
    "softmax": "softmax",
}  # fmt: skip
LIMIT = 0.01  # so near to its limit a value is saturated
SURE_AFTER = 128  # samples for which a unit must have been 0 to count as dead for a warning


def activity_of(layer: Any) -> Activity | None:
    """What to measure of a layer's outputs, or None."""
    if isinstance(layer, RNN) and not isinstance(layer, SimpleRNN):
        return None  # the outputs of LSTM and GRU are products of several activations
    if isinstance(layer, ReLU):
        return Activity("dead", -1) if not layer.negative_slope else None
    if isinstance(layer, Softmax):
        return Activity("softmax", layer.axis if isinstance(layer.axis, int) else -1)
    kind = KINDS.get(getattr(getattr(layer, "activation", None), "__name__", ""))
    first = getattr(layer, "data_format", None) == "channels_first"
    return None if kind is None else Activity(kind, 1 if first and kind == "dead" else -1)


class Activity:
    """The outputs of one layer, over the calls of a step and over steps.

    A unit is an index of the last axis (of the channel axis of a convolution). In one step it is
    dead if it is 0 for the whole batch, at all positions. A value is saturated if it is within
    0.01 of a limit: of -1 or 1 for tanh, of 0 or 1 for sigmoid; for softmax a row counts if its
    greatest value is above 0.99.

    Args:
        kind: "dead", "tanh", "sigmoid" or "softmax".
        axis: Of the units.
    """

    def __init__(self, kind: str, axis: int) -> None:
        self.kind, self.axis = kind, axis
        self.quiet: np.ndarray | None = None  # for each unit: samples since it was not 0
        self.begin()

    def begin(self) -> None:
        """Forget the calls of the step before."""
        self._alive: np.ndarray | None = None
        self._samples = 0
        self._beyond = self._values = 0

    def add(self, output: np.ndarray) -> None:
        """Take what a call gave.

        Args:
            output: Floats (batch, ..., units).
        """
        if output.ndim < 2 or not output.size:
            return
        if self.kind == "dead":
            alive = alive_units(np.moveaxis(output, self.axis, -1))
            same = self._alive is not None and self._alive.shape == alive.shape
            self._alive = self._alive | alive if same else alive
            self._samples += len(output)
            return
        if self.kind == "softmax":
            beyond = output.max(axis=self.axis) > 1 - LIMIT
        elif self.kind == "tanh":
            beyond = np.abs(output) > 1 - LIMIT
        else:
            beyond = np.abs(output - 0.5) > 0.5 - LIMIT
        self._beyond += int(np.count_nonzero(beyond))
        self._values += beyond.size

    def end(self) -> None:
        """Count how long each unit has been 0."""
        if self._alive is None:
            return
        if self.quiet is None or self.quiet.shape != self._alive.shape:
            self.quiet = np.zeros(self._alive.shape, np.int64)
        self.quiet = np.where(self._alive, 0, self.quiet + self._samples)

    @property
    def dead(self) -> float | None:
        """Share of the units that were 0 for all samples of the step."""
        return None if self._alive is None else 1 - float(np.mean(self._alive))

    @property
    def surely_dead(self) -> float | None:
        """Share of the units that were 0 for the last 128 samples that were looked at."""
        if self.quiet is None:
            return None
        return float(np.mean(self.quiet >= SURE_AFTER))

    @property
    def saturated(self) -> float | None:
        """Share of the values that are near a limit."""
        return self._beyond / self._values if self._values else None


def alive_units(output: np.ndarray) -> np.ndarray:
    """For each index of the last axis, whether any of its values is not 0.

    Most units show in the first samples, so only those that don't are looked for in the others.
    """
    units = output.shape[-1]
    alive = np.zeros(units, bool)
    start, step = 0, 4
    while start < len(output) and not alive.all():
        part = output[start : start + step]
        left = np.flatnonzero(~alive)
        part = part if len(left) == units else part[..., left]
        alive[left] = (part != 0).any(axis=tuple(range(part.ndim - 1)))
        start, step = start + step, 4 * step
    return alive
