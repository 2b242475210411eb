"""Several cells one above the other."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.call_spec import call_spec
from kernelmodel.core.layer import Layer
from kernelmodel.layers.arguments import refuse
from kernelmodel.layers.recurrent.cell import NO_FACTORS, computes_by_parts
from kernelmodel.layers.registry import REGISTRY


def check_cell(owner: str, cell: Any) -> None:
    """Raise a ValueError unless an object can be a cell."""
    for attribute, meaning in (
        ("call", "a method call(inputs, states)"),
        ("state_size", "an attribute state_size: a length or a list of lengths"),
    ):
        if not hasattr(cell, attribute):
            raise ValueError(f"{owner}: a cell needs {meaning}, got {cell!r} without it.")


def size_of(cell: Any) -> int:
    """Length of a cell's output."""
    if getattr(cell, "output_size", None) is not None:
        return cell.output_size
    size = cell.state_size
    return size[0] if isinstance(size, (list, tuple)) else size


def drawn_for(cell: Any, step: tuple[int, ...], training: Any) -> Any:
    """The dropout factors of a cell for a sequence with steps of a shape."""
    return cell.draw(step, training) if hasattr(cell, "draw") else NO_FACTORS


def advance(cell: Any, inputs: Any, states: list[Any], factors: Any, training: Any) -> Any:
    """One step of any cell: its output and the list of its new states."""
    if isinstance(cell, StackedRNNCells):
        return cell.advance(inputs, states, factors, training)
    if computes_by_parts(cell):
        return cell.step(cell.project(inputs, factors[0]), states, factors[1])
    options = {}
    if isinstance(cell, Layer) and call_spec(type(cell)).training:
        options["training"] = training
    run = cell if callable(cell) else cell.call
    output, new = run(inputs, states, **options)
    return output, list(new) if isinstance(new, (list, tuple)) else [new]


@REGISTRY.register()
class StackedRNNCells(Layer):
    """Cells one above the other: each gets the output of the one below.

    Args:
        cells: The cells, the lowest first.

    Raises:
        ValueError: One of them has no `call` or no `state_size`.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> cells = km.layers.StackedRNNCells([km.layers.LSTMCell(4), km.layers.GRUCell(3)])
        >>> km.layers.RNN(cells)(np.ones((2, 5, 6))).shape
        (2, 3)
    """

    @property
    def casts_integers(self) -> bool:  # type: ignore[override]
        """Whether the first cell computes with the values of integers, not with indices."""
        return getattr(self.cells[0], "casts_integers", False)

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(cells, (list, tuple)):
            refuse(self, "cells", cells, "a list of cells")
        for cell in cells:
            check_cell(f"Layer {self.name!r} (StackedRNNCells)", cell)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The state sizes of the cells."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """Length of the highest cell's output."""
        return size_of(self.cells[-1])

    def build(self, input_shape: Any) -> None:
        """Build the cells."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            input_shape = (input_shape[0], size_of(cell))

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """Zeros for each cell."""
        return [cell.get_initial_state(batch_size) for cell in self.cells]

    def draw(self, step: tuple[int, ...], training: Any) -> list[Any]:
        """Dropout factors of each cell."""
        steps = [step, *((step[0], size_of(cell)) for cell in self.cells)]
        return [drawn_for(c, s, training) for c, s in zip(self.cells, steps)]

    def advance(self, inputs: Any, states: Any, factors: Any, training: Any) -> Any:
        """One step of all cells."""
        new_states = []
        for cell, state, factor in zip(self.cells, states, factors):
            single = not isinstance(state, (list, tuple))
            old = [state] if single else list(state)
            inputs, new = advance(cell, inputs, old, factor, training)
            new_states.append(new[0] if single else new)
        return inputs, new_states

    def call(self, inputs: Any, states: Any, training: Any = False) -> Any:
        """One step from an input (batch, n) and the states of the cells."""
        factors = self.draw(tuple(inputs.shape), training)
        return self.advance(inputs, states, factors, training)

    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        """The shapes of the output and of the states."""
        batch = input_shape[0]
        states = [
            [(batch, n) for n in size] if isinstance(size, (list, tuple)) else (batch, size)
            for size in self.state_size
        ]
        return (batch, self.output_size), states
