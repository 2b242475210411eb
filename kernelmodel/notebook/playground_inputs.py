"""The inputs of a playground: sliders for features, a pad to draw images on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from kernelmodel.explain.grad_cam import resize_linear

MOST_CELLS = 56  # a side of the pad; larger images are enlarged from it
STEPS = 200


@dataclass
class Slider:
    """One feature."""

    name: str
    low: float
    high: float
    step: float
    value: float


class Part(Protocol):
    """What stands for one input of the model in the browser."""

    name: str

    @property
    def start(self) -> np.ndarray:
        """The values it begins with, flat float32."""

    def spec(self) -> dict[str, Any]:
        """What the browser needs to know."""

    def to_input(self, values: np.ndarray) -> np.ndarray:
        """Values of the browser as one sample for the model, with the batch axis."""

    def from_samples(self, x: np.ndarray) -> np.ndarray:
        """Samples as values for the browser, (samples, values)."""


@dataclass
class Sliders:
    """Sliders for an input (features,) or ()."""

    name: str
    sliders: list[Slider]
    shape: tuple[int, ...]
    dtype: Any = "float32"

    @property
    def start(self) -> np.ndarray:
        """Where the sliders stand at first."""
        return np.array([slider.value for slider in self.sliders], "float32")

    def spec(self) -> dict[str, Any]:
        """Names, ranges and steps."""
        return {
            "kind": "sliders",
            "name": self.name,
            "sliders": [
                {"name": s.name, "low": s.low, "high": s.high, "step": s.step} for s in self.sliders
            ],
        }

    def to_input(self, values: np.ndarray) -> np.ndarray:
        """The features, each within its range."""
        low = [slider.low for slider in self.sliders]
        high = [slider.high for slider in self.sliders]
        return np.clip(values, low, high).reshape(1, *self.shape).astype(self.dtype)

    def from_samples(self, x: np.ndarray) -> np.ndarray:
        """The features of samples."""
        return np.asarray(x, "float32").reshape(len(x), -1)


@dataclass
class Pad:
    """A pad for an image, on which ink of 0 to 1 is drawn.

    Args:
        name: Of the input.
        shape: Of a sample: (rows, columns), with channels last or first, or (rows * columns,).
        size: (rows, columns) of the image.
        channel_axis: Where the channels are in a batch, or None.
        channels: How many of them get the same ink.
        ground: What the model gets where there is no ink.
        ink: What it gets at full ink.
    """

    name: str
    shape: tuple[int, ...]
    size: tuple[int, int]
    channel_axis: int | None = None
    channels: int = 1
    ground: float = 0.0
    ink: float = 1.0
    dtype: Any = "float32"
    first: np.ndarray | None = field(default=None, repr=False)

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of the pad."""
        share = min(1.0, MOST_CELLS / max(self.size))
        rows, columns = (max(1, round(length * share)) for length in self.size)
        return rows, columns

    @property
    def start(self) -> np.ndarray:
        """An empty pad, or the first sample."""
        rows, columns = self.cells
        return np.zeros(rows * columns, "float32") if self.first is None else self.first

    def spec(self) -> dict[str, Any]:
        """The pad's size, and whether ink is dark."""
        rows, columns = self.cells
        return {
            "kind": "pad",
            "name": self.name,
            "rows": rows,
            "columns": columns,
            "dark_ink": self.ink < self.ground,
        }

    def to_input(self, values: np.ndarray) -> np.ndarray:
        """The drawing as an image for the model."""
        drawn = np.clip(values, 0, 1).reshape(1, *self.cells).astype("float32")
        image = self.ground + resize_linear(drawn, self.size) * (self.ink - self.ground)
        if self.channel_axis is not None:
            image = np.expand_dims(image, self.channel_axis)
            image = np.repeat(image, self.channels, self.channel_axis)
        return image.reshape(1, *self.shape).astype(self.dtype)

    def from_samples(self, x: np.ndarray) -> np.ndarray:
        """Samples as drawings."""
        images = np.asarray(x, "float32")
        if self.channel_axis is not None:
            images = images.mean(self.channel_axis)
        ink = (images.reshape(len(x), *self.size) - self.ground) / (self.ink - self.ground)
        return np.clip(resize_linear(ink, self.cells), 0, 1).reshape(len(x), -1)


def slider_for(name: str, column: np.ndarray | None) -> Slider:
    """A slider over the range of a column of data, at its median; -1 to 1 without data."""
    found = np.empty(0) if column is None else np.asarray(column, "float64")
    found = found[np.isfinite(found)]
    if not found.size:
        return Slider(name, -1.0, 1.0, 0.01, 0.0)
    low, high = float(found.min()), float(found.max())
    if low == high:
        low, high = low - 1, high + 1
    whole = bool((found == np.round(found)).all()) and high - low <= 1000
    step = 1.0 if whole else nice_step(high - low)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    value = round(float(np.median(found)) / step) * step
    return Slider(name, clean(low), clean(high), step, clean(value))


def nice_step(extent: float) -> float:
    """A round number of which about 200 make an extent.

    >>> nice_step(1.0), nice_step(37.0)
    (0.005, 0.2)
    """
    power = 10.0 ** math.floor(math.log10(extent / STEPS))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= extent / STEPS * 0.999)
    return clean(step)


def clean(value: float) -> float:
    """A number without the dust of binary fractions."""
    return float(f"{value:.12g}")


def given_sliders(name: str, ranges: Mapping[str, Any]) -> list[Slider]:
    """Sliders as a user describes them.

    Args:
        name: Of the playground, for errors.
        ranges: name -> (low, high) or (low, high, start); integers make a slider of integers.

    Raises:
        ValueError: A range that is none.
    """
    made = []
    for feature, given in ranges.items():
        numbers = list(given) if isinstance(given, (list, tuple)) else []
        fits = len(numbers) in (2, 3) and all(isinstance(n, (int, float)) for n in numbers)
        if not fits or not numbers[0] < numbers[1]:
            raise ValueError(
                f"Playground of {name!r}: `inputs[{feature!r}]` must be (low, high) or (low, high, "
                f"start) with low < high, got {given!r}."
            )
        low, high = float(numbers[0]), float(numbers[1])
        whole = all(isinstance(n, int) for n in numbers)
        step = 1.0 if whole else nice_step(high - low)
        start = float(numbers[2]) if len(numbers) == 3 else (low + high) / 2
        if len(numbers) == 2 and whole:
            start = float(round(start))
        made.append(Slider(str(feature), low, high, step, min(max(start, low), high)))
    return made
