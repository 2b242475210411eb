"""What a model is made of, as a tree: its layers and ops, and the tensors that go between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from kernelmodel.core.graph import Graph
from kernelmodel.core.inputs import InputLayer
from kernelmodel.core.nesting import expands
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tracking import unique
from kernelmodel.core.tree import flatten
from kernelmodel.models.summary import flatten_shapes, shape_text
from kernelmodel.notebook.graph.families import family_of

LINEAR = "linear"


@dataclass
class Part:
    """A layer or op of a model, or the place where an output leaves it.

    Attributes:
        id: Its place in the tree, such as "3" or "3/0"; an output's ends in "out0".
        name: Its name.
        class_name: Its class; "op" for a function of `kernelmodel.ops`, "" for an output.
        family: What its colour goes by, see `families`.
        operation: The layer or op itself; None for an output.
        inputs: Shapes of what it takes, as text; one for each call.
        outputs: Shapes of what it gives, likewise.
        dtype: What it computes in.
        params: Number of values in its weights.
        trainable: Whether they are trained.
        activation: Name of its activation; "" without one.
        inner: What it is made of itself, if it is a model.
    """

    id: str
    name: str
    class_name: str = ""
    family: str = "other"
    operation: Any = None
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    dtype: str = ""
    params: int = 0
    trainable: bool = True
    activation: str = ""
    inner: Parts | None = None

    @property
    def is_output(self) -> bool:
        """Whether it only stands for the place where an output leaves the model."""
        return self.operation is None


@dataclass
class Link:
    """A tensor that goes from one part to another.

    Attributes:
        source: The id of the part that makes it.
        target: The id of the part that takes it.
        shape: Its shape, as text.
        dtype: Its dtype.
        tensor: A key of the tensor: links with one key carry the same.
        call: Which call of the target takes it, from 1; 0 when there is only one.
        known: False where it is only a guess that data goes this way, from the attributes' order.
    """

    source: str
    target: str
    shape: str = ""
    dtype: str = ""
    tensor: int = 0
    call: int = 0
    known: bool = True


@dataclass
class Parts:
    """The parts of a model and the links between them."""

    nodes: list[Part]
    links: list[Link]

    def walk(self) -> list[Part]:
        """All layers and ops, those of nested models after the model; no outputs."""
        found = []
        for part in self.nodes:
            if not part.is_output:
                found.append(part)
            if part.inner is not None:
                found += part.inner.walk()
        return found


def model_parts(model: Any) -> Parts:
    """Return what a model is made of.

    Args:
        model: a model with a graph, or a subclassed one, whose layers are listed in the order of
            its attributes: where its data goes only its code knows.
    """
    return _parts(model, "")


def _parts(model: Any, prefix: str) -> Parts:
    graph = getattr(model, "_graph", None)
    if graph is not None:
        return _of_graph(graph, prefix)
    layers = model.layers if hasattr(model, "layers") else model._layers
    nodes = [
        _part(layer, f"{prefix}{i}", [], _seen_outputs(layer)) for i, layer in enumerate(layers)
    ]
    in_turn = type(model).__name__ == "Sequential"
    links = [
        Link(above.id, below.id, ", ".join(above.outputs), known=in_turn)
        for above, below in pairwise(nodes)
    ]
    return Parts(nodes, links)


def _seen_outputs(layer: Any) -> list[str]:
    """The shapes that a layer outside of a graph gave when it was called last, for any batch."""
    shapes = flatten_shapes(getattr(layer, "_output_shape", None))
    return [shape_text((None, *shape[1:])) for shape in shapes if shape is not None]


def _of_graph(graph: Graph, prefix: str) -> Parts:
    ids = {id(operation): f"{prefix}{i}" for i, operation in enumerate(graph.operations)}
    makers: dict[int, str] = {}
    takes: dict[int, list[str]] = {}
    gives: dict[int, list[str]] = {}
    calls: dict[int, int] = {}
    for tensor, layer in zip(graph.input_tensors, graph.input_layers):
        makers[id(tensor)] = ids[id(layer)]
        gives[id(layer)] = [str(tensor.shape)]
    for node in graph.nodes:
        key = id(node.operation)
        calls[key] = calls.get(key, 0) + 1
        for tensor in node.output_tensors:
            makers.setdefault(id(tensor), ids[key])
        takes.setdefault(key, []).append(_shapes(node.input_tensors))
        gives.setdefault(key, []).append(_shapes(node.output_tensors))
    links, nth = [], dict.fromkeys(calls, 0)
    for node in graph.nodes:
        key = id(node.operation)
        nth[key] += 1
        links += [
            _link(tensor, makers[id(tensor)], ids[key], nth[key] if calls[key] > 1 else 0)
            for tensor in node.input_tensors
        ]
    nodes = [
        _part(operation, ids[id(operation)], takes.get(id(operation), []),
              gives.get(id(operation), []))
        for operation in graph.operations
    ]  # fmt: skip
    for i, tensor in enumerate(graph.output_tensors):
        out = Part(f"{prefix}out{i}", str(tensor.shape), outputs=[str(tensor.shape)])
        nodes.append(out)
        links.append(_link(tensor, makers[id(tensor)], out.id, 0))
    return Parts(nodes, links)


def _link(tensor: KerasTensor, source: str, target: str, call: int) -> Link:
    return Link(source, target, str(tensor.shape), tensor.dtype, id(tensor), call)


def _shapes(tensors: list[KerasTensor]) -> str:
    return ", ".join(str(tensor.shape) for tensor in tensors)


def _part(operation: Any, place: str, takes: list[str], gives: list[str]) -> Part:
    is_op = not hasattr(operation, "weights")
    inner = None
    if not is_op and expands(operation):
        inner = _parts(operation, f"{place}/")
    weights = unique(getattr(operation, "weights", []))
    return Part(
        place,
        operation.name,
        "op" if is_op else class_name(operation),
        family_of(operation),
        operation,
        list(dict.fromkeys(takes)),
        list(dict.fromkeys(gives)),
        _dtype(operation),
        sum(int(np.prod(variable.shape)) for variable in weights),
        bool(getattr(operation, "trainable", True)),
        activation_name(operation),
        inner,
    )


def class_name(layer: Any) -> str:
    """Return a layer's class as Keras calls it."""
    return str(getattr(layer, "_serialized_class_name", type(layer).__name__))


def _dtype(operation: Any) -> str:
    if isinstance(operation, InputLayer):
        return str(operation.dtype)
    if hasattr(operation, "compute_dtype"):
        return str(operation.compute_dtype)
    tensors = [t for node in operation._inbound_nodes for t in flatten(node.outputs)]
    return ", ".join(dict.fromkeys(tensor.dtype for tensor in tensors))


def activation_name(operation: Any) -> str:
    """Return the name of a layer's activation; "" if it has none, or the linear one."""
    activation = getattr(operation, "activation", None)
    name = getattr(activation, "__name__", type(activation).__name__)
    return "" if activation is None or name == LINEAR else str(name)
