"""RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.kinds import NotNegative, Share
from kernelmodel.optimizers.optimizer import REGISTRY, Optimizer
from kernelmodel.optimizers.state import Slots


@REGISTRY.register("rmsprop")
class RMSprop(Optimizer):
    """Gradients divided by the root of a moving average of their squares.

    Hinton, *Neural networks for machine learning*, lecture 6e, 2012; centered: Graves, 2013.

    Args:
        learning_rate: Number, schedule or callable.
        rho: Share of the old average that stays at each step.
        momentum: Share of the last step that goes on.
        epsilon: Added below the root.
        centered: Divide by the standard deviation: subtract the square of the mean gradient.
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.

    Examples:
        >>> import kernelmodel as km
        >>> rmsprop = km.optimizers.RMSprop(0.1)
        >>> one = np.ones(1, "float32")
        >>> w, slots = rmsprop.update(one, one, rmsprop.init(one), np.float32(0.1), 0)
        >>> w.round(4), slots["velocity"].round(4)
        (array([0.6838], dtype=float32), array([0.1], dtype=float32))
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Share = 0.9,
        momentum: Share = 0.0,
        epsilon: NotNegative = 1e-7,
        centered: bool = False,
        weight_decay: NotNegative | None = None,
        **kwargs: Any,
    ) -> None:
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        super().__init__(learning_rate, weight_decay, **kwargs)

    def init(self, value: Any) -> Slots:
        """Average square; momentum and average gradient where they are used."""
        names = ["velocity"]
        names += ["momentum"] if self.momentum > 0 else []
        names += ["average_gradient"] if self.centered else []
        return {name: np.zeros_like(value) for name in names}

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step; see the class."""
        rho = self.rho
        velocity = slots["velocity"] * rho + np.square(gradient) * (1 - rho)
        new = {"velocity": velocity}
        spread = velocity + self.epsilon
        if self.centered:
            mean = slots["average_gradient"] * rho + gradient * (1 - rho)
            new["average_gradient"] = mean
            spread = velocity - np.square(mean) + self.epsilon
        change = gradient * learning_rate / np.sqrt(spread)
        if self.momentum > 0:
            change = new["momentum"] = slots["momentum"] * self.momentum + change
        return value - change, new
