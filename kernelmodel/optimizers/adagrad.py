"""Adagrad and Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.kinds import NotNegative, Share
from kernelmodel.optimizers.optimizer import REGISTRY, Optimizer
from kernelmodel.optimizers.state import Slots


@REGISTRY.register()
class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of all their squares so far.

    Duchi et al., *Adaptive subgradient methods for online learning and stochastic optimization*,
    2011.

    Args:
        learning_rate: Number, schedule or callable.
        initial_accumulator_value: First value of the sums, at least 0.
        epsilon: Added below the root.
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.

    Examples:
        >>> import kernelmodel as km
        >>> adagrad = km.optimizers.Adagrad(0.1)
        >>> one = np.ones(1, "float32")
        >>> w, slots = adagrad.update(one, one, adagrad.init(one), np.float32(0.1), 0)
        >>> w.round(4), slots["accumulator"].round(4)
        (array([0.9047], dtype=float32), array([1.1], dtype=float32))
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: NotNegative = 0.1,
        epsilon: NotNegative = 1e-7,
        weight_decay: NotNegative | None = None,
        **kwargs: Any,
    ) -> None:
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon
        super().__init__(learning_rate, weight_decay, **kwargs)

    def init(self, value: Any) -> Slots:
        """The sum of squares."""
        return {"accumulator": np.full_like(value, self.initial_accumulator_value)}

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step; see the class."""
        total = slots["accumulator"] + np.square(gradient)
        change = learning_rate * gradient / np.sqrt(total + self.epsilon)
        return value - change, {"accumulator": total}


@REGISTRY.register()
class Adadelta(Optimizer):
    """Gradients scaled by the size of the last changes over that of the last gradients.

    Zeiler, *ADADELTA: an adaptive learning rate method*, 2012, which has a learning rate of 1.

    Args:
        learning_rate: Number, schedule or callable.
        rho: Share of the old averages that stays at each step, in [0, 1].
        epsilon: Added below both roots.
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.

    Examples:
        >>> import kernelmodel as km
        >>> adadelta = km.optimizers.Adadelta(1.0, epsilon=0.01)
        >>> one = np.ones(1, "float32")
        >>> w, slots = adadelta.update(one, one, adadelta.init(one), np.float32(1), 0)
        >>> w.round(4), slots["accumulated_grad"].round(4)
        (array([0.5918], dtype=float32), array([0.05], dtype=float32))
    """

    elementwise = True
    interleaved = ("accumulated_grad", "accumulated_delta_var")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Share = 0.95,
        epsilon: NotNegative = 1e-7,
        weight_decay: NotNegative | None = None,
        **kwargs: Any,
    ) -> None:
        self.rho = rho
        self.epsilon = epsilon
        super().__init__(learning_rate, weight_decay, **kwargs)

    def init(self, value: Any) -> Slots:
        """Average squares of gradients and of changes."""
        return {name: np.zeros_like(value) for name in self.interleaved}

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step; see the class."""
        rho, changes = self.rho, slots["accumulated_delta_var"]
        squares = rho * slots["accumulated_grad"] + (1 - rho) * np.square(gradient)
        size = np.sqrt(changes + self.epsilon)
        change = -(size * gradient) / np.sqrt(squares + self.epsilon)
        changes = rho * changes + (1 - rho) * np.square(change)
        new = {"accumulated_grad": squares, "accumulated_delta_var": changes}
        return value + learning_rate * change, new
