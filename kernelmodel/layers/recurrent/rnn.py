"""The layer that runs a cell over a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.layer import Layer
from kernelmodel.core.tree import flatten, map_structure, pack_like
from kernelmodel.core.variable import Variable
from kernelmodel.engine.boxes import getval
from kernelmodel.layers.arguments import only_default
from kernelmodel.layers.recurrent.cell import computes_by_parts
from kernelmodel.layers.recurrent.pieces import steps_of
from kernelmodel.layers.recurrent.stacked import (
    StackedRNNCells,
    advance,
    check_cell,
    drawn_for,
    size_of,
)
from kernelmodel.layers.registry import REGISTRY


@REGISTRY.register()
class RNN(Layer):
    """A cell run over the steps of a sequence.

    Args:
        cell: A cell: an object with `state_size` and `call(inputs, states) -> (output, states)`;
            or a list of cells, one above the other.
        return_sequences: Whether the output holds each step, or only the last.
        return_state: Whether the last states are returned after the output.
        go_backwards: Whether the steps are taken from the last to the first; the output is in the
            order in which they were taken.
        stateful: Whether a batch starts with the states that the one before ended with.
        unroll: Accepted for Keras' sake: steps are always taken one by one.
        zero_output_for_mask: Whether a masked step gives zeros; else it repeats the output before.

    Returns:
        (batch, steps, units) or (batch, units), followed by the states if wanted.

    Raises:
        ValueError: `cell` is none; in a call, a stateful layer gets another batch size.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.RNN(km.layers.GRUCell(4), return_sequences=True)
        >>> layer(np.ones((2, 5, 3))).shape
        (2, 5, 4)
    """

    @property
    def casts_integers(self) -> bool:  # type: ignore[override]
        """Whether the first cell computes with the values of integers, not with indices."""
        return getattr(self.cell, "casts_integers", False)

    supports_masking = True

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        only_default(type(self).__name__, kwargs, time_major=False)
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        check_cell(f"Layer {self.name!r} ({type(self).__name__})", cell)
        self.cell = cell
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.go_backwards, self.stateful = bool(go_backwards), bool(stateful)
        self.unroll, self.zero_output_for_mask = bool(unroll), bool(zero_output_for_mask)
        self._step_variables: Any = None

    # ---- states ----

    @property
    def states(self) -> Any:
        """The state variables of a stateful layer, once it is built; else None."""
        return self._step_variables

    @property
    def _state_sizes(self) -> list[Any]:
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """The states that a sequence starts with: zeros, if the cell doesn't say otherwise."""
        if hasattr(self.cell, "get_initial_state"):
            state = self.cell.get_initial_state(batch_size=batch_size)
            return list(state) if isinstance(state, (list, tuple)) else [state]
        return map_structure(
            lambda size: np.zeros((batch_size, size), self.compute_dtype), self._state_sizes
        )

    def reset_state(self) -> None:
        """Set the states of a stateful layer to zeros."""
        for variable in flatten(self.states or []):
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def reset_states(self) -> None:
        """The same as `reset_state`."""
        self.reset_state()

    def _make_state_variables(self, batch: int | None) -> None:
        if batch is None:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) is stateful, so it needs a fixed "
                "batch size: Input(..., batch_size=32), or stateful=False."
            )
        # Not among the weights: no file holds the states of a batch.
        variables = map_structure(
            lambda value: Variable(
                value, dtype=self.variable_dtype, trainable=False, name="rnn_state"
            ),
            self.get_initial_state(batch),
        )
        object.__setattr__(self, "_step_variables", variables)

    def _starting_states(self, initial_state: Any, sequences: Any) -> list[Any]:
        batch = sequences.shape[0]
        if self.states is not None:
            expected = flatten(self.states)[0].shape[0]
            if batch != expected:
                raise ValueError(
                    f"Layer {self.name!r} ({type(self).__name__}) is stateful and was built for a "
                    f"batch of {expected}, got a batch of {batch}. Use batches of one size."
                )
        if initial_state is None:
            initial_state = self.states
        if initial_state is None and not isinstance(batch, int):  # symbolic: any size, for export
            single = (slice(0, 1),) * (len(sequences.shape) - 2)
            each = ops.zeros_like(sequences[(slice(None), 0, *single)])[..., :1]
            return map_structure(lambda state: state + each, self.get_initial_state(1))
        if initial_state is None:
            return self.get_initial_state(batch)
        if not isinstance(initial_state, (list, tuple)):
            initial_state = [initial_state]
        count = len(self._state_sizes)
        if len(initial_state) != count:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) expects an initial_state of {count} "
                f"array(s), got {len(initial_state)}."
            )
        return map_structure(
            lambda state: ops.cast(
                state.value if isinstance(state, Variable) else state, self.compute_dtype
            ),
            list(initial_state),
        )

    # ---- computing ----

    def build(self, sequences_shape: Any) -> None:
        """Build the cell."""
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((sequences_shape[0], *sequences_shape[2:]))
        if self.stateful and self.states is None:
            self._make_state_variables(sequences_shape[0])

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = False
    ) -> Any:
        """Run the cell."""
        if sequences.shape[1] == 0:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) needs at least one step, got "
                f"sequences of shape {tuple(sequences.shape)}."
            )
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        states = self._starting_states(initial_state, sequences)
        outputs, states = self._run(sequences, states, mask, training)
        if self.stateful:
            for variable, value in zip(flatten(self.states), flatten(states)):
                variable.assign(getval(value))
        return (outputs, *states) if self.return_state else outputs

    def _run(self, sequences: Any, states: list[Any], mask: Any, training: Any) -> Any:
        """Step by step: the output, whole or last, and the last states."""
        step = (sequences.shape[0], *sequences.shape[2:])
        factors = drawn_for(self.cell, step, training)
        by_parts = computes_by_parts(self.cell)
        if by_parts:
            sequences = self.cell.project(sequences, factors[0])

        def one(states: Any, inputs: Any, seen: Any) -> tuple[Any, Any]:
            if by_parts:
                output, new = self.cell.step(inputs, states, factors[1])
            else:
                output, new = advance(self.cell, inputs, states, factors, training)
            return (output, new) if seen is None else self._masked(seen, output, new, states)

        if not isinstance(sequences.shape[1], int):
            return self._scan(one, sequences, states, mask)
        steps = range(sequences.shape[1])
        at_step = steps_of(sequences)
        outputs = []
        for t in reversed(steps) if self.go_backwards else steps:
            output, states = one(states, at_step[t], None if mask is None else mask[:, t])
            if self.return_sequences:
                outputs.append(output)
        return (ops.stack(outputs, 1) if self.return_sequences else output), states

    def _scan(self, one: Any, sequences: Any, states: Any, mask: Any) -> Any:
        """The same for an open count of steps, which an export has."""

        def in_turn(x: Any) -> Any:
            return ops.swapaxes(ops.flip(x, 1) if self.go_backwards else x, 0, 1)

        def step(states: Any, given: Any) -> tuple[Any, Any]:
            output, new = one(states, given["inputs"], given.get("seen"))
            return new, output

        given = {"inputs": in_turn(sequences)}
        if mask is not None:
            given["seen"] = in_turn(mask)
        states, outputs = ops.scan(step, states, given)
        return (ops.swapaxes(outputs, 0, 1) if self.return_sequences else outputs[-1]), states

    def _masked(self, seen: Any, output: Any, new: Any, old: Any) -> tuple[Any, Any]:
        """The output and the states of a step, put back where it is masked."""

        def choose(x: Any, y: Any) -> Any:
            return ops.where(ops.reshape(seen, (-1, *(1,) * (len(x.shape) - 1))), x, y)

        if self.zero_output_for_mask:
            before = ops.zeros_like(output)
        else:
            before = old[-1][0] if isinstance(old[0], (list, tuple)) else old[0]
        kept = [choose(x, y) for x, y in zip(flatten(new), flatten(old))]
        return choose(output, before), pack_like(new, kept)

    # ---- shapes ----

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shapes of the output and, if returned, of the states."""
        batch, steps = sequences_shape[:2]
        last = (batch, size_of(self.cell))
        output = (batch, steps, *last[1:]) if self.return_sequences else last
        if not self.return_state:
            return output
        return output, *map_structure(lambda size: (batch, size), self._state_sizes)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the output: that of the sequences, if there is one step for each."""
        mask = flatten(previous_mask)[0] if previous_mask is not None else None
        mask = mask if self.return_sequences else None
        return [mask] + [None] * len(self._state_sizes) if self.return_state else mask
