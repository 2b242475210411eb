"""What recurrent cells have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.layer import Layer
from kernelmodel.core.seed import SeedGenerator
from kernelmodel.engine.kernels.dense import dense
from kernelmodel.engine.kernels.dropout import dropout as drop
from kernelmodel.layers.arguments import in_dtype, make_weight, number, positive, resolve
from kernelmodel.layers.recurrent.pieces import parts_of
from kernelmodel.ops import random

# What a cell draws for a sequence: factors for the inputs and for the state, each (k, batch, n)
# with one factor array for all gates or one for each; or None.
Factors = tuple[Any, Any]
NO_FACTORS: Factors = (None, None)


class RecurrentCell(Layer):
    """Base of cells with `kernel`, `recurrent_kernel` and `bias`, shared by `gates` gates.

    A cell computes one step in two parts, so that a layer can do the first for a whole sequence at
    once: `project` needs the input only, `step` the projected input and the state.

    Args:
        units: Length of the state and of the output.
        use_bias: Whether there is a bias.
        dropout: Share of the inputs that is dropped in training.
        recurrent_dropout: Share of the state that is dropped in training.
        seed: Integer, or None for other numbers in each run.
        settings: The activation functions; initializers, regularizers and constraints.
    """

    casts_integers = True

    gates = 1
    # What the argument `units` is called.
    size_argument = "units"
    # Axes of a step between the batch and the channels.
    spatial_axes = 0

    def _start(
        self,
        units: int,
        use_bias: bool,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        **settings: Any,
    ) -> None:
        self.units = positive(self, self.size_argument, units)
        self.use_bias = bool(use_bias)
        self.dropout = number(self, "dropout", dropout, 0, 1)
        self.recurrent_dropout = number(self, "recurrent_dropout", recurrent_dropout, 0, 1)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        resolve(self, **settings)
        self.bias: Any = None

    @property
    def state_size(self) -> Any:
        """Length of the state, or a list of the lengths of several."""
        return self.units

    @property
    def output_size(self) -> int:
        """Length of the output."""
        return self.units

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        width = self.units * self.gates
        self.kernel = make_weight(self, "kernel", (input_shape[-1], width))
        recurrent = (self.units, width)
        self.recurrent_kernel = make_weight(self, "recurrent_kernel", recurrent, "recurrent")
        if self.use_bias:
            self.bias = self._make_bias(width)

    def _make_bias(self, width: int) -> Any:
        return make_weight(self, "bias", (width,))

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """Zeros, one array for each state."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [np.zeros((batch_size, size), self.compute_dtype) for size in sizes]

    def draw(self, step: tuple[int, ...], training: Any) -> Factors:
        """Dropout factors for a sequence with steps of a shape: the same in each of them."""
        if not training:
            return NO_FACTORS
        count = self.gates if self.recurrent_dropout else 1

        def factors(rate: float, shape: tuple[int, ...]) -> Any:
            if not rate:
                return None
            shape = (count, *shape)
            keep = random.keep_mask(shape, rate, self.seed_generator)
            return drop(np.ones(shape, self.compute_dtype), keep, rate=rate)

        inputs = factors(self.dropout, step)
        return inputs, factors(self.recurrent_dropout, self._state_shape(step))

    def _state_shape(self, step: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a state for a step of a shape."""
        return (step[0], self.units)

    def _of_inputs(self, inputs: Any, kernel: Any, bias: Any) -> Any:
        """The input's share in gates."""
        return dense(inputs, kernel, bias)

    def _of_state(self, state: Any, kernel: Any) -> Any:
        """The state's share in gates."""
        return ops.matmul(state, kernel)

    def _input_bias(self) -> Any:
        return in_dtype(self.bias, self.compute_dtype)

    def _recurrent(self) -> Any:
        return in_dtype(self.recurrent_kernel, self.compute_dtype)

    def project(self, inputs: Any, factors: Any = None) -> Any:
        """The input's share in all gates.

        Args:
            inputs: One step (batch, n), or a sequence (batch, steps, n).
            factors: Dropout factors of the inputs, or None.
        """
        kernel, bias = in_dtype(self.kernel, self.compute_dtype), self._input_bias()
        if factors is None:
            return self._of_inputs(inputs, kernel, bias)
        if len(inputs.shape) == self.spatial_axes + 3:
            factors = ops.expand_dims(factors, 2)
        if factors.shape[0] == 1:
            return self._of_inputs(inputs * factors[0], kernel, bias)
        return ops.concatenate(
            [
                self._of_inputs(
                    inputs * factors[i],
                    self._part(kernel, i),
                    None if bias is None else self._part(bias, i),
                )
                for i in range(self.gates)
            ],
            axis=-1,
        )

    def _part(self, weight: Any, gate: int, count: int = 1) -> Any:
        """The columns of a weight that belong to a gate, or to several."""
        if count == self.gates:
            return weight
        return weight[..., gate * self.units : (gate + count) * self.units]

    def _gates(self, values: Any, *counts: int) -> Any:
        """Values of all gates, cut into parts of so many gates each."""
        ends = [self.units * sum(counts[: i + 1]) for i in range(len(counts) - 1)]
        return parts_of(values, at=tuple(ends))

    def _from_state(
        self, state: Any, factors: Any, first: int = 0, count: int | None = None
    ) -> Any:
        """The state's share in some of the gates."""
        count = self.gates if count is None else count
        kernel = self._recurrent()
        if factors is None:
            return self._of_state(state, self._part(kernel, first, count))
        gates = range(first, first + count)
        return ops.concatenate(
            [self._of_state(state * factors[i], self._part(kernel, i)) for i in gates], axis=-1
        )

    def step(self, projected: Any, states: list[Any], factors: Any = None) -> Any:
        """One step.

        Args:
            projected: What `project` gave, (batch, gates * units).
            states: State arrays (batch, units).
            factors: Dropout factors of the state, or None.

        Returns:
            The output (batch, units) and the list of new states.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a step() method.")

    def call(self, inputs: Any, states: Any, training: Any = False) -> Any:
        """One step from an input (batch, n) and the states."""
        single = not isinstance(states, (list, tuple))
        states = [states] if single else list(states)
        factors = self.draw(tuple(inputs.shape), training)
        output, new = self.step(self.project(inputs, factors[0]), states, factors[1])
        return output, (new[0] if single else new)

    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        """The shapes of the output and of the states."""
        state = (input_shape[0], self.units)
        several = isinstance(self.state_size, list)
        return state, [state] * len(self.state_size) if several else [state]


def computes_by_parts(cell: Any) -> bool:
    """Whether a cell is one of ours whose `call` nobody has overridden."""
    return isinstance(cell, RecurrentCell) and type(cell).call is RecurrentCell.call
