"""A model's summary: a row for each layer, and totals."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kernelmodel.core.lookup import suggestion
from kernelmodel.core.nesting import Place, is_model, places
from kernelmodel.core.tracking import unique
from kernelmodel.core.tree import is_shape
from kernelmodel.core.variable import Variable
from kernelmodel.models.costs import Cost, Costs


@dataclass
class SummaryRow:
    """A layer in a summary.

    Attributes:
        name: Its name.
        class_name: Its class.
        output_shape: Shape of what it gives, as text.
        params: Number of values in its weights.
        connected_to: Names of the layers that it gets its input from.
        trainable: Whether its weights are trained.
        depth: How many models it is nested in.
        place: Where it is in the model.
        cost: Operations, and memory of what it gives, for one sample.
        bytes: Memory of its weights.
    """

    name: str
    class_name: str
    output_shape: str
    params: int
    connected_to: list[str] = field(default_factory=list)
    trainable: bool = True
    depth: int = 0
    place: Place | None = None
    cost: Cost = field(default_factory=Cost)
    bytes: int = 0


class Summary:
    """What `model.summary()` shows.

    Args:
        model: A built model.
        expand_nested: Add the layers of models in the model.
        layer_range: (first, last) names or regular expressions of the layers to list, or None.

    Raises:
        ValueError: The model isn't built, or the range finds no layer.
    """

    def __init__(self, model: Any, expand_nested: bool = False, layer_range: Any = None) -> None:
        if not model.built:
            raise ValueError(
                f"Model {model.name!r} isn't built yet, so its shapes aren't known. Call it on "
                "data, build(input_shape) it, or put an Input first; then summary() works."
            )
        self.model, self.name = model, model.name
        self.expand_nested = expand_nested
        self.linear = is_linear(model)
        costs = Costs(model)
        self.cost = costs.total
        self.tree = [_row(place, costs) for place in places(model)]
        self.rows = [
            row for row in self.tree if not row.depth or (expand_nested and in_models(row))
        ]
        if layer_range is not None:
            self.rows = _cut(self.rows, layer_range)
            self.tree = _below(self.tree, self.rows)
        self.count()

    def count(self) -> None:
        """Bring the totals up to date: they change as layers are frozen and optimizers built."""
        trainable = {id(v) for v in self.model.trainable_weights}
        weights = unique(self.model.weights)
        self.trainable_params = _count([v for v in weights if id(v) in trainable])
        self.non_trainable_params = _count([v for v in weights if id(v) not in trainable])
        optimizer = getattr(self.model, "optimizer", None)
        self.optimizer_params = _count(optimizer.variables) if optimizer is not None else 0
        self.bytes = _bytes(weights)

    @property
    def total_params(self) -> int:
        """Values in all weights, each weight once."""
        return self.trainable_params + self.non_trainable_params


def is_linear(model: Any) -> bool:
    """Whether the layers form a plain chain."""
    graph = model._graph
    if graph is None:
        return True
    return len(graph.input_tensors) == 1 and all(
        len(node.input_tensors) == 1 for node in graph.nodes
    ) and len(graph.output_tensors) == 1 and len({id(n.input_tensors[0]) for n in graph.nodes}) == (
        len(graph.nodes)
    )  # fmt: skip


def _row(place: Place, costs: Costs) -> SummaryRow:
    operation, owner = place.operation, place.owner
    weights = unique(getattr(operation, "weights", []))
    return SummaryRow(
        operation.name,
        type(operation).__name__ if not hasattr(operation, "function") else "op",
        shape_text(output_shape(operation, owner)),
        _count(weights),
        _sources(operation, owner),
        bool(getattr(operation, "trainable", True)),
        place.depth,
        place,
        costs.of(operation),
        _bytes(weights),
    )


def in_models(row: SummaryRow) -> bool:
    """Whether a row is a part of a model, not of a layer that is made of layers."""
    return row.place is not None and is_model(row.place.owner)


def _below(tree: list[SummaryRow], rows: list[SummaryRow]) -> list[SummaryRow]:
    """The rows of the tree that are listed, and what is in them."""
    keys = [row.place.id for row in rows if row.place is not None]
    return [
        row
        for row in tree
        if row.place is not None
        and any(row.place.id == key or row.place.id.startswith(f"{key}/") for key in keys)
    ]


def output_shape(operation: Any, model: Any) -> Any:
    """The output shape of an operation in a model; its last one if the model has no graph."""
    nodes = operation._inbound_nodes
    if getattr(model, "_graph", None) is not None:
        inside = {id(node) for node in model._graph.nodes}
        nodes = [node for node in nodes if id(node) in inside] or nodes
    if nodes:
        tensors = nodes[0].output_tensors
        shapes = [tensor.shape for tensor in tensors]
        return shapes[0] if len(shapes) == 1 else shapes
    shape = getattr(operation, "_output_shape", None)
    return _without_batch_size(shape)


def _without_batch_size(shape: Any) -> Any:
    if shape is None:
        return None
    if is_shape(shape):
        return (None, *tuple(shape)[1:]) if len(shape) else ()
    return [_without_batch_size(part) for part in flatten_shapes(shape)]


def flatten_shapes(shapes: Any) -> list[Any]:
    """The shapes in a structure."""
    if shapes is None or is_shape(shapes):
        return [shapes]
    parts = shapes.values() if isinstance(shapes, dict) else shapes
    return [leaf for part in parts for leaf in flatten_shapes(part)]


def shape_text(shape: Any) -> str:
    """A shape, or several, as text."""
    if shape is None:
        return "not called yet"
    if is_shape(shape):
        return str(tuple(shape))
    return ", ".join(str(tuple(one)) for one in shape if one is not None)


def _sources(operation: Any, model: Any) -> list[str]:
    if getattr(model, "_graph", None) is None:
        return []
    nodes = [node for node in model._graph.nodes if node.operation is operation]
    names = []
    feeds = {
        id(t): layer.name for t, layer in zip(model._graph.input_tensors, model._graph.input_layers)
    }
    for node in nodes:
        for tensor in node.input_tensors:
            made_by = tensor.node.operation.name if tensor.node is not None else tensor.name
            names.append(feeds.get(id(tensor), made_by))
    return list(dict.fromkeys(names))


def _count(variables: list[Variable]) -> int:
    return sum(variable.size for variable in variables)


def _bytes(variables: list[Variable]) -> int:
    return sum(variable.size * np.dtype(variable.dtype).itemsize for variable in variables)


def _cut(rows: list[SummaryRow], layer_range: Any) -> list[SummaryRow]:
    pair = isinstance(layer_range, (list, tuple)) and len(layer_range) == 2
    if not pair or not all(isinstance(name, str) for name in layer_range):
        raise ValueError(
            f"`layer_range` must be (first, last): two layer names or regular expressions, got "
            f"{layer_range!r}."
        )
    first, last = layer_range
    names = [row.name for row in rows]
    start = next((i for i, name in enumerate(names) if re.match(first, name)), None)
    end = next((i for i in reversed(range(len(names))) if re.match(last, names[i])), None)
    for pattern, found in ((first, start), (last, end)):
        if found is None:
            raise ValueError(
                f"`layer_range`: no layer matches {pattern!r}. {suggestion(pattern, names)}"
            )
    assert start is not None and end is not None
    start, end = min(start, end), max(start, end)
    return rows[start : end + 1]
