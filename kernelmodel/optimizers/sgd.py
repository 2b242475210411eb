"""Gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.kinds import NotNegative, Share
from kernelmodel.optimizers.optimizer import REGISTRY, Optimizer
from kernelmodel.optimizers.state import Slots


@REGISTRY.register()
class SGD(Optimizer):
    """Gradient descent: `w -= learning_rate * gradient`, or with a momentum m

        m = momentum * m - learning_rate * gradient;  w += m

    and with Nesterov's, `w += momentum * m - learning_rate * gradient` (Sutskever et al., 2013).

    Args:
        learning_rate: Number, schedule or callable.
        momentum: Share of the last step that goes on, in [0, 1].
        nesterov: Look ahead along the momentum.
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.

    Examples:
        >>> import kernelmodel as km
        >>> sgd = km.optimizers.SGD(0.1, momentum=0.5)
        >>> one = np.ones(1, "float32")
        >>> w, slots = sgd.update(one, one, sgd.init(one), np.float32(0.1), 0)
        >>> w
        array([0.9], dtype=float32)
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: Share = 0.0,
        nesterov: bool = False,
        weight_decay: NotNegative | None = None,
        **kwargs: Any,
    ) -> None:
        self.momentum = momentum
        self.nesterov = nesterov
        super().__init__(learning_rate, weight_decay, **kwargs)

    def init(self, value: Any) -> Slots:
        """The momentum, if there is one."""
        return {"momentum": np.zeros_like(value)} if self.momentum else {}

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step; see the class."""
        change = gradient * learning_rate
        if not self.momentum:
            return value - change, slots
        momentum = slots["momentum"] * self.momentum - change
        ahead = momentum * self.momentum - change if self.nesterov else momentum
        return value + ahead, {"momentum": momentum}
