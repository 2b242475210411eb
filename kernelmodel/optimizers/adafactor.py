"""Adafactor."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.kinds import NotNegative, Positive
from kernelmodel.core.variable import Variable
from kernelmodel.optimizers.optimizer import REGISTRY, Optimizer
from kernelmodel.optimizers.state import Slots


@REGISTRY.register()
class Adafactor(Optimizer):
    """Adam without momentum, whose average squares are products of averages of rows and columns.

    Shazeer & Stern, *Adafactor: adaptive learning rates with sublinear memory cost*, 2018.

    Args:
        learning_rate: Number, schedule or callable; at most 1 / sqrt(step) of it is used.
        beta_2_decay: Power of the step that the share of new squares falls with.
        epsilon_1: Added to squared gradients.
        epsilon_2: Smallest size of a weight that steps are made relative to.
        clip_threshold: Largest root mean square of a step before the learning rate.
        relative_step: Without effect, as in Keras, where the learning rate is limited either way.
        weight_decay: As in `Optimizer`.
        **kwargs: Further arguments of `Optimizer`.

    Examples:
        >>> import kernelmodel as km
        >>> adafactor = km.optimizers.Adafactor(0.1)
        >>> one = np.ones((2, 2), "float32")
        >>> arguments = adafactor.init(one), np.float32(0.1), np.int32(0)
        >>> w, slots = adafactor.update(one, one, *arguments)
        >>> w[0].round(4), slots["r"]
        (array([0.9, 0.9], dtype=float32), array([1., 1.], dtype=float32))
    """

    interleaved = ("r", "c", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: NotNegative = 1e-30,
        epsilon_2: NotNegative = 1e-3,
        clip_threshold: Positive = 1.0,
        relative_step: bool = True,
        weight_decay: NotNegative | None = None,
        **kwargs: Any,
    ) -> None:
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step
        super().__init__(learning_rate, weight_decay, **kwargs)

    def init(self, value: Any) -> Slots:
        """Average squares of rows and columns (without use below two axes), and their product."""
        if value.ndim < 2:
            # Files of Keras hold an integer zero in these places.
            return {"r": np.int32(0), "c": np.int32(0), "velocity": np.zeros_like(value)}
        rows, columns = value.shape[:-1], (*value.shape[:-2], value.shape[-1])
        return {
            "r": np.zeros(rows, value.dtype),
            "c": np.zeros(columns, value.dtype),
            "velocity": np.zeros_like(value),
        }

    def _slot_name(self, variable: Variable, slot: str) -> str:
        return variable.name if slot in ("r", "c") else super()._slot_name(variable, slot)

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step; see the class."""
        kind, step = np.dtype(value.dtype).type, (iteration + 1).astype(value.dtype)
        rate = np.minimum(learning_rate, 1 / np.sqrt(step))
        rate = np.maximum(kind(self.epsilon_2), _size(value)) * rate
        squares = np.square(gradient) + self.epsilon_1
        kept = 1 - np.power(step, kind(self.beta_2_decay))
        rows, columns = slots["r"], slots["c"]
        if gradient.ndim < 2:
            velocity = kept * slots["velocity"] + (1 - kept) * squares
        else:
            rows = kept * rows + (1 - kept) * squares.mean(-1)
            columns = kept * columns + (1 - kept) * squares.mean(-2)
            relative = rows / rows.mean(-1, keepdims=True)
            velocity = relative[..., None] * columns[..., None, :]
        change = gradient / np.sqrt(velocity)
        change = change / np.maximum(kind(1), _size(change) / self.clip_threshold)
        return value - rate * change, {"r": rows, "c": columns, "velocity": velocity}


def _size(x: Any) -> Any:
    """Root mean square."""
    return np.sqrt(np.mean(np.square(x)))
