"""FTRL."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.kinds import NotNegative, NotPositive
from kernelmodel.optimizers.optimizer import REGISTRY, Optimizer
from kernelmodel.optimizers.state import Slots


@REGISTRY.register()
class Ftrl(Optimizer):
    """Follows the regularized leader: weights whose gradients are small stay exactly zero.

    McMahan et al., *Ad click prediction: a view from the trenches*, 2013. With n the sum of
    squared gradients, z the sum of gradients and p = -learning_rate_power,

        z += g - (n_new^p - n^p) / learning_rate * w
        w = (clip(z, -l1, l1) - z) / (n_new^p / learning_rate + 2 l2 + beta / learning_rate)

    Args:
        learning_rate: Number, schedule or callable.
        learning_rate_power: At most 0; 0 for a learning rate that doesn't fall.
        initial_accumulator_value: First value of n, at least 0.
        l1_regularization_strength: l1, at least 0.
        l2_regularization_strength: l2, at least 0.
        l2_shrinkage_regularization_strength: Twice this times the weight is added to gradients.
        beta: The paper's beta.
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.

    Raises:
        ValueError: An argument out of its range.

    Examples:
        >>> import kernelmodel as km
        >>> ftrl = km.optimizers.Ftrl(0.1)
        >>> one = np.ones(1, "float32")
        >>> w, slots = ftrl.update(one, one, ftrl.init(one), np.float32(0.1), 0)
        >>> w.round(4), slots["accumulator"].round(4)
        (array([0.6031], dtype=float32), array([1.1], dtype=float32))
    """

    elementwise = True
    interleaved = ("accumulator", "linear")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: NotPositive = -0.5,
        initial_accumulator_value: NotNegative = 0.1,
        l1_regularization_strength: NotNegative = 0.0,
        l2_regularization_strength: NotNegative = 0.0,
        l2_shrinkage_regularization_strength: NotNegative = 0.0,
        beta: NotNegative = 0.0,
        weight_decay: NotNegative | None = None,
        **kwargs: Any,
    ) -> None:
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        super().__init__(learning_rate, weight_decay, **kwargs)

    def init(self, value: Any) -> Slots:
        """n and z."""
        first = np.full_like(value, self.initial_accumulator_value)
        return {"accumulator": first, "linear": np.zeros_like(value)}

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step; see the class."""
        power, l1 = -self.learning_rate_power, self.l1_regularization_strength
        old = slots["accumulator"]
        new = old + np.square(gradient)
        new_root, old_root = np.power(new, power), np.power(old, power)
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * value
        linear = slots["linear"] + (shrunk - (new_root - old_root) / learning_rate * value)
        l2 = self.l2_regularization_strength + self.beta / (2 * learning_rate)
        stiffness = new_root / learning_rate + 2 * l2
        value = (np.clip(linear, -l1, l1) - linear) / stiffness
        return value, {"accumulator": new, "linear": linear}
