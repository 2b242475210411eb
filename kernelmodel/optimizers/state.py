"""The state of an optimizer: its variables, its learning rate, and how files hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.autoconfig import Configurable, decode
from kernelmodel.core.context import Context
from kernelmodel.core.kinds import is_number
from kernelmodel.core.making import refusal
from kernelmodel.core.naming import class_name
from kernelmodel.core.revision import Revision
from kernelmodel.core.variable import Variable
from kernelmodel.core.warning import warn_user
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.scope import CURRENT
from kernelmodel.engine.tensor import Tensor, as_tensor

# Attributes that hold something for each trained variable, by the variable's id.
BY_VARIABLE = ("_slots", "_averages", "_accumulators")
# Values of an optimizer's slots for one variable, by slot name.
Slots = dict[str, Any]


def store(variable: Variable, value: Any) -> None:
    """Assign a fresh array of the right shape and dtype, without the copy that `assign` makes."""
    if type(value) is Tensor:
        value = value.view(np.ndarray)
    if tuple(value.shape) != variable.shape or value.dtype != variable.dtype:
        raise ValueError(
            f"The update of {variable.path!r} must be of shape {variable.shape} and dtype "
            f"{variable.dtype}, got {tuple(value.shape)} and {value.dtype}."
        )
    context = CURRENT.get()
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if context is None:
        variable._array = value
    else:
        context.write(variable, value)


class OptimizerState(Configurable):
    """An optimizer's variables; the order and names of them are those of Keras' files.

    Args:
        learning_rate: Number, schedule, or callable without arguments.
        name: Name; made up of the class name if None.
    """

    # Slots that lie next to each other in files, variable by variable; others lie one slot after
    # the other.
    interleaved: tuple[str, ...] = ()
    use_ema: bool
    gradient_accumulation_steps: int | None

    def __init__(self, learning_rate: Any, name: str | None) -> None:
        self.name = name or class_name(type(self).__name__)
        self.built = False
        self._variables: list[Variable] = []
        self._trained: list[Variable] = []
        self._slots: dict[int, dict[str, Variable]] = {}
        self._shared: dict[str, Variable] = {}
        self._averages: dict[int, Variable] = {}
        self._accumulators: dict[int, Variable] = {}
        self._iterations = self._make(np.array(0, np.int32), "iteration")
        self._rate: Any = None
        self._set_rate(learning_rate)

    def __getstate__(self) -> dict[str, Any]:
        """For pickles and copies: what is kept for each variable, in their order."""
        order = [id(variable) for variable in self._trained]
        by_variable = {name: [vars(self)[name].get(i) for i in order] for name in BY_VARIABLE}
        return {**vars(self), **by_variable}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        for name in BY_VARIABLE:
            pairs = zip(self._trained, state[name])
            vars(self)[name] = {id(v): kept for v, kept in pairs if kept is not None}

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Make a step; see `Optimizer.apply`."""
        raise NotImplementedError

    def init(self, value: Any) -> Slots:
        """The first values of what is remembered for a weight, by slot name.

        Args:
            value: The weight.
        """
        return {}

    def _init_for(self, variable: Variable) -> Slots:
        return self.init(variable.numpy())

    def init_shared(self, dtype: str) -> Slots:
        """The first values of what is remembered for all weights together, by name.

        `update` gets them among its slots, but doesn't return them.

        Args:
            dtype: That of the first weight.
        """
        return {}

    def update_shared(self, shared: Slots, iteration: Any) -> Slots:
        """What all weights share, at the begin of a step.

        Args:
            shared: What all weights share.
            iteration: Number of the step, from 0.
        """
        return shared

    def _slot_name(self, variable: Variable, slot: str) -> str:
        return f"{variable.path.replace('/', '_')}_{slot}"

    def _make(self, value: Any, name: str) -> Variable:
        variable = Variable(value, trainable=False, name=name, path=f"{self.name}/{name}")
        self._variables.append(variable)
        return variable

    def _make_for(self, variable: Variable, slot: str, value: Any) -> Variable:
        return self._make(value, self._slot_name(variable, slot))

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots of the variables to train; later calls do nothing.

        Args:
            variables: All variables that this optimizer will ever change.
        """
        if self.built:
            return
        self._trained = list(variables)
        if self.use_ema:
            self._averages = self._zeros("average")
        if self.gradient_accumulation_steps:
            self._accumulators = self._zeros("gradient_accumulator")
        first = {id(v): self._init_for(v) for v in self._trained}
        self._slots = {id(v): {} for v in self._trained}
        names = dict.fromkeys(slot for slots in first.values() for slot in slots)
        groups = [self.interleaved] if self.interleaved else []
        groups += [(slot,) for slot in names if slot not in self.interleaved]
        for group in groups:
            for v in self._trained:
                for slot in group:
                    if slot in first[id(v)]:
                        self._slots[id(v)][slot] = self._make_for(v, slot, first[id(v)][slot])
        if self._trained:
            shared = self.init_shared(self._trained[0].dtype)
            self._shared = {name: self._make(value, name) for name, value in shared.items()}
        self.built = True

    def _zeros(self, slot: str) -> dict[int, Variable]:
        return {id(v): self._make_for(v, slot, np.zeros(v.shape, v.dtype)) for v in self._trained}

    @property
    def variables(self) -> list[Variable]:
        """Iteration count, learning rate, then what is remembered for each weight."""
        return list(self._variables)

    @property
    def averages(self) -> list[tuple[Variable, Variable]]:
        """Each variable with its moving average, if there are such."""
        return [(v, self._averages[id(v)]) for v in self._trained if id(v) in self._averages]

    @property
    def iterations(self) -> Any:
        """Number of batches so far; of steps if their gradients are accumulated."""
        if self.gradient_accumulation_steps:
            return as_tensor(getval(self._iterations.value) // self.gradient_accumulation_steps)
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate now: a variable if it was given as a number, else an array."""
        rate = self._rate
        if isinstance(rate, Variable):
            return rate
        found = rate(self._iterations.value) if hasattr(rate, "get_config") else rate()
        return as_tensor(ops.convert_to_tensor(found))

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        self._set_rate(rate)

    def _set_rate(self, rate: Any) -> None:
        if callable(rate) and not hasattr(rate, "dtype"):
            self._variables = [v for v in self._variables if v is not self._rate]
            self._rate = rate
            Revision.count += 1
            return
        if not is_number(rate) or not getval(rate) >= 0:
            allowed = "a number >= 0, a LearningRateSchedule or a callable without arguments"
            raise refusal(self, "learning_rate", rate, allowed)
        if self._rate is None:
            self._rate = self._make(np.array(getval(rate), np.float32), "learning_rate")
        elif isinstance(self._rate, Variable):
            self._rate.assign(getval(rate))
        else:
            raise TypeError(
                f"Optimizer {self.name!r} was made with a learning rate schedule, so its "
                "learning_rate can't be set to a number. Make it with a number instead."
            )

    @property
    def lr(self) -> Any:
        """The same as `learning_rate`, under its old name."""
        return self.learning_rate

    @lr.setter
    def lr(self, rate: Any) -> None:
        self.learning_rate = rate

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the values of `variables`."""
        return [variable.numpy() for variable in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the values of `variables`.

        Args:
            weights: Arrays in the order of `variables`.
        """
        if len(weights) != len(self.variables):
            raise ValueError(
                f"Optimizer {self.name!r} has {len(self.variables)} variables, got {len(weights)} "
                "arrays. Build it with the model's variables first."
            )
        for variable, value in zip(self.variables, weights):
            variable.assign(value)

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Any
    ) -> tuple[list[Any], list[Any]]:
        """The values that a step would give, without changing any variable.

        Args:
            optimizer_variables: Values in the order of `variables`.
            grads: A gradient for each variable it was built with.
            trainable_variables: Values of those variables.

        Returns:
            The new values of the variables, and of the optimizer's.
        """
        if not self.built:
            raise ValueError(f"Optimizer {self.name!r} isn't built: call build(variables) first.")
        given = [*trainable_variables, *optimizer_variables]
        everything = [*self._trained, *self.variables]
        if len(given) != len(everything):
            raise ValueError(
                f"Optimizer {self.name!r} needs {len(self._trained)} values of variables and "
                f"{len(self.variables)} of its own, got {len(trainable_variables)} and "
                f"{len(optimizer_variables)}."
            )
        with Context(pure=True) as context:
            context.values.update({id(v): value for v, value in zip(everything, given)})
            self.apply(grads)
            new = [context.values[id(v)] for v in everything]
        return new[: len(self._trained)], new[len(self._trained) :]

    def save_own_variables(self, store: Any) -> None:
        """Write the variables' values into a mapping, under "0", "1", ...

        Args:
            store: A mapping to write into.
        """
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read the variables' values from a mapping; warn if it holds another number of them.

        Args:
            store: Arrays under "0", "1", ...
        """
        if len(store.keys()) != len(self.variables):
            warn_user(
                f"The saved state of optimizer {self.name!r} was skipped: it holds "
                f"{len(store.keys())} variables, the optimizer {len(self.variables)}. Build the "
                "optimizer with the model's variables first.",
            )
            return
        for i, variable in enumerate(self.variables):
            variable.assign(np.asarray(store[str(i)]))

    def _init_argument(self, name: str) -> Any:
        if name == "learning_rate":
            return float(self._rate) if isinstance(self._rate, Variable) else self._rate
        return super()._init_argument(name)

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> OptimizerState:
        """Make an optimizer of the config of another, without its state.

        Args:
            config: What `get_config` returned.
            custom_objects: `{name: class or function}` that it may name, or None.
        """
        return cls(**{name: decode(value) for name, value in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={getattr(self, 'name', None)}>"
