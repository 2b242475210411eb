"""Relatives of Adam: Adamax, Nadam, Lamb, and Adam without a schedule."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.kinds import NotNegative, Share, Whole
from kernelmodel.optimizers.optimizer import REGISTRY, Optimizer
from kernelmodel.optimizers.state import Slots


class _TwoAverages(Optimizer):
    """Base of optimizers with an average gradient and a measure of its size.

    Args:
        learning_rate: Number, schedule or callable.
        beta_1: Share of the old average gradient that stays at each step, in [0, 1].
        beta_2: Share of the old size that stays at each step, in [0, 1].
        epsilon: Added to what is divided by.
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.
    """

    elementwise = True
    interleaved: tuple[str, ...] = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Share = 0.9,
        beta_2: Share = 0.999,
        epsilon: NotNegative = 1e-7,
        weight_decay: NotNegative | None = None,
        **kwargs: Any,
    ) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        super().__init__(learning_rate, weight_decay, **kwargs)

    def init(self, value: Any) -> Slots:
        """Zeros for both averages."""
        return {name: np.zeros_like(value) for name in self.interleaved}

    def _momentum(self, slots: Slots, gradient: Any) -> Any:
        return slots["momentum"] + (gradient - slots["momentum"]) * (1 - self.beta_1)

    def _velocity(self, slots: Slots, gradient: Any) -> Any:
        return slots["velocity"] + (np.square(gradient) - slots["velocity"]) * (1 - self.beta_2)


@REGISTRY.register()
class Adamax(_TwoAverages):
    """Adam with the largest gradient in place of the average square (Kingma & Ba, 2014, 7.1).

    Args:
        learning_rate: Number, schedule or callable.
        beta_1: Share of the old average gradient that stays at each step, in [0, 1].
        beta_2: Share of the old largest gradient that stays at each step, in [0, 1].
        epsilon: Added to the largest gradient.
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.

    Examples:
        >>> import kernelmodel as km
        >>> adamax = km.optimizers.Adamax(0.1)
        >>> one = np.ones(1, "float32")
        >>> w, slots = adamax.update(one, one, adamax.init(one), np.float32(0.1), np.int32(0))
        >>> w.round(4), slots["norm"]
        (array([0.9], dtype=float32), array([1.], dtype=float32))
    """

    interleaved = ("momentum", "norm")

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step; see the class."""
        kind = np.dtype(value.dtype).type
        momentum = self._momentum(slots, gradient)
        norm = np.maximum(self.beta_2 * slots["norm"], np.abs(gradient))
        unbiased = 1 - np.power(kind(self.beta_1), (iteration + 1).astype(value.dtype))
        change = learning_rate * momentum / (unbiased * (norm + self.epsilon))
        return value - change, {"momentum": momentum, "norm": norm}


@REGISTRY.register()
class Nadam(_TwoAverages):
    """Adam with Nesterov's momentum (Dozat, *Incorporating Nesterov momentum into Adam*, 2015).

    Args:
        learning_rate: Number, schedule or callable.
        beta_1: Share of the old average gradient that stays at each step, in [0, 1].
        beta_2: Share of the old average square that stays at each step, in [0, 1].
        epsilon: Added to the root.
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.

    Examples:
        >>> import kernelmodel as km
        >>> w = km.Variable([1.0])
        >>> km.optimizers.Nadam(0.1).apply([np.ones(1, "float32")], [w])
        >>> w.numpy().round(3)
        array([0.894], dtype=float32)
    """

    def _share(self, step: Any, dtype: Any) -> Any:
        """The momentum's share at a step, which grows slowly to beta_1."""
        kind = np.dtype(dtype).type
        return kind(self.beta_1) * (1 - kind(0.5) * np.power(kind(0.96), step.astype(dtype)))

    def init_shared(self, dtype: str) -> Slots:
        """The product of the momentum's shares so far."""
        return {"u_product": np.ones((), dtype)}

    def product_after(self, steps: int) -> np.floating:
        """The product of the momentum's shares in so many steps."""
        return np.prod(self._share(np.arange(1, steps + 1), "float32"))

    def update_shared(self, shared: Slots, iteration: Any) -> Slots:
        """One more factor."""
        product = shared["u_product"]
        factor = self._share(iteration + 1, product.dtype)
        return {"u_product": (product * factor).astype(product.dtype)}

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step; see the class."""
        kind = np.dtype(value.dtype).type
        now, ahead = (self._share(iteration + n, value.dtype) for n in (1, 2))
        product = slots["u_product"].astype(value.dtype)
        momentum, velocity = self._momentum(slots, gradient), self._velocity(slots, gradient)
        mean = ahead * momentum / (1 - product * ahead) + (1 - now) * gradient / (1 - product)
        square = velocity / (1 - np.power(kind(self.beta_2), (iteration + 1).astype(value.dtype)))
        change = mean * learning_rate / (np.sqrt(square) + self.epsilon)
        return value - change, {"momentum": momentum, "velocity": velocity}


@REGISTRY.register()
class Lamb(_TwoAverages):
    """Adam with steps as long as each weight is, for large batches (You et al., 2019).

    Args:
        learning_rate: Number, schedule or callable.
        beta_1: Share of the old average gradient that stays at each step, in [0, 1].
        beta_2: Share of the old average square that stays at each step, in [0, 1].
        epsilon: Added to the root.
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.

    Examples:
        >>> import kernelmodel as km
        >>> lamb = km.optimizers.Lamb(0.1)
        >>> one = np.ones(2, "float32")
        >>> w, slots = lamb.update(one, 3 * one, lamb.init(one), np.float32(0.1), np.int32(0))
        >>> w.round(4)
        array([2.7, 2.7], dtype=float32)
    """

    elementwise = False

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step; see the class."""
        kind, step = np.dtype(value.dtype).type, (iteration + 1).astype(value.dtype)
        momentum, velocity = self._momentum(slots, gradient), self._velocity(slots, gradient)
        mean = momentum / (1 - np.power(kind(self.beta_1), step))
        root = np.sqrt(velocity / (1 - np.power(kind(self.beta_2), step))) + self.epsilon
        change = mean / root
        own, length = (np.sqrt(np.sum(np.square(x))) for x in (value, change))
        usable = (own > 0) & (length > 0)
        ratio = np.where(usable, own / np.where(usable, length, 1), 1).astype(value.dtype)
        return value - ratio * learning_rate * change, {"momentum": momentum, "velocity": velocity}


@REGISTRY.register()
class ScheduleFreeAdamW(_TwoAverages):
    """Adam whose weights lie between its own steps and their average, so no schedule is needed.

    Defazio et al., *The road less scheduled*, 2024.

    Args:
        learning_rate: Number, schedule or callable.
        beta_1: Share of the average in the weights, above 0.
        beta_2: Share of the old average square that stays at each step, in [0, 1].
        epsilon: Added to the root.
        warmup_steps: Steps over which the learning rate rises from 0.
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.

    Examples:
        >>> import kernelmodel as km
        >>> w = km.Variable([1.0])
        >>> km.optimizers.ScheduleFreeAdamW(0.1).apply([np.ones(1, "float32")], [w])
        >>> w.numpy().round(3)
        array([0.9], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: Share = 0.9,
        beta_2: Share = 0.999,
        epsilon: NotNegative = 1e-8,
        warmup_steps: Whole = 0,
        weight_decay: NotNegative | None = None,
        **kwargs: Any,
    ) -> None:
        if beta_1 == 0:
            raise ValueError("ScheduleFreeAdamW: beta_1 must be above 0, got 0.")
        self.warmup_steps = warmup_steps
        super().__init__(learning_rate, beta_1, beta_2, epsilon, weight_decay, **kwargs)

    def init(self, value: Any) -> Slots:
        """The end of its own steps, which begin at the weight, and the average square."""
        return {"momentum": np.array(value), "velocity": np.zeros_like(value)}

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step; see the class."""
        kind, step = np.dtype(value.dtype).type, (iteration + 1).astype(value.dtype)
        beta, end = kind(self.beta_1), slots["momentum"]
        if self.warmup_steps:
            learning_rate = learning_rate * np.minimum(step / kind(self.warmup_steps), kind(1))
        velocity = self._velocity(slots, gradient)
        root = np.sqrt(velocity / (1 - np.power(kind(self.beta_2), step))) + kind(self.epsilon)
        new_end = end - learning_rate * gradient / root
        average = (value - (1 - beta) * end) / beta
        average = (1 - 1 / step) * average + 1 / step * new_end
        return (1 - beta) * new_end + beta * average, {"momentum": new_end, "velocity": velocity}
