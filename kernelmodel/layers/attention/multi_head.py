"""Attention with several heads."""

from __future__ import annotations

import math
import string
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.kinds import Axes
from kernelmodel.engine.kernels.attention import attention
from kernelmodel.layers.arguments import is_integer, positive
from kernelmodel.layers.attention.heads import Heads
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.regularization import Dropout


def projection(free: int, summed: int, made: int) -> tuple[str, str]:
    """The equation of a dense layer that keeps, sums and makes so many axes; its bias axes."""
    letters = string.ascii_lowercase
    kept, gone = letters[:free], letters[free : free + summed]
    new = letters[free + summed : free + summed + made]
    return f"{kept}{gone},{gone}{new}->{kept}{new}", new


def _as_four(mask: Any, shape: tuple[Any, ...], flat: tuple[Any, ...], axes: int) -> Any:
    """A mask of (batch, others, t, s), or with heads before t, as one that broadcasts to `flat`.

    Args:
        mask: bool; t and s stand for so many `axes`.
        shape: (batch, others, heads, t, s).
        flat: The same with others joined to the batch, and the axes of t and s joined.
        axes: Their number.
    """
    for _ in range(len(shape) - len(mask.shape)):
        mask = ops.expand_dims(mask, -2 * axes - 1)
    if len(shape) == 4:
        return mask
    return ops.reshape(ops.broadcast_to(mask, shape), flat)


@REGISTRY.register()
class MultiHeadAttention(Heads):
    """For each position of a query, a mean of values weighted by how well their keys fit.

    Args:
        num_heads: Number of heads, each with projections of its own.
        key_dim: Length of the projected queries and keys of a head.
        value_dim: Length of the projected values of a head; None for `key_dim`.
        dropout: Share of the weights that is dropped in training.
        use_bias: Whether the projections have biases.
        output_shape: Last lengths of the output; None for the last length of the query.
        attention_axes: Axes over which attention runs; None for all but the batch and the last.
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
        `return_attention_scores` also the weights (batch, heads, t, s).

    Raises:
        ValueError: An argument is none of these; keys and values aren't equally many.

    Source: Vaswani et al., *Attention Is All You Need*, NeurIPS 2017; the gate: Qiu et al., *Gated
    Attention for Large Language Models*, 2025.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.MultiHeadAttention(num_heads=2, key_dim=4)
        >>> layer(np.ones((1, 5, 8)), np.ones((1, 3, 6))).shape
        (1, 5, 8)
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Axes | None = None,
        attention_axes: Axes | None = None,
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
        self.num_heads = positive(self, "num_heads", num_heads)
        self.key_dim = positive(self, "key_dim", key_dim)
        self.value_dim = positive(self, "value_dim", value_dim) if value_dim else self.key_dim
        output_shape = (output_shape,) if is_integer(output_shape) else output_shape
        self._given_shape = tuple(output_shape) if output_shape else None
        attention_axes = (attention_axes,) if is_integer(attention_axes) else attention_axes
        self.attention_axes = tuple(attention_axes) if attention_axes else None
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
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ValueError(
                f"Layer {self.name!r} (MultiHeadAttention) expects as many keys as values, got "
                f"key_shape={tuple(key_shape)} and value_shape={tuple(value_shape)}."
            )
        rank = len(query_shape)
        for name, shape, length in (
            ("query", query_shape, self.key_dim),
            ("key", key_shape, self.key_dim),
            ("value", value_shape, self.value_dim),
        ):
            equation, bias_axes = projection(len(shape) - 1, 1, 2)
            inner = (*(None,) * (len(shape) - 2), self.num_heads, length)
            layer = self._dense(equation, inner, bias_axes, name)
            setattr(self, self._name_of(name), layer)
            layer.build(shape)
            if name == "key" and self.use_gate:
                equation, bias_axes = projection(rank - 1, 1, 2)
                inner = (*(None,) * (rank - 2), self.num_heads, self.value_dim)
                self._gate_dense = self._dense(equation, inner, bias_axes, "gate", "sigmoid")
                self._gate_dense.build(query_shape)
        last = self._given_shape or (query_shape[-1],)
        equation, bias_axes = projection(rank - 1, 2, len(last))
        outer = (*(None,) * (rank - 2), *last)
        self.output_dense = self._dense(equation, outer, bias_axes, "attention_output")
        self.output_dense.build((*query_shape[:-1], self.num_heads, self.value_dim))
        if self.attention_axes is None:
            self.attention_axes = tuple(range(1, rank - 1))
        else:
            self.attention_axes = tuple(a % rank for a in self.attention_axes)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)

    def _attend(self, query: Any, key: Any, value: Any, mask: Any, training: Any) -> Any:
        """Outputs of the heads (batch, ..., heads, value_dim), and the weights."""
        rank, axes = len(query.shape), self.attention_axes or ()
        others = [i for i in range(1, rank - 2) if i not in axes]
        order = (0, *others, *axes, rank - 2, rank - 1)
        moved = order != tuple(range(rank))

        def joined(x: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
            """(batch * others, positions, heads, length), and what was joined to the first two."""
            x = ops.transpose(x, order) if moved else x
            cut = len(others) + 1
            front, middle = tuple(x.shape[:cut]), tuple(x.shape[cut:-2])
            if len(front) + len(middle) > 2:
                x = ops.reshape(x, (math.prod(front), math.prod(middle), *x.shape[-2:]))
            return x, front, middle

        (q, front, t), (k, _, s), (v, _, _) = joined(query), joined(key), joined(value)
        shape = (*front, self.num_heads, *t, *s)
        flat = (math.prod(front), self.num_heads, math.prod(t), math.prod(s))
        if mask is not None:
            mask = _as_four(mask, shape, flat, len(axes))
        keep, dropout = None, self._dropout_layer
        if training and self.dropout:
            keep = ops.random.keep_mask(flat, self.dropout, dropout.seed_generator)
        scale = 1 / math.sqrt(self.key_dim)
        outputs, weights = attention(q, k, v, mask, keep, scale=scale, rate=self.dropout)
        if shape != flat:
            outputs = ops.reshape(outputs, (*front, *t, *outputs.shape[-2:]))
            weights = ops.reshape(weights, shape)
        if moved:
            outputs = ops.transpose(outputs, tuple(int(i) for i in np.argsort(order)))
        return outputs, weights

    def compute_output_shape(
        self, query_shape: Any, value_shape: Any = None, key_shape: Any = None
    ) -> Any:
        """The shape of the output, without the weights."""
        return (*query_shape[:-1], *(self._given_shape or query_shape[-1:]))

    def _score_shape(self, query: Any, value: Any) -> tuple[Any, ...]:
        axes = self.attention_axes or ()
        others = tuple(n for i, n in enumerate(query[1:-1], 1) if i not in axes)
        t, s = ([shape[i] for i in axes] for shape in (query, value))
        return (query[0], *others, self.num_heads, *t, *s)

    def _init_argument(self, name: str) -> Any:
        return self._given_shape if name == "output_shape" else super()._init_argument(name)
