"""Recurrent layers around a cell of their own."""

from __future__ import annotations

from typing import Any

from kernelmodel import activations, ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.layers.arguments import in_dtype
from kernelmodel.layers.recurrent.cell import RecurrentCell
from kernelmodel.layers.recurrent.rnn import RNN

# Activations that the kernels for whole sequences know.
FUSED_GATES = {
    activations.tanh: "tanh",
    activations.sigmoid: "sigmoid",
    activations.hard_sigmoid: "hard_sigmoid",
    activations.relu: "relu",
    activations.linear: "linear",
}


class CellLayer(RNN):
    """Base of `LSTM`, `GRU` and `SimpleRNN`: its arguments are those of the cell it makes.

    Args:
        cell_class: Class of the cell.
        arguments: Arguments of the cell.
        kwargs: Arguments of `RNN` and `Layer`.
    """

    # The kernel for whole sequences, the class of the cells that it can stand for, and the
    # attributes of such a cell that it takes.
    _kernel: Any = None
    _cell_class: Any = None
    _kernel_settings: tuple[str, ...] = ()

    def _start_with(self, cell_class: Any, arguments: dict[str, Any], kwargs: Any) -> None:
        kwargs.pop("implementation", None)
        kwargs.pop("use_cudnn", None)
        cell: RecurrentCell = cell_class(
            **arguments,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name=f"{cell_class.label}_cell",
        )
        RNN.__init__(self, cell, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def _run(self, sequences: Any, states: list[Any], mask: Any, training: Any) -> Any:
        cell, dtype = self.cell, self.compute_dtype
        settings: Any = {name: getattr(cell, name, None) for name in self._kernel_settings}
        for name, value in settings.items():
            settings[name] = value if isinstance(value, bool) else FUSED_GATES.get(value)
        unusual = type(cell) is not self._cell_class or None in settings.values()
        if unusual or (training and cell.recurrent_dropout):
            return super()._run(sequences, states, mask, training)
        factors, _ = cell.draw((sequences.shape[0], sequences.shape[-1]), training)
        if factors is not None:
            sequences = sequences * ops.expand_dims(factors[0], 1)
        outputs, *states = type(self)._kernel(
            sequences,
            in_dtype(cell.kernel, dtype),
            in_dtype(cell.recurrent_kernel, dtype),
            in_dtype(cell.bias, dtype),
            *states,
            mask,
            go_backwards=self.go_backwards,
            **settings,
        )
        if mask is not None and self.zero_output_for_mask:
            taken = ops.flip(mask, 1) if self.go_backwards else mask
            outputs = ops.where(ops.expand_dims(taken, -1), outputs, ops.zeros_like(outputs))
            return (outputs if self.return_sequences else outputs[:, -1]), states
        return (outputs if self.return_sequences else states[0]), states

    def _init_argument(self, name: str) -> Any:
        own = name in vars(self) or isinstance(getattr(type(self), name, None), property)
        return super()._init_argument(name) if own else getattr(self.cell, name, None)

    def __getattr__(self, name: str) -> Any:
        cell = self.__dict__.get("cell")
        if cell is None or name.startswith("_") or name not in CELL_ATTRIBUTES:
            return super().__getattr__(name)
        return getattr(cell, name)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        config = super().get_config()
        del config["cell"]
        return config


CELL_ATTRIBUTES = {
    "activation", "bias_constraint", "bias_initializer", "bias_regularizer", "dilation_rate",
    "dropout", "filters", "kernel_size", "padding", "strides",
    "kernel_constraint", "kernel_initializer", "kernel_regularizer", "recurrent_activation",
    "recurrent_constraint", "recurrent_dropout", "recurrent_initializer",
    "recurrent_regularizer", "reset_after", "seed", "unit_forget_bias", "units", "use_bias",
}  # fmt: skip
