"""A Functional model's config: its layers, and which tensors each call got. Keras 3's form."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.call_spec import call_spec
from kernelmodel.core.graph import Graph
from kernelmodel.core.inputs import InputLayer
from kernelmodel.core.layer import Layer
from kernelmodel.core.operation import OpCall, Operation
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tree import flatten
from kernelmodel.models.op_config import call_arguments, op_entry, op_from_entry


def graph_config(model: Any) -> dict[str, Any]:
    """The config of a Functional model."""
    graph: Graph = model._graph
    origins = _origins(graph)
    layers = []
    for operation in graph.operations:
        if isinstance(operation, OpCall):
            layers.append(op_entry(operation, lambda value: _encode(value, origins)))
            continue
        entry = serialize_keras_object(operation)
        entry["name"] = operation.name
        entry["inbound_nodes"] = [
            {
                "args": _encode(node.args, origins),
                "kwargs": _encode(node.kwargs, origins),
            }
            for node in graph.nodes
            if node.operation is operation
        ]
        layers.append(entry)
    return {
        "name": model.name,
        "trainable": model._trainable,
        "layers": layers,
        "input_layers": _ports(graph.inputs, origins),
        "output_layers": _ports(graph.outputs, _counted(origins, graph)),
    }


def _counts_from_one(operation: Operation) -> bool:
    """Whether Keras numbers the calls of an operation from one where outputs are listed.

    It does so for Functional models (not Sequential ones), as Keras 2 did everywhere.
    """
    return getattr(operation, "_graph", None) is not None and not hasattr(operation, "_stack")


def _origins(graph: Graph) -> dict[int, tuple[str, int, int]]:
    """Where each tensor comes from: (operation name, number of its call, number of its output)."""
    origins: dict[int, tuple[str, int, int]] = {}
    calls: dict[int, int] = {}
    for node in graph.nodes:
        number = calls.get(id(node.operation), 0)
        calls[id(node.operation)] = number + 1
        for i, tensor in enumerate(node.output_tensors):
            origins[id(tensor)] = (node.operation.name, number, i)
    for layer, tensor in zip(graph.input_layers, graph.input_tensors):
        origins[id(tensor)] = (layer.name, 0, 0)
    return origins


def _counted(
    origins: dict[int, tuple[str, int, int]], graph: Graph
) -> dict[int, tuple[str, int, int]]:
    """The same, as Keras counts where outputs are listed."""
    from_one = {op.name for op in graph.operations if _counts_from_one(op)}
    return {key: (name, call + (name in from_one), i) for key, (name, call, i) in origins.items()}


def _encode(value: Any, origins: dict[int, tuple[str, int, int]]) -> Any:
    if isinstance(value, KerasTensor):
        return {
            "class_name": "__keras_tensor__",
            "config": {
                "shape": list(value.shape),
                "dtype": value.dtype,
                "keras_history": list(origins[id(value)]),
            },
        }
    if isinstance(value, (list, tuple)):
        return [_encode(part, origins) for part in value]
    if isinstance(value, dict):
        return {key: _encode(part, origins) for key, part in value.items()}
    return serialize_keras_object(value)


def _ports(structure: Any, origins: dict[int, tuple[str, int, int]]) -> Any:
    if isinstance(structure, KerasTensor):
        return list(origins[id(structure)])
    if isinstance(structure, dict):
        return {key: _ports(part, origins) for key, part in structure.items()}
    return [_ports(part, origins) for part in structure]


def graph_from_config(cls: Any, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """Make a Functional model of its config.

    Raises:
        ValueError: The config names a layer or tensor that it doesn't define.
    """
    operations: dict[str, Operation] = {}
    produced: dict[tuple[str, int, int], KerasTensor] = {}
    waiting: list[tuple[str, int, Any]] = []
    for entry in config["layers"]:
        operation = _make_operation(entry, custom_objects)
        operations[entry.get("name", operation.name)] = operation
        if isinstance(operation, InputLayer):
            produced[(operation.name, 0, 0)] = operation.output
        for number, node in enumerate(entry.get("inbound_nodes", [])):
            waiting.append((entry.get("name", operation.name), number, node))
    while waiting:
        left = []
        for name, number, node in waiting:
            if not _ready(node, produced):
                left.append((name, number, node))
                continue
            args, kwargs = _arguments(node, produced, custom_objects)
            operation = operations[name]
            if isinstance(operation, OpCall):
                args, kwargs = call_arguments(operation, list(args), kwargs)
            if "training" in kwargs and _is_default(operation, kwargs["training"]):
                del kwargs["training"]  # Keras notes it there; it means no choice
            if kwargs.get("mask", 0) is None and "mask" not in call_spec(type(operation)).names:
                del kwargs["mask"]  # nor does this
            outputs = operation(*args, **kwargs)
            for i, tensor in enumerate(flatten(outputs)):
                produced[(name, number, i)] = tensor
        if len(left) == len(waiting):
            raise ValueError(
                f"The config of model {config.get('name')!r} is inconsistent: no call gives the "
                f"inputs of {sorted({name for name, _, _ in left})}. The file is damaged."
            )
        waiting = left
    inputs = _tensors(config["input_layers"], produced)
    outputs = _tensors(from_nought(config["output_layers"], operations), produced)
    model = cls(inputs=inputs, outputs=outputs, name=config.get("name"))
    if not config.get("trainable", True):
        model.trainable = False
    return model


def _make_operation(entry: dict[str, Any], custom_objects: Any) -> Operation:
    if ".ops" in (entry.get("module") or ""):
        return op_from_entry(entry)
    operation = deserialize_keras_object(entry, custom_objects)
    if not isinstance(operation, Layer):
        raise ValueError(f"{entry.get('name')!r} in the config is a {type(operation).__name__}, "
                         "not a layer.")  # fmt: skip
    return operation


def _is_default(operation: Operation, training: Any) -> bool:
    """Whether a call in a mode is that of a layer that wasn't told one."""
    return not training or training == call_spec(type(operation)).training_default


