"""Loss scaling: gradients of float16 numbers that would vanish, made large and small again."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.core.autoconfig import decode, encode
from kernelmodel.core.kinds import Count, Positive
from kernelmodel.core.variable import Variable
from kernelmodel.core.warning import warn_user
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.exchange import average_gradients, exchanging
from kernelmodel.optimizers.optimizer import REGISTRY, Optimizer
from kernelmodel.optimizers.state import store

BELONG_INSIDE = (
    "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum",
    "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps",
)  # fmt: skip


@REGISTRY.register()
class LossScaleOptimizer(Optimizer):
    """Another optimizer whose gradients are computed of a multiple of the loss.

    The factor doubles after some steps with finite gradients. Gradients that aren't finite halve
    it, and the step isn't made (Micikevicius et al., *Mixed precision training*, 2017).
    `compile` puts one around the optimizer of a model of policy "mixed_float16".

    Args:
        inner_optimizer: Makes the steps.
        initial_scale: First factor of the loss.
        dynamic_growth_steps: Steps with finite gradients after which the factor doubles.
        name: Name; made up of the class name if None.
        **kwargs: Arguments of `Optimizer` may be given with their defaults only.

    Raises:
        ValueError: An argument that the inner optimizer should have, or an unknown one.

    Examples:
        >>> import kernelmodel as km
        >>> optimizer = km.optimizers.LossScaleOptimizer(km.optimizers.SGD(0.1), 1024.0)
        >>> w = km.Variable([1.0])
        >>> optimizer.apply([np.array([1024.0], "float32")], [w])
        >>> w.numpy()
        array([0.9], dtype=float32)
        >>> optimizer.apply([np.array([np.inf], "float32")], [w])
        >>> w.numpy(), float(optimizer.dynamic_scale)
        (array([0.9], dtype=float32), 512.0)
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: Positive = 2.0**15,
        dynamic_growth_steps: Count = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        if not isinstance(inner_optimizer, Optimizer) or isinstance(inner_optimizer, type(self)):
            raise ValueError(
                f"{owner}: inner_optimizer must be an optimizer that doesn't scale the loss "
                f"itself, got {inner_optimizer!r}."
            )
        if kwargs.pop("dynamic", True) is not True:
            raise ValueError(
                f"{owner}: dynamic must be True. For a fixed factor give the inner optimizer a "
                "loss_scale_factor instead."
            )
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        super().__init__(0.0, name=name, **kwargs)
        changed = [n for n in BELONG_INSIDE if n in kwargs and kwargs[n] not in (None, False, 0.99)]
        if changed:
            raise ValueError(f"{owner} takes no {', '.join(changed)}: set it on inner_optimizer.")
        if inner_optimizer.loss_scale_factor is not None:
            warn_user(
                f"{owner}: the loss_scale_factor={inner_optimizer.loss_scale_factor} of "
                "inner_optimizer is dropped, because the factor changes with the gradients.",
            )
        inner_optimizer.loss_scale_factor = None

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the factor and the slots of the inner optimizer; later calls do nothing."""
        if self.built:
            return
        self.step_counter = self._make(np.array(0, np.int32), "step_counter")
        self.dynamic_scale = self._make(np.array(self.initial_scale, np.float32), "dynamic_scale")
        self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        """Those of this optimizer, then those of the inner one."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def averages(self) -> list[tuple[Variable, Variable]]:
        """Those of the inner optimizer."""
        return self.inner_optimizer.averages

    @property
    def iterations(self) -> Any:
        """Number of steps that were made."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        self.inner_optimizer.learning_rate = rate

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the factor, to compute gradients of."""
        scale = getval(self.dynamic_scale.value) if self.built else np.float32(self.initial_scale)
        return loss * scale

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Make a step if all gradients are finite; bring the factor up to date.

        Args:
            grads: A gradient (array or None) of the scaled loss for each variable.
            trainable_variables: As in `Optimizer.apply`.
        """
        known = self._known(grads, trainable_variables)
        grads = average_gradients(grads)
        given = [getval(g) for g in grads if g is not None]
        finite = functools.reduce(np.logical_and, [np.isfinite(g).all() for g in given], True)
        scale, counter = getval(self.dynamic_scale.value), getval(self.step_counter.value)
        skipped = isinstance(finite, (bool, np.bool_)) and not finite
        if not skipped:
            everything = [*known, *self.inner_optimizer.variables]
            before = [getval(v.value) for v in everything]
            unscaled = [None if g is None else getval(g) / scale for g in grads]
            with exchanging(None):
                self.inner_optimizer.apply(unscaled, known)
            for variable, old in zip(everything, before):
                store(variable, np.where(finite, getval(variable.value), old))
        grown = np.logical_and(finite, counter == self.dynamic_growth_steps - 1)
        reset = np.logical_or(grown, np.logical_not(finite))
        self.step_counter.assign(np.where(reset, 0, counter + 1))
        self.dynamic_scale.assign(scale * np.where(grown, 2.0, np.where(finite, 1.0, 0.5)))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """As in `Optimizer`, by the inner one."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        names = ("name", "inner_optimizer", "initial_scale", "dynamic_growth_steps")
        return {name: encode(getattr(self, name)) for name in names}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> LossScaleOptimizer:
        """Make an optimizer of the config of another, without its state."""
        return cls(**{name: decode(value) for name, value in config.items()})
