"""Integers as rows that say which there are."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.layer import Layer
from kernelmodel.engine.boxes import getval
from kernelmodel.layers.arguments import positive, refuse
from kernelmodel.layers.preprocessing.counting import (
    MODES,
    encode,
    encoded_shape,
    no_sparse,
)
from kernelmodel.layers.preprocessing.counting import output_mode as checked_mode
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import _cast, convert_to_tensor


@REGISTRY.register()
class CategoryEncoding(Layer):
    """Integers as rows of zeros and ones, or of counts; those out of range leave no mark.

    Args:
        num_tokens: Length of the rows: integers go from 0 to below it.
        output_mode: "multi_hot" for a row that marks all integers of the last axis; "count" for
            one that counts them; "one_hot" for a row for each.
        sparse: Must be False.

    Call:
        inputs: Integers of any shape.
        count_weights: How much each integer counts, in the mode "count"; None for 1.

    Raises:
        ValueError: An argument is none of these; later, weights in another mode.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.CategoryEncoding(4)([[0, 1], [3, 3]])
        array([[1., 1., 0., 0.],
               [0., 0., 0., 1.]], dtype=float32)
    """

    # Keras doesn't write it.
    _written_if_set = ("sparse",)

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.num_tokens = positive(self, "num_tokens", num_tokens)
        self.output_mode = checked_mode(self, output_mode, MODES[1:])
        self.sparse = no_sparse(self, sparse)

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """Encode."""
        if count_weights is not None and self.output_mode != "count":
            refuse(self, "count_weights", count_weights, "None unless output_mode='count'")
        indices = getval(convert_to_tensor(inputs))
        if np.dtype(indices.dtype).kind != "i":
            indices = _cast(indices, "int32")
        weights = None if count_weights is None else convert_to_tensor(count_weights)
        return encode(indices, self.output_mode, self.num_tokens, self.compute_dtype, weights)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)
