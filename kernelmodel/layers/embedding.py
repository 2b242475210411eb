"""The embedding layer."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.context import current
from kernelmodel.core.kinds import Arrays
from kernelmodel.core.layer import Layer
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.kernels.embedding import embedding
from kernelmodel.layers.arguments import (
    in_dtype,
    make_weight,
    omit_none,
    only_default,
    positive,
    resolve,
)
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import _cast, dtype_of


@REGISTRY.register()
class Embedding(Layer):
    """A vector for each whole number.

    Args:
        input_dim: Size of the vocabulary: ids are 0, 1, ..., input_dim - 1.
        output_dim: Length of the vectors.
        embeddings_initializer: Initializer of `embeddings`, shape (input_dim, output_dim).
        embeddings_regularizer: Regularizer of `embeddings`, or None.
        embeddings_constraint: Constraint of `embeddings`, or None.
        mask_zero: Whether id 0 is padding: the layers that follow skip it.
        weights: First value of `embeddings`, or None.
        activity_regularizer: Regularizer of the output, or None.

    Returns:
        Floats of shape (*ids.shape, output_dim).

    Raises:
        ValueError: `input_dim` or `output_dim` is no positive integer.
        IndexError: In a call, an id is outside the vocabulary.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Embedding(10, 4)(np.array([[1, 2, 9]])).shape
        (1, 3, 4)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Arrays | None = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        only_default("Embedding", kwargs, quantization_config=None, lora_rank=None, lora_alpha=None)
        kwargs.pop("input_length", None)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.input_dim = positive(self, "input_dim", input_dim)
        self.output_dim = positive(self, "output_dim", output_dim)
        resolve(
            self,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
        )
        self.mask_zero = bool(mask_zero)
        self.supports_masking = self.mask_zero
        self.autocast = False
        if weights is not None:
            self.build(None)
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    def build(self, input_shape: Any) -> None:
        """Make `embeddings`."""
        if not self.built:
            self.embeddings = make_weight(self, "embeddings", (self.input_dim, self.output_dim))

    def call(self, inputs: Any) -> Any:
        """Look up the vectors."""
        ids = getval(inputs)
        if dtype_of(ids) not in ("int32", "int64"):
            ids = _cast(ids, "int32")
        try:
            return embedding(in_dtype(self.embeddings, self.compute_dtype), ids)
        except ValueError as error:
            outside = ids[(ids < 0) | (ids >= self.input_dim)]
            if not outside.size:
                raise
            context = current()
            path = "/".join(context.path) if context is not None else self.name
            raise IndexError(
                f"Layer {path!r} (Embedding) got id {int(outside[0])}, but it has a vocabulary of "
                f"{self.input_dim}: ids from 0 to {self.input_dim - 1}. Make input_dim larger, or "
                "map rare ids to one of them."
            ) from error

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """True where the id isn't 0, if `mask_zero`."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for ids of a shape."""
        return (*input_shape, self.output_dim)

    def _init_argument(self, name: str) -> Any:
        return None if name == "weights" else super()._init_argument(name)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return omit_none(super().get_config(), "weights")