def _legacy(node: Any) -> bool:
    return isinstance(node, list)


def _ready(node: Any, produced: dict[Any, Any]) -> bool:
    return all(key in produced for key in _needs(node))


def _needs(value: Any) -> list[tuple[str, int, int]]:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return [tuple(value["config"]["keras_history"])]
        return [key for part in value.values() for key in _needs(part)]
    if isinstance(value, list):
        if _is_origin(value):
            return [(value[0], value[1], value[2])]
        return [key for part in value for key in _needs(part)]
    return []


def _is_origin(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(isinstance(part, int) for part in value[1:3])
    )


def _arguments(node: Any, produced: dict[Any, Any], custom_objects: Any) -> tuple[Any, Any]:
    if _legacy(node):
        tensors = [produced[(n[0], n[1], n[2])] for n in node]
        given = node[0][3] if len(node[0]) > 3 else {}
        kwargs = {key: _found(value, produced) for key, value in given.items()}
        args = (tensors[0],) if len(tensors) == 1 else (tensors,)
        return args, _decode(kwargs, produced, None)
    args = tuple(_decode(arg, produced, custom_objects) for arg in node["args"])
    return args, _decode(node["kwargs"], produced, custom_objects)


def _found(value: Any, produced: dict[Any, Any]) -> Any:
    """An argument in Keras 2's form: a tensor, several, or something else."""
    if _is_origin(value):
        return produced[(value[0], value[1], value[2])]
    if isinstance(value, list):
        return [_found(part, produced) for part in value]
    return value


def _decode(value: Any, produced: dict[Any, Any], custom_objects: Any) -> Any:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return produced[tuple(value["config"]["keras_history"])]
        if "class_name" in value and "config" in value:
            return deserialize_keras_object(value, custom_objects)
        return {key: _decode(part, produced, custom_objects) for key, part in value.items()}
    if isinstance(value, list):
        return [_decode(part, produced, custom_objects) for part in value]
    return value


def from_nought(ports: Any, operations: dict[str, Operation]) -> Any:
    """A config's `output_layers`, with calls numbered as in `inbound_nodes`."""
    if _is_origin(ports):
        name, call, output = ports[:3]
        shift = name in operations and _counts_from_one(operations[name])
        return [name, max(0, call - shift), output]
    if isinstance(ports, dict):
        return {key: from_nought(part, operations) for key, part in ports.items()}
    return [from_nought(part, operations) for part in ports]


def _tensors(ports: Any, produced: dict[Any, Any]) -> Any:
    if _is_origin(ports):
        return produced[(ports[0], ports[1], ports[2])]
    if isinstance(ports, dict):
        return {key: _tensors(part, produced) for key, part in ports.items()}
    found = [_tensors(part, produced) for part in ports]
    return found
