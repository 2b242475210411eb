"""A recurrent layer run over a sequence in both directions."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.kinds import Arrays
from kernelmodel.core.layer import Layer
from kernelmodel.core.serialization import serialize_keras_object
from kernelmodel.core.tree import flatten
from kernelmodel.layers.arguments import choice, refuse
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.wrapper import check_layer

MERGE_MODES = ("concat", "sum", "mul", "ave", None)
SHARED = ("stateful", "return_sequences", "return_state")


def copy_of(layer: Layer, prefix: str, **changes: Any) -> Layer:
    """A layer with the arguments of another, and weights of its own."""
    name = f"{prefix}_{layer.name.removeprefix(f'{prefix}_')}"
    return type(layer).from_config({**layer.get_config(), "name": name, **changes})


@REGISTRY.register()
class Bidirectional(Layer):
    """Two recurrent layers, one from the first step to the last and one from the last to the first.

    Args:
        layer: A recurrent layer. It is copied: its own weights aren't used.
        merge_mode: How the two outputs are merged: "concat", "sum", "mul" (product), "ave" (mean),
            or None to return both.
        weights: First values of the weights, those of the forward layer first; or None.
        backward_layer: The layer for the other direction; None for a copy of `layer`.

    Returns:
        The merged output or the two outputs, then the states of both layers if they return them.

    Raises:
        TypeError: `layer` or `backward_layer` is no layer.
        ValueError: `merge_mode` is none of these, or the layers don't match.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Bidirectional(km.layers.LSTM(4))(np.ones((2, 5, 3))).shape
        (2, 8)
    """

    supports_masking = True

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: Arrays | None = None,
        backward_layer: Layer | None = None,
        **kwargs: Any,
    ) -> None:
        check_layer("Bidirectional", "layer", layer)
        super().__init__(**kwargs)
        self.merge_mode = choice(self, "merge_mode", merge_mode, MERGE_MODES)
        for attribute in ("go_backwards", *SHARED):
            if not hasattr(layer, attribute):
                refuse(self, "layer", layer, f"a recurrent layer, with an attribute {attribute}")
        self.forward_layer = copy_of(layer, "forward")
        if backward_layer is None:
            backward_layer = copy_of(layer, "backward", go_backwards=not layer.go_backwards)
        check_layer("Bidirectional", "backward_layer", backward_layer)
        self.backward_layer = backward_layer
        if self.forward_layer.go_backwards == backward_layer.go_backwards:
            refuse(self, "backward_layer", backward_layer, "a layer of the other go_backwards")
        for attribute in SHARED:
            value = getattr(self.forward_layer, attribute)
            if value != getattr(backward_layer, attribute):
                refuse(self, "backward_layer", backward_layer, f"a layer with {attribute}={value}")
            setattr(self, attribute, value)
        for half in (self.forward_layer, self.backward_layer):
            if hasattr(half, "zero_output_for_mask"):
                half.zero_output_for_mask = self.return_sequences
        self.input_spec = layer.input_spec
        self._first_weights = weights

    @property
    def states(self) -> Any:
        """The state variables of stateful layers, those of the forward layer first; else None."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return None if forward is None or backward is None else [*forward, *backward]

    def reset_state(self) -> None:
        """Set the states of stateful layers to zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """The same as `reset_state`."""
        self.reset_state()

    def build(self, sequences_shape: Any) -> None:
        """Build both layers."""
        for half in (self.forward_layer, self.backward_layer):
            if not half.built:
                half.build(sequences_shape)
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None
    ) -> Any:
        """Run both layers and merge their outputs."""
        starts: tuple[Any, Any] = (None, None)
        if initial_state is not None:
            half = len(initial_state) // 2
            starts = (initial_state[:half], initial_state[half:])
        y, z = (
            layer(sequences, initial_state=start, mask=mask, training=training)
            for layer, start in zip((self.forward_layer, self.backward_layer), starts)
        )
        states: tuple[Any, ...] = ()
        if self.return_state:
            y, z, states = y[0], z[0], (*y[1:], *z[1:])
        if self.return_sequences:
            z = ops.flip(z, 1)
        merged = self._merged(y, z)
        if not self.return_state:
            return merged
        return (*merged, *states) if self.merge_mode is None else (merged, *states)

    def _merged(self, y: Any, z: Any) -> Any:
        if self.merge_mode == "concat":
            return ops.concatenate([y, z], -1)
        if self.merge_mode == "sum":
            return y + z
        if self.merge_mode == "ave":
            return (y + z) / 2
        return y * z if self.merge_mode == "mul" else (y, z)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shapes of the output and, if returned, of the states."""
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        states: tuple[Any, ...] = ()
        if self.return_state:
            shape, states = shape[0], (*shape[1:], *shape[1:])
        if self.merge_mode is None:
            return (shape, shape, *states)
        if self.merge_mode == "concat":
            shape = (*shape[:-1], 2 * shape[-1])
        return (shape, *states) if self.return_state else shape

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the output: that of the sequences, if there is one step for each."""
        mask = flatten(previous_mask)[0] if previous_mask is not None else None
        mask = mask if self.return_sequences else None
        masks = [mask] * (2 if self.merge_mode is None else 1)
        if self.return_state:
            sizes = self.forward_layer.cell.state_size
            masks += [None] * (2 * len(flatten(sizes)))
        return masks if len(masks) > 1 else mask

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        config = super().get_config()
        del config["weights"]
        config["layer"] = serialize_keras_object(self.forward_layer)
        config["backward_layer"] = serialize_keras_object(self.backward_layer)
        return config

    def _init_argument(self, name: str) -> Any:
        # These three are no attributes, or others than the arguments.
        return None if name in ("layer", "weights") else super()._init_argument(name)
