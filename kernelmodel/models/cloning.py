"""clone_model: a model of the same layers with weights of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernelmodel.core.inputs import Input, InputLayer
from kernelmodel.core.layer import Layer
from kernelmodel.core.operation import OpCall
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tree import flatten, pack_like
from kernelmodel.models.arguments import is_plain_functional
from kernelmodel.models.model import Model
from kernelmodel.models.sequential import Sequential


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Any:
    """A model with the same layers, newly made from their configs, and new weights.

    Args:
        model: A Functional or Sequential model, or a subclassed one with a `get_config`.
        input_tensors: Symbolic tensors to build on, in the structure of the inputs; None for new
            inputs like the model's.
        clone_function: `layer -> layer`, called for each layer that isn't an input; it may change
            the layer or return the very same, which the clone then shares. None copies by config.
        call_function: `(layer, *args, **kwargs) -> outputs` in place of calling the new layer.
        recursive: Whether models within the model are cloned layer by layer, too.

    Returns:
        A model of the same class.

    Raises:
        ValueError: Something else than a model, or inputs that don't fit.

    Examples:
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((3,)), km.layers.Dense(2)])
        >>> clone = km.models.clone_model(model)
        >>> clone.layers[0] is model.layers[0]
        False
    """
    if not isinstance(model, Model):
        raise ValueError(
            f"clone_model needs a model, got {model!r} of type {type(model).__name__}."
        )

    def clone(layer: Any) -> Any:
        if recursive and isinstance(layer, Model):
            return clone_model(layer, None, clone_function, call_function, True)
        if isinstance(layer, OpCall):
            return OpCall(layer.function, layer.name, layer.settings)
        return _copy(layer) if clone_function is None else _checked(layer, clone_function(layer))

    if isinstance(model, Sequential):
        return _clone_stack(model, input_tensors, clone)
    if model._graph is not None and is_plain_functional(type(model)):
        return _clone_graph(model, input_tensors, clone, call_function)
    if any(given is not None for given in (input_tensors, clone_function, call_function)):
        raise ValueError(
            f"Model {model.name!r} is a subclass of Model with a call() of its own, so it can be "
            "cloned only as a whole, by its config: call clone_model(model) without more arguments."
        )
    return _copy(model)


def _copy(layer: Layer) -> Any:
    return type(layer).from_config(layer.get_config())


def _checked(layer: Any, copy: Any) -> Any:
    if not isinstance(copy, Layer):
        raise ValueError(
            f"clone_function must return a layer, got {copy!r} of type {type(copy).__name__} for "
            f"layer {layer.name!r}."
        )
    return copy


def _clone_stack(model: Sequential, input_tensors: Any, clone: Callable[[Any], Any]) -> Any:
    start: list[Any] = [_copy(layer) for layer in model._stack if isinstance(layer, InputLayer)]
    if input_tensors is not None:
        given = flatten(input_tensors)
        if len(given) != 1 or not isinstance(given[0], KerasTensor):
            raise ValueError(
                f"Sequential {model.name!r} takes one symbolic input tensor, got {input_tensors!r}."
            )
        (tensor,) = given
        name = tensor.node.operation.name if tensor.node is not None else None
        start = [Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)]
    layers = [*start, *map(clone, model.layers)]
    return type(model)(layers, name=model.name, trainable=model._trainable)


def _clone_graph(
    model: Model,
    input_tensors: Any,
    clone: Callable[[Any], Any],
    call_function: Callable[..., Any] | None,
) -> Any:
    graph = model._graph
    assert graph is not None
    leaves = [_copy(layer).output for layer in graph.input_layers]
    if input_tensors is not None:
        leaves = flatten(input_tensors)
        if len(leaves) != len(graph.input_tensors):
            raise ValueError(
                f"Model {model.name!r} has {len(graph.input_tensors)} input(s), got "
                f"{len(leaves)} input_tensors."
            )
    copies: dict[int, Any] = {}

    def call(operation: Any, args: Any, kwargs: Any) -> Any:
        if id(operation) not in copies:
            copies[id(operation)] = clone(operation)
        copy = copies[id(operation)]
        if call_function is None:
            return copy(*args, **kwargs)
        return call_function(copy, *args, **kwargs)

    outputs = graph.run(leaves, call)
    return type(model)(
        pack_like(graph.inputs, leaves), outputs, name=model.name, trainable=model._trainable
    )
