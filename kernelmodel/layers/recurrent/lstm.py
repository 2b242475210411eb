"""Long short-term memory."""

from __future__ import annotations

from typing import Any

from kernelmodel import initializers, ops
from kernelmodel.engine.kernels.lstm import lstm
from kernelmodel.layers.recurrent.cell import RecurrentCell
from kernelmodel.layers.recurrent.cell_layer import CellLayer
from kernelmodel.layers.registry import REGISTRY


@REGISTRY.register()
class LSTMCell(RecurrentCell):
    """One step of an LSTM; see `LSTM` for the arguments.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> h, (h, c) = km.layers.LSTMCell(4)(np.ones((2, 3)), [np.zeros((2, 4))] * 2)
        >>> h.shape, c.shape
        ((2, 4), (2, 4))
    """

    gates = 4
    label = "lstm"

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("implementation", None)
        super().__init__(**kwargs)
        self._start(
            units,
            use_bias,
            dropout,
            recurrent_dropout,
            seed,
            activation=activation,
            recurrent_activation=recurrent_activation,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
        )
        self.unit_forget_bias = bool(unit_forget_bias)

    @property
    def state_size(self) -> list[int]:
        """Lengths of the output state h and the cell state c."""
        return [self.units, self.units]

    def _make_bias(self, width: int) -> Any:
        first, n = self.bias_initializer, self.units

        def ones_for_forgetting(shape: Any, dtype: Any = None) -> Any:
            parts = (first, n), (initializers.Ones(), n), (first, 2 * n)
            return ops.concatenate([make((k,), dtype=dtype) for make, k in parts])

        return self.add_weight(
            (width,),
            ones_for_forgetting if self.unit_forget_bias else first,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
            name="bias",
        )

    def step(self, projected: Any, states: list[Any], factors: Any = None) -> Any:
        """One step; see `RecurrentCell.step`."""
        h, c = states
        z = self._gates(projected + self._from_state(h, factors), 1, 1, 1, 1)
        i, f, o = (self.recurrent_activation(z[k]) for k in (0, 1, 3))
        c = f * c + i * self.activation(z[2])
        h = o * self.activation(c)
        return h, [h, c]


@REGISTRY.register()
class LSTM(CellLayer):
    """A recurrent layer that learns what to keep, to add and to give out.

    With the usual activations and without recurrent dropout, a whole sequence is one fused kernel.

    Args:
        units: Length of the output and of the two states.
        activation: Of the candidate and the cell state.
        recurrent_activation: Of the three gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of `cell.kernel`, shape (n, 4 * units): input gate, forget
            gate, candidate, output gate.
        recurrent_initializer: Initializer of `cell.recurrent_kernel`, shape (units, 4 * units).
        bias_initializer: Initializer of `cell.bias`, shape (4 * units,).
        unit_forget_bias: Whether the forget gate's bias starts at one.
        kernel_regularizer: Regularizer of the kernel, or None.
        recurrent_regularizer: Regularizer of the recurrent kernel, or None.
        bias_regularizer: Regularizer of the bias, or None.
        activity_regularizer: Regularizer of the output, or None.
        kernel_constraint: Constraint of the kernel, or None.
        recurrent_constraint: Constraint of the recurrent kernel, or None.
        bias_constraint: Constraint of the bias, or None.
        dropout: Share of the inputs that is dropped in training.
        recurrent_dropout: Share of the state that is dropped in training.
        seed: Integer, or None for other numbers in each run.
        return_sequences: Whether the output holds each step, or only the last.
        return_state: Whether the last states are returned after the output.
        go_backwards: Whether the steps are taken from the last to the first.
        stateful: Whether a batch starts with the states that the one before ended with.
        unroll: Accepted for Keras' sake.
        kwargs: `zero_output_for_mask` (see `RNN`); `name`, `dtype`, `trainable`.

    Returns:
        (batch, units), or (batch, steps, units) with `return_sequences`; then h and c if
        `return_state`.

    Raises:
        ValueError: An argument is none of these.

    Source: Hochreiter and Schmidhuber, *Long Short-Term Memory*, Neural Computation 1997.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.LSTM(4)(np.ones((2, 5, 3))).shape
        (2, 4)
    """

    _cell_class, _kernel = LSTMCell, lstm
    _kernel_settings = ("activation", "recurrent_activation")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = {
            "units": units,
            "activation": activation,
            "recurrent_activation": recurrent_activation,
            "use_bias": use_bias,
            "kernel_initializer": kernel_initializer,
            "recurrent_initializer": recurrent_initializer,
            "bias_initializer": bias_initializer,
            "unit_forget_bias": unit_forget_bias,
            "kernel_regularizer": kernel_regularizer,
            "recurrent_regularizer": recurrent_regularizer,
            "bias_regularizer": bias_regularizer,
            "kernel_constraint": kernel_constraint,
            "recurrent_constraint": recurrent_constraint,
            "bias_constraint": bias_constraint,
            "dropout": dropout,
            "recurrent_dropout": recurrent_dropout,
            "seed": seed,
        }
        layer = {
            "activity_regularizer": activity_regularizer,
            "return_sequences": return_sequences,
            "return_state": return_state,
            "go_backwards": go_backwards,
            "stateful": stateful,
            "unroll": unroll,
            **kwargs,
        }
        self._start_with(LSTMCell, cell, layer)
