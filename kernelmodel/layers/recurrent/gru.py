"""Gated recurrent units."""

from __future__ import annotations

from typing import Any

from kernelmodel.engine.kernels.gru import gru
from kernelmodel.layers.arguments import in_dtype, make_weight
from kernelmodel.layers.recurrent.cell import RecurrentCell
from kernelmodel.layers.recurrent.cell_layer import CellLayer
from kernelmodel.layers.registry import REGISTRY


@REGISTRY.register()
class GRUCell(RecurrentCell):
    """One step of a GRU; see `GRU` for the arguments.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> output, states = km.layers.GRUCell(4)(np.ones((2, 3)), [np.zeros((2, 4))])
        >>> output.shape
        (2, 4)
    """

    gates = 3
    label = "gru"

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        reset_after: bool = True,
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
        self.reset_after = bool(reset_after)

    def _make_bias(self, width: int) -> Any:
        return make_weight(self, "bias", (2, width) if self.reset_after else (width,))

    def _input_bias(self) -> Any:
        bias = in_dtype(self.bias, self.compute_dtype)
        return bias[0] if bias is not None and self.reset_after else bias

    def step(self, projected: Any, states: list[Any], factors: Any = None) -> Any:
        """One step; see `RecurrentCell.step`."""
        (h,) = states
        gates_x, candidate_x = self._gates(projected, 2, 1)
        if self.reset_after:
            inner = self._from_state(h, factors)
            if self.bias is not None:
                inner = inner + in_dtype(self.bias, self.compute_dtype)[1]
            gates_h, candidate_h = self._gates(inner, 2, 1)
        else:
            gates_h = self._from_state(h, factors, 0, 2)
        update, reset = self._gates(self.recurrent_activation(gates_x + gates_h), 1, 1)
        if self.reset_after:
            remembered = reset * candidate_h
        else:
            remembered = self._from_state(reset * h, factors, 2, 1)
        candidate = self.activation(candidate_x + remembered)
        h = update * h + (1 - update) * candidate
        return h, [h]


@REGISTRY.register()
class GRU(CellLayer):
    """A recurrent layer with two gates: how much to renew, and how much of the past to look at.

    With the usual activations and without recurrent dropout, a whole sequence is one fused kernel.

    Args:
        units: Length of the output and of the state.
        activation: Of the candidate.
        recurrent_activation: Of the two gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of `cell.kernel`, shape (n, 3 * units): update gate, reset
            gate, candidate.
        recurrent_initializer: Initializer of `cell.recurrent_kernel`, shape (units, 3 * units).
        bias_initializer: Initializer of `cell.bias`, shape (2, 3 * units) or (3 * units,).
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
        reset_after: Whether the reset gate is applied after the product with the recurrent kernel.
        return_sequences: Whether the output holds each step, or only the last.
        return_state: Whether the last state is returned after the output.
        go_backwards: Whether the steps are taken from the last to the first.
        stateful: Whether a batch starts with the state that the one before ended with.
        unroll: Accepted for Keras' sake.
        kwargs: `zero_output_for_mask` (see `RNN`); `name`, `dtype`, `trainable`.

    Returns:
        (batch, units), or (batch, steps, units) with `return_sequences`; then the state if
        `return_state`.

    Raises:
        ValueError: An argument is none of these.

    Source: Cho et al., *Learning Phrase Representations*, EMNLP 2014.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.GRU(4)(np.ones((2, 5, 3))).shape
        (2, 4)
    """

    _cell_class, _kernel = GRUCell, gru
    _kernel_settings = ("activation", "recurrent_activation", "reset_after")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
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
            "kernel_regularizer": kernel_regularizer,
            "recurrent_regularizer": recurrent_regularizer,
            "bias_regularizer": bias_regularizer,
            "kernel_constraint": kernel_constraint,
            "recurrent_constraint": recurrent_constraint,
            "bias_constraint": bias_constraint,
            "dropout": dropout,
            "recurrent_dropout": recurrent_dropout,
            "reset_after": reset_after,
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
        self._start_with(GRUCell, cell, layer)
