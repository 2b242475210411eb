"""Long short-term memory whose products are convolutions, over one, two and three axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.engine.kernels.conv import conv
from kernelmodel.layers.arguments import (
    data_format as checked_format,
)
from kernelmodel.layers.arguments import integers, make_weight, refuse
from kernelmodel.layers.arguments import padding as checked_padding
from kernelmodel.layers.recurrent.cell_layer import CellLayer
from kernelmodel.layers.recurrent.lstm import LSTMCell
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.windowed import window_count


class ConvLSTMCell(LSTMCell):
    """One step of a convolutional LSTM, channels last; see `ConvLSTM` for the arguments.

    Args:
        rank: Number of spatial axes.
        filters: Channels of the states.
        kernel_size: Extent of the window.
        strides: Step between windows.
        padding: "valid" or "same".
        dilation_rate: Step between the positions that a window sees.
        kwargs: Arguments of `LSTMCell`.
    """

    label = "conv_lstm"
    size_argument = "filters"

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any,
        padding: str,
        dilation_rate: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, **kwargs)
        self.filters, self.rank, self.spatial_axes = self.units, rank, rank
        self.kernel_size = integers(self, "kernel_size", kernel_size, rank)
        self.strides = integers(self, "strides", strides, rank)
        self.padding = checked_padding(self, padding)
        self.dilation_rate = integers(self, "dilation_rate", dilation_rate, rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            allowed = f"1 when dilation_rate is {self.dilation_rate}, or the reverse"
            refuse(self, "strides", self.strides, allowed)

    def build(self, input_shape: Any) -> None:
        """Make the weights for one step (batch, *spatial, channels)."""
        width = self.units * self.gates
        self.kernel = make_weight(self, "kernel", (*self.kernel_size, input_shape[-1], width))
        recurrent = (*self.kernel_size, self.units, width)
        self.recurrent_kernel = make_weight(self, "recurrent_kernel", recurrent, "recurrent")
        if self.use_bias:
            self.bias = self._make_bias(width)
        self._state_lengths = self.lengths(input_shape[1:-1])

    def lengths(self, spatial: Any) -> tuple[Any, ...]:
        """The spatial lengths of the states for those of an input."""
        sizes = zip(spatial, self.kernel_size, self.strides, self.dilation_rate)
        return tuple(window_count(n, k, s, self.padding, d) for n, k, s, d in sizes)

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """Zeros for h and c."""
        shape = (batch_size, *self._state_lengths, self.units)
        return [np.zeros(shape, self.compute_dtype) for _ in range(2)]

    def _state_shape(self, step: tuple[int, ...]) -> tuple[int, ...]:
        return (step[0], *self._state_lengths, self.units)

    def _of_inputs(self, inputs: Any, kernel: Any, bias: Any) -> Any:
        spatial = tuple(inputs.shape[-self.rank - 1 :])
        outputs = conv(
            ops.reshape(inputs, (-1, *spatial)),
            kernel,
            bias,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
        )
        return ops.reshape(outputs, (*inputs.shape[: -self.rank - 1], *outputs.shape[1:]))

    def _of_state(self, state: Any, kernel: Any) -> Any:
        return conv(state, kernel, None, padding="same")

    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        """The shapes of the output and of the states."""
        state = (input_shape[0], *self.lengths(input_shape[1:-1]), self.units)
        return state, [state, state]


class ConvLSTM(CellLayer):
    """{summary}

    The input of all steps goes through one convolution; a step adds one of the state.

    Args:
        filters: Channels of the output and of the two states.
        kernel_size: Extent of the window: an integer, or one for each spatial axis.
        strides: Step between windows of the input, likewise.
        padding: "valid" (whole windows only) or "same"; the state is always padded.
        data_format: "channels_last" or "channels_first"; None for the former.
        dilation_rate: Step between the positions that a window of the input sees.
        activation: Of the candidate and the cell state.
        recurrent_activation: Of the three gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of `cell.kernel`, shape (*kernel_size, channels,
            4 * filters): input gate, forget gate, candidate, output gate.
        recurrent_initializer: Initializer of `cell.recurrent_kernel`, shape (*kernel_size,
            filters, 4 * filters).
        bias_initializer: Initializer of `cell.bias`, shape (4 * filters,).
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
        kwargs: `unroll`, `zero_output_for_mask` (see `RNN`); `name`, `dtype`, `trainable`.

    Returns:
        (batch, *spatial, filters), or (batch, steps, *spatial, filters) with `return_sequences`;
        then h and c if `return_state`. Channels come where `data_format` has them.

    Raises:
        ValueError: An argument is none of these; the input's spatial lengths aren't known.

    Source: Shi et al., *Convolutional LSTM Network*, NeurIPS 2015, without its peepholes.
    """

    rank = 0

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        cell = {
            "rank": self.rank,
            "filters": filters,
            "kernel_size": kernel_size,
            "strides": strides,
            "padding": padding,
            "dilation_rate": dilation_rate,
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
            **kwargs,
        }
        self._start_with(ConvLSTMCell, cell, layer)
        self.data_format = checked_format(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def _last(self, array: Any, first: int) -> Any:
        """An array with its channels last, that has the spatial axes from `first` on."""
        return array if self.data_format == "channels_last" else ops.moveaxis(array, first, -1)

    def _back(self, array: Any, first: int) -> Any:
        """An array with its channels where the data format has them."""
        return array if self.data_format == "channels_last" else ops.moveaxis(array, -1, first)

    def _step_shape(self, shape: Any) -> tuple[Any, ...]:
        """The shape of one step, channels last."""
        step = (shape[0], *shape[2:])
        return step if self.data_format == "channels_last" else (step[0], *step[2:], step[1])

    def build(self, sequences_shape: Any) -> None:
        """Build the cell."""
        step = self._step_shape(sequences_shape)
        if None in step[1:]:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) needs to know the spatial lengths "
                f"and the channels of its input, got shape {tuple(sequences_shape)}. The number of "
                "steps may be None."
            )
        lengths = self.cell.lengths(step[1:-1])
        if min(lengths) < 1:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}): the window {self.cell.kernel_size} "
                f"doesn't fit into an input of shape {tuple(sequences_shape)}. Use a smaller "
                'window or padding="same".'
            )
        super().build((step[0], sequences_shape[1], *step[1:]))
        axes = {i: n for i, n in enumerate(sequences_shape) if i > 1}
        self.input_spec = InputSpec(ndim=self.rank + 3, axes=axes)

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """Zeros for h and c."""
        return [self._back(state, 1) for state in self.cell.get_initial_state(batch_size)]

    def _run(self, sequences: Any, states: list[Any], mask: Any, training: Any) -> Any:
        states = [self._last(state, 1) for state in states]
        outputs, states = super()._run(self._last(sequences, 2), states, mask, training)
        outputs = self._back(outputs, 2 if self.return_sequences else 1)
        return outputs, [self._back(state, 1) for state in states]

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shapes of the output and, if returned, of the states."""
        state = self.cell.compute_output_shape(self._step_shape(sequences_shape))[0]
        if self.data_format == "channels_first":
            state = (state[0], state[-1], *state[1:-1])
        whole = (state[0], sequences_shape[1], *state[1:])
        output = whole if self.return_sequences else state
        return (output, state, state) if self.return_state else output


