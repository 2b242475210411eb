"""Ops of a graph in a config: Keras 3 writes one class for each op.

What an op computes with lies in `inbound_nodes`, its settings (axes, shapes) in its own config.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from kernelmodel import ops
from kernelmodel.core.naming import snake_case
from kernelmodel.core.operation import OpCall
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object

# Parameters that an op computes with; all others are settings.
OPERANDS = {
    "condition", "constant_values", "fill_value", "index", "indices", "inputs", "operands",
    "output", "start_indices", "target", "updates", "variable", "x", "x1", "x2", "xs",
}  # fmt: skip

# Modules of Keras other than keras.src.ops.numpy, where its loader looks for the classes.
MODULES = {
    "core": "cast convert_to_tensor slice_update stop_gradient unstack",
    "linalg": "norm",
    "math": "logsumexp rsqrt top_k",
    "nn": "binary_crossentropy categorical_crossentropy elu gelu hard_sigmoid hard_silu leaky_relu "
    "log_softmax one_hot relu relu6 selu sigmoid silu softmax softplus softsign "
    "sparse_categorical_crossentropy",
}
MODULE_OF = {name: module for module, names in MODULES.items() for name in names.split()}


@cache
def _parameters(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    return tuple(inspect.signature(function).parameters.values())


def split_arguments(
    function: Callable[..., Any], args: Any, kwargs: Any
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of an op's call as operands in order, and settings by name."""
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    operands: list[Any] = []
    settings: dict[str, Any] = {}
    for parameter in _parameters(function):
        value = bound.arguments[parameter.name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            operands += value
        elif parameter.name not in OPERANDS:
            settings[parameter.name] = value
        elif value is not None or parameter.default is parameter.empty:
            operands.append(value)
    return operands, settings


def op_entry(operation: OpCall, encode: Callable[[Any], Any]) -> dict[str, Any]:
    """The entry of an op among a config's layers.

    Args:
        operation: The op, called once.
        encode: Makes operands JSON: symbolic tensors become references.
    """
    (node,) = operation._inbound_nodes
    operands, settings = split_arguments(operation.function, node.args, node.kwargs)
    title = operation._serialized_class_name
    return {
        "module": f"keras.src.ops.{MODULE_OF.get(operation.function.__name__, 'numpy')}",
        "class_name": title,
        "config": {"name": operation.name, **serialize_keras_object(settings)},
        "registered_name": title,
        "name": operation.name,
        "inbound_nodes": [{"args": [encode(operand) for operand in operands], "kwargs": {}}],
    }


def op_from_entry(entry: dict[str, Any]) -> OpCall:
    """The op of an entry; it takes operands, and has its settings already.

    Raises:
        ValueError: An op, or a setting of one, that kernelmodel doesn't have.
    """
    name = {"GetItem": "getitem"}.get(entry["class_name"], snake_case(entry["class_name"]))
    function = getattr(ops, name, None)
    if function is None or not getattr(function, "__op__", False):
        raise ValueError(
            f"The file uses the op {entry['class_name']!r}, which kernelmodel doesn't have."
        )
    settings = {k: deserialize_keras_object(v) for k, v in entry["config"].items() if k != "name"}
    known = {parameter.name for parameter in _parameters(function)}
    for key in list(settings):
        if key not in known and settings.pop(key) not in (None, False):
            raise ValueError(
                f"The file uses the op {name!r} with {key!r}, which kernelmodel doesn't know."
            )
    return OpCall(function, entry["config"].get("name"), settings)


def call_arguments(
    operation: OpCall, operands: list[Any], named: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Operands from a config, and the op's settings, as the arguments of its call."""
    parameters = _parameters(operation.function)
    settings = {**operation.settings, **named}
    if parameters[-1].kind is inspect.Parameter.VAR_POSITIONAL:
        leading = [settings.pop(p.name) for p in parameters[:-1]]
        return [*leading, *operands], settings
    names = [p.name for p in parameters if p.name in OPERANDS]
    given = dict(zip(names, operands))
    if isinstance(given.get("index"), list):
        given["index"] = tuple(given["index"])
    first = parameters[0].name
    return ([given.pop(first)] if first in given else []), {**given, **settings}
