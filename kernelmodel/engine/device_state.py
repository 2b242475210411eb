"""Values of variables that stay on the device between the steps that XLA compiled.

A variable whose value lives here has no `_array` of its own: whoever asks for one, from whatever
thread, gets the newest value as a NumPy array, which is fetched then and not before. Whoever sets
`_array`, as `assign` does, takes the variable away from here until the next compiled step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.engine.bfloat16 import classed


class Place:
    """Where a variable's value is while it is on the device.

    Args:
        state: Holds the value.
        index: Which of its values.
    """

    __slots__ = ("index", "state")

    def __init__(self, state: DeviceState, index: int) -> None:
        self.state, self.index = state, index

    def on_device(self) -> Any:
        """The newest value as a JAX array."""
        return self.state.held[0][self.index]

    def read(self) -> np.ndarray:
        """The newest value as a NumPy array that can't be written to."""
        arrays, fetched = self.state.held
        found: np.ndarray | None = fetched.get(self.index)
        if found is None:
            dtype = self.state.variables[self.index].dtype
            found = classed(np.asarray(arrays[self.index]).astype(dtype, copy=False))
            found.flags.writeable = False
            fetched[self.index] = found
        return found


class DeviceState:
    """The values of some variables on JAX's default device: a GPU or TPU if it has one.

    No buffer is given away (donated) to a step: a step that is refused, interrupted or fails
    leaves the old values whole, and other threads may read them while it runs. So a step needs
    the memory of the old and the new values.

    Args:
        variables: Whose values it will hold.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        self.variables = list(variables)
        self._places = [Place(self, i) for i in range(len(self.variables))]
        # The arrays on the device, and those that somebody has fetched, by position. Both are
        # replaced at once, so that readers never see one without the other.
        self.held: tuple[list[Any], dict[int, np.ndarray]] = ([None] * len(self.variables), {})

    def gather(self) -> list[Any]:
        """The values on the device, after bringing there what was written elsewhere meanwhile."""
        away = [
            i
            for i, (variable, place) in enumerate(zip(self.variables, self._places))
            if variable._home is not place or "_array" in vars(variable)
        ]
        if away:
            self._take(away)
        return self.held[0]

    def _take(self, away: list[int]) -> None:
        import jax

        arrays = list(self.held[0])
        written = {i: vars(self.variables[i]).get("_array") for i in away}
        for i, array in written.items():
            arrays[i] = self.variables[i]._home.on_device() if array is None else array
        # A copy, as the arrays' owners may write into them later.
        moved = jax.device_put([arrays[i] for i in away], may_alias=False)
        for i, array in zip(away, moved):
            arrays[i] = array
        self.held = arrays, {}
        for i, array in written.items():
            variable = self.variables[i]
            variable._home = self._places[i]
            if array is not None and vars(variable).get("_array") is array:
                del variable._array

    def commit(self, values: dict[int, Any]) -> None:
        """Take new values for some variables: all of them or none, as one assignment does it.

        Args:
            values: JAX arrays by position.
        """
        arrays, fetched = list(self.held[0]), dict(self.held[1])
        for i, value in values.items():
            arrays[i] = value
            fetched.pop(i, None)
        self.held = arrays, fetched
