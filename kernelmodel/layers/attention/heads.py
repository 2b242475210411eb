"""What attention layers with several heads have in common: projections and masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops, regularizers
from kernelmodel.core.call_spec import call_spec
from kernelmodel.core.layer import Layer
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.engine.scope import CURRENT
from kernelmodel.engine.xla_array import counted
from kernelmodel.layers.arguments import choice, number, positive, resolve
from kernelmodel.layers.arguments import seed as checked_seed
from kernelmodel.layers.einsum import EinsumDense
from kernelmodel.ops.convert import _cast


def as_bool(mask: Any) -> Any:
    """A mask as booleans."""
    return mask if mask.dtype == bool else _cast(mask, "bool")


class Heads(Layer):
    """Base of attention layers that project queries, keys, values and outputs."""

    casts_integers = True

    supports_masking = True

    # What came to Keras late, and that older versions don't know in files.
    _written_if_set = ("use_gate", "sliding_window")
    # Before the names of the projections' attributes, which are also those in files.
    _private = ""

    def _start(
        self,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        use_gate: bool,
        seed: int | None,
        activity_regularizer: Any,
        **settings: Any,
    ) -> None:
        self.dropout = number(self, "dropout", dropout, 0, 1)
        self.use_bias, self.use_gate = bool(use_bias), bool(use_gate)
        self.seed = checked_seed(self, seed)
        self.sliding_window = (
            None if sliding_window is None else positive(self, "sliding_window", sliding_window)
        )
        self.flash_attention = choice(self, "flash_attention", flash_attention, (None, True, False))
        resolve(self, **settings)
        # A penalty on the projections' outputs, not on that of this layer.
        self._inner_regularizer = regularizers.get(activity_regularizer)

    def _dense(
        self, equation: str, shape: Any, bias_axes: str, name: str, activation: Any = None
    ) -> EinsumDense:
        settings = {
            f"{role}_{what}": getattr(self, f"{role}_{what}")
            for role in ("kernel", "bias")
            for what in ("regularizer", "constraint")
        }
        for role in ("kernel", "bias"):
            # Its own initializer, so that two projections don't start equal.
            given = getattr(self, f"{role}_initializer")
            settings[f"{role}_initializer"] = type(given).from_config(given.get_config())
        projection = EinsumDense(
            equation,
            shape,
            activation=activation,
            bias_axes=bias_axes if self.use_bias else None,
            activity_regularizer=self._inner_regularizer,
            name=name,
            dtype=self.dtype_policy,
            **settings,
        )
        projection.supports_masking = True  # the heads use the mask: it isn't lost here
        return projection

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Attend.

        Args:
            query: (batch, t, n).
            value: (batch, s, m).
            key: (batch, s, k); None for `value`.
            query_mask: (batch, t), False for padding; likewise `value_mask` and `key_mask`.
            value_mask: (batch, s).
            key_mask: (batch, s).
            attention_mask: (batch, t, s) or (batch, heads, t, s), False where a query must not
                see a key.
            return_attention_scores: Whether the weights are returned too.
            training: Whether weights are dropped.
            use_causal_mask: Whether a position sees only itself and those before it.
        """
        key = value if key is None else key
        mask = self._mask(
            query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask
        )
        q, k, v = (
            getattr(self, self._name_of(name))(array)
            for name, array in (("query", query), ("key", key), ("value", value))
        )
        outputs, scores = self._attend(q, k, v, mask, training)
        context = CURRENT.get()
        if context is not None and hasattr(context.observer, "saw_scores"):
            context.observer.saw_scores(self, scores)
        if self.use_gate:
            outputs = outputs * self._gate_dense(query)
        outputs = getattr(self, self._name_of("output"))(outputs)
        return (outputs, scores) if return_attention_scores else outputs

    def _attend(self, query: Any, key: Any, value: Any, mask: Any, training: Any) -> Any:
        """Outputs of the heads, and the weights."""
        raise NotImplementedError

    def _score_shape(self, query: Any, value: Any) -> tuple[Any, ...]:
        """The shape of the weights for a query and values of these shapes."""
        raise NotImplementedError

    def _name_of(self, projection: str) -> str:
        return f"{self._private}{projection}_dense"

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors like those that a call on these arguments gives."""
        named = call_spec(type(self)).named(args, kwargs)
        query, value = named["query"].shape, named["value"].shape
        output = KerasTensor(self.compute_output_shape(query), self.compute_dtype)
        if not named.get("return_attention_scores", False):
            return output
        return output, KerasTensor(self._score_shape(query, value), self.compute_dtype)

    def _mask(
        self,
        query: Any,
        value: Any,
        query_mask: Any,
        value_mask: Any,
        key_mask: Any,
        attention_mask: Any,
        causal: bool,
    ) -> Any:
        """All masks as one of (batch, t, s), or None."""
        masks = []
        if attention_mask is not None:
            masks.append(as_bool(attention_mask))
        if query_mask is not None:
            masks.append(ops.expand_dims(as_bool(query_mask), -1))
        masks += [
            ops.expand_dims(as_bool(mask), -2)
            for mask in (value_mask, key_mask)
            if mask is not None
        ]
        if causal or self.sliding_window is not None:
            apart = counted(query.shape[1])[:, None] - counted(value.shape[1])
        if causal:
            masks.append((apart >= 0)[None])
        if self.sliding_window is not None:
            masks.append((np.abs(apart) < self.sliding_window)[None])
        result = None
        for mask in masks:
            result = mask if result is None else ops.logical_and(result, mask)
        return result

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        config = super().get_config()
        del config["flash_attention"]
        return config

    def _init_argument(self, name: str) -> Any:
        if name == "activity_regularizer":
            return self._inner_regularizer
        return super()._init_argument(name)
