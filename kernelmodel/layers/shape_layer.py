"""Layers that move values without computing: their output has the dtype of their input."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.layer import Layer
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tree import map_structure
from kernelmodel.ops.convert import dtype_of


class ShapeLayer(Layer):
    """A layer whose output has the dtype of its input: integers stay integers."""

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors like those that a call on these arguments gives."""
        inputs = args[0] if args else next(iter(kwargs.values()))

        def spec(tensor: Any) -> KerasTensor:
            dtype = dtype_of(tensor)
            dtype = self.compute_dtype if self.autocast and "float" in dtype else dtype
            return KerasTensor(self.compute_output_shape(tuple(tensor.shape)), dtype)

        return map_structure(spec, inputs)
