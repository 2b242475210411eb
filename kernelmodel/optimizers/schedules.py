"""Learning rate schedules: the learning rate as a function of the step."""

from __future__ import annotations

import math
from typing import Any

from kernelmodel import ops
from kernelmodel.core.autoconfig import Configurable
from kernelmodel.core.kinds import NotNegative, Numbers, Positive
from kernelmodel.core.lookup import Registry
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.engine.boxes import getval

REGISTRY = Registry("learning rate schedule", "keras.optimizers.schedules")

__all__ = [
    "REGISTRY",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


def __dir__() -> list[str]:
    return list(__all__)


class LearningRateSchedule(Configurable):
    """Base of schedules: called with the step, it returns the learning rate.

    Examples:
        >>> import kernelmodel as km
        >>> class Halving(km.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.5 ** km.ops.cast(step, "float32")
        >>> float(km.optimizers.SGD(Halving()).learning_rate)
        1.0
    """

    def __call__(self, step: Any) -> Any:
        """The learning rate of a step.

        Args:
            step: Number of steps so far, an integer scalar.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a __call__(step).")


def _periods(step: Any, length: float, whole: bool) -> Any:
    """step / length, without its fraction if asked. (A compiled quotient may round past a step.)"""
    step = _number(step)
    return ops.floor_divide(step, length) if whole else ops.divide(step, length)


def _number(step: Any) -> Any:
    """A step as float32, without history."""
    return ops.cast(ops.convert_to_tensor(getval(step)), "float32")


@REGISTRY.register()
class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: Learning rate of step 0.
        decay_steps: Steps in which it falls by `decay_rate`.
        decay_rate: Factor.
        staircase: Fall at once at the end of each `decay_steps`.
        name: Name.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.optimizers.schedules.ExponentialDecay(1.0, 10, 0.5)(20))
        0.25
    """

    def __init__(
        self,
        initial_learning_rate: NotNegative,
        decay_steps: Positive,
        decay_rate: NotNegative,
        staircase: bool = False,
        name: str | None = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        periods = _periods(step, self.decay_steps, self.staircase)
        return ops.multiply(ops.power(self.decay_rate, periods), self.initial_learning_rate)


@REGISTRY.register()
class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: Learning rate of step 0.
        decay_steps: Unit of time, in steps.
        decay_rate: Speed.
        staircase: Fall at once at the end of each `decay_steps`.
        name: Name.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.optimizers.schedules.InverseTimeDecay(1.0, 10, 0.5)(20))
        0.5
    """

    def __init__(
        self,
        initial_learning_rate: NotNegative,
        decay_steps: Positive,
        decay_rate: NotNegative,
        staircase: bool = False,
        name: str | None = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        periods = _periods(step, self.decay_steps, self.staircase)
        return ops.divide(self.initial_learning_rate, periods * self.decay_rate + 1)


@REGISTRY.register()
class PiecewiseConstantDecay(LearningRateSchedule):
    """One value up to and with the first boundary, the next up to the second, and so on.

    Args:
        boundaries: Steps at which the value changes, rising.
        values: Learning rates, one more than boundaries.
        name: Name.

    Examples:
        >>> import kernelmodel as km
        >>> schedule = km.optimizers.schedules.PiecewiseConstantDecay([10], [1.0, 0.5])
        >>> float(schedule(10)), float(schedule(11))
        (1.0, 0.5)
    """

    def __init__(
        self,
        boundaries: Numbers,
        values: Numbers,
        name: str | None = "PiecewiseConstant",
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay needs one value more than boundaries, got "
                f"{len(values)} values and {len(boundaries)} boundaries."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = _number(step)
        rate = ops.full_like(step, self.values[-1])
        for boundary, value in reversed(list(zip(self.boundaries, self.values))):
            rate = ops.where(ops.less_equal(step, boundary), ops.full_like(step, value), rate)
        return rate


@REGISTRY.register()
class PolynomialDecay(LearningRateSchedule):
    """From the initial to the end learning rate along `(1 - step / decay_steps) ** power`.

    Args:
        initial_learning_rate: Learning rate of step 0.
        decay_steps: Steps until the end learning rate is reached.
        end_learning_rate: Learning rate from there on.
        power: Exponent; 1 is a line.
        cycle: Begin again at the next multiple of `decay_steps` instead.
        name: Name.

    Examples:
        >>> import kernelmodel as km
        >>> float(km.optimizers.schedules.PolynomialDecay(1.0, 10, 0.0)(5))
        0.5
    """

    def __init__(
        self,
        initial_learning_rate: NotNegative,
        decay_steps: Positive,
        end_learning_rate: NotNegative = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = _number(step)
        if self.cycle:
            cycles = ops.maximum(-_periods(-step, self.decay_steps, True), 1)
            share = step / (cycles * self.decay_steps)
        else:
            share = ops.minimum(step, self.decay_steps) / self.decay_steps
        span = self.initial_learning_rate - self.end_learning_rate
        return ops.add(ops.power(1 - share, self.power) * span, self.end_learning_rate)


def _cosine(share: Any, alpha: float) -> Any:
    """From 1 to alpha along half a cosine."""
    return (ops.cos(share * math.pi) + 1) * (0.5 * (1 - alpha)) + alpha


@REGISTRY.register()
class CosineDecay(LearningRateSchedule):
    """Half a cosine down to `alpha`, after an optional linear rise (Loshchilov & Hutter, 2016).

    Args:
        initial_learning_rate: Learning rate of step 0.
        decay_steps: Steps of the fall.
        alpha: Share of the learning rate that is left at the end.
        name: Name.
        warmup_target: Learning rate that the rise ends at; None for no rise.
        warmup_steps: Steps of the rise.

    Examples:
        >>> import kernelmodel as km
        >>> round(float(km.optimizers.schedules.CosineDecay(1.0, 10)(5)), 5)
        0.5
    """

    def __init__(
        self,
        initial_learning_rate: NotNegative,
        decay_steps: Positive,
        alpha: float = 0.0,
        name: str | None = "CosineDecay",
        warmup_target: NotNegative | None = None,
        warmup_steps: NotNegative = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        step, first = _number(step), self.initial_learning_rate
        if self.warmup_target is None:
            share = ops.minimum(step, self.decay_steps) / self.decay_steps
            return ops.multiply(_cosine(share, self.alpha), first)
        top = self.warmup_target
        rising = step / max(self.warmup_steps, 1) * (top - first) + first
        gone = ops.clip(step - self.warmup_steps, 0, self.decay_steps) / self.decay_steps
        falling = _cosine(gone, self.alpha) * top
        return ops.where(ops.less(step, self.warmup_steps), rising, falling)


@REGISTRY.register()
class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine again and again, each time longer and lower (Loshchilov & Hutter, 2016).

    Args:
        initial_learning_rate: Learning rate of step 0.
        first_decay_steps: Steps of the first period.
        t_mul: Factor of the length from period to period.
        m_mul: Factor of the height from period to period.
        alpha: Share of the learning rate that is left at the end of a period.
        name: Name.

    Examples:
        >>> import kernelmodel as km
        >>> schedule = km.optimizers.schedules.CosineDecayRestarts(1.0, 10)
        >>> round(float(schedule(5)), 5), round(float(schedule(20)), 5)
        (0.5, 0.5)
    """

    def __init__(
        self,
        initial_learning_rate: NotNegative,
        first_decay_steps: Positive,
        t_mul: Positive = 2.0,
        m_mul: NotNegative = 1.0,
        alpha: float = 0.0,
        name: str | None = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        periods = _periods(step, self.first_decay_steps, False)
        if self.t_mul == 1:
            restarts = _periods(step, self.first_decay_steps, True)
            share = periods - restarts
        else:
            growth = ops.log(1 - periods * (1 - self.t_mul)) / math.log(self.t_mul)
            restarts = ops.floor(growth)
            length = ops.power(self.t_mul, restarts)
            share = (periods - (1 - length) / (1 - self.t_mul)) / length
        height = ops.power(self.m_mul, restarts)
        # The height shrinks the cosine, not the share alpha that is left.
        decayed = (ops.cos(share * math.pi) + 1) * height * (0.5 * (1 - self.alpha)) + self.alpha
        return ops.multiply(decayed, self.initial_learning_rate)


def serialize(learning_rate_schedule: Any) -> Any:
    """The config dict of a schedule.

    Args:
        learning_rate_schedule: A schedule.

    Examples:
        >>> import kernelmodel as km
        >>> schedules = km.optimizers.schedules
        >>> schedules.serialize(schedules.CosineDecay(0.1, 10))["class_name"]
        'CosineDecay'
    """
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule of a config dict.

    Args:
        config: Config dict.
        custom_objects: `{name: class or function}` that the config may name, or None.

    Examples:
        >>> import kernelmodel as km
        >>> schedules = km.optimizers.schedules
        >>> config = schedules.serialize(schedules.CosineDecay(0.1, 10))
        >>> type(schedules.deserialize(config)).__name__
        'CosineDecay'
    """
    return deserialize_keras_object(config, custom_objects, table=REGISTRY)
