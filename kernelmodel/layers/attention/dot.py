"""Attention without projections: scores of queries and keys as they come."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.layer import Layer
from kernelmodel.core.seed import SeedGenerator
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.engine.kernels.dropout import dropout as drop
from kernelmodel.engine.xla_array import counted
from kernelmodel.layers.activation import Softmax
from kernelmodel.layers.arguments import choice, in_dtype, number
from kernelmodel.layers.attention.heads import as_bool
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops import random


@REGISTRY.register()
class Attention(Layer):
    """For each step of a query, a mean of values weighted by how well their keys fit.

    Called on `[query, value]` or `[query, value, key]`. A masked query step gives zeros, a masked
    value step isn't seen.

    Args:
        use_scale: Whether the scores are multiplied with a weight, `scale`.
        score_mode: "dot" (products of queries and keys) or "concat" (the sum of the hyperbolic
            tangents of their sum, times a weight).
        dropout: Share of the weights that is dropped in training.
        seed: Integer, or None for other numbers in each run.

    Returns:
        (batch, t, m) for a query (batch, t, n), values (batch, s, m) and keys (batch, s, n); with
        `return_attention_scores` also the weights (batch, t, s).

    Raises:
        ValueError: An argument is none of these; in a call, inputs that aren't two or three.

    Source: Luong, Pham and Manning, *Effective Approaches to Attention-based Neural Machine
    Translation*, EMNLP 2015.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> query, value = np.ones((1, 5, 4)), np.ones((1, 3, 4))
        >>> km.layers.Attention()([query, value]).shape
        (1, 5, 4)
    """

    casts_integers = True

    supports_masking = True

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_scale = bool(use_scale)
        self.score_mode = choice(self, "score_mode", score_mode, ("dot", "concat"))
        self.dropout = number(self, "dropout", dropout, 0, 1)
        self.seed = seed
        if dropout > 0:
            self.seed_generator = SeedGenerator(seed)
        self._softmax = Softmax(dtype=self.dtype_policy)
        self.scale: Any = None
        self.concat_score_weight: Any = None

    def build(self, input_shape: Any) -> None:
        """Make the weights of the scores, if there are any."""
        self._check_inputs(input_shape, "shapes")
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Attend.

        Args:
            inputs: [query, value] or [query, value, key]; without a key it is the value.
            mask: [query mask (batch, t), value mask (batch, s)], each may be None.
            training: Whether weights are dropped.
            return_attention_scores: Whether the weights are returned too.
            use_causal_mask: Whether a step sees only itself and those before it.
        """
        self._check_inputs(inputs, "inputs")
        query, value = inputs[:2]
        query_mask, value_mask = self._masks(mask)
        scores = self._scores(query, inputs[2] if len(inputs) > 2 else value)
        seen = None if value_mask is None else ops.expand_dims(as_bool(value_mask), -2)
        if use_causal_mask:
            before = counted(scores.shape[-2])[:, None] >= counted(scores.shape[-1])
            seen = before if seen is None else ops.logical_and(seen, before)
        scores = self._softmax(scores, mask=seen)
        weights = scores
        if training and self.dropout > 0:
            keep = random.keep_mask(tuple(scores.shape), self.dropout, self.seed_generator)
            weights = drop(scores, keep, rate=self.dropout)
        outputs = ops.matmul(weights, value)
        if query_mask is not None:
            kept = ops.expand_dims(as_bool(query_mask), -1)
            outputs = ops.where(kept, outputs, ops.zeros_like(outputs))
        return (outputs, scores) if return_attention_scores else outputs

    def _scores(self, query: Any, key: Any) -> Any:
        dtype = self.compute_dtype
        scale = in_dtype(self.scale, dtype)
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if scale is None else scores * scale
        both = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        both = ops.tanh(both if scale is None else both * scale)
        return ops.sum(both, -1) * in_dtype(self.concat_score_weight, dtype)

    def _check_inputs(self, inputs: Any, what: str) -> None:
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3):
            came = f"{len(inputs)}" if isinstance(inputs, (list, tuple)) else f"{inputs!r}"
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) expects a list of 2 or 3 {what}, "
                f"[query, value] or [query, value, key], got {came}. Call it as "
                "layer([query, value])."
            )

    def _masks(self, mask: Any) -> tuple[Any, Any]:
        """The masks of query and value."""
        if mask is None:
            return None, None
        if not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) expects a mask for each input, "
                f"[query_mask, value_mask], each an array or None, got {mask!r}."
            )
        return mask[0], mask[1]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the query."""
        return self._masks(previous_mask)[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output, without the weights."""
        self._check_inputs(input_shape, "shapes")
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Symbolic tensors like those that a call on these arguments gives."""
        self._check_inputs(inputs, "inputs")
        query, value = inputs[0].shape, inputs[1].shape
        output = KerasTensor(self.compute_output_shape([query, value]), self.compute_dtype)
        if not return_attention_scores:
            return output
        return output, KerasTensor((*query[:-1], value[-2]), self.compute_dtype)


@REGISTRY.register()
class AdditiveAttention(Attention):
    """Attention whose scores are sums of hyperbolic tangents of query plus key.

    Called on `[query, value]` or `[query, value, key]`, as `Attention`.

    Args:
        use_scale: Whether each tangent has a weight, `scale` of shape (n,).
        dropout: Share of the weights that is dropped in training.
        kwargs: `seed`; `name`, `dtype`, `trainable`.

    Returns:
        (batch, t, m) for a query (batch, t, n), values (batch, s, m) and keys (batch, s, n); with
        `return_attention_scores` also the weights (batch, t, s).

    Source: Bahdanau, Cho and Bengio, *Neural Machine Translation by Jointly Learning to Align and
    Translate*, ICLR 2015.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> query, value = np.ones((1, 5, 4)), np.ones((1, 3, 4))
        >>> outputs, weights = km.layers.AdditiveAttention()(
        ...     [query, value], return_attention_scores=True
        ... )
        >>> weights.shape
        (1, 5, 3)
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make `scale`."""
        self._check_inputs(input_shape, "shapes")
        if self.use_scale:
            length = input_shape[0][-1]
            self.scale = self.add_weight((length,), "glorot_uniform", name="scale")

    def _scores(self, query: Any, key: Any) -> Any:
        both = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        if self.scale is None:
            return ops.sum(both, -1)
        return ops.matmul(both, in_dtype(self.scale, self.compute_dtype))

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        config = super().get_config()
        del config["score_mode"]
        return config
