"""A part of a graph as a function."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.operation import Operation
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.models.model import Model


class Function(Operation):
    """What leads from some symbolic tensors to others, to be called on arrays.

    Unlike a `Model` it is no layer: it has no weights of its own, it isn't trained and isn't saved.
    Its layers stay those of the graph, with their current weights.

    Args:
        inputs: Symbolic tensor or a dict, list or tuple of them: `Input`s, or tensors further on.
        outputs: Symbolic tensors made from them, likewise nested.
        name: Name; made up if None.

    Raises:
        ValueError: Something else than symbolic tensors, an input twice, or an output that needs
            an input which isn't given.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> a, b = km.Input((2,)), km.Input((2,))
        >>> function = km.Function([a, b], {"sum": a + b, "product": a * b})
        >>> found = function([np.full((1, 2), 3.0), np.full((1, 2), 4.0)])
        >>> float(found["sum"][0, 0]), float(found["product"][0, 0])
        (7.0, 12.0)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name)
        self._model = Model(inputs, outputs, name=self.name)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, without their structure."""
        return self._model.inputs or []

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, without their structure."""
        return self._model.outputs or []

    @property
    def operations(self) -> list[Operation]:
        """The layers and ops, from the inputs to the outputs."""
        return list(self._model._graph_or_error("operations").operations)

    def call(self, inputs: Any) -> Any:
        """Values of the outputs.

        Args:
            inputs: Arrays, or symbolic tensors, in the structure of the inputs.
        """
        return self._model(inputs)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Symbolic tensors like those that a call gives."""
        return self._model.compute_output_spec(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for inputs of some shapes; None for unknown lengths."""
        return self._model.compute_output_shape(input_shape)
