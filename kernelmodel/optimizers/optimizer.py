"""What every optimizer does around its update rule: clipping, decay, averages, accumulation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from kernelmodel.core.kinds import AtLeastTwo, Count, NotNegative, Positive, Share
from kernelmodel.core.lookup import Registry, unknown_arguments
from kernelmodel.core.variable import Variable
from kernelmodel.core.warning import warn_user
from kernelmodel.core.watching import Watch
from kernelmodel.engine.bfloat16 import in_dtype
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.exchange import average_gradients
from kernelmodel.engine.plan import as_one, plan_of
from kernelmodel.engine.program import can_run
from kernelmodel.engine.scope import CURRENT
from kernelmodel.engine.subnormals import SubnormalsAsZeros
from kernelmodel.engine.xla_array import XlaArray
from kernelmodel.optimizers.gradients import clip, present
from kernelmodel.optimizers.state import OptimizerState, Slots, store
from kernelmodel.optimizers.together import PROGRAMMED, Groups, Made, groups, step

REGISTRY = Registry("optimizer", "keras.optimizers")


class Optimizer(OptimizerState):
    """Base of optimizers: a subclass defines two pure functions, `init` and `update`.

    Args:
        learning_rate: Number, `LearningRateSchedule`, or callable without arguments.
        weight_decay: Share of each weight, times the learning rate, taken off at each step.
        clipnorm: Largest norm of each gradient; 0 or None for any, as with the next two.
        clipvalue: Largest absolute value in each gradient.
        global_clipnorm: Largest norm of all gradients together.
        use_ema: Keep an exponential moving average of each weight.
        ema_momentum: Share of the old average that stays at each step.
        ema_overwrite_frequency: Steps after which weights are replaced by their averages; None
            for at the end of training only.
        loss_scale_factor: The loss is multiplied by it, the gradients divided.
        gradient_accumulation_steps: Batches whose mean gradient makes one step.
        name: Name; made up of the class name if None.

    Raises:
        ValueError: An argument out of its range.

    Examples:
        >>> import kernelmodel as km
        >>> class SignDescent(km.optimizers.Optimizer):
        ...     def update(self, gradient, value, slots, learning_rate, iteration):
        ...         return value - learning_rate * np.sign(gradient), slots
        >>> w = Variable([1.0, 2.0])
        >>> SignDescent(0.5).apply([np.array([3.0, -0.1], "float32")], [w])
        >>> w.numpy()
        array([0.5, 2.5], dtype=float32)
    """

    # Whether `update` treats each element of a weight on its own, so that it may see pieces.
    elementwise = False

    def __init__(
        self,
        learning_rate: Any = 0.01,
        weight_decay: NotNegative | None = None,
        clipnorm: NotNegative | None = None,
        clipvalue: NotNegative | None = None,
        global_clipnorm: NotNegative | None = None,
        use_ema: bool = False,
        ema_momentum: Share = 0.99,
        ema_overwrite_frequency: Count | None = None,
        loss_scale_factor: Positive | None = None,
        gradient_accumulation_steps: AtLeastTwo | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._excluded: list[Variable] = []
        self._excluded_names: re.Pattern[str] | None = None
        self._together = Groups()
        super().__init__(learning_rate, name)
        self._check(kwargs)

    def _check(self, unknown: dict[str, Any]) -> None:
        owner = type(self).__name__
        if unknown.pop("decay", None) is not None:
            warn_user(
                f"{owner}: the argument decay does nothing. Use an InverseTimeDecay schedule as "
                "learning_rate.",
            )
        if unknown:
            raise ValueError(unknown_arguments(owner, unknown, self.get_config()))
        clipping = [self.clipnorm, self.clipvalue, self.global_clipnorm]
        if sum(limit is not None for limit in clipping) > 1:
            raise ValueError(
                f"{owner}: give only one of clipnorm, clipvalue and global_clipnorm, got "
                f"clipnorm={clipping[0]}, clipvalue={clipping[1]}, global_clipnorm={clipping[2]}."
            )

    def update(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any
    ) -> tuple[Any, Slots]:
        """One step for one weight, without side effects.

        Args:
            gradient: Array of the shape and dtype of the weight.
            value: The weight.
            slots: What `init` or the last step returned, and what `init_shared` names.
            learning_rate: Scalar of the weight's dtype.
            iteration: Number of steps before this one, an integer scalar.

        Returns:
            The new weight and the new slots.
        """
        raise NotImplementedError(
            f"{type(self).__name__} needs an update(gradient, value, slots, learning_rate, "
            "iteration) that returns the new value and slots."
        )

    def update_into(
        self, gradient: Any, value: Any, slots: Slots, learning_rate: Any, iteration: Any,
        new_value: Any, new_slots: Slots,
    ) -> None:  # fmt: skip
        """`update` for flat arrays that writes what it gives into other ones.

        An elementwise optimizer may override it to write there at once.

        Args:
            gradient: As in `update`.
            value: As in `update`.
            slots: As in `update`.
            learning_rate: As in `update`.
            iteration: As in `update`.
            new_value: Gets the new weight.
            new_slots: Get the new slots.
        """
        new_value[...], made = self.update(gradient, value, slots, learning_rate, iteration)
        for name, array in new_slots.items():
            array[...] = made[name]

    def minimize(self, loss: Any, var_list: Sequence[Variable], tape: Any = None) -> Any:
        """Compute the gradients of a loss and apply them.

        Args:
            loss: Scalar recorded by the tape.
            var_list: Variables to change.
            tape: The `GradientTape` that recorded the loss.
        """
        if tape is None:
            raise ValueError(
                "minimize needs the tape that recorded the loss: compute the loss inside "
                "`with kernelmodel.GradientTape() as tape:` and pass tape=tape."
            )
        one = np.ones_like(getval(loss))
        scaled = self.scale_loss(one)
        seeds = {} if scaled is one else {"output_gradients": scaled}
        with np.errstate(over="ignore" if seeds else np.geterr()["over"]):
            gradients = tape.gradient(loss, list(var_list), **seeds)
        return self.apply_gradients(zip(gradients, var_list))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]], **_: Any) -> Any:
        """Make a step with pairs of gradient and variable.

        Args:
            grads_and_vars: Pairs `(gradient, variable)`.

        Returns:
            The iteration count, a variable.
        """
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Make a step.

        Args:
            grads: A gradient (array or None) for each variable.
            trainable_variables: The variables; None for those it was built with. Frozen ones
                (`trainable = False`) are left alone.

        Raises:
            ValueError: No gradient at all, or variables that it wasn't built with.
        """
        known = self._known(grads, trainable_variables)
        grads = average_gradients(grads)
        context = CURRENT.get()
        if context is not None and isinstance(context.observer, Watch):
            factor = self.loss_scale_factor
            plain = grads if factor is None else [g if g is None else g / factor for g in grads]
            context.observer.saw_gradients(plain, known)
        gradients, variables = present(self.name, grads, known)
        if known:
            with SubnormalsAsZeros() if context is None else nullcontext():  # a step has its own
                self._apply(gradients, variables)

    def _apply(self, gradients: list[Any], variables: list[Variable]) -> None:
        if self.loss_scale_factor is not None:
            gradients = [gradient / self.loss_scale_factor for gradient in gradients]
        if self.gradient_accumulation_steps:
            self._step_if_due(gradients, variables)
        else:
            self._step(gradients, variables)
        if self.use_ema:
            self._average()
        for variable in variables:
            constraint = getattr(variable, "constraint", None)
            if constraint is not None:
                variable.assign(constraint(getval(variable.value)))
        self._iterations.assign(getval(self._iterations.value) + np.int32(1))

    def _known(self, grads: Sequence[Any], given: Any) -> list[Variable]:
        """The variables of a step, once it is sure that they can be trained."""
        if given is None and not self.built:
            raise ValueError(
                f"Optimizer {self.name!r} doesn't know its variables yet. Pass them too, or call "
                "build(variables) first."
            )
        variables = self._trained if given is None else list(given)
        if variables and not self.built:
            self.build(variables)
        if len(grads) != len(variables):
            raise ValueError(
                f"Optimizer {self.name!r} needs a gradient for each of {len(variables)} variables, "
                f"got {len(grads)}. Use None for a variable without one."
            )
        unknown = [v.path for v in variables if id(v) not in self._slots]
        if unknown:
            raise ValueError(
                f"Optimizer {self.name!r} wasn't built with the variables {unknown}. After "
                "changing the layers of a model, compile it again with a new optimizer."
            )
        return variables

    def _step(self, gradients: list[Any], variables: list[Variable]) -> None:
        gradients = clip(gradients, self.clipnorm, self.global_clipnorm, self.clipvalue)
        rate, iteration = getval(self.learning_rate), getval(self.iterations)
        shared = {name: getval(variable.value) for name, variable in self._shared.items()}
        shared = self.update_shared(shared, iteration)
        for name, variable in self._shared.items():
            store(variable, shared[name])
        decays = [None if self._undecayed(v) else self._decay_of(v) for v in variables]
        done = self._update_together(gradients, variables, decays, shared, rate, iteration)
        for i, (gradient, variable) in enumerate(zip(gradients, variables)):
            if i in done:
                continue
            # A step in bfloat16 would round most of it away (0.999 is 1 there): it is in float32.
            dtype = "float32" if variable.dtype == "bfloat16" else variable.dtype
            gradient, value, decay = (
                in_dtype(dtype, gradient),
                in_dtype(dtype, getval(variable.value)),
                decays[i],
            )
            own_rate = rate if rate.dtype == dtype else rate.astype(dtype)
            if decay is not None:
                value = value - value * np.dtype(dtype).type(decay) * own_rate
            slots = {name: in_dtype(dtype, s) for name, s in self._slot_values(variable).items()}
            slots |= shared
            self._keep(variable, *self.update(gradient, value, slots, own_rate, iteration))

    def _update_together(
        self,
        gradients: list[Any],
        variables: list[Variable],
        decays: list[float | None],
        *rest: Any,
    ) -> set[int]:
        """Update what can be updated as one array, and return the places of those variables."""
        fit = [
            i
            for i, (gradient, variable) in enumerate(zip(gradients, variables))
            if self.elementwise
            and not isinstance(gradient, XlaArray)
            and variable.dtype != "bfloat16"
        ]
        places = groups([variables[i] for i in fit], [decays[i] for i in fit])
        later: list[tuple[list[Variable], Any]] = []
        for group in ([fit[place] for place in found] for found in places):
            members = [variables[i] for i in group]
            together = self._together.of(members, decays[group[0]])
            arrays = [getval(v.value) for v in members], [self._slot_values(v) for v in members]
            given = (self.update_into, [gradients[i] for i in group], *arrays)
            if plan_of(arrays[0]) is not None and together.size <= PROGRAMMED and can_run():
                self._keep_all(members, together.one_by_one(*given, *rest))
            else:
                later.append((members, (together, *given)))
        if later:
            all_made = as_one(step, [group for _, group in later], *rest)
            for (members, _), made in zip(later, all_made):
                self._keep_all(members, made)
        return set(fit)

    def _slot_values(self, variable: Variable) -> Slots:
        return {name: getval(slot.value) for name, slot in self._slots[id(variable)].items()}

    def _keep_all(self, variables: list[Variable], made: Made) -> None:
        for variable, value, slots in zip(variables, *made):
            self._keep(variable, value, slots)

    def _keep(self, variable: Variable, value: Any, slots: Slots) -> None:
        store(variable, in_dtype(variable.dtype, value))
        for name, slot in self._slots[id(variable)].items():
            store(slot, in_dtype(slot.dtype, slots[name]))

    def _decay_of(self, variable: Variable) -> float | None:
        return self.weight_decay

    def _step_if_due(self, gradients: list[Any], variables: list[Variable]) -> None:
        """Add to the sums of gradients; make a step with their means, and keep it if it is due."""
        steps = self.gradient_accumulation_steps
        due = (getval(self._iterations.value) + 1) % steps == 0
        means = []
        for gradient, variable in zip(gradients, variables):
            accumulator = self._accumulators[id(variable)]
            total = getval(accumulator.value) + gradient
            store(accumulator, np.where(due, np.zeros_like(total), total))
            means.append(total / steps)
        slots = [slot for v in variables for slot in self._slots[id(v)].values()]
        before = [(v, getval(v.value)) for v in [*variables, *slots, *self._shared.values()]]
        self._step(means, variables)
        for variable, old in before:
            store(variable, np.where(due, getval(variable.value), old))

    def _average(self) -> None:
        """Update the moving averages; put them in place of the weights if it is time."""
        iteration, every = getval(self.iterations), self.ema_overwrite_frequency
        for variable in self._trained:
            if not variable.trainable:
                continue
            average, value = self._averages[id(variable)], getval(variable.value)
            momentum = np.where(iteration == 0, 0.0, self.ema_momentum).astype(variable.dtype)
            new = momentum * getval(average.value) + (1 - momentum) * value
            store(average, new)
            if every:
                store(variable, np.where((iteration + 1) % every == 0, new, value))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """At the end of training, replace variables by their averages if there are any.

        Args:
            var_list: The variables that were trained.
        """
        if self.use_ema:
            for variable in var_list:
                if variable.trainable and id(variable) in self._averages:
                    variable.assign(self._averages[id(variable)].value)

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave variables out of weight decay.

        Args:
            var_list: The variables.
            var_names: Parts of names of variables, e.g. `["bias"]`.

        Raises:
            ValueError: The optimizer is built already.
        """
        if self.built:
            raise ValueError(
                f"Optimizer {self.name!r} is built already. Call exclude_from_weight_decay before "
                "the first step."
            )
        self._excluded = list(var_list or ())
        self._excluded_names = re.compile("|".join(var_names)) if var_names else None

    def _undecayed(self, variable: Variable) -> bool:
        pattern = self._excluded_names
        named = pattern is not None and pattern.search(variable.name) is not None
        return named or any(one is variable for one in self._excluded)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`, to compute gradients of.

        Args:
            loss: A loss.
        """
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor
