"""Adam and AdamW."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.kinds import BelowOne, NotNegative
from kernelmodel.engine.kernels import adam as kernels
from kernelmodel.engine.plan import plan_of
from kernelmodel.optimizers.optimizer import REGISTRY, Optimizer
from kernelmodel.optimizers.state import Slots


def adam_update(
    gradient: Any,
    value: Any,
    slots: Slots,
    learning_rate: Any,
    iteration: Any,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[Any, Slots]:
    """One step of Adam for one weight; AMSGrad's if there is a "velocity_hat" among the slots.

    Args:
        gradient: As in `Optimizer.update`.
        value: The weight.
        slots: "momentum" and "velocity", and perhaps "velocity_hat".
        learning_rate: Scalar of the weight's dtype.
        iteration: Number of steps before.
        beta_1: Share of the old average gradient that stays.
        beta_2: Share of the old average square that stays.
        epsilon: Added to the root.

    Returns:
        The new weight and the new slots.
    """
    unbiased = unbiasing(iteration, value.dtype, beta_1, beta_2)
    momentum, velocity = slots["momentum"], slots["velocity"]
    momentum = momentum + (gradient - momentum) * (1 - beta_1)
    velocity = velocity + (np.square(gradient) - velocity) * (1 - beta_2)
    new = {"momentum": momentum, "velocity": velocity}
    if "velocity_hat" in slots:
        velocity = new["velocity_hat"] = np.maximum(slots["velocity_hat"], velocity)
    change = momentum * (learning_rate * unbiased) / (np.sqrt(velocity) + epsilon)
    return value - change, new


def unbiasing(iteration: Any, dtype: Any, beta_1: float, beta_2: float) -> Any:
    """The factor of the learning rate that corrects the averages for having begun at zero."""
    kind = np.dtype(dtype).type
    step = (iteration + 1).astype(dtype)
    return np.sqrt(1 - np.power(kind(beta_2), step)) / (1 - np.power(kind(beta_1), step))


@REGISTRY.register()
class Adam(Optimizer):
    """Steps along a moving average of gradients, over the root of one of their squares.

    Kingma & Ba, *Adam: a method for stochastic optimization*, 2014, in the form before section
    2.1; AMSGrad: Reddi et al., 2018.

    Args:
        learning_rate: Number, schedule or callable.
        beta_1: Share of the old average gradient that stays at each step.
        beta_2: Share of the old average square that stays at each step.
        epsilon: Added to the root.
        amsgrad: Divide by the largest average square so far.
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.

    Examples:
        >>> import kernelmodel as km
        >>> adam = km.optimizers.Adam(0.1)
        >>> one = np.ones(1, "float32")
        >>> w, slots = adam.update(one, one, adam.init(one), np.float32(0.1), np.int32(0))
        >>> w.round(4), slots["momentum"].round(4)
        (array([0.9], dtype=float32), array([0.1], dtype=float32))
    """

    elementwise = True
    interleaved = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: BelowOne = 0.9,
        beta_2: BelowOne = 0.999,
        epsilon: NotNegative = 1e-7,
        amsgrad: bool = False,
        weight_decay: NotNegative | None = None,
        **kwargs: Any,
    ) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
        super().__init__(learning_rate, weight_decay, **kwargs)

    def init(self, value: Any) -> Slots:
        """Average gradient and average square, and the largest such if amsgrad."""
        names = [*self.interleaved, "velocity_hat"] if self.amsgrad else self.interleaved
        return {name: np.zeros_like(value) for name in names}

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step; see the class."""
        return adam_update(
            gradient, value, slots, learning_rate, iteration, self.beta_1, self.beta_2, self.epsilon
        )

    def update_into(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any,
        new_value: Any, new_slots: Slots,
    ) -> None:  # fmt: skip
        """The same as `update` to the last bit, by a kernel."""
        plan = plan_of((value,))
        if self.amsgrad or (plan is None and not all_arrays(gradient, value, *slots.values())):
            super().update_into(
                gradient, value, slots, learning_rate, iteration, new_value, new_slots
            )
            return
        kind = value.dtype.type
        unbiased = unbiasing(iteration, value.dtype, self.beta_1, self.beta_2)
        arguments = (
            gradient, value, slots["momentum"], slots["velocity"],
            new_value, new_slots["momentum"], new_slots["velocity"],
            kind(1 - self.beta_1), kind(1 - self.beta_2),
            (learning_rate * unbiased).astype(value.dtype, copy=False), kind(self.epsilon),
        )  # fmt: skip
        if plan is None:
            kernels.step(*arguments)
        else:
            plan.in_place(kernels.step_of_any_shape, arguments, {})


def all_arrays(*values: Any) -> bool:
    """Whether all values are arrays of NumPy's own class."""
    return all(type(value) is np.ndarray for value in values)


@REGISTRY.register("adamw")
class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov & Hutter, 2017).

    Args:
        learning_rate: Number, schedule or callable.
        weight_decay: Share of each weight, times the learning rate, taken off at each step.
        beta_1: As in `Adam`.
        beta_2: As in `Adam`.
        epsilon: As in `Adam`.
        amsgrad: As in `Adam`.
        **kwargs: Further arguments of `Optimizer`.

    Examples:
        >>> import kernelmodel as km
        >>> km.optimizers.AdamW().weight_decay
        0.004
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: NotNegative = 0.004,
        beta_1: BelowOne = 0.9,
        beta_2: BelowOne = 0.999,
        epsilon: NotNegative = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a number, got None. Use Adam instead.")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs
        )
