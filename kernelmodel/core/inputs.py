"""Inputs of a model: `Input(shape)` and the layer that stands for it."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.layer import Layer
from kernelmodel.core.naming import unique_name
from kernelmodel.core.symbolic import KerasTensor, Node


class InputLayer(Layer):
    """The layer that stands for an input in a model's list of layers.

    Args:
        shape: Shape of one sample, without the batch axis.
        batch_size: Fixed batch size, or None.
        dtype: Dtype name of the data.
        sparse: Must be None or False.
        ragged: Must be None or False.
        batch_shape: Shape with the batch axis, in place of `shape`.
        input_tensor: A symbolic tensor to take as the input.
        optional: Whether the input may be None.
        name: Name; made up if None.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.InputLayer(shape=(3,), name="x").output.shape
        (None, 3)
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: Any = None,
        ragged: Any = None,
        batch_shape: Any = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=unique_name("input_layer") if name is None else name)
        if sparse or ragged:
            raise ValueError(
                f"Input {self.name!r}: sparse and ragged inputs are not supported. Pass dense "
                "arrays (see kernelmodel.utils.pad_sequences)."
            )
        kwargs.pop("input_shape", None)
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        if batch_shape is None:
            if shape is None:
                raise ValueError(
                    f"Input {self.name!r} needs a shape: that of one sample, such as (28, 28, 1)."
                )
            shape = (shape,) if isinstance(shape, int) else tuple(shape)
            batch_shape = (batch_size, *shape)
        bad = [n for n in batch_shape if n is not None and (not hasattr(n, "__index__") or n < 0)]
        if bad:
            raise ValueError(
                f"Input {self.name!r}: lengths must be integers >= 0 or None, got {batch_shape}."
            )
        self.batch_shape = tuple(batch_shape)
        self.optional = optional
        self._input_dtype = KerasTensor((), dtype or self.compute_dtype).dtype
        self.reads_text = self._input_dtype == "string"
        self.built = True
        tensor = KerasTensor(self.batch_shape, self._input_dtype, name=self.name)
        Node(self, (), {}, tensor)

    @property
    def dtype(self) -> str:
        """Dtype name of the data."""
        return self._input_dtype

    def call(self, inputs: Any = None) -> Any:
        """The input as it is."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self._input_dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
        }


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: Any = None,
    ragged: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbolic tensor where a model's data comes in.

    Args:
        shape: Shape of one sample; None for lengths that may vary.
        batch_size: Fixed batch size, or None.
        dtype: Dtype name of the data; None for float32.
        sparse: Must be None or False.
        ragged: Must be None or False.
        batch_shape: Shape with the batch axis, in place of `shape`.
        name: Name, by which a dict of data finds this input.
        tensor: A symbolic tensor to take shape and dtype from.
        optional: Whether the input may be None.

    Raises:
        ValueError: No shape, or one with other things than lengths.

    Examples:
        >>> import kernelmodel as km
        >>> x = km.Input(shape=(28, 28, 1))
        >>> x.shape
        (None, 28, 28, 1)
    """
    layer = InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name
    )
    return layer.output
