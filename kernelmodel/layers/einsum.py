"""A dense layer over any axes."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.core.kinds import Lengths
from kernelmodel.core.layer import Layer
from kernelmodel.engine.kernels.dense import dense
from kernelmodel.initializers import VarianceScaling
from kernelmodel.layers.arguments import (
    FUSED,
    activated,
    in_dtype,
    is_integer,
    only_default,
    refuse,
    resolve,
)
from kernelmodel.layers.registry import REGISTRY


@dataclass(frozen=True)
class Plan:
    """An equation, applied to an input of a known rank.

    Attributes:
        inputs: A letter for each axis of the input.
        kernel: A letter for each axis of the kernel.
        outputs: A letter for each axis of the output.
        fixed: The letters of the output that the layer's `output_shape` is about.
    """

    inputs: str
    kernel: str
    outputs: str
    fixed: str

    @property
    def is_product(self) -> bool:
        """Whether it is one matrix product: last input axes times first kernel axes."""
        summed = [a for a in self.inputs if a not in self.outputs]
        new = [a for a in self.outputs if a not in self.inputs]
        free = self.inputs[: len(self.inputs) - len(summed)]
        return (
            self.inputs == free + "".join(summed)
            and self.kernel == "".join(summed + new)
            and self.outputs == free + "".join(new)
        )


@lru_cache(maxsize=256)
def plan(equation: str, rank: int) -> Plan:
    """Give each axis a letter; "..." stands for those that aren't named.

    Raises:
        ValueError: The equation isn't of the form "ab,bc->ac", or doesn't fit the rank.
    """
    found = re.fullmatch(r"([a-zA-Z.]+),([a-zA-Z.]+)->([a-zA-Z.]+)", equation.replace(" ", ""))
    if found is None:
        raise ValueError(
            f'An equation has the form "ab,bc->ac" or "...b,bc->...c", got {equation!r}.'
        )
    inputs, kernel, outputs = found.groups()
    unused = [a for a in string.ascii_lowercase + string.ascii_uppercase if a not in equation]
    count = rank - len(inputs.replace("...", ""))
    fits = count >= 0 if "..." in inputs else count == 0
    if not fits or ("..." in inputs) != ("..." in outputs) or "." in kernel:
        raise ValueError(f"The equation {equation!r} doesn't fit an input of {rank} dimensions.")
    elided = "".join(unused[:count]) if "..." in inputs else ""
    whole_inputs, whole = inputs.replace("...", elided), outputs.replace("...", elided)
    fixed = "".join(a for a in whole[1:] if a not in elided)
    if whole[:1] in elided:
        fixed = "".join(a for a in whole if a not in elided)
    return Plan(whole_inputs, kernel, whole, fixed)


@REGISTRY.register()
class EinsumDense(Layer):
    """A dense layer whose product is an equation in Einstein's notation.

    Args:
        equation: Axes of input, kernel and output, e.g. "abc,cd->abd" or "...c,cd->...d".
        output_shape: Lengths of the output's axes without the batch (and without those that "..."
            stands for); None for one that is the input's.
        activation: Activation function or its name; None for none.
        bias_axes: Letters of the output's axes along which the bias varies; None for no bias.
        kernel_initializer: Initializer of `kernel`.
        bias_initializer: Initializer of `bias`.
        kernel_regularizer: Regularizer of `kernel`, or None.
        bias_regularizer: Regularizer of `bias`, or None.
        kernel_constraint: Constraint of `kernel`, or None.
        bias_constraint: Constraint of `bias`, or None.
        activity_regularizer: Regularizer of the output, or None.

    Raises:
        ValueError: The equation, the shapes and the bias axes don't fit each other.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.EinsumDense("abc,cd->abd", output_shape=(None, 8), bias_axes="d")
        >>> layer(np.ones((2, 5, 3))).shape
        (2, 5, 8)
    """

    casts_integers = True

    def __init__(
        self,
        equation: str,
        output_shape: Lengths,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        only_default(
            "EinsumDense", kwargs, quantization_config=None, lora_rank=None, lora_alpha=None
        )
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.equation = equation
        output_shape = (output_shape,) if is_integer(output_shape) else tuple(output_shape)
        self.partial_output_shape = output_shape
        self.bias_axes = bias_axes
        resolve(
            self,
            activation=activation,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.bias: Any = None

    def _lengths(self, shape: Any) -> dict[str, int | None]:
        """The length of each letter for an input of a shape."""
        letters = plan(self.equation, len(shape))
        lengths = dict(zip(letters.inputs, shape))
        if len(letters.fixed) != len(self.partial_output_shape):
            allowed = f"{len(letters.fixed)} lengths, for the axes {letters.fixed!r}"
            refuse(self, "output_shape", self.partial_output_shape, allowed)
        for letter, length in zip(letters.fixed, self.partial_output_shape):
            if lengths.get(letter) is None:
                lengths[letter] = length
            elif length is not None and lengths[letter] != length:
                allowed = f"{lengths[letter]} long in axis {letter!r}, like the input"
                refuse(self, "output_shape", self.partial_output_shape, allowed)
        return lengths

    def build(self, input_shape: Any) -> None:
        """Make `kernel` and `bias`."""
        letters, lengths = plan(self.equation, len(input_shape)), self._lengths(input_shape)
        missing = [a for a in letters.kernel if a not in lengths]
        if missing:
            refuse(self, "equation", self.equation, f"one that says how long {missing} is")
        initializer = self.kernel_initializer
        if isinstance(initializer, VarianceScaling) and initializer.input_axes is None:
            summed = [i for i, a in enumerate(letters.kernel) if a in letters.inputs]
            made = [i for i, a in enumerate(letters.kernel) if a in letters.outputs]
            config = {**initializer.get_config(), "input_axes": summed, "output_axes": made}
            initializer = type(initializer).from_config(config)
        self.kernel = self.add_weight(
            tuple(lengths[a] for a in letters.kernel),
            initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.bias_axes:
            unknown = set(self.bias_axes) - set(letters.outputs)
            if unknown:
                refuse(self, "bias_axes", self.bias_axes, f"letters of {letters.outputs!r}")
            axes = letters.outputs[min(map(letters.outputs.index, self.bias_axes)) :]
            self.bias = self.add_weight(
                tuple(lengths[a] if a in self.bias_axes else 1 for a in axes),
                self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(ndim=len(input_shape))

    def call(self, inputs: Any) -> Any:
        """Compute the output."""
        letters, dtype = plan(self.equation, len(inputs.shape)), self.compute_dtype
        kernel, bias = in_dtype(self.kernel, dtype), in_dtype(self.bias, dtype)
        made = [a for a in letters.outputs if a not in letters.inputs]
        if not letters.is_product or not made or set(self.bias_axes or made) != set(made):
            outputs = ops.einsum(
                f"{letters.inputs},{letters.kernel}->{letters.outputs}", inputs, kernel
            )
            return self.activation(outputs if bias is None else outputs + bias)
        free = tuple(inputs.shape[: len(letters.outputs) - len(made)])
        new = tuple(kernel.shape[len(kernel.shape) - len(made) :])
        rows, columns = int(np.prod(kernel.shape)) // int(np.prod(new)), int(np.prod(new))
        outputs = dense(
            ops.reshape(inputs, (*free, rows)),
            ops.reshape(kernel, (rows, columns)),
            None if bias is None else ops.reshape(bias, (columns,)),
            activation=FUSED.get(self.activation),
        )
        return activated(ops.reshape(outputs, (*free, *new)), self.activation)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        lengths = self._lengths(input_shape)
        return tuple(lengths[a] for a in plan(self.equation, len(input_shape)).outputs)

    def _init_argument(self, name: str) -> Any:
        return self.partial_output_shape if name == "output_shape" else super()._init_argument(name)
