"""Attention with fewer heads for keys and values than for queries."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.layers.activation import Softmax
from kernelmodel.layers.arguments import positive, refuse
from kernelmodel.layers.attention.heads import Heads
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.regularization import Dropout


@REGISTRY.register()
class GroupQueryAttention(Heads):
    """Attention with several heads, where groups of query heads share keys and values.

    With one head for keys and values it is multi-query attention; with as many as for queries it
    is `MultiHeadAttention`.

    Args:
        head_dim: Length of the projected queries, keys and values of a head.
        num_query_heads: Number of query heads, a multiple of `num_key_value_heads`.
        num_key_value_heads: Number of heads for keys and values.
        dropout: Share of the weights that is dropped in training.
        use_bias: Whether the projections have biases.
        sliding_window: A position sees only those less than so many steps away; None for all.
        flash_attention: Accepted for Keras' sake: there is one way to compute.
        kernel_initializer: Initializer of the projections' kernels.
        bias_initializer: Initializer of the projections' biases.
        kernel_regularizer: Regularizer of the kernels, or None.
        bias_regularizer: Regularizer of the biases, or None.
        activity_regularizer: Regularizer of the projections' outputs, or None.
        kernel_constraint: Constraint of the kernels, or None.
        bias_constraint: Constraint of the biases, or None.
        use_gate: Whether the heads' outputs are multiplied with a sigmoid of a projected query.
        seed: Integer, or None for other numbers in each run.

    Returns:
        (batch, t, n) for a query (batch, t, n) and values (batch, s, m); with
        `return_attention_scores` also the weights (batch, query heads, t, s).

    Raises:
        ValueError: An argument is none of these.

    Source: Ainslie et al., *GQA: Training Generalized Multi-Query Transformer Models from
    Multi-Head Checkpoints*, EMNLP 2023.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.GroupQueryAttention(4, num_query_heads=6, num_key_value_heads=2)
        >>> layer(np.ones((1, 5, 8)), np.ones((1, 3, 7))).shape
        (1, 5, 8)
    """

    _private = "_"
    # Keras has it under another name than that of its class.
    _class_in_weights_files = "GroupedQueryAttention"

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.head_dim = positive(self, "head_dim", head_dim)
        self.num_query_heads = positive(self, "num_query_heads", num_query_heads)
        self.num_key_value_heads = positive(self, "num_key_value_heads", num_key_value_heads)
        if num_query_heads % num_key_value_heads:
            allowed = f"a multiple of num_key_value_heads={num_key_value_heads}"
            refuse(self, "num_query_heads", num_query_heads, allowed)
        self._start(
            dropout,
            use_bias,
            sliding_window,
            flash_attention,
            use_gate,
            seed,
            activity_regularizer,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def build(  # type: ignore[override]
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> None:
        """Make the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        plans = [
            ("query", query_shape, self.num_query_heads, None),
            ("key", key_shape, self.num_key_value_heads, None),
            ("gate", query_shape, self.num_query_heads, "sigmoid"),
            ("value", value_shape, self.num_key_value_heads, None),
        ]
        for name, shape, heads, activation in plans:
            if name == "gate" and not self.use_gate:
                continue
            inner = (None, heads, self.head_dim)
            layer = self._dense("abc,cde->abde", inner, "de", name, activation)
            setattr(self, self._name_of(name), layer)
            layer.build(shape)
        outer = (None, query_shape[-1])
        self._output_dense = self._dense("abcd,cde->abe", outer, "e", "attention_output")
        self._output_dense.build((*query_shape[:-1], self.num_query_heads, self.head_dim))
        self._softmax = Softmax(dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)

    def _attend(self, query: Any, key: Any, value: Any, mask: Any, training: Any) -> Any:
        """Outputs of the heads (batch, t, heads, head_dim), and the weights.

        The query heads of a group are rows of one product with the keys that they share.
        """
        if mask is not None and len(mask.shape) == 3:
            mask = ops.expand_dims(mask, 1)
        batch, t, heads, length = query.shape
        s, groups = key.shape[1], self.num_key_value_heads
        rows = (heads // groups) * t
        query = query * np.asarray(1 / math.sqrt(length), self.compute_dtype)
        query = ops.reshape(ops.transpose(query, (0, 2, 1, 3)), (batch, groups, rows, length))
        scores = ops.matmul(query, ops.transpose(key, (0, 2, 3, 1)))
        scores = self._softmax(ops.reshape(scores, (batch, heads, t, s)), mask=mask)
        weights = self._dropout_layer(scores, training=training) if self.dropout else scores
        weights = ops.reshape(weights, (batch, groups, rows, s))
        outputs = ops.matmul(weights, ops.transpose(value, (0, 2, 1, 3)))
        outputs = ops.reshape(outputs, (batch, heads, t, length))
        return ops.transpose(outputs, (0, 2, 1, 3)), scores

    def compute_output_shape(
        self, query_shape: Any, value_shape: Any = None, key_shape: Any = None
    ) -> Any:
        """The shape of the query."""
        return tuple(query_shape)

    def _score_shape(self, query: Any, value: Any) -> tuple[Any, ...]:
        return (query[0], self.num_query_heads, query[1], value[1])
