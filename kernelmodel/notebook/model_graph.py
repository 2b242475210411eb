"""The graph of a Functional model as nodes and edges to draw."""

from __future__ import annotations

from kernelmodel.core.graph import Graph
from kernelmodel.core.operation import Operation
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.notebook.graph_svg import GraphEdge, GraphNode


def graph_parts(graph: Graph) -> tuple[list[GraphNode], list[GraphEdge]]:
    """Return what a picture of a graph shows: each layer or op once, and each tensor between two.

    Args:
        graph: the graph of a Functional model; a layer called several times has an edge a call.
    """
    ids = {id(operation): f"n{i}" for i, operation in enumerate(graph.operations)}
    shapes: dict[int, list[str]] = {}
    makers: dict[int, Operation] = {}
    for tensor, layer in zip(graph.input_tensors, graph.input_layers):
        makers[id(tensor)] = layer
        shapes[id(layer)] = [str(tensor.shape)]
    edges: list[GraphEdge] = []
    for node in graph.nodes:
        target = ids[id(node.operation)]
        sources = [ids.get(id(_maker(tensor, makers))) for tensor in node.input_tensors]
        edges += [GraphEdge(source, target) for source in sources if source is not None]
        for tensor in node.output_tensors:
            makers.setdefault(id(tensor), node.operation)
        shown = [str(tensor.shape) for tensor in node.output_tensors]
        shapes.setdefault(id(node.operation), shown)
    nodes = [
        GraphNode(
            ids[id(operation)],
            operation.name,
            "op" if hasattr(operation, "function") else type(operation).__name__,
            ", ".join(shapes.get(id(operation), [])),
        )
        for operation in graph.operations
    ]
    return nodes, edges


def _maker(tensor: KerasTensor, makers: dict[int, Operation]) -> Operation | None:
    known = makers.get(id(tensor))
    return known if known is not None or tensor.node is None else tensor.node.operation
