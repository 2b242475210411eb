"""Muon."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from kernelmodel.core.kinds import BelowOne, NotNegative, Share, Strings, Whole
from kernelmodel.core.variable import Variable
from kernelmodel.optimizers.adam import adam_update
from kernelmodel.optimizers.optimizer import REGISTRY, Optimizer
from kernelmodel.optimizers.state import Slots


@REGISTRY.register()
class Muon(Optimizer):
    """Steps along the nearest orthogonal matrix to an average gradient; Adam for what is no matrix.

    Jordan et al., *Muon: an optimizer for hidden layers in neural networks*, 2024; lengths of
    steps as in Liu et al., *Muon is scalable for LLM training*, 2025. Embeddings and the output
    layer should be left to Adam.

    Args:
        learning_rate: Number, schedule or callable.
        adam_beta_1: Adam's share of the old average gradient that stays at each step.
        adam_beta_2: Adam's share of the old average square that stays at each step.
        adam_weight_decay: Weight decay of what Adam trains.
        epsilon: Added to Adam's root.
        weight_decay: Weight decay of matrices; see `Optimizer`.
        exclude_layers: Regular expressions; variables whose paths they are found in go to Adam.
        exclude_embeddings: Leave variables with "embedding" in their paths to Adam.
        muon_a: Coefficient of X in the iteration towards an orthogonal matrix.
        muon_b: Coefficient of X Xᵀ X.
        muon_c: Coefficient of X Xᵀ X Xᵀ X.
        adam_lr_ratio: Adam's learning rate as a multiple of the learning rate.
        momentum: Share of the old average gradient that stays at each step, in [0, 1].
        ns_steps: Number of iterations.
        nesterov: Look ahead along the momentum.
        rms_rate: Steps are sqrt(longer side) times this as long; None for no such factor.
        **kwargs: Further arguments of `Optimizer`.

    Examples:
        >>> import kernelmodel as km
        >>> w = km.Variable(np.eye(2, dtype="float32"))
        >>> muon = km.optimizers.Muon(0.1, weight_decay=None, rms_rate=None)
        >>> muon.apply([np.array([[2.0, 0.0], [0.0, 0.5]], "float32")], [w])
        >>> bool((np.diag(w.numpy()) < 0.95).all())
        True
    """

    interleaved = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: BelowOne = 0.9,
        adam_beta_2: BelowOne = 0.999,
        adam_weight_decay: NotNegative | None = 0.004,
        epsilon: NotNegative = 1e-7,
        weight_decay: NotNegative | None = 0.004,
        exclude_layers: Strings | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: NotNegative = 1,
        momentum: Share = 0.95,
        ns_steps: Whole = 5,
        nesterov: bool = True,
        rms_rate: NotNegative | None = 0.2,
        **kwargs: Any,
    ) -> None:
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate
        super().__init__(learning_rate, weight_decay, **kwargs)

    def _goes_to_adam(self, variable: Variable) -> bool:
        if len(variable.shape) != 2:
            return True
        if self.exclude_embeddings and "embedding" in variable.path.lower():
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def _decay_of(self, variable: Variable) -> float | None:
        return self.adam_weight_decay if self._goes_to_adam(variable) else self.weight_decay

    def init(self, value: Any) -> Slots:
        """The average gradient and, for Adam, the average square."""
        return {name: np.zeros_like(value) for name in self.interleaved}

    def _init_for(self, variable: Variable) -> Slots:
        slots = super()._init_for(variable)
        if not self._goes_to_adam(variable):
            del slots["velocity"]
        return slots

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step: Adam's if there is an average square among the slots."""
        if "velocity" in slots:
            rate = learning_rate * self.adam_lr_ratio
            return adam_update(
                gradient, value, slots, rate, iteration,
                self.adam_beta_1, self.adam_beta_2, self.epsilon,
            )  # fmt: skip
        momentum = self.momentum * slots["momentum"] + gradient
        ahead = gradient + self.momentum * momentum if self.nesterov else momentum
        change = learning_rate * self.orthogonal(ahead)
        if self.rms_rate is not None:
            kind = np.dtype(value.dtype).type
            change = change * kind(np.sqrt(max(value.shape))) * kind(self.rms_rate)
        return value - change, {"momentum": momentum}

    def orthogonal(self, matrix: Any) -> Any:
        """About the nearest orthogonal matrix, by a Newton-Schulz iteration of fifth order.

        Args:
            matrix: (rows, columns).
        """
        upright = matrix.shape[0] > matrix.shape[1]
        x = matrix.T if upright else matrix
        x = x / (np.sqrt(np.sum(np.square(x))) + 1e-7)
        for _ in range(self.ns_steps):
            square = x @ x.T
            x = self.muon_a * x + (self.muon_b * square + self.muon_c * square @ square) @ x
        return x.T if upright else x
