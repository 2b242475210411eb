"""Lion."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.kinds import AboveZero, NotNegative, Share
from kernelmodel.optimizers.optimizer import REGISTRY, Optimizer
from kernelmodel.optimizers.state import Slots


@REGISTRY.register()
class Lion(Optimizer):
    """Steps of one length in the direction of the sign of an average gradient.

    Chen et al., *Symbolic discovery of optimization algorithms*, 2023. Learning rates are three
    to ten times as small as Adam's.

    Args:
        learning_rate: Number, schedule or callable.
        beta_1: Share of the average gradient in the direction, in (0, 1].
        beta_2: Share of the old average that stays at each step, in [0, 1].
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.

    Raises:
        ValueError: A beta out of its range.

    Examples:
        >>> import kernelmodel as km
        >>> lion = km.optimizers.Lion(0.1)
        >>> one = np.ones(1, "float32")
        >>> w, slots = lion.update(5 * one, one, lion.init(one), np.float32(0.1), 0)
        >>> w, slots["momentum"].round(4)
        (array([0.9], dtype=float32), array([0.05], dtype=float32))
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: AboveZero = 0.9,
        beta_2: Share = 0.99,
        weight_decay: NotNegative | None = None,
        **kwargs: Any,
    ) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        super().__init__(learning_rate, weight_decay, **kwargs)

    def init(self, value: Any) -> Slots:
        """The average gradient."""
        return {"momentum": np.zeros_like(value)}

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step; see the class."""
        kind, momentum = np.dtype(value.dtype).type, slots["momentum"]
        first, second = kind(self.beta_1), kind(self.beta_2)
        direction = np.sign(momentum * first + gradient * (1 - first))
        new = momentum * second + gradient * (1 - second)
        return value - learning_rate * direction, {"momentum": new}