def described(summary: str, example: str, result: str) -> str:
    """The docstring of the base with a first line and an example."""
    return (ConvLSTM.__doc__ or "").replace("{summary}", summary) + (
        f"\n    Examples:\n        >>> import numpy as np\n        >>> import kernelmodel as km\n"
        f"        >>> km.layers.{example}.shape\n        {result}\n    "
    )


@REGISTRY.register()
class ConvLSTM1D(ConvLSTM):
    __doc__ = described(
        "A recurrent layer over sequences of rows (batch, steps, length, channels).",
        "ConvLSTM1D(4, 3)(np.ones((2, 5, 8, 3)))",
        "(2, 6, 4)",
    )
    rank = 1


@REGISTRY.register()
class ConvLSTM2D(ConvLSTM):
    __doc__ = described(
        "A recurrent layer over films (batch, steps, rows, columns, channels).",
        'ConvLSTM2D(4, 3, padding="same")(np.ones((2, 5, 8, 8, 1)))',
        "(2, 8, 8, 4)",
    )
    rank = 2


@REGISTRY.register()
class ConvLSTM3D(ConvLSTM):
    __doc__ = described(
        "A recurrent layer over sequences of volumes (batch, steps, d, h, w, channels).",
        "ConvLSTM3D(2, 2)(np.ones((1, 3, 4, 4, 4, 1)))",
        "(1, 3, 3, 3, 2)",
    )
    rank = 3
