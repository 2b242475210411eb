"""Initializers whose spread follows from the number of inputs and outputs of the weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kernelmodel.core.kinds import Axes, Positive
from kernelmodel.initializers.initializer import REGISTRY, RandomInitializer
from kernelmodel.ops import random

MODES = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
# Standard deviation of a normal distribution cut at two standard deviations.
TRUNCATED_STDDEV = 0.87962566103423978


def fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """How many inputs a unit of a weight has, and how many units an input goes to.

    Args:
        shape: Shape of the weight; all but the last two lengths are a receptive field.
        input_axes: Axes of the inputs, if the weight has another layout.
        output_axes: Axes of the units.

    Examples:
        >>> fans((3, 3, 8, 16))
        (72, 144)
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if len(shape) < 2:
        length = int(shape[0]) if shape else 1
        return length, length
    field = math.prod(shape[:-2])
    return int(shape[-2] * field), int(shape[-1] * field)


@REGISTRY.register()
class VarianceScaling(RandomInitializer):
    """Draws of variance `scale / n`, n being the number of inputs, outputs or their mean.

    Args:
        scale: Positive factor of the variance.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: Integer, `SeedGenerator` or None.
        input_axes: Axes of the inputs in the weight; None for the last but one.
        output_axes: Axes of the units in the weight; None for the last.

    Raises:
        ValueError: An argument outside of these.

    Examples:
        >>> import kernelmodel as km
        >>> w = km.initializers.VarianceScaling(2.0, seed=1)((500, 400))
        >>> round(float(w.var() * 500), 1)
        2.0
    """

    def __init__(
        self,
        scale: Positive = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Axes | None = None,
        output_axes: Axes | None = None,
    ) -> None:
        super().__init__(seed)
        name = type(self).__name__
        distribution = distribution.lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if mode not in MODES:
            raise ValueError(f"{name}: mode must be one of {MODES}, got {mode!r}.")
        if distribution not in DISTRIBUTIONS:
            raise ValueError(
                f"{name}: distribution must be one of {DISTRIBUTIONS}, got {distribution!r}."
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        inputs, outputs = fans(shape, self.input_axes, self.output_axes)
        count = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[self.mode]
        variance = self.scale / max(1.0, count)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return random.uniform(shape, -limit, limit, dtype, self._stream)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(variance), dtype, self._stream)
        stddev = math.sqrt(variance) / TRUNCATED_STDDEV
        return random.truncated_normal(shape, 0.0, stddev, dtype, self._stream)


ARGUMENTS = """

    Args:
        seed: Integer, `SeedGenerator` or None.
        input_axes: Axes of the inputs in the weight; None for the last but one.
        output_axes: Axes of the units in the weight; None for the last.

    Examples:
        >>> import kernelmodel as km
        >>> km.initializers.{name}(seed=1)((3, 4)).shape
        (3, 4)
    """


def _named(name: str, meaning: str, scale: float, mode: str, distribution: str) -> type:
    """A subclass of VarianceScaling with its first three arguments fixed."""

    def __init__(
        self: Any, seed: Any = None, input_axes: Any = None, output_axes: Any = None
    ) -> None:
        VarianceScaling.__init__(self, scale, mode, distribution, seed, input_axes, output_axes)

    members = {
        "__init__": __init__,
        "__doc__": meaning + ARGUMENTS.format(name=name),
        "__module__": __name__,
    }
    return REGISTRY.register()(type(name, (VarianceScaling,), members))


GlorotUniform = _named(
    "GlorotUniform",
    "Uniform draws of variance 2 / (inputs + outputs) (Glorot & Bengio, 2010).",
    1.0, "fan_avg", "uniform",
)  # fmt: skip
GlorotNormal = _named(
    "GlorotNormal",
    "Normal draws of variance 2 / (inputs + outputs), truncated (Glorot & Bengio, 2010).",
    1.0, "fan_avg", "truncated_normal",
)  # fmt: skip
HeUniform = _named(
    "HeUniform",
    "Uniform draws of variance 2 / inputs, for relu (He et al., 2015).",
    2.0, "fan_in", "uniform",
)  # fmt: skip
HeNormal = _named(
    "HeNormal",
    "Normal draws of variance 2 / inputs, truncated, for relu (He et al., 2015).",
    2.0, "fan_in", "truncated_normal",
)  # fmt: skip
LecunUniform = _named(
    "LecunUniform",
    "Uniform draws of variance 1 / inputs (LeCun et al., *Efficient BackProp*, 1998).",
    1.0, "fan_in", "uniform",
)  # fmt: skip
LecunNormal = _named(
    "LecunNormal",
    "Normal draws of variance 1 / inputs, truncated, for selu (LeCun et al., 1998).",
    1.0, "fan_in", "truncated_normal",
)  # fmt: skip
