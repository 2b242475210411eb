"""Recurrent layers around a cell of their own."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.input_spec import InputSpec
from kernelmodel.layers.recurrent.cell import RecurrentCell
from kernelmodel.layers.recurrent.rnn import RNN


class CellLayer(RNN):
    """Base of `LSTM`, `GRU` and `SimpleRNN`: its arguments are those of the cell it makes.

    Args:
        cell_class: Class of the cell.
        arguments: Arguments of the cell.
        kwargs: Arguments of `RNN` and `Layer`.
    """

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

    def _init_argument(self, name: str) -> Any:
        own = name in vars(self) or isinstance(getattr(type(self), name, None), property)
        return super()._init_argument(name) if own else getattr(self.cell, name, None)

    def __getattr__(self, name: str) -> Any:
        cell = self.__dict__.get("cell")
        if cell is None or name.startswith("_") or name not in CELL_ATTRIBUTES:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
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
