"""The plain recurrent layer."""

from __future__ import annotations

from typing import Any

from kernelmodel.engine.kernels.simple_rnn import simple_rnn
from kernelmodel.layers.arguments import omit_none
from kernelmodel.layers.recurrent.cell import RecurrentCell
from kernelmodel.layers.recurrent.cell_layer import CellLayer
from kernelmodel.layers.registry import REGISTRY


@REGISTRY.register()
class SimpleRNNCell(RecurrentCell):
    """One step of a plain recurrent layer; see `SimpleRNN` for the arguments.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> output, states = km.layers.SimpleRNNCell(4)(np.ones((2, 3)), [np.zeros((2, 4))])
        >>> output.shape
        (2, 4)
    """

    label = "simple_rnn"

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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

    def step(self, projected: Any, states: list[Any], factors: Any = None) -> Any:
        """One step; see `RecurrentCell.step`."""
        output = self.activation(projected + self._from_state(states[0], factors))
        return output, [output]


@REGISTRY.register()
class SimpleRNN(CellLayer):
    """A recurrent layer whose output is its state: `activation(x @ kernel + h @ recurrent + bias)`.

    With a usual activation and without recurrent dropout, a whole sequence is one fused kernel.

    Args:
        units: Length of the output and of the state.
        activation: Activation function or its name; None for none.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of `cell.kernel`, shape (n, units).
        recurrent_initializer: Initializer of `cell.recurrent_kernel`, shape (units, units).
        bias_initializer: Initializer of `cell.bias`, shape (units,).
        kernel_regularizer: Regularizer of the kernel, or None.
        recurrent_regularizer: Regularizer of the recurrent kernel, or None.
        bias_regularizer: Regularizer of the bias, or None.
        activity_regularizer: Regularizer of the output, or None.
        kernel_constraint: Constraint of the kernel, or None.
        recurrent_constraint: Constraint of the recurrent kernel, or None.
        bias_constraint: Constraint of the bias, or None.
        dropout: Share of the inputs that is dropped in training.
        recurrent_dropout: Share of the state that is dropped in training.
        return_sequences: Whether the output holds each step, or only the last.
        return_state: Whether the last state is returned after the output.
        go_backwards: Whether the steps are taken from the last to the first.
        stateful: Whether a batch starts with the state that the one before ended with.
        unroll: Accepted for Keras' sake.
        seed: Integer, or None for other numbers in each run.
        kwargs: `zero_output_for_mask` (see `RNN`); `name`, `dtype`, `trainable`.

    Returns:
        (batch, units), or (batch, steps, units) with `return_sequences`; then the state if
        `return_state`.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.SimpleRNN(4)(np.ones((2, 5, 3))).shape
        (2, 4)
    """

    _cell_class, _kernel = SimpleRNNCell, simple_rnn
    _kernel_settings = ("activation",)

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        cell = {
            "units": units,
            "activation": activation,
            "use_bias": use_bias,
            "kernel_initializer": kernel_initializer,
            "recurrent_initializer": recurrent_initializer,
            "bias_initializer": bias_initializer,
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
        self._start_with(SimpleRNNCell, cell, layer)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return omit_none(super().get_config(), "seed")
