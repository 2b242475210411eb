"""An embedding that can also be run backwards, from vectors to scores of the vocabulary."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.context import current
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.layers.arguments import in_dtype, number
from kernelmodel.layers.embedding import Embedding
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import _cast, standardize_dtype


@REGISTRY.register()
class ReversibleEmbedding(Embedding):
    """A vector for each whole number, and with `reverse=True` a score of each number for a vector.

    Args:
        input_dim: Size of the vocabulary: ids are 0, 1, ..., input_dim - 1.
        output_dim: Length of the vectors.
        tie_weights: Whether both directions share `embeddings`; else the way back has a weight
            `reverse_embeddings` of its own.
        embeddings_initializer: Initializer of `embeddings`, shape (input_dim, output_dim).
        embeddings_regularizer: Regularizer of `embeddings`, or None.
        embeddings_constraint: Constraint of `embeddings`, or None.
        mask_zero: Whether id 0 is padding: the layers that follow skip it.
        reverse_dtype: Dtype in which scores are computed; None for that of the layer.
        logit_soft_cap: Scores are bent so that they stay between this and its negative; None for
            no limit.
        kwargs: `weights`, `activity_regularizer`, `name`, `dtype`, `trainable`.

    Returns:
        Floats of shape (*ids.shape, output_dim); or, in reverse, of shape (..., input_dim) for
        vectors (..., output_dim).

    Raises:
        ValueError: An argument is none of these.
        IndexError: In a call, an id is outside the vocabulary.

    Source: Press and Wolf, *Using the Output Embedding to Improve Language Models*, EACL 2017.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.ReversibleEmbedding(10, 4)
        >>> vectors = layer(np.array([[1, 2, 9]]))
        >>> layer(vectors, reverse=True).shape
        (1, 3, 10)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: str | None = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        self.tie_weights = bool(tie_weights)
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )
        self.reverse_dtype = None if reverse_dtype is None else standardize_dtype(reverse_dtype)
        self.logit_soft_cap = (
            None if logit_soft_cap is None else number(self, "logit_soft_cap", logit_soft_cap)
        )

    def build(self, input_shape: Any = None) -> None:
        """Make `embeddings`, and `reverse_embeddings` if the weights aren't tied."""
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights:
            shape = (self.output_dim, self.input_dim)
            self.reverse_embeddings = self.add_weight(
                shape, self.embeddings_initializer, name="reverse_embeddings"
            )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        """Look up vectors; or, in reverse, score the vocabulary for vectors."""
        if not reverse:
            outputs, context = super().call(inputs), current()
            if self.mask_zero and context is not None:
                context.set_mask(outputs, ops.not_equal(inputs, 0))
            return outputs
        dtype = self.reverse_dtype or self.compute_dtype
        if self.tie_weights:
            kernel = ops.transpose(in_dtype(self.embeddings, dtype))
        else:
            kernel = in_dtype(self.reverse_embeddings, dtype)
        scores = ops.matmul(_cast(inputs, dtype), kernel)
        if self.logit_soft_cap is None:
            return scores
        return ops.tanh(scores / self.logit_soft_cap) * self.logit_soft_cap

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: only a call knows its direction; it sets the mask itself."""
        return None

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        """The shape of the output for an input of a shape."""
        if reverse:
            return (*input_shape[:-1], self.input_dim)
        return super().compute_output_shape(input_shape)

    def compute_output_spec(self, inputs: Any, reverse: bool = False) -> Any:
        """Symbolic tensors like those that a call on these arguments gives."""
        dtype = self.reverse_dtype if reverse and self.reverse_dtype else self.compute_dtype
        return KerasTensor(self.compute_output_shape(tuple(inputs.shape), reverse), dtype)
